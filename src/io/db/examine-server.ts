// Reads what a database server and one session on it are like, for whoever judges them. It must never change anything, nor wait for long.
import { readMigrations } from './migration-files.ts';
import { type ConnectionOptions, openClient, type Queryable } from './database.ts';
import { hasHistory } from './schema.ts';

export interface ServerFacts {
  /** As `server_version_num`. */
  readonly version: number;
  readonly versionWords: string;
  /** What new sessions of this account start with. */
  readonly defaults: ReadonlyMap<string, string>;
  /** What this session, opened as the service opens its own, commits with. */
  readonly sessionCommit: string;
  readonly isStandby: boolean;
  readonly isEncrypted: boolean;
  readonly standbys: number;
  /** Sessions that this account can still open here. */
  readonly freeSessions: number;
  readonly maxSessions: number;
}

const TIMEOUT_MS = 10_000;
const SETTINGS = [
  'fsync',
  'full_page_writes',
  'synchronous_commit',
  'synchronous_standby_names',
  'data_checksums',
  'default_transaction_read_only',
];

/** A session that reads only. The caller ends it. */
export async function openExaminer(options: Pick<ConnectionOptions, 'url' | 'applicationName'>) {
  const client = await openClient({
    ...options,
    connectTimeoutMs: 5_000,
    queryTimeoutMs: TIMEOUT_MS + 1_000,
    onError: () => undefined,
  });
  try {
    await client.query(
      `set default_transaction_read_only = on; set statement_timeout = ${TIMEOUT_MS}; set lock_timeout = 2000`,
    );
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

interface FactsRow {
  readonly version: number;
  readonly words: string;
  readonly is_standby: boolean;
  readonly is_encrypted: boolean;
  readonly standbys: number;
  readonly max_sessions: number;
  readonly reserved: number;
  readonly used: number;
  readonly role_limit: number;
  readonly role_used: number;
  readonly database_limit: number;
  readonly database_used: number;
}

// `pg_stat_activity` hides the kind of others' sessions from accounts like ours; `pg_stat_database` counts them for everybody.
const FACTS = `select current_setting('server_version_num')::int as version, current_setting('server_version') as words,
    pg_catalog.pg_is_in_recovery() as is_standby,
    coalesce((select ssl from pg_catalog.pg_stat_ssl where pid = pg_catalog.pg_backend_pid()), false) as is_encrypted,
    (select count(*)::int from pg_catalog.pg_stat_replication) as standbys,
    current_setting('max_connections')::int as max_sessions,
    current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0) as reserved,
    (select sum(numbackends)::int from pg_catalog.pg_stat_database) as used,
    (select rolconnlimit from pg_catalog.pg_roles where rolname = current_user) as role_limit,
    (select count(*)::int from pg_catalog.pg_stat_activity where usename = current_user) as role_used,
    (select datconnlimit from pg_catalog.pg_database where datname = current_database()) as database_limit,
    (select numbackends from pg_catalog.pg_stat_database where datname = current_database()) as database_used`;

export async function readServer(db: Queryable): Promise<ServerFacts> {
  const { rows: settings } = await db.query<{ name: string; setting: string; reset_val: string }>(
    'select name, setting, reset_val from pg_catalog.pg_settings where name = any($1)',
    [SETTINGS],
  );
  const [facts] = (await db.query<FactsRow>(FACTS)).rows;
  if (facts === undefined) throw new Error('the server says nothing of itself');
  // A limit of -1 is none.
  const left = [
    facts.max_sessions - facts.reserved - facts.used,
    ...(facts.role_limit < 0 ? [] : [facts.role_limit - facts.role_used]),
    ...(facts.database_limit < 0 ? [] : [facts.database_limit - facts.database_used]),
  ];
  return {
    version: facts.version,
    versionWords: facts.words,
    defaults: new Map(settings.map((row) => [row.name, row.reset_val])),
    sessionCommit: settings.find(({ name }) => name === 'synchronous_commit')?.setting ?? '',
    isStandby: facts.is_standby,
    isEncrypted: facts.is_encrypted,
    standbys: facts.standbys,
    freeSessions: Math.max(0, Math.min(...left)),
    maxSessions: facts.max_sessions,
  };
}

/** The same for two URLs only if they lead to one database, or to a standby of it. */
export async function readIdentity(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ identity: string }>(
    `select system_identifier::text || ' ' || current_database() as identity from pg_catalog.pg_control_system()`,
  );
  return rows[0]?.identity ?? '';
}

/** The database's clock, between two readings of ours. */
export async function readClock(
  db: Queryable,
  now: () => number,
): Promise<{ before: number; database: number; after: number }> {
  const before = now();
  const { rows } = await db.query<{ ms: number }>(
    'select extract(epoch from pg_catalog.clock_timestamp())::float8 * 1000 as ms',
  );
  return { before, database: rows[0]?.ms ?? Number.NaN, after: now() };
}

/** Months (YYYY_MM) whose records have a partition. */
export async function readPartitions(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ month: string }>(
    `select substring(relname from 'decisions_(.*)') as month from pg_catalog.pg_inherits
       join pg_catalog.pg_class on pg_class.oid = inhrelid
     where inhparent = pg_catalog.to_regclass('public.decisions') and not inhdetachpending and relname like 'decisions\\_%' order by 1`,
  );
  return rows.map(({ month }) => month);
}

/** Applied migrations that are not what this version's files say. */
export async function readChangedMigrations(db: Queryable): Promise<readonly string[]> {
  if (!(await hasHistory(db))) return [];
  const files = new Map((await readMigrations()).map(({ version, checksum }) => [version, checksum]));
  const { rows } = await db.query<{ version: number; name: string; checksum: string }>(
    'select version, name, checksum from public.schema_migrations order by version',
  );
  return rows.filter(({ version, checksum }) => (files.get(version) ?? checksum) !== checksum).map(({ name }) => name);
}
