// Asks the database afterwards what is really there. It must never write.
import { openClient } from '../src/io/db/database.ts';

export interface LogSize {
  readonly decisions: number;
  /** Tables and indexes of the log. */
  readonly bytes: number;
  /** Write-ahead log since the beginning of time. */
  readonly wal: number;
}

export interface LogProbe {
  size(): Promise<LogSize>;
  /** How many of the ids are committed decisions. */
  committed(ids: readonly string[]): Promise<number>;
  close(): Promise<void>;
}

const CHUNK = 50_000;

export async function openProbe(url: string): Promise<LogProbe> {
  const client = await openClient({ url, applicationName: 'privity bench', onError: () => undefined });
  return {
    async size() {
      const { rows } = await client.query<{ decisions: number; bytes: number; wal: number }>(
        `select (select count(*) from decisions where kind = 'decision')::float8 as decisions,
           (select sum(pg_total_relation_size(relid)) from (
              select relid from pg_partition_tree('decisions') where isleaf
              union all values ('commitments'::regclass), ('heads'::regclass)) as tables)::float8 as bytes,
           pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as wal`,
      );
      const [row] = rows;
      if (row === undefined) throw new Error('the database says nothing');
      return row;
    },
    async committed(ids) {
      let count = 0;
      for (let from = 0; from < ids.length; from += CHUNK) {
        const { rows } = await client.query<{ count: number }>(
          `select count(distinct id)::float8 as count from decisions where kind = 'decision' and id = any($1::uuid[])`,
          [ids.slice(from, from + CHUNK)],
        );
        count += rows[0]?.count ?? 0;
      }
      return count;
    },
    close: () => client.end(),
  };
}
