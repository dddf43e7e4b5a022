// What each database role may do, and above all what it may not: RECORD.md, "Schema".
import t from 'tap';
import { TABLES } from '../../../src/model/tables.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';
import { approval, commitment, decision, head } from '../../helpers/rows.ts';

const DENIED = { code: '42501' };
const GUARDED = { code: '23001' };
const database = await createDatabase(t);
const owner = await connect(t, database.urls.owner);
const writer = await connect(t, database.urls.writer);
const reader = await connect(t, database.urls.reader);
const sealer = await connect(t, database.urls.sealer);

t.test('the writer appends', async (t) => {
  const row = decision();
  await t.resolves(writer.query(...row.insert));
  await t.resolves(writer.query(...commitment(row).insert));
  await t.resolves(writer.query(...head(row).insert));
  await t.resolves(writer.query(`${row.insert[0]} on conflict do nothing`, row.insert[1]), 'the same rows once more');
  const kept = await writer.query('select id, writer, seq from decisions where id = $1', [row.values['id']]);
  t.match(kept.rows, [{ seq: 0 }]);
  const hashes = await writer.query(
    'select writer, seq, hash from commitments union all select writer, seq, hash from heads',
  );
  t.equal(hashes.rowCount, 2);
});

t.test('the writer keeps policy sets and finds their keys', async (t) => {
  const hash = Buffer.alloc(32, 7);
  await t.resolves(writer.query('insert into policy_blobs values ($1, $2)', [hash, Buffer.from('rules')]));
  await t.resolves(
    writer.query(`insert into policy_sets (revision, manifest, at) values ('sha256:1', $1, now())`, [
      { 'firm.yaml': 'x' },
    ]),
  );
  await t.resolves(writer.query('insert into policy_blobs values ($1, $2) on conflict (hash) do nothing', [hash, '']));
  t.equal((await writer.query('select hash from policy_blobs')).rowCount, 1);
  t.equal((await writer.query('select revision from policy_sets')).rowCount, 1);
  await t.rejects(writer.query('select content from policy_blobs'), DENIED);
  await t.rejects(writer.query('select manifest from policy_sets'), DENIED);
});

t.test('an approval is spent once', async (t) => {
  const row = approval();
  await writer.query(...row.insert);
  t.equal((await writer.query('select * from approvals')).rowCount, 1);
  const spend = 'insert into approval_uses values ($1, gen_random_uuid(), now()) on conflict (approval_id) do nothing';
  t.equal((await writer.query(spend, [row.values['id']])).rowCount, 1);
  t.equal((await writer.query(spend, [row.values['id']])).rowCount, 0);
  await t.rejects(
    writer.query(spend, [decision().values['id']]),
    { code: '23503' },
    'nobody can spend what nobody gave',
  );
});

t.test('a delivery is noted once, and when is for readers only', async (t) => {
  const id = decision().values['id'];
  const note = 'insert into deliveries values ($1, now()) on conflict do nothing';
  t.equal((await writer.query(note, [id])).rowCount, 1);
  t.equal((await writer.query(note, [id])).rowCount, 0);
  t.equal((await writer.query('select record_id from deliveries')).rowCount, 1);
  await t.rejects(writer.query('select at from deliveries'), DENIED);
});

t.test('the writer cannot read what a record says', async (t) => {
  const visible = new Set(['id', 'writer', 'seq']);
  for (const column of Object.keys(TABLES.decisions).filter((name) => !visible.has(name))) {
    await t.rejects(writer.query(`select ${column} from decisions`), DENIED, column);
  }
  await t.rejects(writer.query('select signature from heads'), DENIED);
  await t.rejects(writer.query('select evaluation_id from approval_uses'), DENIED);
  await t.rejects(writer.query('select * from leaves'), DENIED);
  await t.rejects(writer.query('select * from checkpoints'), DENIED);
});

/** RECORD.md, "Schema", to the letter: per role and table, what may be done with it; columns where it is not the whole table. */
const MAY: Readonly<Record<'writer' | 'reader' | 'sealer', Readonly<Record<string, readonly string[]>>>> = {
  writer: {
    decisions: ['insert', 'select (id, writer, seq)'],
    commitments: ['insert', 'select'],
    heads: ['insert', 'select (writer, seq, hash)'],
    policy_blobs: ['insert', 'select (hash)'],
    policy_sets: ['insert', 'select (revision)'],
    approvals: ['insert', 'select'],
    approval_uses: ['insert', 'select (approval_id)'],
    deliveries: ['insert', 'select (record_id)'],
    schema_migrations: ['select'],
  },
  reader: Object.fromEntries(Object.keys(TABLES).map((name) => [name, ['select']])),
  sealer: {
    commitments: ['select'],
    heads: ['select'],
    leaves: ['insert', 'select'],
    checkpoints: ['insert', 'select'],
    tree_nodes: ['insert', 'select'],
    schema_migrations: ['select'],
  },
};

t.test(
  'every role, table, column and right, as the catalog has them: what RECORD grants and nothing else',
  async (t) => {
    const { rows } = await owner.query<{
      role: string;
      name: string;
      columns: string[];
      whole: string[];
      some: string[];
    }>(
      `select substr(r.rolname, 9) as role, c.relname as name,
            (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
            array(select lower(p) from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
                   where has_table_privilege(r.oid, c.oid, p) order by 1) as whole,
            array(select lower(p) || ' ' || a.attname
                    from unnest(array['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p, pg_attribute a
                   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and not has_table_privilege(r.oid, c.oid, p)
                     and has_column_privilege(r.oid, c.oid, a.attnum, p) order by p, a.attnum) as some
       from pg_roles r, pg_class c
      where r.rolname = any($1) and c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relnamespace = 'public'::regnamespace
      order by role, name`,
      [['privity_writer', 'privity_reader', 'privity_sealer']],
    );
    const found = { writer: {}, reader: {}, sealer: {} } as Record<keyof typeof MAY, Record<string, string[]>>;
    const partitions: string[] = [];
    for (const { role, name, whole, some } of rows) {
      const columns = Object.entries(Object.groupBy(some, (one) => one.split(' ')[0] ?? '')).map(
        ([right, list]) => `${right} (${(list ?? []).map((one) => one.split(' ')[1]).join(', ')})`,
      );
      const rights = [...whole, ...columns].toSorted();
      if (/^decisions_\d{4}_\d{2}$/.test(name))
        partitions.push(...rights.map((right) => `${role}: ${right} on ${name}`));
      else if (rights.length > 0) found[role as keyof typeof MAY][name] = rights;
    }
    t.strictSame(found, MAY);
    t.strictSame(partitions, [], 'partitions are reached through their table alone');
    t.ok(rows.length >= 3 * Object.keys(TABLES).length);
  },
);

t.test('functions, sequences, the schema, the database and other roles: the same', async (t) => {
  const roles = ['privity_writer', 'privity_reader', 'privity_sealer'];
  const functions = await owner.query(
    `select substr(r.rolname, 9) as role, p.proname as name from pg_roles r, pg_proc p
      where r.rolname = any($1) and p.pronamespace = 'public'::regnamespace and p.prorettype <> 'trigger'::regtype
        and has_function_privilege(r.oid, p.oid, 'EXECUTE') order by 1, 2`,
    [roles],
  );
  t.strictSame(functions.rows, [{ role: 'writer', name: 'ensure_partitions' }]);
  const sequences = await owner.query(
    `select c.relname from pg_class c where c.relkind = 'S' and c.relnamespace = 'public'::regnamespace`,
  );
  t.strictSame(sequences.rows, []);
  const places = await owner.query(
    `select r.rolname as role from pg_roles r where r.rolname = any($1)
        and (has_schema_privilege(r.oid, 'public', 'CREATE') or has_database_privilege(r.oid, current_database(), 'CREATE'))`,
    [roles],
  );
  t.strictSame(places.rows, []);
  const members = await owner.query(
    `select r.rolname as role, m.roleid::regrole::text as of from pg_roles r join pg_auth_members m on m.member = r.oid
      where r.rolname = any($1)`,
    [roles],
  );
  t.strictSame(members.rows, [], 'none of them may become another');
  const definers = await owner.query(
    `select proname as name, proconfig as settings from pg_proc where pronamespace = 'public'::regnamespace and prosecdef order by proname`,
  );
  t.strictSame(
    definers.rows.map(({ name }: { name: string }) => name),
    ['ensure_partitions', 'purge_payloads'], // the second is the owner's alone: test/cli/audit-purge.test.ts
  );
  for (const { name, settings } of definers.rows as { name: string; settings: string[] | null }[]) {
    t.match(settings, [/^search_path=pg_catalog, pg_temp$/], `${name} looks names up where nobody else can put any`);
  }
});

t.test('nobody but the owner changes, deletes or empties anything', async (t) => {
  for (const [name, columns] of Object.entries(TABLES)) {
    const column = Object.keys(columns)[0];
    for (const [role, client] of Object.entries({ writer, reader, sealer })) {
      await t.rejects(client.query(`update ${name} set ${column} = ${column}`), DENIED, `${role} updates ${name}`);
      await t.rejects(client.query(`delete from ${name}`), DENIED, `${role} deletes from ${name}`);
      await t.rejects(client.query(`truncate ${name} cascade`), DENIED, `${role} truncates ${name}`);
      await t.rejects(client.query(`alter table ${name} disable trigger all`), DENIED, `${role} alters ${name}`);
      await t.rejects(client.query(`drop table ${name}`), DENIED, `${role} drops ${name}`);
    }
  }
});

t.test('the guard stops the owner from a slip, on the whole table and on a partition', async (t) => {
  const { rows } = await owner.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'decisions'::regclass`,
  );
  const tables = Object.keys(TABLES).filter((name) => name !== 'schema_migrations');
  t.ok(rows.length > 0);
  for (const name of [...tables, ...rows.map((row) => row.name)]) {
    const column = name.startsWith('decisions') ? 'seq' : Object.keys(TABLES[name as keyof typeof TABLES])[0];
    await t.rejects(owner.query(`update ${name} set ${column} = ${column}`), GUARDED, `update ${name}`);
    await t.rejects(owner.query(`delete from ${name}`), GUARDED, `delete from ${name}`);
    await t.rejects(owner.query(`truncate ${name} cascade`), GUARDED, `truncate ${name}`);
  }
});

t.test('partitions give no way around the grants', async (t) => {
  const { rows } = await owner.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'decisions'::regclass`,
  );
  for (const { name } of rows) {
    await t.rejects(writer.query(`select bytes from ${name}`), DENIED);
    await t.rejects(writer.query(`delete from ${name}`), DENIED);
    await t.rejects(reader.query(`delete from ${name}`), DENIED);
  }
});

t.test('the reader reads everything and adds nothing', async (t) => {
  for (const name of Object.keys(TABLES)) {
    await t.resolves(reader.query(`select * from ${name}`), name);
    await t.rejects(reader.query(`insert into ${name} default values`), DENIED, name);
  }
  await t.rejects(reader.query('select * from ensure_partitions(now(), 1)'), DENIED);
});

t.test('the sealer appends leaves and checkpoints, and sees no payload', async (t) => {
  const row = decision();
  await t.resolves(
    sealer.query('insert into leaves values (0, $1, $2, $3)', [
      row.values['writer'],
      row.values['seq'],
      Buffer.alloc(32),
    ]),
  );
  await t.resolves(sealer.query(`insert into checkpoints values (1, $1, 'note', now())`, [Buffer.alloc(32)]));
  for (const name of ['commitments', 'heads', 'leaves', 'checkpoints']) {
    await t.resolves(sealer.query(`select * from ${name}`), name);
  }
  for (const name of ['decisions', 'policy_blobs', 'policy_sets', 'approvals', 'approval_uses', 'deliveries']) {
    await t.rejects(sealer.query(`select * from ${name}`), DENIED, name);
    await t.rejects(sealer.query(`insert into ${name} default values`), DENIED, name);
  }
  for (const name of ['commitments', 'heads']) {
    await t.rejects(sealer.query(`insert into ${name} default values`), DENIED, name);
  }
  await t.rejects(sealer.query('select * from ensure_partitions(now(), 1)'), DENIED);
});

t.test('no role creates objects, and every object belongs to the owner role', async (t) => {
  for (const client of [writer, reader, sealer]) {
    await t.rejects(client.query('create table mine (x int)'), DENIED);
    await t.rejects(client.query(`create function public.mine() returns int language sql as 'select 1'`), DENIED);
  }
  const { rows } = await owner.query(
    `select relname from pg_class where relnamespace = 'public'::regnamespace and relowner <> 'privity_owner'::regrole
     union all
     select proname from pg_proc where pronamespace = 'public'::regnamespace and proowner <> 'privity_owner'::regrole`,
  );
  t.strictSame(rows, []);
  const roles = await owner.query(`select rolname from pg_roles where rolname like 'privity\\_%'
    and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)`);
  t.strictSame(roles.rows, []);
});
