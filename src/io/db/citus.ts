// Spreads the log over the nodes of a Citus cluster: what grows with every decision by its writer, what is looked up beside it to every
// node; the rest stays with the coordinator. It must never take a guard away unsaid, nor leave a copy of records that no purge reaches.
import type pg from 'pg';
import type { Patiently } from './partition-indexes.ts';

export interface Distribution {
  /** Of all steps, those that this run took; none: all was done before. */
  readonly done: readonly string[];
  /** Tables, with their partitions, on which no trigger refuses changes any more. */
  readonly unguarded: readonly string[];
  readonly guarded: readonly string[];
}

/** All rows of one writer are on one node: a batch is committed there as a whole. The first leads. */
const BY_WRITER = ['decisions', 'commitments', 'heads'] as const;
/** Small, and asked about record by record, where the records are. */
const EVERYWHERE = ['deliveries'] as const;
/** Tables that say something of the whole log, in an order of its own: they have no writer to be distributed by. */
const WITH_COORDINATOR = [
  'leaves',
  'tree_nodes',
  'checkpoints',
  'policy_blobs',
  'policy_sets',
  'approvals',
  'approval_uses',
];

const OLDEST_CITUS = 13;
const LIBRARY = "`shared_preload_libraries = 'citus'`";

/** @throws Error that says what is missing, why it is needed and what to do */
export async function requireCitus(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ installed: string | null; available: string | null }>(
    `select (select extversion from pg_catalog.pg_extension where extname = 'citus') as installed,
            (select default_version from pg_catalog.pg_available_extensions where name = 'citus') as available`,
  );
  const { installed = null, available = null } = rows[0] ?? {};
  if (installed === null) {
    const why = 'this database has no Citus, which is what spreads tables over several servers';
    const create = `let a superuser run \`create extension citus\` in this database, on every node`;
    const todo =
      available === null
        ? `install Citus ${OLDEST_CITUS} or newer on every node, set ${LIBRARY}, restart, then ${create}; or leave --citus out: one server is enough for most firms (docs/scaling.md)`
        : `set ${LIBRARY} on every node, restart, then ${create}`;
    throw new Error(`${why}; ${todo}`);
  }
  if (Number.parseInt(installed, 10) < OLDEST_CITUS) {
    throw new Error(
      `this database has Citus ${installed}; Privity needs ${OLDEST_CITUS} or newer; upgrade it on every node`,
    );
  }
  const nodes = await client.query(`select from pg_dist_node where isactive and shouldhaveshards`);
  if (nodes.rowCount === 0) {
    throw new Error(
      'Citus knows no node that takes rows; run `select citus_set_coordinator_host(…)` and `select citus_add_node(…)` for each, as a superuser',
    );
  }
}

/** All or nothing, and safe to run again. Services MUST NOT run meanwhile. */
export async function distribute(client: pg.ClientBase, patiently: Patiently): Promise<Distribution> {
  const unguarded = [...BY_WRITER, ...EVERYWHERE];
  const known = await distributedTables(client);
  if (unguarded.every((table) => known.has(table))) return { done: [], unguarded, guarded: WITH_COORDINATOR };
  await requireEmpty(client, known);
  const done = await patiently('the tables of the log', () => inOneTransaction(client, () => takeSteps(client, known)));
  return { done, unguarded, guarded: WITH_COORDINATOR };
}

async function takeSteps(client: pg.ClientBase, known: ReadonlySet<string>): Promise<readonly string[]> {
  const done: string[] = [];
  // Several changes of tables that have partitions and companions, in one transaction: Citus asks for one node after the other.
  await client.query(`set local citus.multi_shard_modify_mode = 'sequential'`);
  await client.query(
    `alter function public.ensure_partitions(timestamptz, integer) set citus.multi_shard_modify_mode = 'sequential'`,
  );
  // By which the sealer finds the writers there are (io/log/sealing/find-waiting.ts).
  await client.query('create index if not exists commitments_first on public.commitments (writer) where seq = 0');
  for (const table of [...BY_WRITER, ...EVERYWHERE]) {
    if (known.has(table)) continue;
    for (const guarded of await guardedTables(client, table)) {
      await client.query(`drop trigger guard on ${guarded}`);
    }
    if (isEverywhere(table)) {
      await client.query(`select create_reference_table('public.${table}')`);
      done.push(`copied \`${table}\` to every node`);
    } else if (table === BY_WRITER[0]) {
      await client.query(`select create_distributed_table('public.${table}', 'writer', colocate_with => 'none')`);
      done.push(`distributed \`${table}\` and its partitions by writer`);
    } else {
      const beside = BY_WRITER[0];
      await client.query(
        `select create_distributed_table('public.${table}', 'writer', colocate_with => 'public.${beside}')`,
      );
      done.push(`distributed \`${table}\` by writer, beside \`${beside}\``);
    }
  }
  return done;
}

/** Citus keeps what was in a table before as a hidden copy on the coordinator: there a purge would never remove it. */
async function requireEmpty(client: pg.ClientBase, known: ReadonlySet<string>): Promise<void> {
  for (const table of [...BY_WRITER, ...EVERYWHERE]) {
    if (known.has(table)) continue;
    const { rowCount } = await client.query(`select from public.${table} limit 1`);
    if (rowCount === 0) continue;
    throw new Error(
      `\`${table}\` has rows already, and Citus would keep a copy of them on the coordinator that no purge reaches; ` +
        'run `privity migrate --citus` on a new database, then bring the log there with `privity audit backup` and `privity audit restore`',
    );
  }
}

function isEverywhere(table: string): boolean {
  return EVERYWHERE.some((one) => one === table);
}

async function distributedTables(client: pg.ClientBase): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name from pg_dist_partition d join pg_catalog.pg_class c on c.oid = d.logicalrelid
      where c.relnamespace = 'public'::regnamespace`,
  );
  return new Set(rows.map(({ name }) => name));
}

/** The table itself before its partitions, quoted. */
async function guardedTables(client: pg.ClientBase, table: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name
       from pg_partition_tree($1::regclass) p join pg_class c on c.oid = p.relid join pg_namespace n on n.oid = c.relnamespace
       join pg_trigger t on t.tgrelid = c.oid and t.tgname = 'guard'
      order by p.level, c.relname`,
    [`public.${table}`],
  );
  if (rows.length > 0) return rows.map(({ name }) => name);
  // A table without partitions is in no tree before PostgreSQL gives it one.
  const { rowCount } = await client.query(`select from pg_trigger where tgrelid = $1::regclass and tgname = 'guard'`, [
    `public.${table}`,
  ]);
  return rowCount === 0 ? [] : [`public.${table}`];
}

async function inOneTransaction<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}
