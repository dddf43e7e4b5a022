// Reads what reports say of seals: hashes that purges left behind, checkpoints of a period. It must never look at what a record says, but
// for the places that a purge record names.
import type pg from 'pg';
import type { Period, SealedPeriod } from '../../core/reports/report.ts';
import { cannotRead } from './stored.ts';

/** Every method throws a PrivityError `overloaded` while the database does not answer. */
export interface SealedReader {
  ofPurge(id: string): Promise<{ readonly committed: number; readonly sealed: number }>;
  during(period: Period): Promise<SealedPeriod>;
}

const OF_PURGE = `with said as (
    select convert_from(d.bytes, 'UTF8')::jsonb as record from public.decisions as d where d.id = $1 and d.kind = 'purge'
  ), places as (
    select w.key::uuid as writer, (one ->> 0)::bigint as first, (one ->> 1)::bigint as last
      from said, jsonb_each(said.record -> 'purged') as w, jsonb_array_elements(w.value) as one
  ), top as (select coalesce(max(size), 0) as size from public.checkpoints)
  select count(c.hash)::int as committed, count(l.hash) filter (where l.leaf_index < top.size and l.hash = c.hash)::int as sealed
    from top, places as p
    join public.commitments as c on c.writer = p.writer and c.seq between p.first and p.last
    left join public.leaves as l on l.writer = c.writer and l.seq = c.seq`;

const DURING = `select count(*)::int as checkpoints from public.checkpoints where at >= $1 and at < $2`;
const LAST_BEFORE = `select size::float8 as size, at, encode(root, 'hex') as root from public.checkpoints
  where at < $1 order by size desc limit 1`;

interface Last {
  readonly size: number;
  readonly at: Date;
  readonly root: string;
}

export function createSealedReader(pool: pg.Pool): SealedReader {
  const read = async <R extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<R | undefined> => {
    try {
      return (await pool.query<R>(text, values)).rows[0];
    } catch (cause) {
      throw cannotRead(cause);
    }
  };
  return {
    async ofPurge(id) {
      return (await read<{ committed: number; sealed: number }>(OF_PURGE, [id])) ?? { committed: 0, sealed: 0 };
    },
    async during({ from, to }) {
      const [begin, end] = [new Date(from), new Date(to)];
      const counted = await read<{ checkpoints: number }>(DURING, [begin, end]);
      const [before, last] = [await read<Last>(LAST_BEFORE, [begin]), await read<Last>(LAST_BEFORE, [end])];
      return {
        checkpoints: counted?.checkpoints ?? 0,
        last: last === undefined ? null : { size: last.size, at: last.at.getTime(), root: last.root },
        records: (last?.size ?? 0) - (before?.size ?? 0),
      };
    },
  };
}
