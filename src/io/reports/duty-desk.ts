// The database's side of duties: which records still have some, who may post them just now, which have been taken. It must never let two
// instances post at the same time, nor note a delivery that is not committed.
import type pg from 'pg';
import { parseStored, type StoredObject } from './stored.ts';

export interface DutyLog {
  /**
   * Records with obligations and no delivery, oldest first, after the record `after`.
   * @param leftOut obligations that are the caller's: a record that has no others is none of ours
   */
  pending(after: string, leftOut: readonly string[], limit: number): Promise<readonly PendingRecord[]>;
  /** How many of those there are, up to a bound, and the first of them. */
  backlog(after: string, leftOut: readonly string[]): Promise<Backlog>;
}

export interface Backlog {
  readonly count: number;
  readonly oldest: string | null;
}

export interface PendingRecord {
  readonly id: string;
  readonly record: StoredObject;
}

/** The place of the one instance that posts; held until the connection ends, however it ends. */
export interface Seat {
  isLost(): boolean;
  /** Those of the ids that have been taken already; the reader's database may be behind. */
  delivered(ids: readonly string[]): Promise<ReadonlySet<string>>;
  note(ids: readonly string[], at: Date): Promise<void>;
  leave(): Promise<void>;
}

const OPEN = `from public.decisions as d
  where d.obligations <> '{}' and d.id > $1 and not d.obligations <@ $2::text[]
    and not exists (select from public.deliveries as v where v.record_id = d.id)
  order by d.id limit $3`;
const PENDING = `select d.id, d.bytes ${OPEN}`;
const BACKLOG = `select count(*)::int as count, (array_agg(id order by id))[1] as oldest from (select d.id ${OPEN}) as open`;
const MOST_COUNTED = 10_000;

const TAKE_SEAT = `select pg_try_advisory_lock(hashtextextended('privity.courier', 0)) as taken`;
const DELIVERED = 'select record_id as id from public.deliveries where record_id = any ($1::uuid[])';
const NOTE = `insert into public.deliveries (record_id, at) select unnest($1::uuid[]), $2
  on conflict (record_id) do nothing`;

const TIMEOUT_MS = 10_000;
const LEAVE_MS = 1_000;

export function createDutyLog(reading: pg.Pool): DutyLog {
  return {
    async pending(after, leftOut, limit) {
      const query = { text: PENDING, values: [after, leftOut, limit], query_timeout: TIMEOUT_MS };
      const { rows } = await reading.query<{ id: string; bytes: Buffer }>(query);
      return rows.map(({ id, bytes }) => ({ id, record: parseStored(bytes) }));
    },
    async backlog(after, leftOut) {
      const query = { text: BACKLOG, values: [after, leftOut, MOST_COUNTED], query_timeout: TIMEOUT_MS };
      const { rows } = await reading.query<Backlog>(query);
      return rows[0] ?? { count: 0, oldest: null };
    },
  };
}

/** Null: another instance has it. @param connect opens a connection of the writer's role */
export async function takeSeat(connect: () => Promise<pg.Client>): Promise<Seat | null> {
  const client = await connect();
  let lost = false;
  const lose = (): void => void (lost = true);
  client.on('error', lose);
  client.on('end', lose);

  async function query<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<readonly Row[]> {
    try {
      const config = { text, values, query_timeout: TIMEOUT_MS };
      return (await client.query<Row>(config)).rows;
    } catch (error) {
      // Whatever went wrong: the next one begins with a connection, and a lock, that are known to be there.
      await leave();
      throw error;
    }
  }

  async function leave(): Promise<void> {
    lost = true;
    const timer = setTimeout(() => client.connection.stream.destroy(), LEAVE_MS);
    await client.end().catch(lose);
    clearTimeout(timer);
  }

  const [row] = await query<{ taken: boolean }>(TAKE_SEAT, []);
  if (row?.taken !== true) {
    await leave();
    return null;
  }
  return {
    isLost: () => lost,
    delivered: async (ids) => new Set((await query<{ id: string }>(DELIVERED, [ids])).map(({ id }) => id)),
    note: async (ids, at) => void (await query(NOTE, [ids, at])),
    leave,
  };
}
