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

t.test('away, and back: everybody is answered, and Postgres has it all', async (t) => {
  const rig = await start(t);
  const { recorder, proxy, folder } = rig;
  const ids = [...(await recorder.record(2))];
  // On a busy machine that may have gone through the journal.
  await until('in the database', () => isDrained(rig));
  proxy.cut(true);
  for (let round = 0; round < 20; round++) {
    const calls = await Promise.all([recorder.record(), recorder.record(3), recorder.record()]);
    ids.push(...calls.flat());
  }
  recorder.appendRefused(refusedAt(recorder.clock.now()));
  t.match(recorder.state(), { ready: true, problems: [], degraded: ['spooling', 'database_unreachable'] });
  const { spool } = recorder.state();
  t.match(spool, { failure: null, maxBytes: MAX, oldestAt: Number });
  t.ok((spool?.batches ?? 0) >= 20 && (spool?.entries ?? 0) >= 100 && (spool?.bytes ?? 0) > 0);
  proxy.restore();
  await until('drained', () => isDrained(rig));
  ids.push(...(await recorder.record(2)));
  await until('in the database', () => isDrained(rig));
  const log = await read(rig);
  t.same(log.problems, []);
  t.equal(log.writers.length, 1);
  isThere(t, log, ids, 'receipts');
  t.equal(log.records.length, ids.length + 2, 'and the opening, and the refused token');
  t.strictSame(
    (await readdir(folder)).filter((name) => name.endsWith('.journal')),
    [],
  );
  const told = codes(rig).filter((code) => code.startsWith('spool'));
  t.strictSame(told.slice(0, 2), ['spooling_began', 'spooling_ended']);
  t.ok(recorder.state().counters.batches > 20);
});

t.test('a load that never pauses does not keep the journal in use when the database is back', async (t) => {
  const rig = await start(t, { limits: { ...LIMITS, spoolAfterMs: 1_000 } }, undefined, 64 * MAX);
  const { recorder, proxy } = rig;
  let isOver = false;
  const ids: string[] = [];
  const clients = Array.from({ length: 12 }, async () => {
    while (!isOver) ids.push(...(await recorder.record(2)));
  });
  proxy.cut(true);
  await until('much is spooled', () => (recorder.state().spool?.entries ?? 0) > 600);
  // A batch of it takes longer than the disk takes to answer everybody who asks meanwhile.
  proxy.delay(80);
  proxy.restore();
  await until('drained under load', () => isDrained(rig));
  isOver = true;
  await Promise.all(clients);
  proxy.delay(0);
  await until('drained', () => isDrained(rig));
  const log = await read(rig);
  t.same(log.problems, []);
  isThere(t, log, ids, 'receipts');
});

for (const fault of FAULTS) {
  t.test(`${fault}: the batch that was sent comes into the journal as it is, before all others`, async (t) => {
    const rig = await start(t);
    const { recorder, proxy } = rig;
    const injured = proxy.injureNext(fault);
    const first = recorder.record(3);
    await injured;
    proxy.cut(true);
    const ids = [...(await first), ...(await recorder.record(2))];
    t.ok((recorder.state().spool?.batches ?? 0) >= 2);
    proxy.restore();
    await until('drained', () => isDrained(rig));
    const log = await read(rig);
    t.same(log.problems, []);
    isThere(t, log, ids, 'receipts');
    t.equal(log.records.length, ids.length + 1);
  });
}

t.test('silent and frozen, also while nobody has asked yet', async (t) => {
  const rig = await start(t);
  const { recorder, proxy } = rig;
  proxy.freeze();
  const ids = [...(await recorder.record())];
  // A look that gets no answer is what it waits for now.
  await until('given up', () => codes(rig).includes('connection_lost'));
  ids.push(...(await recorder.record()), ...(await recorder.record()));
  t.ok(recorder.state().ready);
  proxy.cut();
  proxy.restore();
  await until('drained', () => isDrained(rig));
  const log = await read(rig);
  t.same(log.problems, []);
  isThere(t, log, ids, 'receipts');
});

t.test('a database that refuses', async (t) => {
  const rig = await start(t);
  const { recorder } = rig;
  await superuser.query('revoke insert on commitments from privity_writer');
  const ids = [...(await recorder.record(3)), ...(await recorder.record())];
  t.match(recorder.state(), { ready: true, degraded: ['spooling', 'database_refuses'], databaseCode: '42501' });
  await superuser.query('grant insert on commitments to privity_writer');
  await until('drained', () => isDrained(rig));
  const log = await read(rig);
  t.same(log.problems, []);
  isThere(t, log, ids, 'receipts');
});

t.test(
  'the end of the process: the chain is closed in the journal, the next process drains it under the old writer',
  async (t) => {
    const first = await start(t);
    const ids = [...(await first.recorder.record())];
    first.proxy.cut(true);
    ids.push(...(await first.recorder.record(2)));
    t.equal(await first.recorder.close(), true, 'in order');
    t.match(
      first.recorder.events.filter(({ code }) => code === 'spool_not_empty'),
      [{ level: 'warn', detail: { records: 3 } }],
    );
    await first.journal.close();

    const second = await start(t, {}, first.folder);
    ids.push(...(await second.recorder.record()));
    await until('drained', () => isDrained(second));
    const log = await read(first, second);
    t.same(log.problems, []);
    isThere(t, log, ids, 'receipts');
    t.equal(log.writers.length, 2);
    const [old] = first.recorder.writers();
    const kinds = log.records.filter((record) => record['writer'] === old).map((record) => record['kind']);
    t.strictSame(kinds, ['writer_opened', 'decision', 'decision', 'decision', 'writer_closed']);
  },
);

t.test('a start that finds more than can be taken at once is ready at once, and queues behind it', async (t) => {
  const first = await start(t);
  first.proxy.cut(true);
  const ids: string[] = [];
  for (let round = 0; round < 60; round++) ids.push(...(await first.recorder.record(2)));
  await first.recorder.close();
  await first.journal.close();
  await superuser.query('begin');
  await superuser.query('lock table heads in access exclusive mode');
  const second = await start(t, {}, first.folder);
  ids.push(...(await second.recorder.record()));
  t.match(second.recorder.state(), { ready: true, degraded: ['spooling'] });
  await superuser.query('rollback');
  await until('drained', () => isDrained(second));
  const log = await read(first, second);
  t.same(log.problems, []);
  isThere(t, log, ids, 'receipts');
});

t.test('full: 503, not ready; and over when the database is back', async (t) => {
  const rig = await start(t);
  const { recorder, proxy } = rig;
  proxy.cut(true);
  const ids: string[] = [];
  const large = () => entryAt(recorder.clock.now(), {}, { note: 'x'.repeat(50_000) });
  const refused = { code: 'cannot_record', details: { internal: 'spool_full', retryAfterSeconds: 5 } };
  await t.rejects(async () => {
    for (;;) ids.push(...(await recorder.append([large()])).map(({ id }) => id));
  }, refused);
  t.ok(ids.length > 5);
  await t.rejects(recorder.record(), refused);
  t.match(recorder.state(), { ready: false, problems: ['database_unreachable', 'spool_full'], queuedEntries: 0 });
  proxy.restore();
  await until('drained', () => isDrained(rig));
  ids.push(...(await recorder.record()));
  const log = await read(rig);
  t.same(log.problems, []);
  isThere(t, log, ids, 'receipts');
  t.equal(log.records.length, ids.length + 1, 'and nothing of what was refused');
});

t.test('what Postgres would not take does not come into the journal', async (t) => {
  const { recorder, proxy } = await start(t);
  proxy.cut(true);
  await recorder.record();
  const poison = entryAt(recorder.clock.now());
  const bad = { ...poison, columns: { ...poison.columns, subject_id: 'u-\u0000' } };
  await t.rejects(recorder.append([bad]), { code: 'cannot_record', details: { internal: 'poison' } });
  await recorder.record();
  proxy.restore();
});

t.test(
  'foreign rows where the journal’s belong: nothing is passed over, nobody answered, until somebody has seen to it',
  async (t) => {
    const rig = await start(t);
    const { recorder, proxy } = rig;
    proxy.cut(true);
    const ids = [...(await recorder.record()), ...(await recorder.record())];
    const { writer } = recorder.state();
    await superuser.query(`insert into commitments values ($1, 1, sha256('x'))`, [writer]);
    proxy.restore();
    await until('blocked', () => recorder.state().problems.includes('spool_blocked'));
    await t.rejects(recorder.record(), { code: 'cannot_record' });
    t.match(recorder.state().alarms, [{ code: 'chain_conflict', writer }]);
    await superuser.query('set session_replication_role = replica');
    await superuser.query('delete from commitments where writer = $1 and seq = 1', [writer]);
    await superuser.query('set session_replication_role = default');
    await until('ready again', () => recorder.state().ready && recorder.state().spool?.batches === 0);
    ids.push(...(await recorder.record()));
    const log = await read(rig);
    t.same(log.problems, []);
    isThere(t, log, ids, 'receipts');
  },
);

t.test(
  'the database has lost the head before the journal’s: what was answered is there all the same, and it shows',
  async (t) => {
    const rig = await start(t);
    const { recorder, proxy } = rig;
    await recorder.record();
    // On a busy machine that may have gone through the journal.
    await until('in the database', () => isDrained(rig));
    const { writer } = recorder.state();
    proxy.cut(true);
    const ids = [...(await recorder.record()), ...(await recorder.record(2))];
    await superuser.query('set session_replication_role = replica');
    await superuser.query('delete from heads where writer = $1 and seq = 1', [writer]);
    await superuser.query('set session_replication_role = default');
    proxy.restore();
    await until('a new writer', () => recorder.state().ready && recorder.state().writer !== writer);
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

t.test('what is accepted before the next writer opens keeps its time: the answer names the same', async (t) => {
  const rig = await start(t);
  const { recorder, proxy } = rig;
  await recorder.record();
  await until('in the database', () => isDrained(rig));
  const { writer } = recorder.state();
  proxy.cut(true);
  await recorder.record();
  await superuser.query('set session_replication_role = replica');
  await superuser.query('delete from heads where writer = $1 and seq = 1', [writer]);
  await superuser.query('set session_replication_role = default');
  // Bringing in the old writer's records takes a while.
  proxy.delay(40);
  proxy.restore();
  const times = new Map<string, string>();
  const isOpen = (): boolean => recorder.state().ready && recorder.state().writer !== writer;
  async function client(): Promise<void> {
    while (!isOpen()) {
      const entry = entryAt(recorder.clock.now());
      const receipts = await recorder.append([entry]).catch(() => []);
      if (receipts.length > 0) times.set(entry.id, new Date(entry.at).toISOString());
      await sleep(1);
    }
  }
  await Promise.all([client(), client(), client()]);
  proxy.delay(0);
  await until('drained', () => recorder.state().spool?.batches === 0);
  const log = await read(rig);
  const recorded = new Map(log.records.map(({ id, at }) => [String(id), String(at)]));
  t.ok(times.size > 0);
  for (const [id, at] of times) t.equal(recorded.get(id), at);
});

t.test('any sequence of injuries under load', async (t) => {
  const rig = await start(t, {}, undefined, 64 * MAX);
  const { recorder, proxy } = rig;
  const ids: string[] = [];
  let isOver = false;
  const load = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (!isOver) {
        ids.push(...(await recorder.record(2)));
        await sleep(3);
      }
    }),
  );
  const more = async (count: number): Promise<void> => {
    const before = ids.length;
    await until('answered', () => ids.length >= before + count);
  };
  for (let round = 0; round < (isLong ? 100 : 6); round++) {
    await proxy.injureNext(FAULTS[round % FAULTS.length] ?? 'cut_request');
    if (round % 2 === 0) proxy.freeze();
    else proxy.cut(true);
    await more(100);
    proxy.cut();
    proxy.restore();
    await until('the journal is empty, under load', () => recorder.state().spool?.batches === 0, 120_000);
    await more(100);
  }
  isOver = true;
  await load;
  t.equal(recorder.state().counters.rejected.deadline, 0, 'nobody was sent away');
  await until('drained', () => isDrained(rig));
  const log = await read(rig);
  t.same(log.problems, []);
  isThere(t, log, ids, 'receipts');
  t.equal(log.records.length, ids.length + 1);
});
