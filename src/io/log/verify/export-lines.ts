// Takes apart the lines of leaves, commitments and heads in an export, byte by byte, for there are as many as records. It must never accept
// a second spelling of the same line: a change of a single bit has to show.
import { decodeBase64 } from '../../../core/sealing/signed-note.ts';
import { isSameHash } from '../../../core/verification/fold.ts';
import { type CommitmentRows, type HeadRow, type LeafRows, SourceBroken } from './source.ts';

const NEWLINE = 0x0a;
const ZERO = 0x30;
const HYPHEN = 0x2d;
const COMMA = 0x2c;
const HASH_BYTES = 32;
const WRITER_LENGTH = 36;
const HASH_HEX = 64;
const MAX_DIGITS = 15;
const SHOWN = 120;
const SIGNATURE_LENGTH = 88;
/** Of lower-case hexadecimal digits; -1 for every other byte. */
const NIBBLES = Int8Array.from({ length: 256 }, (_, byte) => '0123456789abcdef'.indexOf(String.fromCharCode(byte)));
const LEAF = Buffer.from('{"leaf":[');
const COMMITMENT = Buffer.from('{"commitment":["');
const HEAD = Buffer.from('{"head":["');
const AFTER_INDEX = Buffer.from(',"');
const AFTER_WRITER = Buffer.from('",');
const BEFORE_HASH = Buffer.from('],"hash":"');
const BEFORE_HEAD = Buffer.from('","head":"');
const BEFORE_SIGNATURE = Buffer.from('","signature":"');
const END = Buffer.from('"}\n');

/** Where a line is being read. Every step moves on, or throws. */
interface Cursor {
  readonly block: Buffer;
  at: number;
  start: number;
}

/** @throws SourceBroken at a line that is no leaf */
export function leafRows(block: Buffer): LeafRows {
  const cursor: Cursor = { block, at: 0, start: 0 };
  const readWriter = createWriterReader();
  const leaf = {
    index: 0,
    writer: '',
    seq: 0,
    block,
    hashAt: 0,
    next() {
      if (cursor.at >= block.length) return false;
      cursor.start = cursor.at;
      skip(cursor, LEAF);
      leaf.index = readNumber(cursor);
      skip(cursor, AFTER_INDEX);
      leaf.writer = readWriter(cursor);
      skip(cursor, AFTER_WRITER);
      leaf.seq = readNumber(cursor);
      skip(cursor, BEFORE_HASH);
      leaf.hashAt = readHash(cursor);
      skip(cursor, END);
      return true;
    },
  };
  return leaf;
}

/** With the signature of the head that is over it, if there is one. */
export function commitmentRows(block: Buffer): CommitmentRows {
  const cursor: Cursor = { block, at: 0, start: 0 };
  const readWriter = createWriterReader();
  const commitment = {
    writer: '',
    seq: 0,
    block,
    hashAt: 0,
    head: null as HeadRow | null,
    next() {
      if (cursor.at >= block.length) return false;
      cursor.start = cursor.at;
      skip(cursor, COMMITMENT);
      commitment.writer = readWriter(cursor);
      skip(cursor, AFTER_WRITER);
      commitment.seq = readNumber(cursor);
      skip(cursor, BEFORE_HASH);
      const at = readHash(cursor);
      commitment.hashAt = at;
      commitment.head = readHead(cursor, at);
      skip(cursor, END);
      return true;
    },
  };
  return commitment;
}

/** Heads over no commitment. */
export function headRows(block: Buffer): CommitmentRows {
  const cursor: Cursor = { block, at: 0, start: 0 };
  const readWriter = createWriterReader();
  const row = {
    writer: '',
    seq: 0,
    block,
    hashAt: -1,
    head: null as HeadRow | null,
    next() {
      if (cursor.at >= block.length) return false;
      cursor.start = cursor.at;
      skip(cursor, HEAD);
      row.writer = readWriter(cursor);
      skip(cursor, AFTER_WRITER);
      row.seq = readNumber(cursor);
      skip(cursor, BEFORE_HASH);
      const at = readHash(cursor);
      row.head = { hash: block.subarray(at, at + HASH_BYTES), signature: readSignature(cursor) };
      skip(cursor, END);
      return true;
    },
  };
  return row;
}

/** The head over the commitment whose hash is at `own`, over that hash unless it says another. */
function readHead(cursor: Cursor, own: number): HeadRow | null {
  const { block } = cursor;
  if (block[cursor.at + 1] !== COMMA) return null;
  let at = own;
  if (block[cursor.at + 3] === BEFORE_HEAD[3]) {
    skip(cursor, BEFORE_HEAD);
    at = readHash(cursor);
    // It has one spelling: where both are the same it is left out.
    if (isSameHash(block, at, block, own)) throw broken(cursor);
  }
  return { hash: block.subarray(at, at + HASH_BYTES), signature: readSignature(cursor) };
}

function readSignature(cursor: Cursor): Buffer {
  skip(cursor, BEFORE_SIGNATURE);
  const { block, at } = cursor;
  const signature = decodeBase64(block.toString('latin1', at, at + SIGNATURE_LENGTH));
  if (signature?.length !== 64) throw broken(cursor);
  cursor.at = at + SIGNATURE_LENGTH;
  return signature;
}

function skip(cursor: Cursor, text: Buffer): void {
  const { block, at } = cursor;
  for (let index = 0; index < text.length; index++) if (block[at + index] !== text[index]) throw broken(cursor);
  cursor.at = at + text.length;
}

function readNumber(cursor: Cursor): number {
  const { block, at } = cursor;
  let value = 0;
  let length = 0;
  for (let digit = (block[at] ?? 0) - ZERO; digit >= 0 && digit <= 9; digit = (block[at + length] ?? 0) - ZERO) {
    value = value * 10 + digit;
    length++;
  }
  if (length === 0 || length > MAX_DIGITS || (length > 1 && block[at] === ZERO)) throw broken(cursor);
  cursor.at = at + length;
  return value;
}

/** Remembers the last one: lines of one writer follow each other. */
function createWriterReader(): (cursor: Cursor) => string {
  const last = Buffer.alloc(WRITER_LENGTH);
  let text = '';
  return (cursor) => {
    const { block, at } = cursor;
    cursor.at += WRITER_LENGTH;
    let isSame = true;
    for (let index = 0; index < WRITER_LENGTH; index++) if (block[at + index] !== last[index]) isSame = false;
    if (isSame) return text;
    for (let index = 0; index < WRITER_LENGTH; index++) {
      const isHyphen = index === 8 || index === 13 || index === 18 || index === 23;
      const byte = block[at + index] ?? 0;
      if (isHyphen ? byte !== HYPHEN : (NIBBLES[byte] ?? -1) < 0) throw broken(cursor);
    }
    block.copy(last, 0, at, at + WRITER_LENGTH);
    text = last.toString('latin1');
    return text;
  };
}

/** Puts the bytes in place of the digits, and tells where. */
function readHash(cursor: Cursor): number {
  const { block, at } = cursor;
  for (let index = 0; index < HASH_HEX / 2; index++) {
    const high = NIBBLES[block[at + index * 2] ?? 0] ?? -1;
    const low = NIBBLES[block[at + index * 2 + 1] ?? 0] ?? -1;
    if (high < 0 || low < 0) throw broken(cursor);
    block[at + index] = high * 16 + low;
  }
  cursor.at = at + HASH_HEX;
  return at;
}

function broken({ block, start }: Cursor): SourceBroken {
  const end = block.indexOf(NEWLINE, start);
  const line = block.toString('latin1', start, Math.min(end < 0 ? block.length : end, start + SHOWN));
  return new SourceBroken(`this line is not as it must be: ${line.replaceAll(/[^ -~]/g, '?')}`);
}
