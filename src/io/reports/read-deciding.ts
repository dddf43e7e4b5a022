// Reads records that hold decisions, oldest first, a chunk at a time, for whoever decides them again. It must never hold more than two
// chunks, nor leave out a record because its commitment is gone.
import { sql, type Kysely } from 'kysely';
import { recordHash } from '../../core/record/hash.ts';
import { uuidv7Floor } from '../../core/record/uuid.ts';
import type { RecordKind } from '../../model/record.ts';
import type { Tables } from '../../model/tables.ts';
import { parseStored, type StoredObject } from './stored.ts';

export interface DecidingRecord {
  readonly id: string;
  readonly kind: string;
  readonly at: Date;
  readonly record: StoredObject;
  /** Of the bytes, lower-case hex. */
  readonly hash: string;
  /** Null where the commitment is gone. */
  readonly committed: string | null;
}

export interface DecidingQuery {
  readonly kinds: readonly RecordKind[];
  /** Milliseconds since 1970; from is in, to is out. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly subject?: string | undefined;
  readonly matter?: string | undefined;
}

export interface DecidingReader {
  one(id: string): Promise<DecidingRecord | null>;
  /** So many of the kinds, or all there are, drawn evenly: reads through the whole log. */
  sample(kinds: readonly RecordKind[], count: number): Promise<readonly DecidingRecord[]>;
  /** Of the database as it is chunk by chunk: what is written meanwhile may be among it. */
  range(query: DecidingQuery): AsyncGenerator<readonly DecidingRecord[]>;
  /** Ids of the purges that were recorded at this time or later. */
  purgesSince(time: number): Promise<readonly string[]>;
}

type Row = Pick<Tables['decisions'], 'id' | 'kind' | 'at' | 'writer' | 'bytes'> & { readonly hash: Buffer | null };

const CHUNK = 1_000;

export function createDecidingReader(queries: Kysely<Tables>): DecidingReader {
  const records = queries
    .selectFrom('decisions as d')
    .leftJoin('commitments as c', (join) => join.onRef('c.writer', '=', 'd.writer').onRef('c.seq', '=', 'd.seq'))
    .select(['d.id', 'd.kind', 'd.at', 'd.writer', 'd.bytes', 'c.hash'])
    .orderBy('d.id')
    .orderBy('d.writer')
    .limit(CHUNK);

  function chunk({ kinds, from, to, subject, matter }: DecidingQuery, after: Row | undefined): Promise<readonly Row[]> {
    let query = records.where('d.kind', 'in', kinds);
    if (after !== undefined) query = query.where(sql<boolean>`(d.id, d.writer) > (${after.id}, ${after.writer})`);
    else if (from !== undefined) query = query.where('d.id', '>=', uuidv7Floor(from));
    if (to !== undefined) query = query.where('d.id', '<', uuidv7Floor(to));
    if (subject !== undefined) query = query.where('d.subject_id', '=', subject);
    if (matter !== undefined) query = query.where('d.matter_id', '=', matter);
    return query.execute();
  }

  return {
    async one(id) {
      const row = await records.where('d.id', '=', id).executeTakeFirst();
      return row === undefined ? null : deciding(row);
    },
    async sample(kinds, count) {
      const drawn = await queries
        .selectFrom('decisions')
        .select('id')
        .where('kind', 'in', kinds)
        .orderBy(sql`random()`)
        .limit(count)
        .execute();
      const ids = drawn.map(({ id }) => id);
      const rows = ids.length === 0 ? [] : await records.where('d.id', 'in', ids).execute();
      return rows.map(deciding);
    },
    async *range(query) {
      let next = chunk(query, undefined);
      for (;;) {
        const rows = await next;
        const last = rows.length < CHUNK ? undefined : rows.at(-1);
        // Read while the chunk before is decided.
        if (last !== undefined) {
          next = chunk(query, last);
          next.catch(() => undefined);
        }
        yield rows.map(deciding);
        if (last === undefined) return;
      }
    },
    async purgesSince(time) {
      const rows = await queries
        .selectFrom('decisions')
        .select('id')
        .where('kind', '=', 'purge')
        .where('id', '>=', uuidv7Floor(time))
        .orderBy('id')
        .limit(100)
        .execute();
      return rows.map(({ id }) => id);
    },
  };
}

function deciding({ id, kind, at, bytes, hash }: Row): DecidingRecord {
  return {
    id,
    kind,
    at,
    record: parseStored(bytes),
    hash: recordHash(bytes).toString('hex'),
    committed: hash === null ? null : hash.toString('hex'),
  };
}
