// The tests' own PostgreSQL: found by every process of a run, and gone with it, even when nobody could say goodbye.
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { connect, createDatabase } from './postgres.ts';
import { firstLine, spawnNode } from './processes.ts';
import { sharedFolder, stopSharedServer } from './shared-postgres.ts';

/** A process that makes itself a database and then sits there; `holder` is its parent when it runs as a test file would. */
async function databaseUser(
  t: { teardown(clear: () => unknown): unknown },
  underRunner: boolean,
): Promise<{ child: ChildProcess; url: URL }> {
  const code = `const { createDatabase } = await import(process.argv[1]);
    const database = await createDatabase({ teardown() {} });
    console.log(database.urls.reader);
    setInterval(() => {}, 1000);`;
  const { TEST_DATABASE_URL: _given, TAP_CHILD_ID: _id, ...env } = process.env;
  const child = spawnNode(['--input-type=module', '-e', code, new URL('postgres.ts', import.meta.url).href], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: underRunner ? { ...env, TAP_CHILD_ID: '1' } : env,
  });
  t.teardown(() => child.kill('SIGKILL'));
  return { child, url: new URL(await firstLine(child)) };
}

t.test('processes that start at once under one runner share a server, and it stops on request', async (t) => {
  const users = await Promise.all([databaseUser(t, true), databaseUser(t, true)]);
  const urls = users.map((user) => user.url);
  t.equal(urls[0]?.host, urls[1]?.host);
  t.not(urls[0]?.pathname, urls[1]?.pathname);
  t.ok(existsSync(sharedFolder(process.pid)));
  await stopSharedServer(process.pid);
  t.notOk(existsSync(sharedFolder(process.pid)));
  await t.rejects(connect(t, String(urls[0])), { code: 'ECONNREFUSED' });
});

t.test('a killed run leaves no server and no files', async (t) => {
  const { child, url } = await databaseUser(t, false);
  const folder = sharedFolder(child.pid ?? 0);
  t.ok(existsSync(folder));
  child.kill('SIGKILL');
  while (existsSync(folder)) await sleep(50);
  await t.rejects(connect(t, url.href), { code: 'ECONNREFUSED' });
});

t.test('databases of one process are apart, and gone after their test', async (t) => {
  const seen: string[] = [];
  await t.test('two databases', async (t) => {
    const [one, two] = [await createDatabase(t), await createDatabase(t)];
    seen.push(one.name, two.name);
    await (await connect(t, one.superuserUrl)).query('create table here (x int)');
    const other = await connect(t, two.superuserUrl);
    t.match((await other.query(`select to_regclass('here') as found`)).rows, [{ found: null }]);
  });
  const client = await connect(t, (await createDatabase(t)).superuserUrl);
  const { rows } = await client.query('select datname from pg_database where datname = any($1)', [seen]);
  t.strictSame(rows, []);
});
