// A session that promises durable commits, or none at all.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { initialise, openCluster, startServer, stopServer } from '../../../src/io/db/cluster.ts';
import { openClient } from '../../../src/io/db/database.ts';
import { openSession } from '../../../src/io/log/session.ts';
import { connect, createDatabase, type TearsDown } from '../../helpers/postgres.ts';
import { startRecorder, until } from '../../helpers/recorder.ts';

const database = await createDatabase(t);
const superuser = await connect(t, database.superuserUrl);
const connectAs = (url: string) => () =>
  openClient({ url, applicationName: 'privity writer', onError: () => undefined });

/** One that the embedded server would never start. */
async function startUnsafeServer(t: TearsDown): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-postgres-'));
  await chmod(folder, 0o711);
  const cluster = await openCluster(folder);
  await initialise(cluster, 'postgres', 'secret');
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
  const settings = { fsync: 'off', listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '' };
  const server = await startServer(cluster, settings);
  t.teardown(async () => {
    await stopServer(server.pid ?? 0);
    await rm(folder, { recursive: true, force: true });
  });
  return `postgres://postgres:secret@127.0.0.1:${port}/postgres`;
}

t.test('a server that does not fsync is refused', async (t) => {
  const url = await startUnsafeServer(t);
  t.same(await openSession(connectAs(url), []), { refused: 'fsync_off' });
  const recorder = startRecorder(t, url);
  await until('refused', () => recorder.state().databaseCode === 'fsync_off');
  t.match(recorder.state(), { ready: false, problems: ['database_unreachable'] });
});

t.test('every batch commits synchronously, whatever the session was told', async (t) => {
  await superuser.query(`create table seen (setting text); grant insert on seen to privity_writer;
    create function weaken() returns trigger language plpgsql as
      $$ begin perform set_config('synchronous_commit', 'off', false); return new; end $$;
    create function look() returns trigger language plpgsql as
      $$ begin insert into public.seen values (current_setting('synchronous_commit')); return null; end $$;
    create trigger weaken before insert on heads for each row execute function weaken();
    create constraint trigger look after insert on heads deferrable initially deferred for each row execute function look()`);
  const recorder = startRecorder(t, database.urls.writer);
  await recorder.record();
  await recorder.record();
  await recorder.close();
  const { rows } = await superuser.query('select * from seen');
  t.same(
    rows,
    [1, 2, 3, 4].map(() => ({ setting: 'on' })),
  );
  await superuser.query('drop function weaken, look cascade');
});

t.test('a stronger setting is left alone', async (t) => {
  await superuser.query(`alter role privity_writer in database ${database.name} set synchronous_commit = remote_apply`);
  const show = { text: "select current_setting('synchronous_commit') as setting" };
  const plain = await connectAs(database.urls.writer)();
  t.teardown(() => plain.end());
  const session = await openSession(() => Promise.resolve(plain), []);
  if ('refused' in session) throw new Error(session.refused);
  t.match((await session.query(show, 1_000)).rows, [{ setting: 'remote_apply' }]);
  await superuser.query(`alter role privity_writer in database ${database.name} reset synchronous_commit`);
});

t.test('a statement that takes too long costs the connection', async (t) => {
  const session = await openSession(connectAs(database.urls.writer), []);
  if ('refused' in session) throw new Error(session.refused);
  await t.rejects(session.query({ text: 'select pg_sleep(60)' }, 100));
  t.ok(session.isLost());
  await until('the server noticed', async () => {
    const { rowCount } = await superuser.query('select from pg_stat_activity where pid = $1', [session.backend.pid]);
    if (rowCount === 0) return true;
    const next = await openSession(connectAs(database.urls.writer), [session.backend]);
    if ('refused' in next) throw new Error(next.refused);
    t.same(next.ghosts, [], 'ended by the next session');
    await next.end();
    return false;
  });
});
