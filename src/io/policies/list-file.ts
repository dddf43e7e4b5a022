// Reads a CSV or NDJSON list block by block and takes blocks that it has read before from memory. It must never give another result
// than the list read at one go gives: where that is not certain, it says so and leaves the file to whoever reads it whole.
import { hash as digest } from 'node:crypto';
import type { TSchema } from 'typebox';
import type { Diagnostic, RowBlock } from '../../model/diagnostic.ts';
import { CELLS, readCsv, type Columns } from './csv-file.ts';
import { countLines, withNewlines } from './csv-rows.ts';
import { cutList } from '../../core/cut-list.ts';
import { readNdjson } from './json-file.ts';
import { createProblems, decodePart, START, type Place } from './text.ts';
import type { Parsed } from './yaml-file.ts';

interface Block extends RowBlock {
  /** Lines before each entry, and of the whole block. */
  readonly linesBefore: readonly number[];
  readonly lines: number;
  /** CSV: after this block. */
  readonly columns: Columns | null;
}

/** The blocks of one path as they were last read. */
export interface ListMemory {
  blocks: ReadonlyMap<string, Block>;
}

export interface ListFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly format: 'csv' | 'ndjson';
  readonly root: string;
  readonly entry: TSchema;
}

export type ParsedList = Parsed & { readonly blocks: readonly RowBlock[]; readonly problems: readonly Diagnostic[] };

export function createListMemory(): ListMemory {
  return { blocks: new Map() };
}

/** Null when it has to be read whole. */
export function* parseList(file: ListFile, memory: ListMemory): Generator<void, ParsedList | null> {
  const cut = yield* cutList(file.bytes, file.format === 'csv');
  if (cut === null) return null;
  const problems = createProblems(file.path);
  const read = new Map<string, Block>();
  const blocks: Block[] = [];
  let columns: Columns | null = null;
  let line = 1;
  for (const [index, bytes] of cut.entries()) {
    const key: string = `${index === 0 ? 'first' : ''} ${columns?.key ?? ''} ${digest('sha256', bytes, 'base64')}`;
    let block: Block | undefined = read.get(key) ?? memory.blocks.get(key);
    if (block === undefined) {
      const fresh: Fresh | null = yield* readBlock(file, bytes, index === 0, columns);
      if (fresh === null) return null;
      block = fresh.block;
      for (const { line: within, column, code, message, hint } of fresh.problems)
        problems.add({ line: line + within - 1, column }, code, message, hint);
      if (problems.full) return null;
      if (fresh.problems.length === 0) read.set(key, block);
    } else read.set(key, block);
    blocks.push(block);
    columns = block.columns;
    line += block.lines;
    yield;
  }
  if (file.format === 'csv' && columns === null) return null;
  memory.blocks = read;
  return {
    value: { [file.root]: blocks.flatMap(({ entries }) => entries) },
    locate: blockLocator(file.root, blocks),
    blocks,
    problems: problems.list,
  };
}

interface Fresh {
  readonly block: Block;
  /** With lines within the block. */
  readonly problems: readonly Diagnostic[];
}

/** Null when what is wrong in the block may concern what stands behind it. */
function* readBlock(
  { path, format, entry }: ListFile,
  bytes: Uint8Array,
  isFirst: boolean,
  columns: Columns | null,
): Generator<void, Fresh | null> {
  const decoded = decodePart(bytes, isFirst);
  if (decoded === null) return null;
  const own = createProblems(path);
  if (format === 'ndjson') {
    const { entries, lines } = yield* readNdjson(decoded, own);
    return own.full ? null : fresh({ entries, columns }, lines, decoded, own.list);
  }
  const text = withNewlines(decoded);
  const rows = yield* readCsv(text, columns, entry, own);
  if (rows === null || own.full || own.list.some(({ code }) => code !== CELLS)) return null;
  return fresh(rows, rows.lines, text, own.list);
}

function fresh(
  { entries, columns }: Pick<Block, 'entries' | 'columns'>,
  lines: readonly number[],
  text: string,
  problems: readonly Diagnostic[],
): Fresh {
  const linesBefore = lines.map((line) => line - 1);
  return { block: { entries, columns, linesBefore, lines: countLines(text, 0, text.length) }, problems };
}

/** As rowLocator of json-file.ts, for lines that are known within their block only. */
function blockLocator(root: string, blocks: readonly Block[]): Parsed['locate'] {
  const starts: { readonly index: number; readonly line: number; readonly block: Block }[] = [];
  let index = 0;
  let line = 1;
  for (const block of blocks) {
    starts.push({ index, line, block });
    index += block.entries.length;
    line += block.lines;
  }
  return ([first, entry]): Place => {
    if (first !== root || typeof entry !== 'number') return START;
    const start = starts.findLast((one) => one.index <= entry && one.block.entries.length > 0);
    const before = start?.block.linesBefore[entry - start.index];
    return start === undefined || before === undefined ? START : { line: start.line + before, column: 1 };
  };
}
