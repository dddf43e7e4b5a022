// In charge of the recorder's one connection: opened with commits that are durable, on a server that can be written to and does
// fsync, and given up when it does not answer. It must never hand out a session whose commits may be lost.
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

export interface Session {
  /** Rejects as pg does; after `timeoutMs` the connection is given up, and the fate of the statement is unknown. */
  query<Row extends pg.QueryResultRow>(query: pg.QueryConfig, timeoutMs: number): Promise<pg.QueryResult<Row>>;
  isLost(): boolean;
  readonly backend: Backend;
  /** Our backends of lost connections that may still be at work here. */
  readonly ghosts: readonly Backend[];
  /** At once, whatever it is doing. */
  abandon(): void;
  end(): Promise<void>;
}

/** A server process of ours: process numbers come round again, together with the time of start they do not. */
export interface Backend {
  readonly pid: number;
  readonly startedAt: string;
}

/** A server that answers, but cannot be used. */
export interface SessionRefusal {
  readonly refused: 'fsync_off' | 'read_only';
}

interface ServerFacts extends pg.QueryResultRow {
  readonly pid: number;
  readonly started_at: string;
  readonly fsync: string;
  readonly read_only: boolean;
}

const SETUP_TIMEOUT_MS = 5_000;
const END_TIMEOUT_MS = 1_000;
const GHOST_POLLS = 50;
const GHOST_POLL_MS = 20;

// A generic plan spares planning for arrays whose content makes no difference to it. Citus plans a statement of several shards only when
// it knows its values ("could not create distributed plan").
const PLANS = `set_config('plan_cache_mode', case when exists (select from pg_catalog.pg_extension where extname = 'citus')
    then 'force_custom_plan' else 'force_generic_plan' end, false)`;

// Keepalives end a server process whose client is unreachable within half a minute.
const SETTINGS = Object.entries({
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  statement_timeout: '0',
  idle_session_timeout: '0',
});

/** A standby's stronger promise (`remote_apply`) is left alone. */
function durableCommit(scope: 'session' | 'transaction'): string {
  const isLocal = scope === 'transaction';
  return `case when current_setting('synchronous_commit') in ('on', 'remote_apply') then ''
    else set_config('synchronous_commit', 'on', ${isLocal}) end`;
}

/** Repeated by every batch: a pooler may have put another server session under ours (P1). */
export const DURABLE_COMMIT = durableCommit('transaction');

const SET_UP = `select ${durableCommit('session')}, ${PLANS},
  ${SETTINGS.map(([name, value]) => `set_config('${name}', '${value}', false)`).join(', ')}`;

const INSPECT = `select pid, backend_start::text as started_at, current_setting('fsync') as fsync,
    pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as read_only
  from pg_stat_activity where pid = pg_backend_pid()`;

const END_BACKEND = `select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and backend_start::text = $2`;

/** Opens a session and ends the ghosts that earlier ones left behind. */
export async function openSession(
  connect: () => Promise<pg.Client>,
  ghosts: readonly Backend[],
): Promise<Session | SessionRefusal> {
  const client = await connect();
  let lost = false;
  const lose = (): void => void (lost = true);
  client.on('error', lose);
  client.on('end', lose);

  function abandon(): void {
    lost = true;
    client.connection.stream.destroy();
  }

  async function end(): Promise<void> {
    const timer = setTimeout(abandon, END_TIMEOUT_MS);
    await client.end().catch(lose);
    clearTimeout(timer);
  }

  async function query<Row extends pg.QueryResultRow>(
    config: pg.QueryConfig,
    timeoutMs: number,
  ): Promise<pg.QueryResult<Row>> {
    const timer = setTimeout(abandon, timeoutMs);
    try {
      return await client.query<Row>(config);
    } finally {
      clearTimeout(timer);
    }
  }

  try {
    await query({ text: SET_UP }, SETUP_TIMEOUT_MS);
    const facts = (await query<ServerFacts>({ text: INSPECT }, SETUP_TIMEOUT_MS)).rows[0];
    if (facts === undefined) throw new Error('the session is not listed by the server');
    if (facts.fsync !== 'on' || facts.read_only) {
      await end();
      return { refused: facts.read_only ? 'read_only' : 'fsync_off' };
    }
    const left: Backend[] = [];
    for (const ghost of ghosts) if (!(await endGhost(query, ghost))) left.push(ghost);
    const backend = { pid: facts.pid, startedAt: facts.started_at };
    return { query, isLost: () => lost, backend, ghosts: left, abandon, end };
  } catch (error) {
    abandon();
    throw error;
  }
}

/** Otherwise a retry might wait for long behind a transaction whose connection broke without the server noticing. */
async function endGhost(query: Session['query'], ghost: Backend): Promise<boolean> {
  try {
    for (let poll = 0; poll < GHOST_POLLS; poll++) {
      const { rowCount } = await query({ text: END_BACKEND, values: [ghost.pid, ghost.startedAt] }, SETUP_TIMEOUT_MS);
      if (rowCount === 0) return true;
      await sleep(GHOST_POLL_MS);
    }
  } catch {
    // Not allowed, or the connection is lost: then the retry will find out in its own way.
  }
  return false;
}
