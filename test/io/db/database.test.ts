// Sessions commit durably, numbers survive, and a server that may lose commits is refused.
import t from 'tap';
import { openCluster, startServer, stopServer } from '../../../src/io/db/cluster.ts';
import { createDatabase as openDatabase, openClient, requireDurableServer } from '../../../src/io/db/database.ts';
import { connect, createDatabase, startPrivatePostgres } from '../../helpers/postgres.ts';
import { startProxy } from '../../helpers/proxy.ts';
import { decision } from '../../helpers/rows.ts';

const database = await createDatabase(t);
const onError = (error: Error): void => t.comment(error.message);

t.test('every session commits durably, whatever the server’s default', async (t) => {
  const owner = await connect(t, database.superuserUrl);
  await owner.query(`alter database ${database.name} set synchronous_commit = off`);
  const db = openDatabase({ url: database.urls.writer, applicationName: 'privity writer', max: 3, onError });
  t.teardown(() => db.close());
  const sessions = await Promise.all([1, 2, 3].map(() => db.pool.connect()));
  for (const session of sessions) {
    const { rows } =
      await session.query(`select current_setting('synchronous_commit') as commit, application_name as name
      from pg_stat_activity where pid = pg_backend_pid()`);
    t.strictSame(rows, [{ commit: 'on', name: 'privity writer' }]);
    session.release();
  }
  const client = await openClient({ url: database.urls.writer, applicationName: 'privity writer', onError });
  t.teardown(() => client.end());
  await t.resolves(requireDurableServer(client));
  await client.query('set synchronous_commit = local');
  await t.rejects(requireDurableServer(client), /`synchronous_commit=local`/);
});

t.test('a standby’s stronger promise is kept', async (t) => {
  const owner = await connect(t, database.superuserUrl);
  await owner.query(`alter database ${database.name} set synchronous_commit = remote_apply`);
  const client = await connect(t, database.urls.writer);
  t.strictSame((await client.query('show synchronous_commit')).rows, [{ synchronous_commit: 'remote_apply' }]);
  await t.resolves(requireDurableServer(client));
});

t.test('typed queries read what was written', async (t) => {
  const writer = await connect(t, database.urls.writer);
  const row = decision({ seq: 2 ** 40 });
  await writer.query(...row.insert);
  const db = openDatabase({ url: database.urls.reader, applicationName: 'privity reader', max: 1, onError });
  t.teardown(() => db.close());
  const found = await db.queries
    .selectFrom('decisions')
    .selectAll()
    .where('id', '=', String(row.values['id']))
    .execute();
  t.match(found, [{ seq: 2 ** 40, decided_by: ['default-deny'], bytes: Buffer.from('{}'), at: row.values['at'] }]);
});

t.test('a number that JavaScript cannot hold is refused, not rounded', async (t) => {
  const writer = await connect(t, database.urls.writer);
  await t.rejects(writer.query('select 9007199254740993::bigint as big'), /9007199254740993 does not fit/);
});

t.test('closing twice is closing once, and a lost connection is reported', async (t) => {
  const lost: Error[] = [];
  const report = (error: Error): number => lost.push(error);
  const db = openDatabase({ url: database.urls.reader, applicationName: 'to be cut', max: 1, onError: report });
  await db.pool.query('select 1');
  const owner = await connect(t, database.superuserUrl);
  await owner.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'to be cut'`);
  while (lost.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  t.match(lost, [/terminating connection/]);
  await Promise.all([db.close(), db.close()]);
});

t.test('a connection that is lost in use fails its query, and ends nothing else', async (t) => {
  const db = openDatabase({ url: database.urls.reader, applicationName: 'cut in use', max: 1, onError });
  t.teardown(() => db.close());
  const owner = await connect(t, database.superuserUrl);
  const session = await db.pool.connect();
  const ended = new Promise((resolve) => session.once('end', resolve));
  const query = t.rejects(session.query('select pg_sleep(600)'), /terminat/);
  const end = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cut in use' and state = 'active'`;
  while ((await owner.query(end)).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await query;
  await ended;
  session.release();
  t.same((await db.pool.query('select 1 as one')).rows, [{ one: 1 }], 'the next one has a connection of its own');
});

t.test('a server that goes silent: every query ends, and its connection is not used again', async (t) => {
  const proxy = await startProxy(t, database.urls.reader, 'none');
  const limits = { max: 1, statementTimeoutMs: 200 };
  const db = openDatabase({ url: proxy.url(database.urls.reader), applicationName: 'silenced', ...limits, onError });
  t.teardown(() => db.close());
  await db.pool.query('select 1');
  proxy.freeze();
  await t.rejects(db.queries.selectFrom('heads').select('seq').execute(), /terminated/);
  // The network is back, but not for the connection that it had.
  proxy.restore();
  t.strictSame(await db.queries.selectFrom('heads').select('seq').execute(), []);
});

t.test('closing is bounded in time, whatever is asked', async (t) => {
  const db = openDatabase({ url: database.urls.reader, applicationName: 'busy', max: 1, onError });
  await db.pool.query('select 1');
  const query = t.rejects(db.pool.query('select pg_sleep(600)'), /terminated/);
  while (db.pool.idleCount > 0) await new Promise((resolve) => setImmediate(resolve));
  await db.close();
  await query;
});

t.test('a server that goes silent as a connection begins', async (t) => {
  for (const fault of ['swallow_startup', 'swallow_auth', 'swallow_setup'] as const) {
    const proxy = await startProxy(t, database.urls.writer, 'none');
    const options = { url: proxy.url(database.urls.writer), applicationName: 'begins', connectTimeoutMs: 300, onError };
    const injured = proxy.injureNext(fault);
    await t.rejects(openClient(options), fault);
    await injured;
    const pool = openDatabase({ ...options, max: 1 });
    const again = proxy.injureNext(fault);
    await t.rejects(pool.pool.query('select 1'), fault);
    await again;
    await pool.close();
  }
});

t.test('a server that may lose commits is refused in words', async (t) => {
  const server = await startPrivatePostgres(t, { migrated: false });
  await t.resolves(requireDurableServer(await connect(t, server.superuserUrl)));
  await server.stop();
  // The same data under a careless administrator.
  const careless = await startServer(await openCluster(server.folder), {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: new URL(server.superuserUrl).port,
    fsync: 'off',
  });
  t.teardown(() => stopServer(careless.pid ?? 0));
  const words = 'the database server runs with `fsync=off`: a commit would not survive a crash; set `fsync = on`';
  await t.rejects(requireDurableServer(await connect(t, server.superuserUrl)), { message: words });
});
