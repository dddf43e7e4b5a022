// Migrations: again, at once, under accounts of several rights, and against databases they must not touch.
import { readdirSync } from 'node:fs';
import t from 'tap';
import { migrate } from '../../../src/io/db/migrate.ts';
import { readSchema, requireSchema } from '../../../src/io/db/schema.ts';
import { connect, startPrivatePostgres } from '../../helpers/postgres.ts';
import { collect, spawnNode } from '../../helpers/processes.ts';

const server = await startPrivatePostgres(t, { migrated: false });
const superuser = await connect(t, server.superuserUrl);
const KNOWN = readdirSync(new URL('../../../migrations/', import.meta.url)).filter((name) =>
  name.endsWith('.sql'),
).length;
let databases = 0;

async function emptyDatabase(owner: string): Promise<string> {
  const name = `empty_${++databases}`;
  await superuser.query(`create database ${name} owner ${owner}`);
  return name;
}

function urlOf(name: string, user?: string): string {
  const url = new URL(server.superuserUrl);
  url.pathname = `/${name}`;
  if (user !== undefined) {
    url.username = user;
    url.password = 'secret';
  }
  return url.href;
}

t.test('a second run changes nothing', async (t) => {
  t.equal((await migrate({ url: server.urls.owner })).applied.length, KNOWN);
  const owner = await connect(t, server.urls.owner);
  const history = await owner.query('select * from schema_migrations order by version');
  t.match(await migrate({ url: server.urls.owner }), { applied: [], partitions: [], version: KNOWN });
  t.strictSame((await owner.query('select * from schema_migrations order by version')).rows, history.rows);
  for (const url of [server.urls.writer, server.urls.reader, server.urls.sealer]) {
    await t.resolves(requireSchema(await connect(t, url)));
  }
});

t.test('processes that start at once migrate once', async (t) => {
  const url = urlOf(await emptyDatabase('privity_owner'));
  const code = `const { migrate } = await import(process.argv[1]);
    console.log((await migrate({ url: process.argv[2] })).applied.length);`;
  const module = new URL('../../../src/io/db/migrate.ts', import.meta.url).href;
  const run = async (): Promise<string> =>
    (await collect(spawnNode(['--input-type=module', '-e', code, module, url]))).output.trim();
  t.strictSame((await Promise.all([run(), run(), run()])).toSorted(), ['0', '0', String(KNOWN)]);
  await t.resolves(requireSchema(await connect(t, url)));
});

t.test('databases of one server migrate side by side', async (t) => {
  const names = [await emptyDatabase('postgres'), await emptyDatabase('postgres'), await emptyDatabase('postgres')];
  const reports = await Promise.all(names.map((name) => migrate({ url: urlOf(name) })));
  t.strictSame(
    reports.map((report) => report.applied.length),
    [KNOWN, KNOWN, KNOWN],
  );
});

t.test('a plain owner migrates where the roles exist and one of them was granted to it', async (t) => {
  await superuser.query(`create role plain login password 'secret' in role privity_owner`);
  const name = await emptyDatabase('plain');
  t.equal((await migrate({ url: urlOf(name, 'plain') })).applied.length, KNOWN);
  const client = await connect(t, urlOf(name));
  const { rows } = await client.query(`select distinct tableowner from pg_tables where schemaname = 'public'`);
  t.strictSame(rows, [{ tableowner: 'privity_owner' }]);
});

t.test('an owner without rights is told which ones an administrator must give', async (t) => {
  await superuser.query(`create role bare login password 'secret'`);
  const bare = await emptyDatabase('bare');
  await t.rejects(migrate({ url: urlOf(bare, 'bare') }), /let an administrator run: grant privity_owner to/);
  const foreign = await emptyDatabase('postgres');
  await superuser.query('grant privity_owner to bare');
  await t.rejects(migrate({ url: urlOf(foreign, 'bare') }), /migrate as the owner of the database/);
  t.match(await readSchema(await connect(t, urlOf(bare))), { applied: 0, known: KNOWN });
});

t.test('a plain owner that may create roles needs nothing else', async (t) => {
  const fresh = await startPrivatePostgres(t, { migrated: false });
  const administrator = await connect(t, fresh.superuserUrl);
  await administrator.query(`create role setter login createrole password 'secret'`);
  await administrator.query('create database firm owner setter');
  // Under other names, the four roles do not exist on this server.
  for (const role of ['owner', 'writer', 'reader', 'sealer']) {
    await administrator.query(`alter role privity_${role} rename to former_${role}`);
  }
  const url = new URL(fresh.superuserUrl);
  Object.assign(url, { pathname: '/firm', username: 'setter', password: 'secret' });
  t.equal((await migrate({ url: url.href })).applied.length, KNOWN);
  t.equal((await migrate({ url: url.href })).applied.length, 0);
  const { rows } = await administrator.query(
    `select rolname, rolcanlogin from pg_roles where rolname like 'privity\\_%'`,
  );
  t.equal(rows.length, 4);
  t.notOk(rows.some((row: { rolcanlogin: boolean }) => row.rolcanlogin));
});

t.test('a newer schema is left alone', async (t) => {
  const name = await emptyDatabase('privity_owner');
  await migrate({ url: urlOf(name) });
  const owner = await connect(t, urlOf(name));
  await owner.query(`insert into schema_migrations values (${KNOWN + 1}, 'later.sql', 'x', now(), ${KNOWN + 1})`);
  const words = `the database is at schema ${KNOWN + 1}, and this version of Privity knows ${KNOWN}; start the newer version`;
  await t.rejects(migrate({ url: urlOf(name) }), { message: words });
  await t.rejects(requireSchema(owner), { message: words });
});

t.test('an edited migration is noticed', async (t) => {
  const name = await emptyDatabase('privity_owner');
  await migrate({ url: urlOf(name) });
  const owner = await connect(t, urlOf(name));
  await owner.query(`update schema_migrations set checksum = 'other' where version = 2`);
  await t.rejects(migrate({ url: urlOf(name) }), /`000002_sealing.sql` differs/);
});

t.test('a database that was never migrated is told so', async (t) => {
  const client = await connect(t, urlOf(await emptyDatabase('privity_owner')));
  await t.rejects(requireSchema(client), {
    message: `the database is at schema 0 of ${KNOWN}; run \`privity migrate\` first`,
  });
});

t.test('a migration that fails leaves nothing of itself', async (t) => {
  const name = await emptyDatabase('privity_owner');
  const owner = await connect(t, urlOf(name));
  await owner.query('set role privity_owner');
  await owner.query('create table leaves (x int)');
  await t.rejects(
    migrate({ url: urlOf(name) }),
    /`000002_sealing.sql` failed and was undone: relation "leaves" already exists/,
  );
  t.match(await readSchema(owner), { applied: 1 });
  await owner.query('drop table leaves');
  t.equal((await migrate({ url: urlOf(name) })).applied.length, KNOWN - 1);
});
