// Spool mode: while Postgres does not take records, the journal does, and requesters get their receipts; everything is in the database
// afterwards, once, in its chain, under the writer it was sealed by.
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Journal, openJournal } from '../../../../src/io/log/spool/journal.ts';
import type { RecorderDeps } from '../../../../src/io/log/recorder.ts';
import { scratch } from '../../../helpers/launch.ts';
import { connect, createDatabase } from '../../../helpers/postgres.ts';
import { FAULTS, startProxy } from '../../../helpers/proxy.ts';
import {
  entryAt,
  type Log,
  readLog,
  refusedAt,
  startRecorder,
  type TestRecorder,
  until,
} from '../../../helpers/recorder.ts';

const isLong = process.env['PRIVITY_LONG'] === '1';
const LIMITS = { spoolAfterMs: 100, deadlineMs: 5_000, sendTimeoutMs: 600, idleProbeMs: 200, closeMs: 1_000 };
const MAX = 2 ** 20;
const database = await createDatabase(t);
const superuser = await connect(t, database.superuserUrl);

interface Rig {
  readonly recorder: TestRecorder;
  readonly proxy: Awaited<ReturnType<typeof startProxy>>;
  readonly folder: string;
  readonly journal: Journal;
}

async function start(t: Test, changes: Partial<RecorderDeps> = {}, folder?: string, max = MAX): Promise<Rig> {
  const dir = folder ?? (await scratch(t));
  const proxy = await startProxy(t, database.urls.writer, 'write_batch');
  const { journal } = await openJournal(dir, max);
  t.teardown(() => journal.close());
  const recorder = startRecorder(t, proxy.url(database.urls.writer), { limits: LIMITS, journal, ...changes });
  await recorder.ready();
  return { recorder, proxy, folder: dir, journal };
}

const isDrained = ({ recorder }: Rig): boolean => {
  const { spool, degraded } = recorder.state();
  return spool?.batches === 0 && degraded.length === 0;
};

const read = (...rigs: readonly Rig[]): Promise<Log> =>
  readLog(database.superuserUrl, ...rigs.map(({ recorder }) => recorder));
const codes = ({ recorder }: Rig): readonly string[] => recorder.events.map(({ code }) => code);

function isThere(t: Test, log: Log, ids: readonly string[], words: string): void {
  t.equal(new Set(log.ids).size, log.ids.length, `${words}: each once`);
  t.strictSame(new Set(ids).difference(new Set(log.ids)).size, 0, `${words}: all of them`);
}

const untilOr = async (what: string, c: () => boolean) => {
  try {
    await until(what, c, 8000);
  } catch (e) {
    console.error(JSON.stringify([last?.recorder.state(), last?.recorder.events], null, 1));
    throw e;
  }
};
let last: Rig | undefined;
for (let n = 0; n < 40; n++) {
  t.test(
    'the database has lost the head before the journal’s: what was answered is there all the same, and it shows',
    async (t) => {
      const rig = await start(t);
      last = rig;
      const { recorder, proxy } = rig;
      await recorder.record();
      const { writer } = recorder.state();
      proxy.cut(true);
      const ids = [...(await recorder.record()), ...(await recorder.record(2))];
      await superuser.query('set session_replication_role = replica');
      await superuser.query('delete from heads where writer = $1 and seq = 1', [writer]);
      await superuser.query('set session_replication_role = default');
      proxy.restore();
      await untilOr('a new writer', () => recorder.state().ready && recorder.state().writer !== writer);
      await until('drained', () => recorder.state().spool?.batches === 0);
      ids.push(...(await recorder.record()));
      t.match(recorder.state().alarms, [{ code: 'head_lost', writer }]);
      t.equal(recorder.state().alarms.length, 1);
      const log = await read(rig);
      isThere(t, log, ids, 'receipts');
      t.match(
        log.records.filter((record) => record['reason'] === 'head_lost'),
        [{ previous: writer, previous_head: { seq: 4 } }],
      );
    },
  );
}
