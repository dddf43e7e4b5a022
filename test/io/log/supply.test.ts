import t from 'tap';
import { createRefusedLane } from '../../../src/io/log/refused-lane.ts';
import { createSupply, type Supply } from '../../../src/io/log/supply.ts';
import { createCall, type Call } from '../../../src/io/log/unit.ts';
import { PrivityError } from '../../../src/model/errors.ts';
import { entryAt, refusedAt } from '../../helpers/recorder.ts';

const NOW = 1_800_000_000_000;
const limits = { maxEntries: 10, maxBytes: 100_000, batchEntries: 4, batchBytes: 50_000 };
const refused = { perSecond: 100, burst: 100, maxWaiting: 100, maxCounters: 10, countMs: 1_000 };
const failure = new PrivityError('cannot_record');

function create(): { supply: Supply; refuse: (note: unknown) => void; lost: () => number } {
  const lane = createRefusedLane(() => NOW, refused);
  let lost = 0;
  const supply = createSupply(limits, lane, () => void lost++);
  return { supply, refuse: (note) => lane.add(refusedAt(NOW, { note })), lost: () => lost };
}

function call(entries: number, deadline = 1_000, note = ''): Call {
  const created = createCall(
    Array.from({ length: entries }, () => entryAt(NOW, {}, { note })),
    deadline,
  );
  created.receipts.catch(() => undefined);
  return created;
}

t.test('batches are whole calls in the order they came, up to a size', async (t) => {
  const { supply } = create();
  const calls = [1, 2, 2, 1].map((entries) => call(entries).unit);
  for (const unit of calls) t.ok(supply.offer(unit));
  t.equal(supply.entries(), 6);
  t.same(supply.take(false), calls.slice(0, 2));
  t.same(supply.take(false), calls.slice(2));
  t.same(supply.take(false), []);
  t.equal(supply.entries(), 0);
  t.equal(supply.bytes(), 0);
});

t.test('bounded; a call beyond the bounds gets through alone', async (t) => {
  const { supply } = create();
  t.ok(supply.offer(call(12).unit));
  t.notOk(supply.offer(call(1).unit));
  t.equal(supply.take(false).length, 1);
  t.ok(supply.offer(call(1, 1_000, 'x'.repeat(99_000)).unit));
  t.notOk(supply.offer(call(1, 1_000, 'x'.repeat(2_000)).unit), 'bytes count too');
});

t.test('calls that are due are rejected and gone, others stay', async (t) => {
  const { supply } = create();
  const calls = [call(2, 100), call(1, 200), call(1, 300)];
  for (const { unit } of calls) supply.offer(unit);
  t.equal(supply.reject(failure, 99), 0);
  t.equal(supply.reject(failure, 200), 3);
  await t.rejects(calls[0]?.receipts ?? Promise.resolve([]), { code: 'cannot_record' });
  t.equal(supply.entries(), 1);
  t.same(supply.take(false), [calls[2]?.unit]);
});

t.test('halves come before anything else, without those that have their answer', async (t) => {
  const { supply, refuse } = create();
  const units = [100, 200, 300, 400].map((deadline) => call(1, deadline).unit);
  const later = call(1).unit;
  supply.offer(later);
  refuse('x');
  supply.putBackHalves(units);
  t.ok(supply.hasCalls());
  t.equal(supply.reject(failure, 150), 1);
  t.same(supply.take(false), units.slice(1, 2));
  t.same(supply.take(false), units.slice(2));
  t.same(supply.take(false)[0], later);
});

t.test('refused tokens come after calls, and what cannot be recorded is dropped', async (t) => {
  const { supply, refuse, lost } = create();
  refuse('fine');
  refuse('\u0000');
  supply.offer(call(1).unit);
  const batch = supply.take(false);
  t.same(
    batch.map((unit) => unit.entries[0]?.entry.kind),
    ['decision', 'refused'],
  );
  t.equal(lost(), 1);
  t.equal(supply.reject(failure), 0);
  supply.putBack(batch.slice(1));
  t.notOk(supply.hasCalls(), 'nobody waits for them');
  t.equal(supply.take(false).length, 1);
});

t.test(
  'a refused token waits for the calls before it, so that no decision is recorded under a later time than its own',
  async (t) => {
    let now = NOW;
    const lane = createRefusedLane(() => now, { ...refused, burst: 2 });
    const supply = createSupply(limits, lane, () => undefined);
    const at = (time: number): Call =>
      createCall(
        Array.from({ length: 3 }, () => entryAt(time)),
        1_000,
      );
    supply.offer(at(NOW).unit);
    lane.add(refusedAt(NOW));
    supply.offer(at(NOW + 1).unit);
    lane.add(refusedAt(NOW + 2));
    lane.add(refusedAt(NOW + 2));
    now += 5_000;
    const times = (everything: boolean): readonly number[] =>
      supply.take(everything).flatMap(({ entries }) => entries.map(({ entry }) => entry.at - NOW));
    t.same(times(true), [0, 0, 0, 0]);
    t.same(times(true), [1, 1, 1, 2, 5_000], 'the count too');
    t.same(times(true), []);
  },
);
