// What the recorder does when the database answers, but not as it should: refuses to write, lacks a partition, has lost our head or
// holds foreign rows, or tells another time.
import t from 'tap';
import { openClient } from '../../../src/io/db/database.ts';
import type { RecorderDeps } from '../../../src/io/log/recorder.ts';
import type { RecordEntry } from '../../../src/model/record.ts';
import { startBare } from '../../helpers/bare-postgres.ts';
import { connect, createDatabase, startPrivatePostgres, type TearsDown } from '../../helpers/postgres.ts';
import { startProxy } from '../../helpers/proxy.ts';
import {
  entryAt,
  type Log,
  readLog,
  refusedAt,
  startRecorder,
  type TestRecorder,
  until,
} from '../../helpers/recorder.ts';

const database = await createDatabase(t);
const superuser = await connect(t, database.superuserUrl);

function start(t: TearsDown, changes: Partial<RecorderDeps> = {}): TestRecorder {
  return startRecorder(t, database.urls.writer, changes);
}

function read(recorder: TestRecorder): Promise<Log> {
  return readLog(database.superuserUrl, recorder);
}

function alarms(recorder: TestRecorder): readonly string[] {
  return recorder.state().alarms.map((alarm) => alarm.code);
}

/** As an owner would who wants something gone: guards do not stop a superuser. */
async function tamper(statement: string, values: readonly unknown[] = []): Promise<void> {
  await superuser.query('set session_replication_role = replica');
  await superuser.query(statement, [...values]);
  await superuser.query('set session_replication_role = default');
}

async function onInsert(t: TearsDown, table: string, body: string): Promise<void> {
  await superuser.query(`create function meddle() returns trigger language plpgsql as $$ begin ${body} end $$`);
  await superuser.query(`create trigger meddle before insert on ${table} for each row execute function meddle()`);
  t.teardown(async () => void (await superuser.query('drop function if exists meddle cascade')));
}

t.test('refusing to write: 503 at once, not ready, and served again when a trial succeeds', async (t) => {
  const recorder = start(t);
  await recorder.record();
  await superuser.query('revoke insert on commitments from privity_writer');
  const refused = { code: 'cannot_record', details: { internal: 'database_refuses', retryAfterSeconds: 5 } };
  await t.rejects(recorder.record(3), refused);
  await t.rejects(recorder.record(), refused);
  recorder.appendRefused(refusedAt(recorder.clock.now()));
  t.match(recorder.state(), { ready: false, problems: ['database_refuses'], databaseCode: '42501', queuedEntries: 0 });
  await superuser.query('grant insert on commitments to privity_writer');
  await until('ready again', () => recorder.state().ready);
  await recorder.record();
  const log = await read(recorder);
  t.same(log.problems, []);
  t.equal(log.writers.length, 1);
  const kinds = log.records.map((record) => String(record['kind']));
  t.same(kinds.toSorted(), ['decision', 'decision', 'refused', 'writer_opened']);
});

t.test('refusing from the start: the writer opens once it may', async (t) => {
  await superuser.query('revoke insert on heads from privity_writer');
  const recorder = start(t);
  await until('refused', () => recorder.state().problems.includes('database_refuses'));
  await t.rejects(recorder.record(), { code: 'cannot_record' });
  await superuser.query('grant insert on heads to privity_writer');
  await recorder.ready();
  await recorder.record();
  t.match(await read(recorder), { problems: [], writers: { length: 1 }, records: { length: 2 } });
});

t.test('a read-only server is left alone until it takes writes', async (t) => {
  const recorder = start(t);
  await recorder.record();
  await superuser.query(`alter database ${database.name} set default_transaction_read_only = on`);
  await superuser.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'privity_writer'");
  await until('refused', () => recorder.state().databaseCode === 'read_only');
  t.match(recorder.state(), { ready: false, problems: ['database_unreachable'] });
  await superuser.query(`alter database ${database.name} reset default_transaction_read_only`);
  await until('ready again', () => recorder.state().ready);
  await recorder.record();
  t.match(await read(recorder), { problems: [], writers: { length: 1 }, records: { length: 3 } });
});

t.test('what fails for a moment is tried again under the same numbers, and nobody notices', async (t) => {
  const recorder = start(t);
  await recorder.ready();
  await superuser.query('create sequence attempts');
  await onInsert(
    t,
    'heads',
    `if nextval('public.attempts') <= 3 then raise exception 'later' using errcode = '40001'; end if; return new;`,
  );
  await superuser.query('grant usage on sequence attempts to privity_writer');
  await recorder.record(2);
  t.match(await read(recorder), { problems: [], records: { length: 3 } });
  t.equal(recorder.state().counters.retries, 0, 'each of these was rolled back for certain');
});

t.test('a missing partition is made, and the batch committed', async (t) => {
  let made = 0;
  const ensurePartitions = async (): Promise<void> => {
    const client = await openClient({ url: database.urls.writer, applicationName: 'test', onError: () => undefined });
    await client.query('select ensure_partitions(now(), 1)');
    await client.end();
    made++;
  };
  const recorder = start(t, { ensurePartitions });
  await until('made at the start', () => made === 1);
  await recorder.record();
  const { rows } = await superuser.query<{ name: string }>(
    "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'decisions'::regclass",
  );
  for (const { name } of rows) await superuser.query(`alter table decisions detach partition ${name}`);
  for (const { name } of rows) await superuser.query(`alter table ${name} rename to ${name}_away`);
  const log = recorder.record(3);
  await log;
  t.equal(made, 2);
  t.ok(recorder.state().ready);
  for (const { name } of rows) await superuser.query(`drop table ${name}_away`);
});

t.test('no partition to be had: the entries are rejected, and it shows', async (t) => {
  const recorder = start(t, { ensurePartitions: () => Promise.reject(new Error('not allowed')) });
  await recorder.ready();
  t.match(recorder.state(), { ready: true, degraded: ['partitions_not_ahead'] });
});

t.test('a head that is gone raises the alarm, and a new writer opens', async (t) => {
  const recorder = start(t, { limits: { idleProbeMs: 50 } });
  await recorder.record();
  const { writer } = recorder.state();
  await tamper('delete from heads where writer = $1', [writer]);
  await until('noticed while idle', () => alarms(recorder).length === 1);
  t.match(recorder.state().alarms, [{ code: 'head_lost', writer, seq: 1 }]);
  await recorder.record();
  t.match(recorder.state(), { ready: true, degraded: ['head_lost'] });
  t.not(recorder.state().writer, writer);
  const log = await read(recorder);
  t.match(
    log.records.filter((record) => record['reason'] === 'head_lost'),
    [{ kind: 'writer_opened', previous: writer, previous_head: { seq: 1, hash: /^[0-9a-f]{64}$/ } }],
  );
  t.ok(log.problems.every((problem) => problem.writer === writer));
});

t.test('what decisions need is put back before the new writer opens, and recorded with its opening', async (t) => {
  let attempts = 0;
  const restore = async (): Promise<readonly RecordEntry[]> => {
    attempts++;
    if (attempts < 3) throw Object.assign(new Error('no space left'), { severity: 'ERROR', code: '53100' });
    return [{ ...entryAt(recorder.clock.now()), kind: 'policy_loaded' }];
  };
  const recorder = start(t, { restore, limits: { idleProbeMs: 50 } });
  await recorder.record();
  t.equal(attempts, 0, 'nothing is lost at the start');
  const { writer } = recorder.state();
  await tamper('delete from heads where writer = $1', [writer]);
  await until('it fails', () => attempts > 0);
  await t.rejects(recorder.record(), { code: 'cannot_record' }, 'nothing is accepted until it is there again');
  t.match(recorder.state(), { ready: false, problems: ['database_refuses'], databaseCode: '53100' });
  await until('ready again', () => recorder.state().ready);
  await recorder.record();
  const later = (await read(recorder)).records.filter((record) => record['writer'] !== writer);
  t.same(
    later.map(({ kind, seq }) => [seq, kind]),
    [
      [0, 'writer_opened'],
      [1, 'policy_loaded'],
      [2, 'decision'],
    ],
  );
});

t.test('fsync that is turned off under an open session: nobody is answered on such a commit', async (t) => {
  const server = await startPrivatePostgres(t);
  await server.stop();
  // The embedded server insists on fsync; an operator's does not.
  await startBare(t, server);
  const admin = await connect(t, server.superuserUrl);
  const recorder = startRecorder(t, server.urls.writer, { limits: { idleProbeMs: 60_000 } });
  await recorder.record();
  await admin.query('alter system set fsync = off');
  await admin.query('select pg_reload_conf()');
  const refused = { code: 'cannot_record', details: { internal: 'database_refuses' } };
  await until('told', async () =>
    recorder.record().then(
      () => false,
      (error: unknown) => t.match(error, refused),
    ),
  );
  await until('refused', () => recorder.state().databaseCode === 'fsync_off');
  await admin.query('alter system reset fsync');
  await admin.query('select pg_reload_conf()');
  await until('ready again', () => recorder.state().ready);
  await recorder.record();
  await recorder.close();
  const log = await readLog(server.superuserUrl, recorder);
  t.same([log.problems, log.writers.length], [[], 1]);
});

t.test('a chain that stays open at the end says so, once', async (t) => {
  const proxy = await startProxy(t, database.urls.writer, 'write_batch');
  const recorder = startRecorder(t, proxy.url(database.urls.writer), { limits: { closeMs: 200 } });
  await recorder.record();
  proxy.freeze();
  t.same([await recorder.close(), await recorder.close()], [false, false]);
  const left = recorder.events.filter(({ code }) => code === 'writer_left_open');
  t.match(left, [{ level: 'error', detail: { writer: recorder.writers()[0], cause: /./, unresolved: 1 } }]);
  t.equal(left.length, 1);
  const orderly = start(t);
  await orderly.record();
  t.equal(await orderly.close(), true);
});

t.test('a head that is gone is noticed by the next batch, whose requesters get their 503', async (t) => {
  const recorder = start(t, { limits: { idleProbeMs: 60_000 } });
  await recorder.record();
  await tamper("update heads set hash = sha256('x') where writer = $1", [recorder.state().writer]);
  await t.rejects(recorder.record(), { code: 'cannot_record', details: { internal: 'writer_lost' } });
  t.same(alarms(recorder), ['head_lost']);
  await recorder.record();
  t.equal((await read(recorder)).writers.length, 2);
});

t.test(
  'what waits when the writer is lost is rejected too: under the new writer it could not keep its time',
  async (t) => {
    const recorder = start(t, { limits: { idleProbeMs: 60_000 } });
    await recorder.record();
    const lost = { code: 'cannot_record', details: { internal: 'writer_lost' } };
    await superuser.query('begin');
    await superuser.query('lock table commitments in exclusive mode');
    const sent = t.rejects(recorder.record(), lost);
    await until('in flight', () => recorder.state().inFlightMs > 0);
    const waiting = t.rejects(recorder.record(), lost);
    await superuser.query('set local session_replication_role = replica');
    await superuser.query("update heads set hash = sha256('x') where writer = $1", [recorder.state().writer]);
    await superuser.query('commit');
    await Promise.all([sent, waiting]);
    await recorder.record();
    t.same(alarms(recorder), ['head_lost']);
  },
);

t.test('a head that is gone after a lost connection: what was in flight is not sent again', async (t) => {
  const proxy = await startProxy(t, database.urls.writer, 'write_batch');
  const recorder = startRecorder(t, proxy.url(database.urls.writer));
  await recorder.record();
  const { writer } = recorder.state();
  const injured = proxy.injureNext('cut_request');
  const call = t.rejects(recorder.record(), { code: 'cannot_record', details: { internal: 'writer_lost' } });
  await injured;
  await tamper('delete from heads where writer = $1', [writer]);
  await call;
  await recorder.record();
  t.same(alarms(recorder), ['head_lost']);
  const log = await read(recorder);
  t.equal(log.records.filter((record) => record['writer'] === writer).length, 2, 'opening and first record');
});

t.test('a foreign row under our number raises the alarm, and a new writer opens', async (t) => {
  const recorder = start(t);
  await recorder.record();
  const { writer } = recorder.state();
  await superuser.query("insert into commitments values ($1, 2, sha256('x'))", [writer]);
  await t.rejects(recorder.record(2), { code: 'cannot_record', details: { internal: 'writer_lost' } });
  t.match(recorder.state().alarms, [{ code: 'chain_conflict', writer, seq: 3 }]);
  await recorder.record();
  t.ok(recorder.state().ready);
});

t.test('a row that vanishes on its way in raises the alarm', async (t) => {
  const recorder = start(t);
  await recorder.record();
  await onInsert(t, 'decisions', 'return null;');
  await t.rejects(recorder.record(2), { code: 'cannot_record', details: { internal: 'writer_lost' } });
  t.same(alarms(recorder), ['chain_conflict']);
});

t.test(
  'a clock that is off by more than 30 s: no answer, not ready; a new writer opens when it is right again',
  async (t) => {
    let offset = 0;
    const recorder = start(t, { wallClock: () => Date.now() + offset, limits: { idleProbeMs: 50 } });
    await recorder.record();
    const { writer } = recorder.state();
    for (const jump of [3_600_000, -3_600_000]) {
      offset = jump;
      const refused = { code: 'cannot_record', details: { internal: /clock_skew|unrecordable/ } };
      await t.rejects(recorder.record(), refused, 'its own commit shows it, if nothing did before');
      t.match(recorder.state(), { ready: false, problems: ['clock_skew'], degraded: ['clock_skew'] });
      offset = 0;
      await until('ready again', () => recorder.state().ready);
      await recorder.record();
    }
    t.not(recorder.state().writer, writer);
    const log = await read(recorder);
    t.same(log.problems, []);
    t.equal(log.writers.length, 3);
    t.equal(log.records.filter((record) => record['reason'] === 'clock_corrected').length, 2);
    t.ok(Math.abs(recorder.clock.now() - Date.now()) < 1_000);
  },
);

t.test(
  'a clock that is off by some seconds: degraded; going back, it stands still until the database confirms it',
  async (t) => {
    let offset = 5_000;
    const recorder = start(t, { wallClock: () => Date.now() + offset, limits: { idleProbeMs: 50 } });
    await recorder.record();
    const ahead = recorder.clock.now();
    t.match(recorder.state(), { ready: true, degraded: ['clock_skew'] });
    t.ok(Math.abs(recorder.state().skewMs - 5_000) < 1_000);
    const { writer } = recorder.state();
    offset = 0;
    t.ok(recorder.clock.now() >= ahead);
    await until('a new writer', () => recorder.state().ready && recorder.state().writer !== writer);
    t.ok(recorder.clock.now() < ahead + 4_000);
    t.same(recorder.state().degraded, []);
    await recorder.record();
    t.match(await read(recorder), { problems: [], writers: { length: 2 } });
  },
);

t.test(
  'refused tokens: beyond the rate counted, bounded while the database is away, all of them in the log',
  async (t) => {
    const refused = { perSecond: 1, burst: 5, maxWaiting: 100, maxCounters: 3, countMs: 60_000 };
    const proxy = await startProxy(t, database.urls.writer, 'write_batch');
    const recorder = startRecorder(t, proxy.url(database.urls.writer), { limits: { refused } });
    await recorder.record();
    proxy.cut(true);
    for (let index = 0; index < 1_000; index++) {
      const issuer = index < 500 ? 'https://login.firm.example/' : `https://${index}.example/`;
      recorder.appendRefused(
        refusedAt(recorder.clock.now(), { issuer, reason: index % 2 === 0 ? 'expired' : 'malformed' }),
      );
    }
    recorder.appendRefused(refusedAt(recorder.clock.now(), { reason: undefined, issuer: 'x\u0000' }));
    t.ok(recorder.state().refusedWaiting <= 5 + 4);
    t.match(recorder.state().degraded, ['refused_tokens_counted']);
    proxy.restore();
    await until('ready again', () => recorder.state().ready);
    await recorder.close();
    const log = await read(recorder);
    t.same(log.problems, []);
    const records = log.records.filter((record) => record['kind'] === 'refused');
    const counted = records.filter((record) => 'count' in record);
    t.equal(records.length - counted.length, 5);
    t.equal(
      counted.reduce((sum, record) => sum + Number(record['count']), 0),
      996,
    );
    t.ok(counted.length <= 4);
  },
);
