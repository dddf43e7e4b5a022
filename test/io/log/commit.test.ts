// Connections injured exactly around the commit: whatever happens to them, each receipt stands for one record, sequences have no
// gaps, chains verify, and nothing is tried under the next sequence number before the last one's fate is known.
import fc from 'fast-check';
import t from 'tap';
import { createDatabase } from '../../helpers/postgres.ts';
import { type Fault, FAULTS, startProxy } from '../../helpers/proxy.ts';
import { readLog, startRecorder, until } from '../../helpers/recorder.ts';

const isLong = process.env['PRIVITY_LONG'] === '1';
const BATCH = 'write_batch';
const limits = { sendTimeoutMs: 300 };
const database = await createDatabase(t);

for (const fault of FAULTS) {
  t.test(`${fault}: the batch goes out again, and its requesters get their receipts`, async (t) => {
    const proxy = await startProxy(t, database.urls.writer, BATCH);
    const recorder = startRecorder(t, proxy.url(database.urls.writer), { limits });
    await recorder.ready();
    const injured = proxy.injureNext(fault);
    const calls = Promise.all(Array.from({ length: 5 }, () => recorder.record(3)));
    await injured;
    const later = await recorder.record(2);
    const ids = [...(await calls).flat(), ...later];
    const log = await readLog(database.superuserUrl, recorder);
    t.same(log.problems, []);
    t.same(
      log.ids.toSorted().filter((id) => ids.includes(id)),
      ids.toSorted(),
      'each exactly once',
    );
    t.equal(log.records.length, ids.length + 1);
    t.equal(log.writers.length, 1);
    t.equal(recorder.state().counters.retries, 1);
    t.ok(recorder.state().ready);
  });
}

t.test('injured again while it is sent again', async (t) => {
  const proxy = await startProxy(t, database.urls.writer, BATCH);
  const recorder = startRecorder(t, proxy.url(database.urls.writer), { limits });
  await recorder.ready();
  const call = recorder.record(4);
  for (const fault of ['cut_request', 'cut_answer', 'swallow_answer', 'cut_after_sync', 'cut_ready'] as const) {
    await proxy.injureNext(fault);
  }
  const ids = await call;
  const log = await readLog(database.superuserUrl, recorder);
  t.same(log.problems, []);
  t.equal(log.records.length, ids.length + 1);
});

t.test('any sequence of injuries under load', async (t) => {
  const proxy = await startProxy(t, database.urls.writer, BATCH);
  const recorder = startRecorder(t, proxy.url(database.urls.writer), { limits: { ...limits, deadlineMs: 20_000 } });
  await recorder.ready();
  const receipts: string[] = [];
  let isOver = false;
  const load = Promise.all(
    Array.from({ length: 16 }, async () => {
      while (!isOver) receipts.push(...(await recorder.record(2)));
    }),
  );
  const faults: Fault[] = fc.sample(fc.constantFrom(...FAULTS), { numRuns: isLong ? 400 : 30, seed: 20_260_310 });
  for (const fault of faults) {
    const { batches } = recorder.state().counters;
    await proxy.injureNext(fault);
    await until('committed after all', () => recorder.state().counters.batches > batches);
  }
  isOver = true;
  await load;
  const log = await readLog(database.superuserUrl, recorder);
  t.same(log.problems, []);
  t.equal(log.writers.length, 1);
  t.equal(log.records.length, receipts.length + 1, 'every receipt, and nothing else');
  const logged = new Set(log.ids);
  t.ok(receipts.every((id) => logged.has(id)));
  t.equal(recorder.state().counters.retries, faults.length);
});

t.test(
  'half open: a server process that never hears of the broken connection is ended, and its locks with it',
  async (t) => {
    const proxy = await startProxy(t, database.urls.writer, BATCH);
    const recorder = startRecorder(t, proxy.url(database.urls.writer), { limits: { sendTimeoutMs: 250 } });
    await recorder.ready();
    const injured = proxy.injureNext('swallow_sync');
    const call = recorder.record();
    await injured;
    await call;
    t.equal(recorder.state().counters.retries, 1, 'the retry did not wait for the locks until it timed out too');
    t.equal(proxy.connections(), 2);
  },
);

t.test('frozen: requesters get their 503 at the deadline, the batch is committed when the network thaws', async (t) => {
  const proxy = await startProxy(t, database.urls.writer, BATCH);
  const limits = { deadlineMs: 400, sendTimeoutMs: 600 };
  const recorder = startRecorder(t, proxy.url(database.urls.writer), { limits });
  await recorder.ready();
  proxy.freeze();
  const sent = recorder.record();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const waiting = recorder.record();
  await t.rejects(sent, { code: 'cannot_record', details: { retryAfterSeconds: 1 } });
  await t.rejects(waiting, { code: 'cannot_record' });
  t.match(recorder.state(), { ready: false, queuedEntries: 0 });
  await t.rejects(recorder.record(), { code: 'cannot_record' }, 'at once, for nobody knows when it will end');
  t.equal(recorder.state().counters.rejected.deadline, 2);

  proxy.cut();
  proxy.restore();
  await until('ready again', () => recorder.state().ready);
  await recorder.record();
  const log = await readLog(database.superuserUrl, recorder);
  t.same(log.problems, []);
  t.equal(log.records.length, 3, 'the opening, the sent one, the last one; not the one that only waited');
});

t.test('cut off: not ready, then served again without a restart', async (t) => {
  const proxy = await startProxy(t, database.urls.writer, BATCH);
  const recorder = startRecorder(t, proxy.url(database.urls.writer), { limits: { deadlineMs: 300 } });
  await recorder.ready();
  await recorder.record();
  proxy.cut(true);
  await until('seen', () => !recorder.state().ready);
  t.match(recorder.state().problems, ['database_unreachable']);
  await t.rejects(recorder.record(), { code: 'cannot_record' });
  await until('no longer waited for', async () => {
    const start = performance.now();
    await recorder.record().catch(() => undefined);
    return performance.now() - start < 100;
  });
  proxy.restore();
  await until('ready again', () => recorder.state().ready);
  await recorder.record();
  const log = await readLog(database.superuserUrl, recorder);
  t.same(log.problems, []);
  t.equal(log.writers.length, 1, 'a lost connection is no reason for a new writer');
  t.equal(log.records.length, 3);
});
