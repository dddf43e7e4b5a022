// The one statement that commits a batch: records, commitments and signed head in one transaction and one round trip. It must
// never report a batch that is there in part as written.
import type pg from 'pg';
import type { RecordColumns } from '../../model/record.ts';
import { arrayLiteral, byteaArray, int8Array, textArray, timestamptzArray, uuidArray } from './binary-arrays.ts';
import { DURABLE_COMMIT } from './session.ts';
import type { SealedBatch, SealedRecord, SignedHead } from './writer-chain.ts';

type TextColumn = keyof RecordColumns | 'kind';

const SCALAR_COLUMNS = [
  'outcome',
  'subject_id',
  'actor_id',
  'caller',
  'source_system',
  'action',
  'resource_type',
  'resource_id',
  'matter_id',
  'client_id',
  'revision',
  'request_id',
] as const satisfies readonly (keyof RecordColumns)[];

const LIST_COLUMNS = [
  'decided_by',
  'walls',
  'grants',
  'obligations',
] as const satisfies readonly (keyof RecordColumns)[];

const TEXT_COLUMNS: readonly TextColumn[] = ['kind', ...SCALAR_COLUMNS, ...LIST_COLUMNS];

// Parameters: $1 writer, $2 to $5 seq, hash, id and at of each record, then its bytes and texts, then the heads, and the one before.
const FIRST_TEXT = 7;
const HEAD = FIRST_TEXT + TEXT_COLUMNS.length;

const LISTS: ReadonlySet<string> = new Set(LIST_COLUMNS);
const TEXT_VALUES = TEXT_COLUMNS.map((name, index) => {
  const value = `unnest($${FIRST_TEXT + index}::text[])`;
  return LISTS.has(name) ? `${value}::text[]` : value;
});

// Set-returning functions in the select list go through their arrays in lockstep, and cost less than `from unnest(…)`.
function statement(onConflict: string): string {
  return `with
    records as (
      insert into public.decisions (writer, seq, id, at, bytes, ${TEXT_COLUMNS.join(', ')})
      select $1::uuid, unnest($2::bigint[]), unnest($4::uuid[]), unnest($5::timestamptz[]), unnest($6::bytea[]), ${TEXT_VALUES.join(', ')}
      ${onConflict} returning 1),
    links as (
      insert into public.commitments (writer, seq, hash) select $1::uuid, unnest($2::bigint[]), unnest($3::bytea[])
      ${onConflict} returning 1),
    head as (
      insert into public.heads (writer, seq, hash, signature)
      select $1::uuid, unnest($${HEAD}::bigint[]), unnest($${HEAD + 1}::bytea[]), unnest($${HEAD + 2}::bytea[])
      ${onConflict} returning 1)
  select (select count(*) from records)::float8 as records, (select count(*) from links)::float8 as links,
    (select count(*) from head)::float8 as heads,
    (select hash from public.heads where writer = $1::uuid and seq = $${HEAD + 3}::bigint) as previous,
    (extract(epoch from clock_timestamp()) * 1000)::float8 as now, ${DURABLE_COMMIT} as durability,
    current_setting('fsync') as fsync`;
}

const WRITE = { name: 'write_batch', text: statement('') };
// For a batch that may be committed already: the rows that are there stay as they are.
const WRITE_AGAIN = { name: 'write_batch_again', text: statement('on conflict do nothing') };

export interface BatchRow extends pg.QueryResultRow {
  readonly records: number;
  readonly links: number;
  readonly heads: number;
  /** Hash of the head before, as the database has it. */
  readonly previous: Buffer | null;
  /** The database's clock, milliseconds since 1970. */
  readonly now: number;
  /** May be turned off under a session that began with it on. */
  readonly fsync: string;
}

/** The statement with the batch's rows. They are encoded once: a retry sends the very same. */
export interface BatchQueries {
  readonly write: pg.QueryConfig;
  readonly writeAgain: pg.QueryConfig;
}

export function batchQueries(batch: SealedBatch): BatchQueries {
  const { records, previous } = batch;
  const heads = headsOf(batch);
  const values = [
    batch.writer,
    int8Array(records.map((record) => record.seq)),
    byteaArray(records.map((record) => record.hash)),
    uuidArray(records.map((record) => record.entry.id)),
    timestamptzArray(records.map((record) => record.at)),
    byteaArray(records.map((record) => record.bytes)),
    textArray(records.map((record) => record.entry.kind)),
    ...SCALAR_COLUMNS.map((name) => textArray(records.map((record) => record.entry.columns[name]))),
    ...LIST_COLUMNS.map((name) => textArray(records.map((record) => arrayLiteral(record.entry.columns[name])))),
    int8Array(heads.map(({ seq }) => seq)),
    byteaArray(heads.map(({ hash }) => hash)),
    byteaArray(heads.map(({ signature }) => signature)),
    previous === null ? null : String(previous.seq),
  ];
  return { write: { ...WRITE, values }, writeAgain: { ...WRITE_AGAIN, values } };
}

function headsOf({ earlierHeads = [], head, signature }: SealedBatch): readonly SignedHead[] {
  return [...earlierHeads, { ...head, signature }];
}

/** Whether all rows were written, none (they were there, or others are), or something that cannot be. */
export function judgeRow(batch: SealedBatch, row: BatchRow | undefined): 'written' | 'nothing' | 'partly' {
  const size = batch.records.length;
  if (row === undefined) return 'partly';
  if (row.records === size && row.links === size && row.heads === headsOf(batch).length) return 'written';
  return row.records === 0 && row.links === 0 && row.heads === 0 ? 'nothing' : 'partly';
}

/** Whether the database still has the head that the batch follows. */
export function followsHead(batch: SealedBatch, row: BatchRow): boolean {
  return batch.previous === null || row.previous?.equals(batch.previous.hash) === true;
}

interface StoredRow extends pg.QueryResultRow {
  readonly seq: string | number;
  readonly id: string | null;
  readonly hash: Buffer;
}

/** What the database has under the batch's sequence numbers. */
export function lookUpQuery(batch: SealedBatch): pg.QueryConfig {
  const ids = uuidArray(batch.records.map((record) => record.entry.id));
  return {
    text: `select c.seq, c.hash, d.id from public.commitments c
      left join public.decisions d on d.writer = c.writer and d.seq = c.seq and d.id = any($4::uuid[])
      where c.writer = $1::uuid and c.seq between $2::bigint and $3::bigint order by c.seq`,
    values: [batch.writer, String(batch.records[0]?.seq), String(batch.head.seq), ids],
  };
}

/** `same`: exactly this batch is committed; `absent`: nothing of it; `other`: anything else. */
export function judgeStored(batch: SealedBatch, rows: readonly StoredRow[]): 'same' | 'absent' | 'other' {
  if (rows.length === 0) return 'absent';
  const same = (record: SealedRecord, row: StoredRow | undefined): boolean =>
    row !== undefined && Number(row.seq) === record.seq && row.id === record.entry.id && row.hash.equals(record.hash);
  const isSame =
    rows.length === batch.records.length && batch.records.every((record, index) => same(record, rows[index]));
  return isSame ? 'same' : 'other';
}
