// The lines of a verification export (docs/audit.md): how they are written and taken apart. It must never change a byte of a record.
import { isUuid } from '../../../core/record/uuid.ts';
import { decodeBase64 } from '../../../core/sealing/signed-note.ts';

const NEWLINE = 0x0a;
const ZERO = 0x30;
const QUOTE = 0x22;
const CLOSE = 0x7d;
const MAX_DIGITS = 15;
const RECORD = '{"record":["';
const RECORD_START = Buffer.from(RECORD);
const AFTER_WRITER = Buffer.from('",');
const BEFORE_BYTES = Buffer.from('],"bytes":');
const BEFORE_BASE64 = Buffer.from('],"base64":"');
const WRITER_LENGTH = 36;
let lastWriter: { readonly bytes: Buffer; readonly text: string } | null = null;

/** The first line. */
export interface ExportHeader {
  readonly privity: 'verification export';
  readonly version: 1;
  /** Name of the log, the first line of its checkpoints. */
  readonly origin: string;
  /** Leaves. */
  readonly size: number;
  /** Whether every record is here that has not been purged. */
  readonly complete: boolean;
}

/** The last line: a file without it was cut off. */
export interface ExportEnd {
  readonly records: number;
  readonly leaves: number;
  readonly commitments: number;
  readonly heads: number;
}

export interface LineOfRecord {
  readonly writer: string;
  readonly seq: number;
  /** The record is `[from, to)` of these, with at least one byte before it. */
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/** Bytes that are no line of text come in base64; only tampering makes such. */
export function recordLine(writer: string, seq: number, bytes: Buffer): readonly (string | Buffer)[] {
  const place = `${RECORD}${writer}",${seq}],`;
  if (bytes.includes(NEWLINE)) return [`${place}"base64":"${bytes.toString('base64')}"}\n`];
  return [`${place}"bytes":`, bytes, '}\n'];
}

export function leafLine(index: number, writer: string, seq: number, hash: string): string {
  return `{"leaf":[${index},"${writer}",${seq}],"hash":"${hash}"}\n`;
}

/** @param head over it, in hex; its hash is left out where it is the same */
export function commitmentLine(
  writer: string,
  seq: number,
  hash: string,
  head: { readonly hash: string; readonly signature: Buffer } | null,
): string {
  const other = head === null || head.hash === hash ? '' : `,"head":"${head.hash}"`;
  const signature = head === null ? '' : `,"signature":"${head.signature.toString('base64')}"`;
  return `{"commitment":["${writer}",${seq}],"hash":"${hash}"${other}${signature}}\n`;
}

/** Only of a head that is over no commitment. */
export function headLine(writer: string, seq: number, hash: string, signature: Buffer): string {
  return `{"head":["${writer}",${seq}],"hash":"${hash}","signature":"${signature.toString('base64')}"}\n`;
}

/** Null for what is no line of a record, or not written in its one way. */
export function parseRecordLine(block: Buffer, start: number, end: number): LineOfRecord | null {
  const writerAt = start + RECORD_START.length;
  const seqAt = writerAt + WRITER_LENGTH + AFTER_WRITER.length;
  let at = seqAt;
  let seq = 0;
  for (let digit = (block[at] ?? 0) - ZERO; digit >= 0 && digit <= 9; digit = (block[++at] ?? 0) - ZERO) {
    seq = seq * 10 + digit;
  }
  const digits = at - seqAt;
  const isNumber = digits > 0 && digits <= MAX_DIGITS && (digits === 1 || block[seqAt] !== ZERO);
  const isStart = isAt(block, start, RECORD_START) && isAt(block, writerAt + WRITER_LENGTH, AFTER_WRITER);
  if (!isNumber || !isStart || block[end - 1] !== CLOSE) return null;
  const writer = writerIn(block, writerAt);
  if (writer === null) return null;
  if (isAt(block, at, BEFORE_BYTES)) {
    return { writer, seq, bytes: block, from: at + BEFORE_BYTES.length, to: end - 1 };
  }
  if (!isAt(block, at, BEFORE_BASE64) || block[end - 2] !== QUOTE) return null;
  const decoded = decodeBase64(block.toString('latin1', at + BEFORE_BASE64.length, end - 2));
  // Only bytes that hold a line break are written so.
  if (decoded?.includes(NEWLINE) !== true) return null;
  return { writer, seq, bytes: Buffer.concat([Buffer.alloc(1), decoded]), from: 1, to: decoded.length + 1 };
}

/** Remembers the last one: lines of one writer follow each other. */
function writerIn(block: Buffer, at: number): string | null {
  if (lastWriter !== null && isAt(block, at, lastWriter.bytes)) return lastWriter.text;
  const text = block.toString('latin1', at, at + WRITER_LENGTH);
  if (!isUuid(text)) return null;
  lastWriter = { bytes: Buffer.from(text), text };
  return text;
}

function isAt(block: Buffer, at: number, text: Buffer): boolean {
  for (let index = 0; index < text.length; index++) if (block[at + index] !== text[index]) return false;
  return true;
}
