// Reads one record, with the reader's rights. It must never judge who may see it, nor trust a column where the bytes speak.
import type { Kysely } from 'kysely';
import { recordHash } from '../../core/record/hash.ts';
import { isUuid } from '../../core/record/uuid.ts';
import type { RecordKind } from '../../model/record.ts';
import type { Tables } from '../../model/tables.ts';
import { cannotRead, parseStored } from './stored.ts';

export interface StoredRecord {
  readonly id: string;
  readonly kind: RecordKind;
  readonly at: Date;
  /** What the bytes say. */
  readonly record: Readonly<Record<string, unknown>>;
  readonly writer: string;
  readonly seq: number;
  /** The committed one, lower-case hex. */
  readonly hash: string;
  /** Whether the bytes still have the committed hash, and the row is the one they speak of. */
  readonly intact: boolean;
}

export interface RecordReader {
  /** Null for what is not there, ids of any form. @throws PrivityError `overloaded` while the database does not answer */
  read(id: string): Promise<StoredRecord | null>;
}

export function createRecordReader(queries: Kysely<Tables>): RecordReader {
  const byId = async (id: string) =>
    queries
      .selectFrom('decisions as d')
      .innerJoin('commitments as c', (join) => join.onRef('c.writer', '=', 'd.writer').onRef('c.seq', '=', 'd.seq'))
      .select(['d.id', 'd.kind', 'd.at', 'd.writer', 'd.seq', 'd.bytes', 'c.hash'])
      .where('d.id', '=', id)
      .limit(1)
      .executeTakeFirst();

  return {
    async read(id) {
      if (!isUuid(id)) return null;
      const row = await byId(id).catch((cause: unknown) => {
        throw cannotRead(cause);
      });
      if (row === undefined) return null;
      const record = parseStored(row.bytes);
      const speaksOfRow = record['id'] === row.id && record['writer'] === row.writer && record['seq'] === row.seq;
      return {
        id: row.id,
        kind: row.kind as RecordKind,
        at: row.at,
        record,
        writer: row.writer,
        seq: row.seq,
        hash: row.hash.toString('hex'),
        intact: speaksOfRow && recordHash(row.bytes).equals(row.hash),
      };
    },
  };
}
