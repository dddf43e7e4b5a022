// One sealed batch as bytes of the journal and back: length and checksums around what Postgres will get. It must never give back a
// batch that is not exactly the one that went in.
import { crc32 } from 'node:zlib';
import { hash as digest } from 'node:crypto';
import { recordHash } from '../../../core/record/hash.ts';
import type { RecordColumns, RecordKind } from '../../../model/record.ts';
import type { SealedBatch, SealedRecord } from '../writer-chain.ts';

/** Where a frame lies in its file, and what it is about. */
export interface Frame {
  readonly offset: number;
  readonly length: number;
  readonly serial: number;
  readonly writer: string;
  readonly entries: number;
  /** Of its first record, milliseconds since 1970. */
  readonly at: number;
}

/** - `ends`: the bytes end here; `short`: they end within the frame; `bad`: header or content are not what was written. */
export type FrameResult =
  | { readonly found: 'frame'; readonly frame: Frame }
  | { readonly found: 'ends' | 'short' }
  | { readonly found: 'bad'; readonly nextOffset: number | null };

interface Content {
  readonly serial: number;
  readonly writer: string;
  readonly previous: readonly [seq: number, hash: string] | null;
  /** base64 */
  readonly signature: string;
  readonly first: number;
  readonly records: readonly (readonly [
    id: string,
    kind: RecordKind,
    at: number,
    bytes: number,
    columns: RecordColumns,
  ])[];
}

// Magic and version, length of the content, SHA-256 of the content, CRC-32 of all that: a length that can be relied on tells a file
// that was cut short from one that was changed.
const MAGIC = Buffer.from('PVJ1');
const LENGTH_AT = 4;
const HASH_AT = 8;
const CRC_AT = 40;
export const HEADER_BYTES = 44;

export function encodeFrame(batch: SealedBatch, serial: number): Buffer {
  const { writer, previous, signature, records } = batch;
  const content: Content = {
    serial,
    writer,
    previous: previous === null ? null : [previous.seq, previous.hash.toString('hex')],
    signature: signature.toString('base64'),
    first: records[0]?.seq ?? 0,
    records: records.map(({ entry, at, bytes }) => [entry.id, entry.kind, at, bytes.length, entry.columns]),
  };
  const text = Buffer.from(JSON.stringify(content));
  const size = Buffer.alloc(4);
  size.writeUInt32BE(text.length);
  const payload = Buffer.concat([size, text, ...records.map(({ bytes }) => bytes)]);
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32BE(payload.length, LENGTH_AT);
  header.set(digest('sha256', payload, 'buffer'), HASH_AT);
  header.writeUInt32BE(crc32(header.subarray(0, CRC_AT)), CRC_AT);
  return Buffer.concat([header, payload]);
}

export function findFrame(file: Buffer, offset: number): FrameResult {
  if (offset === file.length) return { found: 'ends' };
  if (file.length - offset < HEADER_BYTES) return { found: 'short' };
  const header = file.subarray(offset, offset + HEADER_BYTES);
  const isHeader =
    header.subarray(0, LENGTH_AT).equals(MAGIC) && header.readUInt32BE(CRC_AT) === crc32(header.subarray(0, CRC_AT));
  if (!isHeader) return { found: 'bad', nextOffset: null };
  const end = offset + HEADER_BYTES + header.readUInt32BE(LENGTH_AT);
  if (end > file.length) return { found: 'short' };
  const payload = file.subarray(offset + HEADER_BYTES, end);
  if (!digest('sha256', payload, 'buffer').equals(header.subarray(HASH_AT, CRC_AT))) {
    return { found: 'bad', nextOffset: end };
  }
  const { serial, writer, records } = contentOf(payload).content;
  const at = records[0]?.[2] ?? 0;
  return { found: 'frame', frame: { offset, length: end - offset, serial, writer, entries: records.length, at } };
}

/** Whether a whole frame begins anywhere after `offset`. */
export function hasFrameAfter(file: Buffer, offset: number): boolean {
  for (let at = file.indexOf(MAGIC, offset + 1); at >= 0; at = file.indexOf(MAGIC, at + 1)) {
    if (findFrame(file, at).found === 'frame') return true;
  }
  return false;
}

/** Throws if these are not the bytes of a whole frame. */
export function decodeFrame(bytes: Buffer): SealedBatch {
  const result = findFrame(bytes, 0);
  if (result.found !== 'frame') throw new Error('what the journal held is not there any more');
  const { content, rest } = contentOf(bytes.subarray(HEADER_BYTES));
  let offset = 0;
  let seq = content.first;
  const records = content.records.map(([id, kind, at, length, columns]): SealedRecord => {
    const recordBytes = rest.subarray(offset, (offset += length));
    // The body is in the bytes; nothing reads it apart from them once it is sealed.
    return {
      entry: { id, kind, at, body: {}, columns },
      seq: seq++,
      at,
      bytes: recordBytes,
      hash: recordHash(recordBytes),
    };
  });
  const last = records.at(-1);
  if (last === undefined) throw new Error('a batch of the journal holds no record');
  const { writer, previous, signature } = content;
  return {
    writer,
    records,
    previous: previous === null ? null : { seq: previous[0], hash: Buffer.from(previous[1], 'hex') },
    head: { seq: last.seq, hash: last.hash },
    signature: Buffer.from(signature, 'base64'),
  };
}

/** Its checksum has been compared: this is what `encodeFrame` wrote. */
function contentOf(payload: Buffer): { readonly content: Content; readonly rest: Buffer } {
  const end = 4 + payload.readUInt32BE(0);
  const content = JSON.parse(payload.toString('utf8', 4, end)) as Content;
  return { content, rest: payload.subarray(end) };
}
