// Writes rows of the table of records in COPY's binary form, into a block that is used again and again. It must never be what decides
// who asked what, nor know of a database.
import { hash, randomFillSync } from 'node:crypto';
import type { CanonicalMember } from '../src/core/record/canonical.ts';
import { recordText } from '../src/core/record/envelope.ts';
import type { RecordEntry } from '../src/model/record.ts';
import { DOCUMENTS, field, fixedFields, HOLE, type Prototypes } from './log-prototypes.ts';

/** The order of the fields below. */
export const ROW_COLUMNS =
  'id, writer, seq, at, request_id, resource_id, bytes, kind, outcome, subject_id, actor_id, caller, source_system, action, ' +
  'resource_type, matter_id, client_id, decided_by, walls, grants, obligations, revision';
const FIELDS = ROW_COLUMNS.split(',').length;

/** What the records of one request share. */
export interface Request {
  readonly at: number;
  /** RFC 3339. */
  readonly time: string;
  readonly id: string;
  /** 32 hex digits. */
  readonly trace: string;
}

export interface RowWriter {
  readonly writer: string;
  readonly writerBytes: Uint8Array;
  seq: number;
  /** Of the record before. */
  readonly last: Uint8Array;
}

export interface Rows {
  /** Appends a record of the prototype, and gives its hash. */
  add(prototype: number, by: RowWriter, request: Request): Uint8Array;
  /** Appends a record that has no prototype. */
  addEntry(entry: RecordEntry, members: readonly CanonicalMember[], by: RowWriter): Uint8Array;
  /** What was appended; the next begins anew, in the same memory. */
  take(): Buffer;
  length(): number;
}

const POSTGRES_EPOCH_MS = 946_684_800_000;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const HIGH = Uint8Array.from(HEX, (text) => text.charCodeAt(0));
const LOW = Uint8Array.from(HEX, (text) => text.charCodeAt(1));
const SIZE = 2 ** 21;
const POOL = 2 ** 16;

export function createRows(prototypes: Prototypes): Rows {
  const block = Buffer.alloc(SIZE);
  const pool = Buffer.alloc(POOL);
  let pooled = POOL;
  let at = 0;
  const { bytes, firstPart, parts, columns, resources, people } = prototypes;

  function draw(count: number): number {
    if (pooled + count > POOL) {
      randomFillSync(pool);
      pooled = 0;
    }
    pooled += count;
    return pooled - count;
  }

  function hex(source: Uint8Array, from: number, count: number): void {
    for (let index = from; index < from + count; index++) {
      const byte = source[index] ?? 0;
      block[at++] = HIGH[byte] ?? 0;
      block[at++] = LOW[byte] ?? 0;
    }
  }

  function uuid(source: Uint8Array, from: number): void {
    hex(source, from, 4);
    block[at++] = 0x2d;
    for (let part = 4; part < 10; part += 2) {
      hex(source, from + part, 2);
      block[at++] = 0x2d;
    }
    hex(source, from + 10, 6);
  }

  function text(value: string): void {
    at += block.write(value, at, 'latin1');
  }

  function int8(value: number): void {
    at = block.writeInt32BE(8, at);
    at = block.writeInt32BE(Math.floor(value / 2 ** 32), at);
    at = block.writeUInt32BE(value % 2 ** 32, at);
  }

  /** Id, writer, sequence, time. @returns where the id stands */
  function begin(by: RowWriter, ms: number): number {
    at = block.writeInt16BE(FIELDS, at);
    at = block.writeInt32BE(16, at);
    const id = at;
    const from = draw(16);
    pool.writeUIntBE(ms, from, 6);
    pool[from + 6] = 0x70 | ((pool[from + 6] ?? 0) & 0x0f);
    pool[from + 8] = 0x80 | ((pool[from + 8] ?? 0) & 0x3f);
    at += pool.copy(block, at, from, from + 16);
    at = block.writeInt32BE(16, at);
    block.set(by.writerBytes, at);
    at += 16;
    int8(by.seq);
    int8((ms - POSTGRES_EPOCH_MS) * 1000);
    return id;
  }

  /** Hashes what stands from there, and puts its length before it. */
  function end(from: number, by: RowWriter): Uint8Array {
    // The prefix of a leaf (RFC 9162, 2.1.1) for a moment where the length belongs: nothing is copied.
    block[from - 1] = 0x00;
    const own = hash('sha256', block.subarray(from - 1, at), 'buffer');
    block.writeInt32BE(at - from, from - 4);
    by.last.set(own);
    by.seq++;
    return own;
  }

  function resourceOf(prototype: number): string | null {
    if (resources[prototype * 2] !== -1) return null;
    // The first of a matter's documents are asked for most.
    const one = Math.floor(DOCUMENTS ** Math.random());
    return `D-${(resources[prototype * 2 + 1] ?? 0) + one}`;
  }

  return {
    add(prototype, by, request) {
      const id = begin(by, request.at);
      at = block.writeInt32BE(request.id.length, at);
      text(request.id);
      const resource = resourceOf(prototype);
      const lengthAt = at;
      at += 4;
      if (resource === null) copy(resources[prototype * 2] ?? 0, resources[prototype * 2 + 1] ?? 0);
      else text(resource);
      block.writeInt32BE(at - lengthAt - 4, lengthAt);
      at += 4;
      const from = at;
      const last = firstPart[prototype + 1] ?? 0;
      for (let part = firstPart[prototype] ?? 0; part < last; part++) {
        copy(parts[part * 3] ?? 0, parts[part * 3 + 1] ?? 0);
        fill(parts[part * 3 + 2] ?? -1, id, by, request, resource ?? '', people[prototype] ?? 0);
      }
      const own = end(from, by);
      copy(columns[prototype * 2] ?? 0, columns[prototype * 2 + 1] ?? 0);
      return own;
    },
    addEntry(entry, members, by) {
      const { kind, at: ms, columns: row } = entry;
      const id = begin(by, ms);
      for (const value of [row.request_id, row.resource_id]) at += field(value).copy(block, at);
      at += 4;
      const from = at;
      const prev = by.seq === 0 ? null : Buffer.from(by.last).toString('hex');
      const nonce = draw(16);
      const envelope = { kind, id: uuidText(block, id), writer: by.writer, seq: by.seq, prev, at: ms };
      at += block.write(
        recordText({ ...envelope, nonce: pool.toString('hex', nonce, nonce + 16) }, members),
        at,
        'utf8',
      );
      const own = end(from, by);
      at += fixedFields(kind, row).copy(block, at);
      return own;
    },
    take() {
      const taken = block.subarray(0, at);
      at = 0;
      return taken;
    },
    length: () => at,
  };

  function copy(from: number, to: number): void {
    block.set(bytes.subarray(from, to), at);
    at += to - from;
  }

  function fill(hole: number, id: number, by: RowWriter, request: Request, resource: string, person: number): void {
    switch (hole) {
      case HOLE.at:
        return text(request.time);
      case HOLE.duration:
        return text(String(150 + Math.floor(Math.random() ** 4 * 4_000)));
      case HOLE.id:
        return uuid(block, id);
      case HOLE.nonce:
        return hex(pool, draw(16), 16);
      case HOLE.prev:
        return hex(by.last, 0, 32);
      case HOLE.request:
        return text(request.id);
      case HOLE.resource:
        return text(resource);
      case HOLE.seq:
        return text(String(by.seq));
      case HOLE.claims:
        return hex(tokenOf(person, request.at), 0, 32);
      case HOLE.token:
        return uuid(tokenOf(person, request.at), 0);
      case HOLE.trace:
        return text(request.trace);
      case HOLE.writer:
        return text(by.writer);
      default:
    }
  }
}

const HALF_DAY = 43_200_000;
const tokens: { period: number; readonly of: Map<number, Uint8Array> } = { period: 0, of: new Map() };

/** Stands for somebody's token of half a day. */
function tokenOf(person: number, ms: number): Uint8Array {
  const period = Math.floor(ms / HALF_DAY);
  if (period !== tokens.period) tokens.of.clear();
  tokens.period = period;
  const known = tokens.of.get(person) ?? hash('sha256', `${person} ${period}`, 'buffer');
  tokens.of.set(person, known);
  return known;
}

function uuidText(bytes: Buffer, from: number): string {
  const all = bytes.toString('hex', from, from + 16);
  return `${all.slice(0, 8)}-${all.slice(8, 12)}-${all.slice(12, 16)}-${all.slice(16, 20)}-${all.slice(20)}`;
}
