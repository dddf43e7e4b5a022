// What a verifier takes from one record: whether its bytes are one, what they say of their place, whether its row says the same. It must
// never trust the row where the bytes speak.
import { canonicalize } from '../../../core/record/canonical.ts';
import { COLUMN_PATHS, COLUMNS } from '../../../core/record/columns.ts';
import { RECORD_VERSION } from '../../../core/record/envelope.ts';
import { scanRecord, wantedMembers } from '../../../core/record/scan.ts';
import { NO_COLUMNS, RECORD_KINDS, type RecordKind } from '../../../model/record.ts';
import { readTime } from './record-time.ts';
import { isSameList, isSameText, isSameTime, isSameUuid, type Said } from './row-columns.ts';

/** Where a field of the row stands in the block; length -1 for null. */
export interface Field {
  at: number;
  length: number;
}

/** The columns that a block has beside writer, seq and bytes: id, at, kind, then `COLUMNS`. */
export interface RowFields {
  readonly id: Field;
  readonly at: Field;
  readonly kind: Field;
  readonly columns: readonly Field[];
}

/** Of the record that was read last. */
export interface ReadRecord {
  /** Why the bytes are no record of this place; null if they are. */
  problem: string | null;
  kind: RecordKind | null;
  /** Milliseconds since 1970; NaN where the bytes do not tell. */
  at: number;
  /** Hash of the record before; null for a writer's first, undefined where the bytes do not tell. */
  prev: Buffer | null | undefined;
  id: string | null;
  /** Names of columns that say something else. */
  columns: readonly string[];
  revision: string | null;
}

const ENVELOPE = ['at', 'id', 'kind', 'prev', 'seq', 'v', 'writer'] as const;
const PATHS = [
  ...new Set([
    ...ENVELOPE,
    'policy.revision',
    ...Object.values(COLUMN_PATHS).flatMap((paths) => Object.values(paths).map((path) => path.join('.'))),
  ]),
];
const WANTED = wantedMembers(PATHS);
const KINDS: ReadonlyMap<string, RecordKind> = new Map(RECORD_KINDS.map((kind) => [`"${kind}"`, kind]));
const SPAN_OF = new Map(PATHS.map((path, index) => [path, index]));
const NOWHERE: Said = { from: -1, to: -1 };
const HEX = /^[0-9a-f]{64}$/;
const NONE: readonly string[] = [];
const NOT_CANONICAL = 'the bytes are no JSON object in canonical form (RFC 8785)';

/** For each kind, the span of each column in the order of `COLUMNS`; -1 where the column has to be empty. */
const SPANS_BY_KIND = new Map(
  RECORD_KINDS.map((kind) => {
    const paths = COLUMN_PATHS[kind];
    return [kind, COLUMNS.map((name) => SPAN_OF.get(paths[name]?.join('.') ?? '') ?? -1)] as const;
  }),
);
const IS_LIST = COLUMNS.map((name) => Array.isArray(NO_COLUMNS[name]));

const EMPTY: ReadRecord = {
  problem: null,
  kind: null,
  at: Number.NaN,
  prev: undefined,
  id: null,
  columns: NONE,
  revision: null,
};
const spans = new Int32Array(WANTED.count * 2);
const read: ReadRecord = { ...EMPTY };
const prevBytes = Buffer.alloc(32);
let lastRevision = '';

/**
 * What stands at `[from, to)` of the block.
 * @returns the same object each time: to be used before the next call
 */
export function readRecord(
  block: Buffer,
  from: number,
  to: number,
  writer: string,
  seq: number,
  row: RowFields | null,
): Readonly<ReadRecord> {
  Object.assign(read, EMPTY);
  const verdict = scanRecord(block, from, to, WANTED, spans);
  if (verdict === 'canonical') readSpans(block, writer, seq, row);
  else if (verdict === 'undecided') readSlowly(block, from, to, writer, seq, row);
  else read.problem = NOT_CANONICAL;
  return read;
}

/** Names that the scanner does not judge: what is wanted is written anew behind the block. */
function readSlowly(block: Buffer, from: number, to: number, writer: string, seq: number, row: RowFields | null): void {
  const wanted = wantedPart(block.subarray(from, to));
  const longer = wanted === null ? block : Buffer.concat([block, Buffer.from(wanted)]);
  const isFound = wanted !== null && scanRecord(longer, block.length, longer.length, WANTED, spans) === 'canonical';
  if (isFound) readSpans(longer, writer, seq, row);
  else read.problem = NOT_CANONICAL;
}

function wantedPart(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const record: unknown = JSON.parse(text);
    if (typeof record !== 'object' || record === null || canonicalize(record) !== text) return null;
    const members = new Set(PATHS.map((path) => path.split('.', 1)[0] ?? ''));
    const part = Object.entries(record).filter(([name]) => members.has(name));
    // Below the first level only plain names are wanted.
    return canonicalize(Object.fromEntries(part.map(([name, value]) => [name, withPlainNames(value)])));
  } catch {
    return null;
  }
}

function withPlainNames(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([name, below]) => /^\w+$/.test(name) && typeof below !== 'object'),
  );
}

function readSpans(block: Buffer, writer: string, seq: number, row: RowFields | null): void {
  const text = (name: string): string => {
    const { from, to } = saidAt(SPAN_OF.get(name) ?? -1);
    return from < 0 ? '' : block.toString('latin1', from, to);
  };
  const kind = KINDS.get(text('kind'));
  const at = saidAt(SPAN_OF.get('at') ?? -1);
  const prev = saidAt(SPAN_OF.get('prev') ?? -1);
  read.kind = kind ?? null;
  read.at = readTime(block, at.from, at.to);
  read.prev = readPrev(block, prev);
  read.id = text('id').slice(1, -1);
  if (kind === undefined || Number.isNaN(read.at) || text('v') !== `${RECORD_VERSION}` || read.prev === undefined) {
    read.problem = 'the members of every record (v, kind, at, prev, …) are not as they must be';
  } else if (text('writer') !== `"${writer}"` || text('seq') !== `${seq}`) {
    read.problem = `the bytes are those of writer ${text('writer')}, sequence number ${text('seq')}`;
  } else if ((read.prev === null) !== (seq === 0)) {
    read.problem = 'only the first record of a writer has none before it';
  }
  const revision = saidAt(SPAN_OF.get('policy.revision') ?? -1);
  if (revision.to - revision.from > 4) {
    const said = block.toString('latin1', revision.from + 1, revision.to - 1);
    if (said !== lastRevision) lastRevision = said;
    read.revision = lastRevision;
  }
  if (row !== null && kind !== undefined) compareColumns(block, kind, row);
}

function readPrev(block: Buffer, { from, to }: Said): Buffer | null | undefined {
  if (to - from === 4) return null;
  if (to - from !== 66) return undefined;
  const text = block.toString('latin1', from + 1, to - 1);
  return HEX.test(text) && prevBytes.write(text, 'hex') === 32 ? prevBytes : undefined;
}

function compareColumns(block: Buffer, kind: RecordKind, row: RowFields): void {
  let differing: string[] | undefined;
  const differs = (name: string): void => void (differing ??= []).push(name);
  if (!isSameUuid(block, row.id.at, row.id.length, saidAt(SPAN_OF.get('id') ?? -1))) differs('id');
  if (!isSameText(block, row.kind.at, row.kind.length, saidAt(SPAN_OF.get('kind') ?? -1))) differs('kind');
  if (!isSameTime(block, row.at.at, row.at.length, read.at)) differs('at');
  const spansOfKind = SPANS_BY_KIND.get(kind) ?? [];
  for (let index = 0; index < COLUMNS.length; index++) {
    const field = row.columns[index];
    const said = saidAt(spansOfKind[index] ?? -1);
    if (field === undefined) continue;
    const isSame = IS_LIST[index] === true ? isSameList : isSameText;
    if (!isSame(block, field.at, field.length, said)) differs(COLUMNS[index] ?? '');
  }
  if (differing !== undefined) read.columns = differing;
}

function saidAt(span: number): Said {
  return span < 0 ? NOWHERE : { from: spans[span * 2] ?? -1, to: spans[span * 2 + 1] ?? -1 };
}
