// Goes through a block of records, each on its own. It must never keep anything of a block.
import { hash as sha256 } from 'node:crypto';
import { COLUMNS } from '../../../core/record/columns.ts';
import { purgedPlaces } from '../../../core/record/purged.ts';
import { isUuid } from '../../../core/record/uuid.ts';
import type { RecordFact } from '../../../core/verification/examine.ts';
import { readRows } from './copy-out.ts';
import { parseRecordLine } from './export-format.ts';
import { type Field, readRecord, type ReadRecord, type RowFields } from './record-facts.ts';
import type { Followed, Opening, PlacedFact, Purge, RecordsAnswer, RecordsJob, Span } from './record-answer.ts';
import { createUuidReader } from './uuid-text.ts';

const readUuid = createUuidReader();
const emptyField = (): Field => ({ at: 0, length: -1 });
const row: RowFields = { id: emptyField(), at: emptyField(), kind: emptyField(), columns: COLUMNS.map(emptyField) };

/** Characters of a broken line. */
const SHOWN = 80;
const HASH_BYTES = 32;
const HASH = /^[0-9a-f]{64}$/;

interface Answering {
  readonly answer: RecordsAnswer;
  /** The same memory as in the answer. */
  readonly hashes: Buffer;
  readonly writers: Map<string, number>;
  readonly revisions: Set<string>;
  readonly only: readonly Span[] | null;
}

/** What a thread does with a block, and what is done without one for a short log. */
export function readBlock({ format, block: bytes, length, only }: RecordsJob): RecordsAnswer {
  const block = Buffer.from(bytes, 0, length);
  const most = format === 'copy' ? countRows(block) : countLines(block);
  const answer: RecordsAnswer = {
    block: bytes,
    count: 0,
    writers: [],
    writerOf: new Uint32Array(most),
    seqs: new Float64Array(most),
    times: new Float64Array(most),
    hashes: new Uint8Array(most * HASH_BYTES),
    prevs: new Uint8Array(most * HASH_BYTES),
    odd: [],
    openings: [],
    notOpenings: [],
    purges: [],
    revisions: [],
    facts: [],
    broken: null,
  };
  const hashes = Buffer.from(answer.hashes.buffer);
  const answering: Answering = { answer, hashes, writers: new Map(), revisions: new Set(), only };
  if (format === 'copy') takeRows(answering, block);
  else takeLines(answering, block);
  return { ...answer, writers: [...answering.writers.keys()], revisions: [...answering.revisions] };
}

function takeRows(answering: Answering, block: Buffer): void {
  const rows = readRows(block);
  const read = (field: Field): Field => {
    field.length = rows.nextField();
    field.at = rows.at;
    return field;
  };
  const [writerField, seqField, bytesField] = [emptyField(), emptyField(), emptyField()];
  while (rows.nextRow()) {
    const writer = readUuid(block, read(writerField).at);
    const { at } = read(seqField);
    const seq = block.readInt32BE(at) * 2 ** 32 + block.readUInt32BE(at + 4);
    read(row.id);
    read(row.at);
    read(row.kind);
    const bytes = read(bytesField);
    for (const field of row.columns) read(field);
    take(answering, block, bytes.at, bytes.at + bytes.length, writer, seq, row);
  }
}

function takeLines(answering: Answering, block: Buffer): void {
  for (let start = 0; start < block.length;) {
    const end = block.indexOf(0x0a, start);
    const line = parseRecordLine(block, start, end < 0 ? block.length : end);
    if (line === null) {
      answering.answer.broken = `this is no line of a record: ${block.toString('latin1', start, start + SHOWN)}`;
      return;
    }
    const { writer, seq, bytes, from, to } = line;
    take(answering, bytes, from, to, writer, seq, null);
    if (end < 0) return;
    start = end + 1;
  }
}

function take(
  answering: Answering,
  block: Buffer,
  from: number,
  to: number,
  writer: string,
  seq: number,
  fields: RowFields | null,
): void {
  const { answer, writers, revisions, only } = answering;
  if (only !== null && !only.some((span) => span.writer === writer && seq >= span.from && seq < span.until)) return;
  const record = readRecord(block, from, to, writer, seq, fields);
  // The prefix of a leaf (RFC 9162, 2.1.1) in the byte before, which belongs to a length that was read already: nothing is copied.
  block[from - 1] = 0x00;
  // As a string, for that is faster than a buffer of its own for each.
  const own = sha256('sha256', block.subarray(from - 1, to), 'latin1');
  const place = answer.count++;
  const known = writers.get(writer);
  answer.writerOf[place] = known ?? writers.size;
  if (known === undefined) writers.set(writer, writers.size);
  answer.seqs[place] = seq;
  answer.times[place] = record.at;
  answering.hashes.write(own, place * HASH_BYTES, HASH_BYTES, 'latin1');
  if (record.prev != null) answer.prevs.set(record.prev, place * HASH_BYTES);
  if (record.revision !== null) revisions.add(record.revision);
  if (only !== null) answer.facts.push(placedFact(record, own, writer, seq));
  else if (record.problem !== null || record.columns.length > 0) answer.odd.push({ writer, seq });
  if (record.kind === 'writer_opened') answer.openings.push(openingOf(block, from, to, writer, seq));
  else if (seq === 0) answer.notOpenings.push({ writer, seq });
  if (record.kind === 'purge') answer.purges.push(purgeOf(block, from, to, writer, seq));
}

function placedFact(record: Readonly<ReadRecord>, own: string, writer: string, seq: number): PlacedFact {
  const { prev, at, id, problem, columns } = record;
  const fact: RecordFact = {
    hash: Buffer.from(own, 'latin1').toString('hex'),
    prev: prev === undefined || prev === null ? prev : prev.toString('hex'),
    at,
    id: id(),
    bytesProblem: problem,
    columns: [...columns],
  };
  return { writer, seq, fact };
}

function openingOf(block: Buffer, from: number, to: number, writer: string, seq: number): Opening {
  const record = parse(block, from, to);
  return { writer, seq, key: record['key'], follows: followedIn(record) };
}

/** `previous` and `previous_head`; what is written otherwise says nothing. */
function followedIn({ previous, previous_head: head }: Readonly<Record<string, unknown>>): Followed | null {
  if (typeof previous !== 'string' || !isUuid(previous) || typeof head !== 'object' || head === null) return null;
  const [seq, hash] = ['seq', 'hash'].map((name): unknown => Reflect.get(head, name));
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0) return null;
  return typeof hash === 'string' && HASH.test(hash) ? { writer: previous, seq, hash } : null;
}

function purgeOf(block: Buffer, from: number, to: number, writer: string, seq: number): Purge {
  return { writer, seq, ranges: purgedPlaces(parse(block, from, to)) ?? [] };
}

function parse(block: Buffer, from: number, to: number): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(block.toString('utf8', from, to));
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function countRows(block: Buffer): number {
  let count = 0;
  for (const rows = readRows(block); rows.nextRow(); count++) rows.skipRest();
  return count;
}

function countLines(block: Buffer): number {
  let count = 1;
  for (let at = block.indexOf(0x0a); at >= 0; at = block.indexOf(0x0a, at + 1)) count++;
  return count;
}
