// What the recorder promises while connections hold: commit before receipt, one chain, nobody held up by another, no wait without
// a bound.
import t from 'tap';
import { uuidv7Time } from '../../../src/core/record/uuid.ts';
import { openClient } from '../../../src/io/db/database.ts';
import type { RecordEntry } from '../../../src/model/record.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';
import { entryAt, readLog, startRecorder, type TestRecorder, until } from '../../helpers/recorder.ts';

const database = await createDatabase(t);
const superuser = await connect(t, database.superuserUrl);
const read = (...recorders: readonly TestRecorder[]): ReturnType<typeof readLog> =>
  readLog(database.superuserUrl, ...recorders);
const start = (t: Parameters<typeof startRecorder>[0], changes = {}): TestRecorder =>
  startRecorder(t, database.urls.writer, changes);

/** Its bytes are fine, and PostgreSQL will not take the copy in the column. */
function poison(recorder: TestRecorder): RecordEntry {
  const entry = entryAt(recorder.clock.now());
  return { ...entry, columns: { ...entry.columns, subject_id: 'u-\u0000' } };
}

/** Keeps every batch from committing until it is called. */
async function holdUp(): Promise<() => Promise<void>> {
  const client = await openClient({ url: database.superuserUrl, applicationName: 'lock', onError: () => undefined });
  await client.query('begin; lock table heads in access exclusive mode');
  return () => client.end();
}

t.test('everything that has a receipt is in the log, in one verifiable chain', async (t) => {
  const recorder = start(t);
  const calls = await Promise.all(Array.from({ length: 200 }, (_, index) => recorder.record(1 + (index % 3))));
  const ids = calls.flat();
  const log = await read(recorder);
  t.same(log.problems, []);
  t.equal(new Set(ids).size, ids.length);
  t.equal(new Set(ids).difference(new Set(log.ids)).size, 0);
  t.equal(log.records.length, ids.length + 1, 'and the opening of the writer');
  t.match(log.records[0], { v: 1, kind: 'writer_opened', seq: 0, prev: null, reason: 'start', engine: '0.0.0-test' });
  const { counters } = recorder.state();
  t.equal(counters.entries, log.records.length);
  t.ok(counters.batches < 100, `group commit: ${counters.batches} batches`);
});

t.test('a call is one commit, in its order, and its receipts too', async (t) => {
  const recorder = start(t);
  const entries = Array.from({ length: 1_000 }, () => entryAt(recorder.clock.now()));
  const [receipts] = await Promise.all([recorder.append(entries), recorder.record(), recorder.record()]);
  t.same(
    receipts.map((receipt) => receipt.id),
    entries.map((entry) => entry.id),
  );
  t.ok(receipts.every((receipt, index) => receipt.seq === (receipts[0]?.seq ?? 0) + index));
  const transactions = await superuser.query(
    'select distinct xmin from commitments where writer = $1 and seq between $2 and $3',
    [receipts[0]?.writer, receipts[0]?.seq, receipts.at(-1)?.seq],
  );
  t.equal(transactions.rowCount, 1);
  t.same(await recorder.append([]), []);
});

t.test('time within a writer never goes back, and ids keep the time of the entry', async (t) => {
  const recorder = start(t);
  await recorder.ready();
  const now = recorder.clock.now();
  const times = [now, now - 5_000, now + 3, now + 1, now - 20_000];
  const receipts = await recorder.append(times.map((at) => entryAt(at)));
  const log = await read(recorder);
  t.same(log.problems, []);
  t.same(
    log.records.slice(1).map((record) => Date.parse(String(record['at']))),
    [now, now, now + 3, now + 3, now + 3],
  );
  t.same(
    receipts.map((receipt) => uuidv7Time(receipt.id)),
    times,
  );
});

t.test('what cannot be recorded is refused alone, before it costs anybody anything', async (t) => {
  const recorder = start(t);
  const good = entryAt(recorder.clock.now());
  const { at, body } = good;
  const bad: readonly RecordEntry[] = [
    { ...good, body: { ...body, note: 'a\u0000b' } },
    { ...good, body: { ...body, note: '\ud800' } },
    { ...good, body: { ...body, note: undefined } },
    { ...good, body: { ...body, note: Number.NaN } },
    { ...good, body: { ...body, seq: 7 } },
    { ...good, id: 'not-a-uuid' },
    { ...good, at: at - 60_000 },
    { ...good, at: at + 0.5 },
  ];
  const refused = { code: 'cannot_record', details: { internal: 'unrecordable' } };
  for (const entry of bad) await t.rejects(recorder.append([entryAt(at), entry]), refused);
  await recorder.append([good]);
  const log = await read(recorder);
  t.same(log.problems, []);
  t.equal(log.records.length, 2);
  t.equal(recorder.state().counters.rejected.unrecordable, 2 * bad.length);
});

t.test('a row that Postgres rejects is found by halving, and takes nobody with it', async (t) => {
  const recorder = start(t);
  await recorder.ready();
  const release = await holdUp();
  const first = recorder.record();
  await until('in flight', () => recorder.state().inFlightMs > 0);
  const calls = Array.from({ length: 40 }, (_, index) =>
    index % 13 === 5 ? recorder.append([entryAt(recorder.clock.now()), poison(recorder)]) : recorder.record(2),
  );
  const settled = Promise.allSettled(calls);
  await release();
  await first;
  const outcomes = await settled;
  t.same(
    outcomes.flatMap((outcome, index) => (outcome.status === 'rejected' ? [index] : [])),
    [5, 18, 31],
  );
  t.match(outcomes[5], { reason: { code: 'cannot_record', details: { internal: 'poison', retryAfterSeconds: 1 } } });
  await recorder.record();
  const log = await read(recorder);
  t.same(log.problems, []);
  t.equal(log.records.length, 1 + 1 + 37 * 2 + 1);
  t.ok(recorder.state().ready);
  t.equal(recorder.events.filter((event) => event.code === 'entry_rejected').length, 3);
  t.notMatch(JSON.stringify(recorder.events), /u-/, 'and the event does not say whose');
});

t.test('at the deadline requesters get their 503; what was sent is committed, what waited is not', async (t) => {
  const recorder = start(t, { limits: { deadlineMs: 300 } });
  await recorder.ready();
  const release = await holdUp();
  const sent = entryAt(recorder.clock.now());
  const refused = { code: 'cannot_record', details: { internal: 'deadline', retryAfterSeconds: 1 } };
  const first = t.rejects(recorder.append([sent]), refused);
  await until('in flight', () => recorder.state().inFlightMs > 0);
  await t.rejects(recorder.record(), refused);
  await first;
  t.match(recorder.state(), { ready: false, problems: ['database_stalled'] });
  await release();
  await until('ready again', () => recorder.state().ready);
  const log = await read(recorder);
  t.same(log.problems, []);
  t.same(
    log.records.slice(1).map((record) => record['id']),
    [sent.id],
  );
});

t.test('the queue is bounded in entries and in bytes', async (t) => {
  const queue = { maxEntries: 10, maxBytes: 100_000, batchEntries: 100, batchBytes: 1_000_000 };
  const recorder = start(t, { limits: { queue } });
  await recorder.ready();
  const release = await holdUp();
  const accepted = [recorder.record()];
  await until('in flight', () => recorder.state().inFlightMs > 0);
  accepted.push(recorder.record(9));
  const full = { code: 'overloaded', details: { internal: 'queue_full', retryAfterSeconds: 1 } };
  await t.rejects(recorder.record(2), full);
  const large = entryAt(recorder.clock.now(), {}, { note: 'x'.repeat(100_000) });
  await t.rejects(recorder.append([large]), full);
  accepted.push(recorder.record());
  t.equal(recorder.state().queuedEntries, 10);
  await release();
  await Promise.all(accepted);
  t.same(recorder.state().queuedBytes, 0);
  await recorder.append([large]);
  await recorder.record(50);
});

t.test('close records what was accepted and the end of the writer, and accepts nothing more', async (t) => {
  const recorder = start(t);
  await recorder.ready();
  const calls = Array.from({ length: 30 }, () => recorder.record(2));
  recorder.appendRefused({ ...entryAt(recorder.clock.now()), kind: 'refused' });
  const closing = recorder.close();
  await t.rejects(recorder.record(), { code: 'shutting_down', details: { retryAfterSeconds: 1 } });
  const ids = (await Promise.all(calls)).flat();
  await closing;
  const log = await read(recorder);
  t.same(log.problems, []);
  t.same(log.records.map((record) => record['kind']).slice(-2), ['refused', 'writer_closed']);
  t.equal(log.records.length, 1 + ids.length + 2);
  t.match(recorder.state(), { ready: false, problems: ['closing'] });
  await recorder.close();
});

t.test('close is bounded in time when the database does not answer', async (t) => {
  const recorder = start(t, { limits: { closeMs: 300 } });
  await recorder.ready();
  const release = await holdUp();
  const call = t.rejects(recorder.record(), { code: 'shutting_down' });
  await until('in flight', () => recorder.state().inFlightMs > 0);
  await recorder.close();
  await call;
  await release();

  const unreachable = start(t, { connect: () => Promise.reject(new Error('no route')), limits: { closeMs: 300 } });
  const waiting = t.rejects(unreachable.record(), { code: 'shutting_down' });
  await unreachable.close();
  await waiting;
});
