// The server that Privity brings along: made once, kept, and started again whatever happened to it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { findAccount } from '../../../src/io/db/account.ts';
import { type EmbeddedServer, startEmbedded } from '../../../src/io/db/embedded.ts';
import { migrate } from '../../../src/io/db/migrate.ts';
import { isAlive } from '../../../src/io/db/processes.ts';
import { connect, serverFolder, startPrivatePostgres, type TearsDown } from '../../helpers/postgres.ts';
import { firstLine, spawnNode } from '../../helpers/processes.ts';
import { decision } from '../../helpers/rows.ts';

const isRoot = process.getuid?.() === 0;
// Made once; every test starts its server anew and leaves it stopped.
const folder = await serverFolder(t);

async function start(t: TearsDown, where = folder): Promise<EmbeddedServer> {
  const server = await startEmbedded({ folder: where });
  t.teardown(() => server.stop());
  return server;
}

async function countDecisions(t: TearsDown, server: Pick<EmbeddedServer, 'urls'>): Promise<unknown> {
  const reader = await connect(t, server.urls.reader);
  const { rows } = await reader.query<{ count: number }>('select count(*) from decisions');
  return rows[0]?.count;
}

/** Starts a server in a process of its own, as a service would, and kills that process. */
async function killedService(): Promise<number> {
  const module = new URL('../../../src/io/db/embedded.ts', import.meta.url).href;
  const code = `const { startEmbedded } = await import(process.argv[1]);
    console.log((await startEmbedded({ folder: process.argv[2] })).pid);
    setInterval(() => {}, 1000);`;
  const child = spawnNode(['--input-type=module', '-e', code, module, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = await firstLine(child);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return Number(pid);
}

t.test('a second start keeps the data, the passwords and, if it is free, the port', async (t) => {
  const first = await start(t);
  await migrate({ url: first.urls.owner });
  await (await connect(t, first.urls.writer)).query(...decision().insert);
  await first.stop();
  t.notOk(isAlive(first.pid));
  const second = await start(t);
  t.strictSame(second.urls, first.urls);
  t.equal(await countDecisions(t, second), 1);
});

t.test('passwords are random, kept in a file for its owner alone, and asked from everybody', async (t) => {
  const server = await start(t);
  t.equal((await stat(path.join(folder, 'credentials.json'))).mode & 0o777, 0o600);
  const passwords = Object.values({ ...server.urls, superuser: server.superuserUrl }).map(
    (url) => new URL(url).password,
  );
  t.equal(new Set(passwords).size, 5);
  t.ok(passwords.every((password) => password.length >= 32));
  const superuser = await connect(t, server.superuserUrl);
  const methods = await superuser.query('select distinct auth_method from pg_hba_file_rules');
  t.strictSame(methods.rows, [{ auth_method: 'scram-sha-256' }]);
  const url = new URL(server.urls.writer);
  url.password = 'guess';
  await t.rejects(connect(t, url.href), { code: '28P01' });
});

t.test('it listens on loopback only and writes commits to disk', async (t) => {
  const server = await start(t);
  const superuser = await connect(t, server.superuserUrl);
  const { rows } = await superuser.query<{ name: string; setting: string }>(`select name, setting from pg_settings
     where name in ('listen_addresses', 'unix_socket_directories', 'fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums')`);
  t.strictSame(Object.fromEntries(rows.map((row) => [row.name, row.setting])), {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    data_checksums: 'on',
  });
});

t.test('a killed server starts again with everything it committed', async (t) => {
  const server = await startPrivatePostgres(t);
  const writer = await connect(t, server.urls.writer);
  await writer.query(...decision().insert);
  await server.kill('SIGKILL');
  await t.rejects(writer.query('select 1'));
  await server.start();
  t.equal(await countDecisions(t, server), 1);
});

t.test('a halted server answers nobody until it goes on', async (t) => {
  const server = await startPrivatePostgres(t, { migrated: false });
  const client = await connect(t, server.urls.reader);
  await server.kill('SIGSTOP');
  let answered = false;
  const answer = client.query('select 1').then(() => (answered = true));
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.notOk(answered);
  await server.kill('SIGCONT');
  await answer;
  t.ok(answered);
});

t.test('what a killed service left running is ended and taken over', async (t) => {
  const left = await killedService();
  t.ok(isAlive(left));
  const server = await start(t);
  t.notOk(isAlive(left));
  t.ok(isAlive(server.pid));
});

t.test('a process file left behind does not stop the start, even when its number is in use again', async (t) => {
  const first = await start(t);
  const file = path.join(folder, 'data', 'postmaster.pid');
  const content = await readFile(file, 'utf8');
  await first.stop();
  const account = isRoot ? await findAccount() : {};
  const stranger = spawn('sleep', ['300'], { ...account, stdio: 'ignore' });
  t.teardown(() => stranger.kill('SIGKILL'));
  await writeFile(file, content.replace(/^\d+/, String(stranger.pid)));
  t.ok(isAlive((await start(t)).pid));
  t.ok(isAlive(stranger.pid ?? 0), 'the stranger is left alone');
});

t.test('two services do not share a folder', async (t) => {
  const first = await start(t);
  await t.rejects(startEmbedded({ folder }), /uses the database in .*; stop it first/);
  t.ok(isAlive(first.pid));
});

t.test('a first start that was cut short is repeated', async (t) => {
  const fresh = await serverFolder(t);
  await mkdir(path.join(fresh, 'data.new'));
  await writeFile(path.join(fresh, 'data.new', 'PG_VERSION'), '18');
  await writeFile(path.join(fresh, 'data.password'), 'half');
  t.ok(isAlive((await start(t, fresh)).pid));
});

t.test(
  'a folder that only root may enter serves as well',
  { skip: isRoot ? false : 'only root has such folders' },
  async (t) => {
    const fresh = await serverFolder(t);
    await chmod(fresh, 0o700);
    t.ok(isAlive((await start(t, path.join(fresh, 'inner'))).pid));
  },
);

t.test('a server that cannot start says why', async (t) => {
  await t.rejects(
    startEmbedded({ folder, settings: { max_connections: 'many' } }),
    /invalid value for parameter "max_connections"/,
  );
  t.ok(isAlive((await start(t)).pid));
});

t.test('lost or damaged credentials are named', async (t) => {
  await (await start(t)).stop();
  await writeFile(path.join(folder, 'credentials.json'), '{"port":1}');
  await t.rejects(startEmbedded({ folder }), /credentials.json` is damaged/);
  await writeFile(path.join(folder, 'credentials.json'), 'not JSON');
  await t.rejects(startEmbedded({ folder }), /credentials.json` is damaged/);
});
