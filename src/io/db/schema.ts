// Tells whether the code of this version and the schema of a database work together. It must never let a service use a schema that
// nobody has declared to work with it, nor change the database.
import type { Queryable } from './database.ts';
import { readMigrations } from './migration-files.ts';

export interface SchemaState {
  /** The newest migration of the database; 0: none. */
  readonly applied: number;
  /** The newest migration that this version knows. */
  readonly known: number;
  /** The first migration that this version cannot do without. */
  readonly needed: number;
  /** The oldest schema whose code works on the database as it is. */
  readonly compatibleWith: number;
}

/** Every role may ask. */
export async function readSchema(db: Queryable, folder?: URL): Promise<SchemaState> {
  const migrations = await readMigrations(folder);
  const known = migrations.length;
  // Contracting migrations at the end may wait until every service is of this version.
  const needed = migrations.findLast(({ isContract }) => !isContract)?.version ?? 0;
  if (!(await hasHistory(db))) return { applied: 0, known, needed, compatibleWith: 0 };
  const { rows } = await db.query<{ version: number }>(
    'select coalesce(max(version), 0) as version from public.schema_migrations',
  );
  const applied = rows[0]?.version ?? 0;
  const compatibleWith = applied > known ? await oldestWorking(db, known) : applied;
  return { applied, known, needed, compatibleWith };
}

/** MUST pass before the service uses a database. */
export async function requireSchema(db: Queryable, folder?: URL): Promise<void> {
  const { applied, known, needed, compatibleWith } = await readSchema(db, folder);
  if (applied < needed) {
    throw new Error(`the database is at schema ${applied} of ${known}; run \`privity migrate\` first`);
  }
  if (applied > known && compatibleWith > known) throw new Error(newerSchema(applied, known));
}

/** What the migrations that this version does not know ask for. */
export async function oldestWorking(db: Queryable, known: number): Promise<number> {
  const { rows } = await db.query<{ oldest: number }>(
    'select coalesce(max(compatible_with), 0) as oldest from public.schema_migrations where version > $1',
    [known],
  );
  return rows[0]?.oldest ?? 0;
}

export async function hasHistory(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ yes: boolean }>(
    `select to_regclass('public.schema_migrations') is not null as yes`,
  );
  return rows[0]?.yes === true;
}

export function newerSchema(applied: number, known: number): string {
  return `the database is at schema ${applied}, and this version of Privity knows ${known}; start the newer version`;
}
