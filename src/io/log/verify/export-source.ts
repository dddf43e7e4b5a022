// Reads a verification export (docs/audit.md) for a verification, gzipped or not. It must never read more of it into memory than a few
// blocks, nor pass over a line that it does not know.
import { open, stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import type { LeafFact } from '../../../core/verification/examine.ts';
import type { ExportEnd, ExportHeader } from './export-format.ts';
import type { Span } from './record-answer.ts';
import { BLOCK_BYTES, type BlockPool, createBlockPool } from './block-pool.ts';
import { commitmentRows, headRows, leafRows } from './export-lines.ts';
import { type Around, type CommitmentRows, type LeafRows, type LogSource, SourceBroken } from './source.ts';

const NEWLINE = 0x0a;
const HASH_BYTES = 32;
const CHUNK_BYTES = 256 * 1024;
/** Whole lines, and what they are about: p, r, l, c, h or e (the character after `{"`). */
interface Stretch {
  readonly section: string;
  readonly block: Buffer<ArrayBuffer>;
}

interface Reader {
  readonly header: ExportHeader;
  /** Lines of one section in a row; ends with the file. */
  readonly stretches: AsyncIterator<Stretch>;
}

export interface ExportSource extends LogSource {
  readonly header: ExportHeader;
}

/** @throws SourceBroken for what is no export */
export async function openExportSource(file: string): Promise<ExportSource> {
  const { size } = await stat(file);
  // Only blocks of records are given back: what is kept of other rows is a part of their block.
  const pool = createBlockPool();
  const main = await openReader(file, pool);
  const counts = { records: 0, leaves: 0, commitments: 0, heads: 0 };
  let waiting: Stretch | null = null;

  /** Everything up to the next section. */
  async function* section(name: string): AsyncGenerator<Buffer<ArrayBuffer>> {
    for (;;) {
      waiting ??= await nextOf(main);
      if (waiting === null || waiting.section !== name) return;
      const { block } = waiting;
      waiting = null;
      yield block;
    }
  }

  return {
    header: main.header,
    isComplete: main.header.complete,
    origin: main.header.origin,
    amount: Math.max(main.header.size, Math.floor(size / 4096)),
    isReadAtOnce: false,
    async *records(only) {
      if (only === null) {
        for await (const block of section('r')) {
          counts.records += countLines(block);
          yield { format: 'lines', block };
        }
        return;
      }
      const again = await openReader(file, pool);
      for (let one = await nextOf(again); one?.section === 'r'; one = await nextOf(again)) {
        yield { format: 'lines', block: one.block };
      }
      await again.stretches.return?.();
    },
    reuse: pool.giveBack,
    async *leaves() {
      for await (const block of section('l')) {
        counts.leaves += countLines(block);
        yield leafRows(block);
      }
    },
    async *commitments() {
      for await (const block of section('c')) {
        yield counted(commitmentRows(block), counts);
      }
      for await (const block of section('h')) yield counted(headRows(block), counts);
      requireEnd(main.header, waiting, counts);
      waiting = null;
      if ((await nextOf(main)) !== null) throw new SourceBroken('there are lines after the end of the export');
    },
    around: (spans) => readAround(file, spans),
    own: null,
    close: async () => void (await main.stretches.return?.()),
  };
}

function counted(rows: CommitmentRows, counts: { commitments: number; heads: number }): CommitmentRows {
  const { next } = rows;
  return Object.assign(rows, {
    next() {
      if (!next()) return false;
      if (rows.hashAt >= 0) counts.commitments++;
      if (rows.head !== null) counts.heads++;
      return true;
    },
  });
}

function requireEnd(header: ExportHeader, last: Stretch | null, counts: ExportEnd): void {
  const lines = last?.section === 'e' ? linesOf(last.block) : [];
  if (lines.length !== 1) {
    throw last === null || last.section === 'e'
      ? new SourceBroken('the export was cut off: its last line is not there', true)
      : broken(linesOf(last.block)[0] ?? '', 'in its place');
  }
  const { records, leaves, commitments, heads } = counts;
  const expected = JSON.stringify({ end: { records, leaves, commitments, heads } });
  if (lines[0] !== expected || header.size !== leaves)
    throw new SourceBroken(`the export does not hold what its last line says: ${lines[0]}`);
}

function broken(line: string, what: string): SourceBroken {
  return new SourceBroken(`this line is not ${what}: ${line.slice(0, 120)}`);
}

async function readAround(file: string, spans: readonly Span[]): Promise<readonly Around[]> {
  const found = spans.map((span) => ({
    span,
    commitments: new Map<number, string>(),
    leaves: new Map<number, LeafFact[]>(),
  }));
  const at = (writer: string, seq: number) =>
    found.filter(({ span }) => span.writer === writer && seq >= span.from - 1 && seq <= span.until);
  const reader = await openReader(file, createBlockPool());
  for (let one = await nextOf(reader); one !== null; one = await nextOf(reader)) {
    if (one.section === 'l') {
      for (const rows = leafRows(one.block); rows.next();) {
        const { index, seq } = rows;
        for (const { leaves } of at(rows.writer, seq))
          leaves.set(seq, [...(leaves.get(seq) ?? []), { index, hash: hexAt(rows) }]);
      }
    }
    if (one.section === 'c') {
      for (const rows = commitmentRows(one.block); rows.next();) {
        for (const { commitments } of at(rows.writer, rows.seq)) commitments.set(rows.seq, hexAt(rows));
      }
    }
  }
  return found;
}

function hexAt({ block, hashAt }: LeafRows | CommitmentRows): string {
  return block.toString('hex', hashAt, hashAt + HASH_BYTES);
}

async function nextOf({ stretches }: Reader): Promise<Stretch | null> {
  const { value, done } = await stretches.next();
  return done === true ? null : value;
}

async function openReader(file: string, pool: BlockPool): Promise<Reader> {
  const stretches = readStretches(file, pool);
  const first = await stretches.next();
  const lines = first.done === true ? [] : linesOf(first.value.block);
  const header = first.done === true || first.value.section !== 'p' ? null : readHeader(lines[0] ?? '');
  if (header === null || lines.length !== 1) {
    await stretches.return(undefined);
    throw new SourceBroken(`${file} does not begin like a verification export`);
  }
  return { header, stretches };
}

/** Null for what is no header, or not written as one is. */
function readHeader(line: string): ExportHeader | null {
  try {
    const value = JSON.parse(line) as Partial<ExportHeader> | null;
    const { origin, size, complete } = value ?? {};
    if (typeof origin !== 'string' || typeof size !== 'number' || typeof complete !== 'boolean') return null;
    const header: ExportHeader = { privity: 'verification export', version: 1, origin, size, complete };
    return JSON.stringify(header) === line ? header : null;
  } catch {
    return null;
  }
}

async function* readStretches(file: string, pool: BlockPool): AsyncGenerator<Stretch, undefined> {
  const input = await openInput(file);
  let rest: Buffer = Buffer.alloc(0);
  try {
    for (;;) {
      const block = pool.take(Math.max(BLOCK_BYTES, rest.length * 2));
      rest.copy(block);
      const end = rest.length + (await input.read(block, rest.length));
      if (end === rest.length) break;
      const last = block.subarray(0, end).lastIndexOf(NEWLINE);
      rest = Buffer.from(block.subarray(last + 1, end));
      if (last >= 0) yield* splitSections(block.subarray(0, last + 1));
    }
  } finally {
    await input.close();
  }
  if (rest.length > 0) yield* splitSections(ownCopy(rest));
  return undefined;
}

interface Input {
  /** Fills the block from `at`; how many bytes came, 0 at the end. */
  read(block: Buffer, at: number): Promise<number>;
  close(): Promise<void>;
}

async function openInput(file: string): Promise<Input> {
  const handle = await open(file, 'r');
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  if (bytesRead < 2 || buffer[0] !== 0x1f || buffer[1] !== 0x8b) {
    let position = 0;
    return {
      async read(block, at) {
        const result = await handle.read(block, at, block.length - at, position);
        position += result.bytesRead;
        return result.bytesRead;
      },
      close: () => handle.close(),
    };
  }
  const stream = handle.createReadStream({ start: 0 }).pipe(createGunzip({ chunkSize: CHUNK_BYTES }));
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let chunk: Buffer = Buffer.alloc(0);
  return {
    async read(block, at) {
      if (chunk.length === 0) {
        const { value, done } = await chunks.next().catch(unreadable);
        if (done === true) return 0;
        chunk = value;
      }
      const copied = chunk.copy(block, at);
      chunk = chunk.subarray(copied);
      return copied;
    },
    async close() {
      stream.destroy();
      await handle.close().catch(() => undefined);
    },
  };
}

function unreadable(error: unknown): never {
  throw new SourceBroken(`the export cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
}

function* splitSections(block: Buffer<ArrayBuffer>): Generator<Stretch> {
  let begin = 0;
  let current = sectionAt(block, 0);
  // Nearly every block is of one section: that of its first and its last line.
  const lastLine = block.lastIndexOf(NEWLINE, -2) + 1;
  if (sectionAt(block, lastLine) === current) return void (yield { section: current, block });
  for (let at = block.indexOf(NEWLINE); at >= 0; at = block.indexOf(NEWLINE, at + 1)) {
    if (at + 1 >= block.length) break;
    const next = sectionAt(block, at + 1);
    if (next === current) continue;
    yield { section: current, block: ownCopy(block.subarray(begin, at + 1)) };
    [begin, current] = [at + 1, next];
  }
  yield { section: current, block: begin === 0 ? block : ownCopy(block.subarray(begin)) };
}

function sectionAt(block: Buffer, at: number): string {
  return String.fromCharCode(block[at + 2] ?? 0);
}

function ownCopy(part: Buffer): Buffer<ArrayBuffer> {
  const copy = Buffer.from(new ArrayBuffer(part.length));
  part.copy(copy);
  return copy;
}

function linesOf(block: Buffer): string[] {
  const lines = block.toString('latin1').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function countLines(block: Buffer): number {
  let count = 0;
  for (let at = block.indexOf(NEWLINE); at >= 0; at = block.indexOf(NEWLINE, at + 1)) count++;
  return block.at(-1) === NEWLINE ? count : count + 1;
}
