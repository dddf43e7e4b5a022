// In charge of bringing a database to the schema this version knows. It must never change an applied migration's result,
// run two migrations at once, or touch a schema newer than it knows.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type pg from 'pg';
import { openClient, type Queryable } from './database.ts';
import { ensureCurrentPartitions } from './partitions.ts';
import { becomeOwner, createRoles, ROLES } from './roles.ts';

export interface MigrationReport {
  /** The names of the migrations this run applied. */
  readonly applied: readonly string[];
  /** The partitions this run made. */
  readonly partitions: readonly string[];
  readonly version: number;
}

export interface SchemaState {
  readonly applied: number;
  readonly known: number;
}

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly sql: string;
}

interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

const FOLDER = new URL('../../../migrations/', import.meta.url);
const FILE_NAME = /^(\d{6})_[a-z0-9_]+\.sql$/;
// Citus's latest release runs on 15 to 18.
const OLDEST_SERVER = 150000;

/** Brings the database behind `url` (of its owner) up to date, waiting for any other run that is at it. */
export async function migrate(options: { readonly url: string }): Promise<MigrationReport> {
  const migrations = await readMigrations();
  let lost: Error | undefined;
  const client = await openClient({
    url: options.url,
    applicationName: 'privity migrate',
    onError: (error) => (lost = error),
  });
  try {
    await requireServer(client);
    // Held until the connection ends, however it ends.
    await client.query(`select pg_advisory_lock(hashtextextended('privity.migrate', 0))`);
    await createRoles(client);
    await becomeOwner(client);
    await createHistory(client);
    const pending = pendingMigrations(migrations, await readHistory(client));
    for (const migration of pending) await apply(client, migration);
    const { rows } = await client.query<{ now: Date }>('select now()');
    const partitions = await ensureCurrentPartitions(client, rows[0]?.now ?? new Date());
    return { applied: pending.map((migration) => migration.name), partitions, version: migrations.length };
  } catch (error) {
    throw lost ?? error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Which migration the database is at, and which one this version knows. Every role may ask. */
export async function readSchema(db: Queryable): Promise<SchemaState> {
  const known = (await readMigrations()).length;
  if (!(await hasHistory(db))) return { applied: 0, known };
  const { rows } = await db.query<{ version: number }>(
    'select coalesce(max(version), 0) as version from public.schema_migrations',
  );
  return { applied: rows[0]?.version ?? 0, known };
}

/** MUST pass before the service uses a database. */
export async function requireSchema(db: Queryable): Promise<void> {
  const { applied, known } = await readSchema(db);
  if (applied < known) {
    throw new Error(`the database is at schema ${applied} of ${known}; run \`privity migrate\` first`);
  }
  if (applied > known) throw new Error(newerSchema(applied, known));
}

function newerSchema(applied: number, known: number): string {
  return `the database is at schema ${applied}, and this version of Privity knows ${known}; start the newer version`;
}

async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).toSorted();
  return Promise.all(
    names.map(async (name, index) => {
      const version = Number(FILE_NAME.exec(name)?.[1]);
      if (version !== index + 1) throw new Error(`migration \`${name}\` is out of order; number files from 000001 on`);
      const sql = (await readFile(new URL(name, FOLDER), 'utf8')).replaceAll('\r\n', '\n');
      return { version, name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

function pendingMigrations(migrations: readonly Migration[], history: readonly AppliedMigration[]): Migration[] {
  const newest = history.at(-1);
  if (newest !== undefined && newest.version > migrations.length) {
    throw new Error(newerSchema(newest.version, migrations.length));
  }
  history.forEach((applied, index) => {
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
  await client.query('begin');
  try {
    await client.query(migration.sql);
    await client.query(
      'insert into public.schema_migrations (version, name, checksum, at) values ($1, $2, $3, now())',
      [migration.version, migration.name, migration.checksum],
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`migration \`${migration.name}\` failed and was undone: ${reason}`, { cause: error });
  }
}

async function createHistory(client: pg.ClientBase): Promise<void> {
  if (await hasHistory(client)) return;
  await client.query(`
    create table public.schema_migrations (
      version integer not null primary key, name text not null, checksum text not null, at timestamptz not null);
    grant select on public.schema_migrations to ${ROLES.writer}, ${ROLES.reader}, ${ROLES.sealer}`);
}

async function hasHistory(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ yes: boolean }>(
    `select to_regclass('public.schema_migrations') is not null as yes`,
  );
  return rows[0]?.yes === true;
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
