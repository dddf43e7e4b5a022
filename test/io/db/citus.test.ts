// `privity migrate --citus`. There is no Citus here: an extension of its name notes what it is asked for and changes nothing. So this
// tests which statements come, in which order and how often, what is refused, and that everything that is written differently for a
// cluster does the same on one server; not that Citus takes it.
import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { privity } from '../../cli/privity.ts';
import { migrate } from '../../../src/io/db/migrate.ts';
import { ensurePartitions } from '../../../src/io/db/partitions.ts';
import { openClient } from '../../../src/io/db/database.ts';
import { findOnCluster, findOnServer } from '../../../src/io/log/sealing/find-waiting.ts';
import { seal } from '../../../src/io/log/sealing/seal.ts';
import { connect, createDatabase, type TearsDown, type TestDatabase } from '../../helpers/postgres.ts';
import { startRecorder } from '../../helpers/recorder.ts';

const NOTES = `
create table pg_dist_node (isactive boolean, shouldhaveshards boolean);
create table pg_dist_partition (logicalrelid regclass);
create table asked (step bigserial, what text);
grant select on pg_dist_node, pg_dist_partition to public;
create function create_distributed_table(one regclass, by text, colocate_with text) returns void language plpgsql security definer as $$
begin
  if exists (select from pg_trigger where tgrelid = one and tgname = 'guard') then raise 'triggers are not supported on distributed tables'; end if;
  insert into @extschema@.asked (what) values (format('%s by %s, %s', one, by, colocate_with));
  insert into @extschema@.pg_dist_partition values (one);
end $$;
create function create_reference_table(one regclass) returns void language plpgsql security definer as $$
begin
  if exists (select from pg_trigger where tgrelid = one and tgname = 'guard') then raise 'triggers are not supported on reference tables'; end if;
  insert into @extschema@.asked (what) values (format('%s everywhere', one));
  insert into @extschema@.pg_dist_partition values (one);
end $$;
`;

const folder = await mkdtemp(path.join(tmpdir(), 'privity-extension-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
await chmod(folder, 0o755);
await mkdir(path.join(folder, 'extension'));
for (const version of ['12.1', '13.2-1']) {
  await writeFile(path.join(folder, 'extension', `citus--${version}.sql`), NOTES);
}
await writeFile(path.join(folder, 'extension', 'citus.control'), "default_version = '13.2-1'\nrelocatable = false\n");

/** Without nodes where `nodes` is 0. */
async function clusterOf(t: TearsDown, nodes: number, version = '13.2-1'): Promise<TestDatabase> {
  const database = await createDatabase(t);
  const superuser = await connect(t, database.superuserUrl);
  await superuser.query(`set extension_control_path = '${folder}:$system'`);
  await superuser.query(`create extension citus version '${version}' schema public`);
  await superuser.query('insert into pg_dist_node select true, true from generate_series(1, $1)', [nodes]);
  await superuser.query('grant set on parameter "citus.multi_shard_modify_mode" to privity_owner');
  return database;
}

async function asked(t: TearsDown, { superuserUrl }: TestDatabase): Promise<readonly string[]> {
  const superuser = await connect(t, superuserUrl);
  return (await superuser.query<{ what: string }>('select what from asked order by step')).rows.map(({ what }) => what);
}

const STEPS = [
  'decisions by writer, none',
  'commitments by writer, public.decisions',
  'heads by writer, public.decisions',
  'deliveries everywhere',
];

const server = await connect(t, (await createDatabase(t)).superuserUrl);
const { rows } = await server.query<{ skip: boolean }>(
  `select current_setting('server_version_num')::int < 180000 or host(inet_server_addr()) <> '127.0.0.1' as skip`,
);
const isElsewhere = rows[0]?.skip === true ? 'needs a PostgreSQL 18 on this machine' : false;

t.test('a database without Citus: what is missing, why, what to do, and nothing is changed', async (t) => {
  const { urls } = await createDatabase(t);
  const { code, out, err } = await privity(['migrate', '--citus'], { env: { DATABASE_OWNER_URL: urls.owner } });
  t.equal(code, 2);
  t.equal(out, '');
  t.match(err, /this database has no Citus, .*; install Citus 13 or newer .*; or leave --citus out/);
});

t.test('a Citus that is too old, or has no nodes', { skip: isElsewhere }, async (t) => {
  const old = await clusterOf(t, 2, '12.1');
  await t.rejects(migrate({ url: old.urls.owner, citus: true }), /Citus 12\.1; Privity needs 13/);
  const alone = await clusterOf(t, 0);
  await t.rejects(migrate({ url: alone.urls.owner, citus: true }), /citus_add_node/);
  t.strictSame(await asked(t, alone), []);
});

t.test('every step once, in its order; guards go where they must, and it is said', { skip: isElsewhere }, async (t) => {
  const database = await clusterOf(t, 2);
  const env = { DATABASE_OWNER_URL: database.urls.owner };
  const first = await privity(['migrate', '--citus'], { env });
  t.equal(first.code, 0, first.err);
  t.match(first.out, 'distributed `decisions` and its partitions by writer');
  t.match(first.out, 'Guarded no more: decisions, commitments, heads, deliveries');
  t.strictSame(await asked(t, database), STEPS);

  const second = await privity(['migrate', '--citus'], { env });
  t.match(second.out, 'the log is spread over the nodes already');
  t.match(second.out, 'Guarded no more: decisions');
  t.strictSame(await asked(t, database), STEPS);
  t.equal((await privity(['migrate'], { env })).code, 0);

  const owner = await connect(t, database.urls.owner);
  await ensurePartitions(owner, new Date('2024-02-10T00:00:00Z'), 0);
  const { rows: guarded } = await owner.query<{ name: string }>(
    `select tgrelid::regclass::text as name from pg_trigger where tgname = 'guard' order by 1`,
  );
  t.strictSame(
    guarded.map(({ name }) => name),
    ['approval_uses', 'approvals', 'checkpoints', 'leaves', 'policy_blobs', 'policy_sets', 'tree_nodes'],
  );
});

t.test('a log with records is not spread: its copy would outlive a purge', { skip: isElsewhere }, async (t) => {
  const database = await clusterOf(t, 2);
  await startRecorder(t, database.urls.writer).record(1);
  await t.rejects(migrate({ url: database.urls.owner, citus: true }), /has rows already.*audit backup.*audit restore/);
  t.strictSame(await asked(t, database), []);
});

t.test('recording and sealing as on a cluster', { skip: isElsewhere }, async (t) => {
  const database = await clusterOf(t, 2);
  await migrate({ url: database.urls.owner, citus: true });
  const one = startRecorder(t, database.urls.writer, {
    connect: () => openClient({ url: database.urls.writer, applicationName: 'cluster', onError: () => undefined }),
  });
  const ids = await one.record(3);
  t.equal(ids.length, 3);
  await startRecorder(t, database.urls.writer).record(2);
  const superuser = await connect(t, database.superuserUrl);
  const sealer = await connect(t, database.urls.sealer);
  const key = generateKeyPairSync('ed25519').privateKey;
  const options = { origin: 'log.example', signers: [{ name: 'log.example', key }], published: [], limit: 4 } as const;
  for (let sealed = 0; sealed < 7;) {
    for (const limit of [1, 3, 100]) {
      t.strictSame(await findOnCluster(sealer, limit), await findOnServer(sealer, limit), `${sealed} sealed, ${limit}`);
    }
    const { added } = await seal(sealer, options);
    t.ok(added > 0);
    sealed += added;
  }
  t.strictSame(await findOnCluster(sealer, 10), []);
  const { rows: leaves } = await superuser.query<{ count: number }>('select count(*)::int as count from leaves');
  t.equal(leaves[0]?.count, 7);
});
