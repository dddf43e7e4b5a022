// `privity migrate` and `privity serve` on a database of the operator's.
import { spawn } from 'node:child_process';
import t from 'tap';
import { startPrivatePostgres } from '../helpers/postgres.ts';
import { BINARY, environment, privity, REPOSITORY } from './privity.ts';

t.test('an empty database is migrated, then served; SIGTERM ends it in order', async (t) => {
  const postgres = await startPrivatePostgres(t, { migrated: false });
  const env = {
    DATABASE_URL: postgres.urls.writer,
    DATABASE_READER_URL: postgres.urls.reader,
    DATABASE_OWNER_URL: postgres.urls.owner,
    PORT: '0',
  };
  const early = await privity(['serve'], { env });
  t.equal(early.code, 2);
  t.match(early.err, 'run `privity migrate` first');

  const migrated = await privity(['migrate'], { env });
  t.equal(migrated.code, 0, migrated.err);
  t.match(migrated.out, /^applied 000001_/m);
  t.match(migrated.out, /the database is at schema (\d+); \1 migrations applied\n$/);
  const again = await privity(['migrate'], { env });
  t.equal(again.code, 0);
  t.match(again.out, /^the database is at schema \d+ already\n$/);

  const child = spawn(process.execPath, [BINARY, 'serve'], { cwd: REPOSITORY, env: environment(env) });
  t.teardown(() => child.kill('SIGKILL'));
  let log = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      log += chunk;
      const found = /"url":"(http:[^"]+)"/.exec(log)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('close', () => reject(new Error(log)));
  });
  t.equal((await fetch(`${url}/livez`)).status, 200);
  t.notMatch(log, new URL(postgres.urls.writer).password);
  child.kill('SIGTERM');
  t.equal(await new Promise((resolve) => child.once('close', resolve)), 0);
});

t.test('it lists everything that is wrong', async (t) => {
  const without = await privity(['serve']);
  t.equal(without.code, 2);
  t.match(without.err, /DATABASE_URL is not set.*`privity start` brings its own/);
  const wrong = await privity(['serve'], { env: { PORT: 'x', LOG_LEVEL: 'y' } });
  t.equal(wrong.code, 2);
  t.match(wrong.err, 'PORT=x');
  t.match(wrong.err, 'LOG_LEVEL=y');
});

t.test('a database that nobody answers for', async (t) => {
  const nowhere = 'postgres://privity:hidden-word@127.0.0.1:9/privity';
  const migrate = await privity(['migrate'], { env: { DATABASE_OWNER_URL: nowhere } });
  t.equal(migrate.code, 2);
  t.match(migrate.err, 'ECONNREFUSED');
  t.notMatch(migrate.err, 'hidden-word');
  const serve = await privity(['serve'], { env: { DATABASE_URL: nowhere } });
  t.equal(serve.code, 2);
  t.match(serve.err, 'ECONNREFUSED');
  t.notMatch(serve.err + serve.out, 'hidden-word');
});
