import t from 'tap';
import { createRefusedLane } from '../../../src/io/log/refused-lane.ts';
import { refusedAt } from '../../helpers/recorder.ts';

const START = 1_800_000_000_000;
const limits = { perSecond: 10, burst: 20, maxWaiting: 50, maxCounters: 2, countMs: 5_000 };

t.test('lists up to the rate, counts beyond it by reason and issuer, and lists again later', async (t) => {
  let now = START;
  const lane = createRefusedLane(() => now, limits);
  for (let index = 0; index < 100; index++) lane.add(refusedAt(now, { reason: 'expired', issuer: 'a' }));
  lane.add(refusedAt(now + 7, { reason: 'malformed', issuer: 'b' }));
  t.equal(lane.take(100, false).length, 20);
  t.ok(lane.isCounting());
  t.same(lane.take(100, false), [], 'the count is not due yet');
  now += 5_000;
  const counts = lane.take(100, false);
  const at = new Date(START).toISOString();
  t.match(counts, [
    { kind: 'refused', at: now, body: { reason: 'expired', issuer: 'a', count: 80, first_at: at, last_at: at } },
    { kind: 'refused', body: { reason: 'malformed', issuer: 'b', count: 1 } },
  ]);
  t.notOk(lane.isCounting());
  t.equal(lane.counted(), 81);
  for (let index = 0; index < 30; index++) lane.add(refusedAt(now));
  t.equal(lane.take(100, true).length, 20 + 1, 'the bucket is full again');
});

t.test('made-up issuers make up no memory, and nothing that could not be recorded', async (t) => {
  const lane = createRefusedLane(() => START, { ...limits, burst: 0 });
  for (let index = 0; index < 1_000; index++) lane.add(refusedAt(START, { reason: 'expired', issuer: `i${index}` }));
  for (const issuer of ['x\u0000', '\ud800', 'x'.repeat(300), 7, null, ''])
    lane.add(refusedAt(START, { reason: 'expired', issuer }));
  t.equal(lane.waiting(), 3);
  const counts = lane.take(100, true);
  t.same(
    counts.map(({ body }) => [body['reason'], body['issuer'], body['count']]),
    [
      ['expired', 'i0', 1],
      ['expired', 'i1', 1],
      ['other', null, 1_004],
    ],
  );
});

t.test('is bounded while nothing is taken', async (t) => {
  const lane = createRefusedLane(() => START, { ...limits, burst: 1_000 });
  for (let index = 0; index < 1_000; index++) lane.add(refusedAt(START));
  t.equal(lane.waiting(), 50 + 1);
  t.equal(lane.take(30, true).length, 30);
  t.equal(lane.take(30, true).length, 21);
});

t.test('what was stamped by a clock that ran ahead is stamped anew when it is right', async (t) => {
  let now = START + 3_600_000;
  const lane = createRefusedLane(() => now, { ...limits, burst: 2 });
  const ahead = refusedAt(now);
  lane.add(ahead);
  lane.add(refusedAt(now));
  lane.add(refusedAt(now));
  now = START;
  const taken = lane.take(10, false, START);
  t.strictSame(
    taken.map(({ at }) => at),
    [START, START, START],
    'counts are due as well',
  );
  t.strictSame(taken[0]?.body, ahead.body);
  t.not(taken[0]?.id, ahead.id, 'the time is in the id too');
});
