// In charge of bringing a database to the schema this version knows, beside services that use it. It must never change an applied
// migration's result, run two migrations at once, hold up traffic for long, or touch a schema that is too new for it.
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { distribute, type Distribution, requireCitus } from './citus.ts';
import { openClient } from './database.ts';
import { readMigrations, type Migration } from './migration-files.ts';
import { completePartitionIndexes } from './partition-indexes.ts';
import { ensureCurrentPartitions } from './partitions.ts';
import { becomeOwner, createRoles, ROLES } from './roles.ts';
import { hasHistory, newerSchema, oldestWorking } from './schema.ts';

export interface MigrateOptions {
  /** Of the database's owner. */
  readonly url: string;
  /** Stops before the first contracting migration, so that services of the version before go on working. */
  readonly expandOnly?: boolean;
  /** Spreads the tables over the nodes of a Citus cluster. */
  readonly citus?: boolean;
  /** Told each time that a lock could not be had yet. */
  readonly onWait?: (what: string, tries: number) => void;
  readonly patience?: Patience;
  readonly folder?: URL;
}

/** How long traffic may stand behind a lock that is waited for, and how often it is tried again. */
export interface Patience {
  readonly lockTimeoutMs: number;
  readonly pauseMs: number;
  readonly tries: number;
}

export interface MigrationReport {
  /** The names of the migrations this run applied. */
  readonly applied: readonly string[];
  /** The names of those that wait for a run without `expandOnly`. */
  readonly left: readonly string[];
  /** The partitions this run made. */
  readonly partitions: readonly string[];
  /** Null where it was not asked for. */
  readonly distribution: Distribution | null;
  /** Of the database now. */
  readonly version: number;
}

interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

// Citus's latest release runs on 15 to 18.
const OLDEST_SERVER = 150000;
/** Requests wait up to 5 s for their record: far more than one try holds them up. */
const PATIENCE: Patience = { lockTimeoutMs: 1_000, pauseMs: 2_000, tries: 40 };
const LOCK_NOT_AVAILABLE = '55P03';

/** Brings the database behind `url` up to date, waiting for any other run that is at it. */
export async function migrate(options: MigrateOptions): Promise<MigrationReport> {
  const migrations = await readMigrations(options.folder);
  let lost: Error | undefined;
  const client = await openClient({
    url: options.url,
    applicationName: 'privity migrate',
    onError: (error) => (lost = error),
  });
  try {
    await requireServer(client);
    if (options.citus === true) await requireCitus(client);
    // Held until the connection ends, however it ends.
    await client.query(`select pg_advisory_lock(hashtextextended('privity.migrate', 0))`);
    await createRoles(client);
    await becomeOwner(client);
    const patiently = await patienceOf(client, options);
    await patiently('the history of migrations', () => createHistory(client));
    const history = await readHistory(client);
    const pending = await pendingMigrations(client, migrations, history);
    // Nobody works yet on a database without tables.
    const now = options.expandOnly === true && history.length > 0 ? expanding(pending) : pending;
    const left = pending.slice(now.length);
    for (const migration of now) await patiently(`migration \`${migration.name}\``, () => apply(client, migration));
    const { rows } = await client.query<{ now: Date }>('select now()');
    const at = rows[0]?.now ?? new Date();
    const partitions = await patiently('new partitions', () => ensureCurrentPartitions(client, at));
    await completePartitionIndexes(client, patiently);
    const distribution = options.citus === true ? await distribute(client, patiently) : null;
    const version = now.at(-1)?.version ?? history.at(-1)?.version ?? 0;
    const names = (those: readonly Migration[]): string[] => those.map(({ name }) => name);
    return { applied: names(now), left: names(left), partitions, distribution, version };
  } catch (error) {
    throw lost ?? error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

type Patiently = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/**
 * Who waits for a table's lock makes everybody wait who comes after, so nobody here waits for long: the try is undone, and made
 * again when others have passed.
 */
async function patienceOf(client: pg.ClientBase, { onWait, patience = PATIENCE }: MigrateOptions): Promise<Patiently> {
  const { lockTimeoutMs, pauseMs, tries } = patience;
  await client.query(`select set_config('lock_timeout', $1, false)`, [`${lockTimeoutMs}ms`]);
  return async (what, work) => {
    for (let tried = 1; ; tried++) {
      try {
        return await work();
      } catch (error) {
        if (!isLockTimeout(error)) throw error;
        if (tried >= tries) throw new Error(stuck(what, tries), { cause: error });
        onWait?.(what, tried);
        await sleep(pauseMs);
      }
    }
  };
}

function stuck(what: string, tries: number): string {
  const todo =
    'end the transaction that holds it (pg_stat_activity shows it: pg_dump, a report, a forgotten session) and run this again';
  return `${what}: a table is locked by others, in ${tries} tries; nothing of it was changed; ${todo}`;
}

function isLockTimeout(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    if ('code' in one && one.code === LOCK_NOT_AVAILABLE) return true;
  }
  return false;
}

function expanding(pending: readonly Migration[]): readonly Migration[] {
  const first = pending.findIndex(({ isContract }) => isContract);
  return first < 0 ? pending : pending.slice(0, first);
}

async function pendingMigrations(
  client: pg.ClientBase,
  migrations: readonly Migration[],
  history: readonly AppliedMigration[],
): Promise<readonly Migration[]> {
  const known = migrations.length;
  const newest = history.at(-1)?.version ?? 0;
  // A version that was rolled back to finds nothing to do, if it works with what there is.
  if (newest > known && (await oldestWorking(client, known)) > known) throw new Error(newerSchema(newest, known));
  history.slice(0, known).forEach((applied, index) => {
    const migration = migrations[index];
    if (migration?.version !== applied.version || migration.checksum !== applied.checksum) {
      throw new Error(
        `migration \`${applied.name}\` differs from the one this database was made with; restore the file`,
      );
    }
  });
  return migrations.slice(history.length);
}

async function apply(client: pg.ClientBase, migration: Migration): Promise<void> {
  const { version, name, checksum, compatibleWith } = migration;
  await client.query('begin');
  try {
    await client.query(migration.sql);
    await client.query(
      'insert into public.schema_migrations (version, name, checksum, at, compatible_with) values ($1, $2, $3, now(), $4)',
      [version, name, checksum, compatibleWith],
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`migration \`${name}\` failed and was undone: ${reason}`, { cause: error });
  }
}

/** The table of the migrations themselves is the one that no migration can make. */
async function createHistory(client: pg.ClientBase): Promise<void> {
  if (!(await hasHistory(client))) {
    await client.query(`
      create table public.schema_migrations (
        version integer not null primary key, name text not null, checksum text not null, at timestamptz not null,
        compatible_with integer not null);
      grant select on public.schema_migrations to ${ROLES.writer}, ${ROLES.reader}, ${ROLES.sealer}`);
    return;
  }
  const { rowCount } = await client.query(
    `select from pg_attribute where attrelid = 'public.schema_migrations'::regclass and attname = 'compatible_with'`,
  );
  if (rowCount !== 0) return;
  // Made before migrations said with what they work: those of then work with nothing older.
  await client.query(`
    alter table public.schema_migrations add column compatible_with integer;
    update public.schema_migrations set compatible_with = version;
    alter table public.schema_migrations alter column compatible_with set not null`);
}

async function readHistory(client: pg.ClientBase): Promise<AppliedMigration[]> {
  const { rows } = await client.query<AppliedMigration>(
    'select version, name, checksum from public.schema_migrations order by version',
  );
  return rows;
}

async function requireServer(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ version: number; words: string }>(
    `select current_setting('server_version_num')::int as version, current_setting('server_version') as words`,
  );
  if ((rows[0]?.version ?? 0) < OLDEST_SERVER) {
    throw new Error(`the database server is PostgreSQL ${rows[0]?.words}; Privity needs 15 or newer`);
  }
}
