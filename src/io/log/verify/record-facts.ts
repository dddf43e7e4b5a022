// What a verifier takes from one record: whether its bytes are one, what they say of their place, whether its row says the same. It must
// never trust the row where the bytes speak.
import { createAlikeScanner } from '../../../core/record/alike.ts';
import { canonicalize } from '../../../core/record/canonical.ts';
import { COLUMN_PATHS, COLUMNS } from '../../../core/record/columns.ts';
import { RECORD_VERSION } from '../../../core/record/envelope.ts';
import { scanRecord, wantedMembers } from '../../../core/record/scan.ts';
import { NO_COLUMNS, RECORD_KINDS, type RecordKind } from '../../../model/record.ts';
import { readTime } from './record-time.ts';
import { isSameList, isSameText, isSameTime, isSameUuid } from './row-columns.ts';

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
  id: () => string | null;
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
const scanner = createAlikeScanner(WANTED);
const KINDS: ReadonlyMap<string, RecordKind> = new Map(RECORD_KINDS.map((kind) => [`"${kind}"`, kind]));
const SPAN_OF = new Map(PATHS.map((path, index) => [path, index]));
const AT = {
  at: SPAN_OF.get('at') ?? -1,
  id: SPAN_OF.get('id') ?? -1,
  kind: SPAN_OF.get('kind') ?? -1,
  prev: SPAN_OF.get('prev') ?? -1,
  revision: SPAN_OF.get('policy.revision') ?? -1,
  seq: SPAN_OF.get('seq') ?? -1,
  v: SPAN_OF.get('v') ?? -1,
  writer: SPAN_OF.get('writer') ?? -1,
} as const;
const VERSION_DIGIT = `${RECORD_VERSION}`.charCodeAt(0);
/** Every integer of so many digits has one spelling in canonical form. */
const MOST_DIGITS = 15;
/** Of lower-case hexadecimal digits; -1 for every other byte. */
const NIBBLES = Int8Array.from({ length: 256 }, (_, byte) => '0123456789abcdef'.indexOf(String.fromCharCode(byte)));
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

const NO_ID = (): null => null;
const spans = new Int32Array(WANTED.count * 2);
const read: ReadRecord = {
  problem: null,
  kind: null,
  at: Number.NaN,
  prev: undefined,
  id: NO_ID,
  columns: NONE,
  revision: null,
};
const prevBytes = Buffer.alloc(32);
let lastRevision = { bytes: Buffer.alloc(0), text: '' };
let lastWriter = { bytes: Buffer.alloc(0), text: '' };
let lastKind: { readonly bytes: Buffer; readonly kind: RecordKind } | null = null;

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
  read.problem = null;
  read.kind = null;
  read.at = Number.NaN;
  read.prev = undefined;
  read.id = NO_ID;
  read.columns = NONE;
  read.revision = null;
  const verdict = scanner.scan(block, from, to, spans);
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
  const kind = kindAt(block, fromOf(AT.kind), toOf(AT.kind));
  read.kind = kind;
  read.at = readTime(block, fromOf(AT.at), toOf(AT.at));
  read.prev = readPrev(block, fromOf(AT.prev), toOf(AT.prev));
  read.id = () => textAt(block, AT.id).slice(1, -1);
  const isVersion = toOf(AT.v) - fromOf(AT.v) === 1 && block[fromOf(AT.v)] === VERSION_DIGIT;
  if (kind === null || Number.isNaN(read.at) || !isVersion || read.prev === undefined) {
    read.problem = 'the members of every record (v, kind, at, prev, …) are not as they must be';
  } else if (!isWriter(block, writer) || !isNumber(block, fromOf(AT.seq), toOf(AT.seq), seq)) {
    read.problem = `the bytes are those of writer ${textAt(block, AT.writer)}, sequence number ${textAt(block, AT.seq)}`;
  } else if ((read.prev === null) !== (seq === 0)) {
    read.problem = 'only the first record of a writer has none before it';
  }
  const [from, to] = [fromOf(AT.revision) + 1, toOf(AT.revision) - 1];
  if (to - from > 2) {
    if (!isSameBytes(block, from, to, lastRevision.bytes)) {
      lastRevision = { bytes: Buffer.from(block.subarray(from, to)), text: block.toString('latin1', from, to) };
    }
    read.revision = lastRevision.text;
  }
  if (row !== null && kind !== null) compareColumns(block, kind, row);
}

function textAt(block: Buffer, span: number): string {
  const [from, to] = [fromOf(span), toOf(span)];
  return from < 0 ? '' : block.toString('latin1', from, to);
}

/** Remembers the last one: nearly all records are of one kind. */
function kindAt(block: Buffer, from: number, to: number): RecordKind | null {
  if (from < 0) return null;
  if (lastKind !== null && isSameBytes(block, from, to, lastKind.bytes)) return lastKind.kind;
  const text = block.toString('latin1', from, to);
  const kind = KINDS.get(text);
  if (kind === undefined) return null;
  lastKind = { bytes: Buffer.from(text), kind };
  return kind;
}

function isWriter(block: Buffer, writer: string): boolean {
  const from = fromOf(AT.writer);
  if (writer !== lastWriter.text) lastWriter = { bytes: Buffer.from(`"${writer}"`), text: writer };
  return from >= 0 && isSameBytes(block, from, toOf(AT.writer), lastWriter.bytes);
}

function isNumber(block: Buffer, from: number, to: number, seq: number): boolean {
  if (from < 0 || to - from > MOST_DIGITS) return false;
  let value = 0;
  for (let index = from; index < to; index++) {
    const digit = (block[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return false;
    value = value * 10 + digit;
  }
  return value === seq;
}

function isSameBytes(block: Buffer, from: number, to: number, other: Buffer): boolean {
  if (to - from !== other.length) return false;
  for (let index = 0; index < other.length; index++) if (block[from + index] !== other[index]) return false;
  return true;
}

function readPrev(block: Buffer, from: number, to: number): Buffer | null | undefined {
  if (to - from === 4) return null;
  if (to - from !== 66) return undefined;
  for (let index = 0; index < prevBytes.length; index++) {
    const high = NIBBLES[block[from + 1 + index * 2] ?? 0] ?? -1;
    const low = NIBBLES[block[from + 2 + index * 2] ?? 0] ?? -1;
    if (high < 0 || low < 0) return undefined;
    prevBytes[index] = high * 16 + low;
  }
  return prevBytes;
}

function compareColumns(block: Buffer, kind: RecordKind, row: RowFields): void {
  let differing: string[] | undefined;
  const differs = (name: string): void => void (differing ??= []).push(name);
  if (!isSameUuid(block, row.id.at, row.id.length, fromOf(AT.id), toOf(AT.id))) differs('id');
  if (!isSameText(block, row.kind.at, row.kind.length, fromOf(AT.kind), toOf(AT.kind))) differs('kind');
  if (!isSameTime(block, row.at.at, row.at.length, read.at)) differs('at');
  const spansOfKind = SPANS_BY_KIND.get(kind) ?? [];
  for (let index = 0; index < COLUMNS.length; index++) {
    const field = row.columns[index];
    const span = spansOfKind[index] ?? -1;
    if (field === undefined) continue;
    const isSame =
      IS_LIST[index] === true
        ? isSameList(block, field.at, field.length, fromOf(span), toOf(span))
        : isSameText(block, field.at, field.length, fromOf(span), toOf(span));
    if (!isSame) differs(COLUMNS[index] ?? '');
  }
  if (differing !== undefined) read.columns = differing;
}

/** -1 where the bytes have no such member. */
function fromOf(span: number): number {
  return span < 0 ? -1 : (spans[span * 2] ?? -1);
}

function toOf(span: number): number {
  return span < 0 ? -1 : (spans[span * 2 + 1] ?? -1);
}
