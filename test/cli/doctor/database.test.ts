// `privity doctor` finds what is wrong with a database: not there, another one, the wrong schema, no room, a clock that is off.
import { createServer, connect as dial } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { judgeServer } from '../../../src/cli/doctor/server.ts';
import type { ServerFacts } from '../../../src/io/db/examine-server.ts';
import { startBare } from '../../helpers/bare-postgres.ts';
import { createPatient, type CheckReport } from '../../helpers/doctor.ts';
import { connect, createDatabase, startPrivatePostgres } from '../../helpers/postgres.ts';

const patient = await createPatient(t);
const { urls, superuserUrl } = patient.database;
const admin = await connect(t, superuserUrl);

function changed(url: string, change: (url: URL) => void): string {
  const copy = new URL(url);
  change(copy);
  return copy.href;
}

/** The doctor's own clock; `elapsed` times stay as they are. */
function clockOff(seconds: number): Record<string, string> {
  const script = `const real = Date.now; Date.now = () => real() + ${seconds * 1000};`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}

interface Expected {
  readonly verdict: CheckReport['verdict'];
  readonly found: RegExp;
  readonly todo?: RegExp;
}

/** One run of the doctor: faults of different parts that do not hide each other. */
interface Round {
  readonly what: string;
  readonly sql?: string;
  readonly undo?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly expected: Readonly<Record<string, Expected>>;
}

function month(ahead: number): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1))
    .toISOString()
    .slice(0, 7)
    .replace('-', '_');
}

const other = await createDatabase(t);
const here = patient.database.name;
const ROUNDS: readonly Round[] = [
  {
    what: 'nobody answers, a wrong password',
    env: {
      DATABASE_URL: changed(urls.writer, (url) => (url.port = '9')),
      DATABASE_READER_URL: changed(urls.reader, (url) => (url.password = 'not-the-password')),
    },
    expected: {
      'database.writer': { verdict: 'failure', found: /ECONNREFUSED/ },
      'database.reader': { verdict: 'failure', found: /password authentication failed/ },
    },
  },
  {
    what: 'no database, nobody who may read',
    env: { DATABASE_URL: '', DATABASE_READER_URL: '' },
    expected: {
      'database.writer': { verdict: 'failure', found: /DATABASE_URL is not set/ },
      'database.reader': { verdict: 'warning', found: /nobody can/ },
    },
  },
  {
    what: 'another database for readers, a changed migration, a clock that is off, no room for sessions',
    sql: `update schema_migrations set checksum = 'x' where version = 2; alter database ${here} connection limit 5`,
    undo: `update schema_migrations set checksum = (select checksum from kept where version = 2) where version = 2;
      alter database ${here} connection limit -1`,
    env: { ...clockOff(6), DATABASE_READER_URL: other.urls.reader },
    expected: {
      'database.same': { verdict: 'failure', found: /different databases/ },
      'database.schema': { verdict: 'failure', found: /differ from the files.*000002/ },
      'database.clock': { verdict: 'warning', found: /6\.\d s ahead of/ },
      'server.sessions': { verdict: 'warning', found: /^[0-5] of \d+ left, not enough/ },
    },
  },
  {
    what: 'a schema that is too old, a clock that is far off',
    sql: 'delete from schema_migrations where version > 3',
    undo: 'insert into schema_migrations select * from kept where version > 3',
    env: clockOff(-90),
    expected: {
      'database.schema': { verdict: 'failure', found: /schema 3 of \d+/, todo: /privity migrate/ },
      'database.clock': { verdict: 'failure', found: /(?:89|90)\.\d s behind/ },
    },
  },
  {
    what: 'a schema that is too new, transactions that only read, no partition for next month',
    sql: `insert into schema_migrations values (999999, 'later', 'x', now(), 999999);
      alter table decisions detach partition decisions_${month(1)};
      alter database ${here} set default_transaction_read_only = on`,
    undo: `set default_transaction_read_only = off; alter database ${here} reset default_transaction_read_only;
      delete from schema_migrations where version = 999999`,
    expected: {
      'database.schema': { verdict: 'failure', found: /this version knows/ },
      'server.writable': { verdict: 'failure', found: /only read/ },
      'database.partitions': { verdict: 'warning', found: new RegExp(`none for ${month(1).replace('_', '-')}$`) },
    },
  },
  {
    what: 'no partition for this month',
    sql: `alter table decisions detach partition decisions_${month(0)}`,
    expected: { 'database.partitions': { verdict: 'failure', found: /no record can be written/ } },
  },
];

await admin.query('create table kept as table schema_migrations; alter table kept owner to privity_owner');
for (const { what, sql, undo, env, expected } of ROUNDS) {
  t.test(what, async (t) => {
    if (sql !== undefined) await admin.query(sql);
    const { code, check, out } = await patient.diagnose(env);
    if (undo !== undefined) await admin.query(undo);
    t.equal(code, 1);
    for (const [name, { verdict, found, todo = /./ }] of Object.entries(expected)) {
      t.match(check(name), { verdict, found, todo }, name);
    }
    t.notOk(out.includes(new URL(urls.writer).password), 'no secret');
    t.notMatch(out, 'not-the-password');
  });
}

t.test('a server without durability, before it is migrated', async (t) => {
  const postgres = await startPrivatePostgres(t, { migrated: false });
  await postgres.stop();
  const settings = {
    fsync: 'off',
    full_page_writes: 'off',
    synchronous_commit: 'off',
    synchronous_standby_names: 'nobody',
  };
  await startBare(t, { folder: postgres.folder, superuserUrl: postgres.superuserUrl, settings });
  const { writer, reader, sealer, owner } = postgres.urls;
  const { code, check } = await patient.diagnose({
    DATABASE_URL: writer,
    DATABASE_READER_URL: reader,
    DATABASE_SEALER_URL: sealer,
    DATABASE_OWNER_URL: owner,
  });
  t.equal(code, 1);
  t.match(check('server.durability'), { verdict: 'failure', found: /fsync and full_page_writes are off/ });
  t.match(check('server.commit'), { verdict: 'ok', found: 'the default is `off`; sessions of the service set `on`' });
  t.match(check('server.standbys'), { verdict: 'failure', found: /no standby is streaming/ });
  t.match(check('database.schema'), { verdict: 'failure', todo: /privity migrate/ });
  t.match(check('privileges.writer'), { verdict: 'failure', found: /too little/ });
});

const address = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
const alone = address === undefined ? 'this machine has no address but loopback' : false;
t.test('a server elsewhere without TLS', { skip: alone }, async (t) => {
  const target = new URL(urls.writer);
  const relay = createServer((socket) => {
    const onward = dial(Number(target.port), target.hostname);
    for (const one of [socket, onward]) one.on('error', () => one.destroy());
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((listening) => relay.listen(0, address ?? '', listening));
  t.teardown(() => relay.close());
  const { port } = relay.address() as AddressInfo;
  const { check } = await patient.diagnose({
    DATABASE_URL: changed(urls.writer, (url) => {
      url.hostname = address ?? '';
      url.port = String(port);
    }),
  });
  t.match(check('server.encryption'), { verdict: 'warning', found: /no TLS/, todo: /sslmode=verify-full/ });
});

t.test('what no server of this machine is', async (t) => {
  const good: ServerFacts = {
    version: 180_000,
    versionWords: '18.0',
    defaults: new Map([
      ['fsync', 'on'],
      ['full_page_writes', 'on'],
      ['synchronous_commit', 'on'],
      ['data_checksums', 'on'],
    ]),
    sessionCommit: 'on',
    isStandby: false,
    isEncrypted: true,
    standbys: 0,
    freeSessions: 90,
    maxSessions: 100,
  };
  const verdictOf = (facts: Partial<ServerFacts>, name: string, url = 'postgres://db.example/x'): string =>
    judgeServer({ ...good, ...facts }, url).find((check) => check.name === name)?.verdict ?? 'none';
  const withDefault = (name: string, value: string) => ({ defaults: new Map([...good.defaults, [name, value]]) });
  t.ok(judgeServer(good, 'postgres://db.example/x').every(({ verdict }) => verdict === 'ok'));
  t.equal(verdictOf({ version: 140_009 }, 'server.version'), 'failure');
  t.equal(verdictOf({ isStandby: true }, 'server.writable'), 'failure');
  t.equal(verdictOf({ sessionCommit: 'local' }, 'server.commit'), 'failure', 'a pooler that drops settings');
  t.equal(verdictOf({ standbys: 1 }, 'server.standbys'), 'warning');
  t.equal(verdictOf({ standbys: 1, ...withDefault('synchronous_standby_names', '*') }, 'server.standbys'), 'ok');
  t.equal(verdictOf(withDefault('data_checksums', 'off'), 'server.checksums'), 'warning');
  t.equal(verdictOf({}, 'server.encryption', 'postgres://db.example/x?sslmode=no-verify'), 'warning');
  t.equal(verdictOf({}, 'server.encryption', 'postgres://db.example/x?uselibpqcompat=true&sslmode=require'), 'warning');
  t.equal(verdictOf({ isEncrypted: false }, 'server.encryption', 'postgres:///x?host=/run/postgresql'), 'ok');
});
