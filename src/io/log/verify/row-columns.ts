// Compares the columns of a row, in PostgreSQL's binary format, with where its bytes say the same. It must never take a value for equal
// that a reader of the column would read otherwise.
import { uuidText } from './uuid-text.ts';

/** Milliseconds from 1970 to midnight of 2000-01-01 UTC, from which PostgreSQL counts microseconds. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const TEXT_OID = 25;

/** `[from, to)` in the block; from is -1 where the bytes have no such member. */
export interface Said {
  readonly from: number;
  readonly to: number;
}

/** @param length of the field that begins at `at`; -1 for null */
export function isSameText(block: Buffer, at: number, length: number, { from, to }: Said): boolean {
  const isNull = from < 0 || isNullWord(block, from, to);
  if (isNull || length < 0) return isNull && length < 0;
  if (block[from] !== QUOTE) return false;
  return (
    isVerbatim(block, from + 1, to - 1, at, length) ||
    textOf(block, from, to) === block.toString('utf8', at, at + length)
  );
}

/** A one-dimensional array of texts (array_send in PostgreSQL's source). */
export function isSameList(block: Buffer, at: number, length: number, { from, to }: Said): boolean {
  if (length < 12) return false;
  const dimensions = block.readInt32BE(at);
  const isEmpty = from < 0 || to - from === 2 || isNullWord(block, from, to);
  if (dimensions === 0) return isEmpty;
  if (isEmpty || dimensions !== 1 || block.readInt32BE(at + 8) !== TEXT_OID) return false;
  const said: unknown = JSON.parse(block.toString('utf8', from, to));
  const count = block.readInt32BE(at + 12);
  // A list that does not begin at 1 is another one for whoever asks for its first item.
  if (!Array.isArray(said) || said.length !== count || block.readInt32BE(at + 16) !== 1) return false;
  let offset = at + 20;
  return said.every((item: unknown) => {
    const size = block.readInt32BE(offset);
    const start = offset + 4;
    offset = start + Math.max(0, size);
    return size >= 0 && item === block.toString('utf8', start, offset);
  });
}

export function isSameUuid(block: Buffer, at: number, length: number, { from, to }: Said): boolean {
  return length === 16 && to - from === 38 && block.toString('latin1', from + 1, to - 1) === uuidText(block, at);
}

/** @param ms what the bytes say */
export function isSameTime(block: Buffer, at: number, length: number, ms: number): boolean {
  if (length !== 8) return false;
  const micros = (ms - POSTGRES_EPOCH_MS) * 1000;
  return block.readInt32BE(at) * 2 ** 32 + block.readUInt32BE(at + 4) === micros;
}

function textOf(block: Buffer, from: number, to: number): unknown {
  return JSON.parse(block.toString('utf8', from, to)) as unknown;
}

function isNullWord(block: Buffer, from: number, to: number): boolean {
  return to - from === 4 && block[from] === 0x6e; // no other value of four bytes begins with n
}

/** The same bytes, none of which stands for another. */
function isVerbatim(block: Buffer, from: number, to: number, at: number, length: number): boolean {
  if (to - from !== length) return false;
  for (let index = 0; index < length; index++) {
    const byte = block[from + index];
    if (byte !== block[at + index] || byte === BACKSLASH) return false;
  }
  return true;
}
