// In charge of connections to PostgreSQL: who they say they are, that their commits are durable, how values are read, how long silence
// is borne. It must never hand out a session whose commits may be lost, and knows nothing of what is asked over it.
import { Socket } from 'node:net';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Tables } from '../../model/tables.ts';

export interface ConnectionOptions {
  readonly url: string;
  /** Shown in `pg_stat_activity`, for example `privity writer`. */
  readonly applicationName: string;
  readonly connectTimeoutMs?: number;
  /** How long a query may stay without an answer; afterwards the connection is of no use. Absent: no limit. */
  readonly queryTimeoutMs?: number;
  /** Called when an idle connection is lost; without it such a loss would end the process. */
  readonly onError: (error: Error) => void;
}

export interface PoolOptions extends ConnectionOptions {
  readonly max: number;
  readonly statementTimeoutMs?: number;
}

export interface Database {
  readonly pool: pg.Pool;
  readonly queries: Kysely<Tables>;
  /** Bounded in time: a query that is still without an answer then is given up. */
  close(): Promise<void>;
}

/** What every function here that only asks something needs. */
export type Queryable = pg.Pool | pg.ClientBase;

const CONNECT_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 1_000;
/** A statement's own limit comes first: the server says more, and leaves nothing running. */
const SILENCE_GRACE_MS = 1_000;
/** pg closes what nobody has used for as long, well before its silence counts. */
const POOL_IDLE_MS = 5_000;

// A standby's stronger promise, where the operator asks for it, is left alone.
const DURABLE_SESSION = `select set_config('synchronous_commit',
  case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, false)`;

/** Reads `bigint` as a number, which JSON, sequences and leaf indexes are; never silently rounds. */
function readBigint(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`the database's number ${text} does not fit`);
  return value;
}

const types: pg.CustomTypesConfig = {
  getTypeParser: (type, format) =>
    type === pg.types.builtins.INT8 && format !== 'binary' ? readBigint : pg.types.getTypeParser(type, format),
};

function clientConfig(options: ConnectionOptions): pg.ClientConfig {
  return {
    connectionString: options.url,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    ...(options.queryTimeoutMs === undefined ? {} : { query_timeout: options.queryTimeoutMs }),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
  };
}

/**
 * Its server may be frozen, or the network gone without a word, and nothing else would ever tell (a query's own time limit leaves the
 * connection as it is, for the next one to wait on). 0: silence is borne for ever.
 */
function bearSilence(client: pg.Client, ms: number): void {
  const { stream } = client.connection;
  if (!(stream instanceof Socket)) return;
  stream.setTimeout(ms);
  if (stream.listenerCount('timeout') === 0) stream.on('timeout', () => stream.destroy());
}

/** A pool and typed queries for one role. Connects when first used. */
export function createDatabase(options: PoolOptions): Database {
  const { statementTimeoutMs, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const silenceMs = statementTimeoutMs === undefined ? 0 : statementTimeoutMs + SILENCE_GRACE_MS;
  const clients = new Set<pg.Client>();
  const pool = new pg.Pool({
    ...clientConfig(options),
    max: options.max,
    idleTimeoutMillis: POOL_IDLE_MS,
    ...(statementTimeoutMs === undefined ? {} : { statement_timeout: statementTimeoutMs }),
    // Run on every new connection before anybody gets it.
    verify: (client, done) => {
      bearSilence(client, connectTimeoutMs);
      client.query(DURABLE_SESSION).then(() => {
        bearSilence(client, silenceMs);
        done();
      }, done);
    },
  });
  let closing: Promise<void> | undefined;
  pool.on('error', (error) => {
    if (closing === undefined) options.onError(error);
  });
  pool.on('connect', (client) => {
    clients.add(client);
    client.on('end', () => clients.delete(client));
    // The pool listens only while a client is idle. One that is lost in use tells its query; unheard, it would end the process.
    client.on('error', () => undefined);
  });
  const queries = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });

  async function close(): Promise<void> {
    const timer = setTimeout(() => {
      for (const client of clients) client.connection.stream.destroy();
    }, CLOSE_TIMEOUT_MS);
    await pool.end();
    clearTimeout(timer);
  }

  return { pool, queries, close: () => (closing ??= close()) };
}

/**
 * One connection of its own, for the writer, the sealer or a migration. Its commits are durable; the server's settings
 * are checked by `requireDurableServer`. The caller ends it.
 */
export async function openClient(options: ConnectionOptions): Promise<pg.Client> {
  const client = new pg.Client(clientConfig(options));
  client.on('error', options.onError);
  try {
    await client.connect();
    bearSilence(client, options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
    await client.query(DURABLE_SESSION);
    bearSilence(client, 0);
    return client;
  } catch (error) {
    // While it is ended politely, it is still bound to answer in time.
    await client.end().catch(() => undefined);
    throw error;
  }
}

/** MUST be called on a session before the first record is written over it: a commit has to mean what P1 says. */
export async function requireDurableServer(session: pg.ClientBase): Promise<void> {
  const { rows } = await session.query<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name in ('fsync', 'synchronous_commit')`,
  );
  const settings = new Map(rows.map((row) => [row.name, row.setting]));
  if (settings.get('fsync') !== 'on') {
    throw new Error('the database server runs with `fsync=off`: a commit would not survive a crash; set `fsync = on`');
  }
  const commit = settings.get('synchronous_commit');
  if (commit !== 'on' && commit !== 'remote_apply') {
    throw new Error(`this session commits with \`synchronous_commit=${commit}\`; only \`on\` survives a crash`);
  }
}
