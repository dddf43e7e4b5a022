// PostgreSQL killed in mid-load, halted, and set back to an older state: every record with a receipt is there exactly once, or the
// alarm is raised.
import { execFileSync } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { startPrivatePostgres } from '../../helpers/postgres.ts';
import { readLog, startRecorder, type TestRecorder, until } from '../../helpers/recorder.ts';

const isLong = process.env['PRIVITY_LONG'] === '1';
const postgres = await startPrivatePostgres(t);

interface Load {
  readonly receipts: readonly string[];
  readonly rejections: () => number;
  stop(): Promise<void>;
}

function load(recorder: TestRecorder, clients: number): Load {
  const receipts: string[] = [];
  let rejections = 0;
  let isOver = false;
  const client = async (_: unknown, index: number): Promise<void> => {
    while (!isOver) {
      try {
        receipts.push(...(await recorder.record(1 + (index % 4))));
      } catch {
        rejections++;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };
  const clientsDone = Promise.all(Array.from({ length: clients }, client));
  return {
    receipts,
    rejections: () => rejections,
    stop: async () => {
      isOver = true;
      await clientsDone;
    },
  };
}

t.test('kill -9 of the server in mid-load, again and again', async (t) => {
  const limits = { deadlineMs: 2_000 };
  const recorders = [1, 2].map(() => startRecorder(t, postgres.urls.writer, { limits }));
  const loads = recorders.map((recorder) => load(recorder, 12));
  for (let round = 0; round < (isLong ? 40 : 3); round++) {
    await Promise.all(recorders.map((recorder) => recorder.ready()));
    const before = loads.map(({ receipts }) => receipts.length);
    await until('under load', () => loads.every(({ receipts }, index) => receipts.length > (before[index] ?? 0) + 50));
    // Somewhere in a batch: later each round, by less than a batch takes.
    await new Promise((resolve) => setTimeout(resolve, (round * 0.7) % 5));
    await postgres.kill('SIGKILL');
    await postgres.start();
  }
  await Promise.all(recorders.map((recorder) => recorder.ready()));
  await Promise.all(loads.map(({ stop }) => stop()));
  await Promise.all(recorders.map((recorder) => recorder.close()));
  const log = await readLog(postgres.superuserUrl, ...recorders);
  t.same(log.problems, []);
  t.equal(log.writers.length, 2, 'a crash is no reason for a new writer');
  t.equal(new Set(log.ids).size, log.ids.length, 'each exactly once');
  const logged = new Set(log.ids);
  const receipts = loads.flatMap((one) => one.receipts);
  t.ok(receipts.length > 200);
  t.same(
    receipts.filter((id) => !logged.has(id)),
    [],
    'every record with a receipt is there',
  );
});

t.test('a halted server: 503 at the deadline, not ready, and everything is well when it goes on', async (t) => {
  const recorder = startRecorder(t, postgres.urls.writer, { limits: { deadlineMs: 400, sendTimeoutMs: 600 } });
  await recorder.record();
  await postgres.kill('SIGSTOP');
  await t.rejects(recorder.record(), { code: 'cannot_record', details: { internal: 'deadline' } });
  await until('not ready', () => !recorder.state().ready);
  await until('given up', () => recorder.state().problems.includes('database_unreachable'));
  await postgres.kill('SIGCONT');
  await until('ready again', () => recorder.state().ready);
  await recorder.record();
  const log = await readLog(postgres.superuserUrl, recorder);
  t.same(log.problems, []);
  t.equal(log.writers.length, 1);
});

t.test('a server set back to an older state: alarm, and a new writer', async (t) => {
  const recorder = startRecorder(t, postgres.urls.writer);
  const [kept] = await recorder.record();
  const { writer } = recorder.state();
  const data = path.join(postgres.folder, 'data');
  await postgres.stop();
  // With its owner, which is not who runs the tests.
  execFileSync('cp', ['-a', data, `${data}.old`]);
  await postgres.start();
  await recorder.ready();
  const lost = await recorder.record(5);
  await postgres.kill('SIGKILL');
  await rm(data, { recursive: true });
  await rename(`${data}.old`, data);
  await postgres.start();
  await until('a new writer', () => recorder.state().ready && recorder.state().writer !== writer);
  t.match(recorder.state().alarms, [{ code: 'head_lost', writer, seq: 6 }]);
  const [later] = await recorder.record();
  const log = await readLog(postgres.superuserUrl, recorder);
  t.same(log.problems, [], 'what is left is in order: only a published checkpoint could show that something is gone');
  t.ok(log.ids.includes(kept ?? ''));
  t.ok(log.ids.includes(later ?? ''));
  t.notOk(log.ids.some((id) => lost.includes(id)));
});
