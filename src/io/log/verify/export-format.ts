// The lines of a verification export (docs/audit.md): how they are written and taken apart. It must never change a byte of a record.
const NEWLINE = 0x0a;
const RECORD = '{"record":["';
const WRITER_LENGTH = 36;

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

/** Null for what is no line of a record. */
export function parseRecordLine(block: Buffer, start: number, end: number): LineOfRecord | null {
  const writerAt = start + RECORD.length;
  const seqAt = writerAt + WRITER_LENGTH + 2;
  let at = seqAt;
  let seq = 0;
  for (let digit = (block[at] ?? 0) - 0x30; digit >= 0 && digit <= 9; digit = (block[++at] ?? 0) - 0x30) {
    seq = seq * 10 + digit;
  }
  const hasBytes = startsWith(block, at, '],"bytes":');
  const isLine =
    startsWith(block, start, RECORD) &&
    startsWith(block, writerAt + WRITER_LENGTH, '",') &&
    at > seqAt &&
    Number.isSafeInteger(seq) &&
    (hasBytes || startsWith(block, at, '],"base64":"')) &&
    block[end - 1] === 0x7d;
  if (!isLine) return null;
  const writer = block.toString('latin1', writerAt, writerAt + WRITER_LENGTH);
  if (hasBytes) return { writer, seq, bytes: block, from: at + '],"bytes":'.length, to: end - 1 };
  const encoded = block.toString('latin1', at + '],"base64":"'.length, end - 2);
  const bytes = Buffer.concat([Buffer.alloc(1), Buffer.from(encoded, 'base64')]);
  return { writer, seq, bytes, from: 1, to: bytes.length };
}

function startsWith(block: Buffer, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) if (block[at + index] !== text.charCodeAt(index)) return false;
  return true;
}
