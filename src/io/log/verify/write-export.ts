// Writes a verification export (docs/audit.md): a copy of what proves the log, for auditors who have no database. It must never judge
// what it copies, nor leave a file that looks whole and is not.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { readRows } from './copy-out.ts';
import { commitmentLine, type ExportEnd, type ExportHeader, headLine, leafLine, recordLine } from './export-format.ts';
import type { LogSource } from './source.ts';
import { createUuidReader } from './uuid-text.ts';

export interface ExportOptions {
  readonly source: LogSource;
  readonly file: string;
  readonly isGzipped: boolean;
  /** Name of the log. */
  readonly origin: string;
  readonly onProgress: (step: 'records' | 'leaves' | 'commitments', done: number) => void;
}

export interface Exported extends ExportEnd {
  /** SHA-256 of the file, lower-case hex. */
  readonly digest: string;
}

const HASH_BYTES = 32;
const PIECE_BYTES = 256 * 1024;
const QUEUED = 8;

/** Replaces the file only by a whole one. */
export async function writeExport(options: ExportOptions): Promise<Exported> {
  const { file, isGzipped } = options;
  const draft = `${file}.new`;
  const digest = createHash('sha256');
  const counts = { records: 0, leaves: 0, commitments: 0, heads: 0 };
  const output = createWriteStream(draft, { mode: 0o600 });
  async function* hashed(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      digest.update(piece);
      yield piece;
    }
  }
  try {
    const text = Readable.from(gather(lines(options, counts)), { objectMode: true, highWaterMark: QUEUED });
    if (isGzipped) await pipeline(text, createGzip(), hashed, output);
    else await pipeline(text, hashed, output);
    const handle = await open(draft, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  return { ...counts, digest: digest.digest('hex') };
}

type Counts = { -readonly [Name in keyof ExportEnd]: number };
type Piece = string | Buffer;

async function* lines({ source, origin, onProgress }: ExportOptions, counts: Counts): AsyncGenerator<readonly Piece[]> {
  const { amount: size, isComplete: complete } = source;
  const header: ExportHeader = { privity: 'verification export', version: 1, origin, size, complete };
  yield [`${JSON.stringify(header)}\n`];
  for await (const { block } of source.records(null)) {
    yield recordLines(block, counts);
    onProgress('records', counts.records);
  }
  for await (const rows of source.leaves()) {
    const pieces: Piece[] = [];
    while (rows.next()) pieces.push(leafLine(rows.index, rows.writer, rows.seq, hexAt(rows)));
    yield pieces;
    onProgress('leaves', (counts.leaves += pieces.length));
  }
  const alone: string[] = [];
  for await (const rows of source.commitments()) {
    const pieces: Piece[] = [];
    while (rows.next()) {
      const { writer, seq, head, hashAt } = rows;
      if (head !== null) counts.heads++;
      const signed = head === null ? null : { hash: head.hash.toString('hex'), signature: head.signature };
      if (hashAt < 0) {
        if (signed !== null) alone.push(headLine(writer, seq, signed.hash, signed.signature));
        continue;
      }
      pieces.push(commitmentLine(writer, seq, hexAt(rows), signed));
      counts.commitments++;
    }
    yield pieces;
    onProgress('commitments', counts.commitments);
  }
  yield alone;
  yield [`${JSON.stringify({ end: counts })}\n`];
}

function hexAt({ block, hashAt }: { readonly block: Buffer; readonly hashAt: number }): string {
  return block.toString('hex', hashAt, hashAt + HASH_BYTES);
}

/** Rows as database-source.ts has them: writer, seq, id, at, kind, bytes, and columns that are not exported. */
function recordLines(block: Buffer, counts: Counts): readonly Piece[] {
  const rows = readRows(block);
  const readUuid = createUuidReader();
  const pieces: Piece[] = [];
  while (rows.nextRow()) {
    rows.nextField();
    const writer = readUuid(block, rows.at);
    rows.nextField();
    const seq = block.readInt32BE(rows.at) * 2 ** 32 + block.readUInt32BE(rows.at + 4);
    for (let field = 0; field < 3; field++) rows.nextField();
    const length = rows.nextField();
    pieces.push(...recordLine(writer, seq, block.subarray(rows.at, rows.at + length)));
    rows.skipRest();
    counts.records++;
  }
  return pieces;
}

/** Few large pieces instead of many small ones. */
async function* gather(batches: AsyncIterable<readonly Piece[]>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const batch of batches) {
    for (const piece of batch) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
      parts.push(bytes);
      size += bytes.length;
      if (size < PIECE_BYTES) continue;
      yield Buffer.concat(parts, size);
      [parts, size] = [[], 0];
    }
  }
  yield Buffer.concat(parts, size);
}
