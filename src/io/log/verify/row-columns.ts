// Compares the columns of a row, in PostgreSQL's binary format, with where its bytes say the same. It must never take a value for equal
// that a reader of the column would read otherwise.
/** Milliseconds from 1970 to midnight of 2000-01-01 UTC, from which PostgreSQL counts microseconds. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const TEXT_OID = 25;
const UUID_LENGTH = 36;
const HYPHEN = 0x2d;
const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const DIGITS = Buffer.from('0123456789abcdef');

/**
 * @param length of the field that begins at `at`; -1 for null
 * @param from where the bytes say it, up to `to`; -1 where they have no such member
 */
export function isSameText(block: Buffer, at: number, length: number, from: number, to: number): boolean {
  const isNull = from < 0 || isNullWord(block, from, to);
  if (isNull || length < 0) return isNull && length < 0;
  if (block[from] !== QUOTE) return false;
  return (
    isVerbatim(block, from + 1, to - 1, at, length) ||
    textOf(block, from, to) === block.toString('utf8', at, at + length)
  );
}

/** A one-dimensional array of texts (array_send in PostgreSQL's source). */
export function isSameList(block: Buffer, at: number, length: number, from: number, to: number): boolean {
  if (length < 12) return false;
  const dimensions = block.readInt32BE(at);
  const isEmpty = from < 0 || to - from === 2 || isNullWord(block, from, to);
  if (dimensions === 0) return isEmpty;
  if (isEmpty || dimensions !== 1 || block.readInt32BE(at + 8) !== TEXT_OID) return false;
  // Readers of a list whose first item is not number 1 would find another one.
  if (block.readInt32BE(at + 16) !== 1) return false;
  if (isVerbatimList(block, at + 20, block.readInt32BE(at + 12), from, to)) return true;
  const said: unknown = JSON.parse(block.toString('utf8', from, to));
  const count = block.readInt32BE(at + 12);
  if (!Array.isArray(said) || said.length !== count) return false;
  let offset = at + 20;
  return said.every((item: unknown) => {
    const size = block.readInt32BE(offset);
    const start = offset + 4;
    offset = start + Math.max(0, size);
    return size >= 0 && item === block.toString('utf8', start, offset);
  });
}

export function isSameUuid(block: Buffer, at: number, length: number, from: number, to: number): boolean {
  if (length !== 16 || to - from !== UUID_LENGTH + 2) return false;
  let place = from + 1;
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) if (block[place++] !== HYPHEN) return false;
    const byte = block[at + index] ?? 0;
    if (block[place++] !== DIGITS[byte >> 4] || block[place++] !== DIGITS[byte & 15]) return false;
  }
  return true;
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

/** The items of an array, one after the other, as `[from, to)` has them between quotes. */
function isVerbatimList(block: Buffer, first: number, count: number, from: number, to: number): boolean {
  let [offset, place] = [first, from + 1];
  if (block[from] !== OPEN) return false;
  for (let item = 0; item < count; item++) {
    const size = block.readInt32BE(offset);
    offset += 4;
    const end = place + size + 2;
    if (size < 0 || end >= to || block[place] !== QUOTE || block[end - 1] !== QUOTE) return false;
    if (!isVerbatim(block, place + 1, end - 1, offset, size) || holdsQuote(block, offset, size)) return false;
    if (block[end] !== (item === count - 1 ? CLOSE : COMMA)) return false;
    offset += size;
    place = end + 1;
  }
  return place === to;
}

/** Then what looks like one item may be two. */
function holdsQuote(block: Buffer, at: number, length: number): boolean {
  for (let index = at; index < at + length; index++) if (block[index] === QUOTE) return true;
  return false;
}
