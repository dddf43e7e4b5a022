// Finds what is committed and not sealed yet, on one server or on a Citus cluster. It must never pass over a record of a writer to find a
// later one.
import type pg from 'pg';
import { int8Array, uuidArray } from '../binary-arrays.ts';

export interface Waiting {
  readonly writer: string;
  readonly seq: number;
  readonly hash: Buffer;
  /** The last sequence of the writer that is sealed; -1 for none. */
  readonly sealed: number;
}

interface WaitingRow {
  readonly writer: string;
  readonly seq: number | string;
  readonly hash: Buffer;
  readonly sealed: number | string;
}

/** Steps from writer to writer through the index, however many records each has. */
const ON_ONE_SERVER = `with recursive writers (writer) as (
    (select writer from public.commitments order by writer limit 1)
    union all
    select (select c.writer from public.commitments c where c.writer > w.writer order by c.writer limit 1)
      from writers w where w.writer is not null
  ), sealed (writer, seq) as (
    select w.writer, coalesce((select l.seq from public.leaves l where l.writer = w.writer order by l.seq desc limit 1), -1)
      from writers w where w.writer is not null
  )
  select c.writer, c.seq, c.hash, s.seq as sealed
    from sealed s join public.commitments c on c.writer = s.writer and c.seq > s.seq
   order by c.writer, c.seq limit $1`;

// Citus takes recursive queries on a single shard only ("SQL Support and Workarounds"), and nothing that ties a table of the coordinator
// to a distributed one row by row: so it is asked in three steps. `privity migrate --citus` makes the index of first records.
const WRITERS = 'select writer from public.commitments where seq = 0';
const LAST_SEALED = `select w.writer, coalesce((select l.seq from public.leaves l where l.writer = w.writer order by l.seq desc limit 1), -1) as seq
  from unnest($1::uuid[]) as w (writer)`;
const AFTER = `select c.writer, c.seq, c.hash, s.seq as sealed
  from public.commitments c join unnest($1::uuid[], $2::bigint[]) as s (writer, seq) on c.writer = s.writer and c.seq > s.seq
 order by c.writer, c.seq limit $3`;
const IS_CLUSTER = `select exists (select from pg_catalog.pg_extension where extname = 'citus') as yes`;

/** In the order in which they are sealed. */
export async function findWaiting(client: pg.ClientBase, limit: number): Promise<readonly Waiting[]> {
  const { rows: found } = await client.query<{ yes: boolean }>(IS_CLUSTER);
  return found[0]?.yes === true ? findOnCluster(client, limit) : findOnServer(client, limit);
}

export async function findOnServer(client: pg.ClientBase, limit: number): Promise<readonly Waiting[]> {
  const { rows } = await client.query<WaitingRow>(ON_ONE_SERVER, [limit]);
  return rows.map(waitingOf);
}

/** A writer whose very first record is missing is not found: `privity audit verify` finds that. */
export async function findOnCluster(client: pg.ClientBase, limit: number): Promise<readonly Waiting[]> {
  const { rows: writers } = await client.query<{ writer: string }>(WRITERS);
  const ids = uuidArray(writers.map(({ writer }) => writer));
  const { rows: sealed } = await client.query<{ writer: string; seq: number | string }>(LAST_SEALED, [ids]);
  const { rows } = await client.query<WaitingRow>(AFTER, [
    uuidArray(sealed.map(({ writer }) => writer)),
    int8Array(sealed.map(({ seq }) => Number(seq))),
    limit,
  ]);
  return rows.map(waitingOf);
}

function waitingOf({ writer, seq, hash, sealed }: WaitingRow): Waiting {
  return { writer, seq: Number(seq), hash, sealed: Number(sealed) };
}
