// Reads a table that another program exported: its encoding, its delimiter, its rows with their lines. It must never guess at bytes, nor go on
// behind what it could not read.
import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../../src/cli/shell/verb.ts';
import { csvRows, type Row } from '../../../src/io/policies/csv-rows.ts';
import { createProblems } from '../../../src/io/policies/text.ts';

export const ENCODINGS = ['utf-8', 'utf-16', 'windows-1252'] as const;
export type Encoding = (typeof ENCODINGS)[number];

export const DELIMITERS: ReadonlyMap<string, string> = new Map([
  ['comma', ','],
  ['semicolon', ';'],
  ['tab', '\t'],
  ['pipe', '|'],
]);

export interface Table {
  /** As the user named it. */
  readonly file: string;
  readonly header: readonly string[];
  readonly headerLine: number;
  /** As many cells as the header has names. */
  readonly rows: readonly Row[];
  /** Rows that are none. */
  readonly broken: readonly { readonly line: number; readonly why: string }[];
}

export interface TableOptions {
  readonly encoding: Encoding | null;
  /** Null: what the header is separated by. */
  readonly delimiter: string | null;
}

/** @throws UsageError where the file cannot be read as a table at all */
export async function readTable(folder: string, file: string, options: TableOptions): Promise<Table> {
  const bytes = await readFile(path.resolve(folder, file)).catch((error: unknown) => {
    throw new UsageError(`\`${file}\` cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  return parseTable(file, decode(file, bytes, options.encoding), options.delimiter);
}

export function parseTable(file: string, text: string, wanted: string | null): Table {
  const zero = text.indexOf('\u0000');
  if (zero >= 0) {
    const line = text.slice(0, zero).split('\n').length;
    throw new UsageError(`${file}:${line} holds a null character`, 'is it a table in text form? export it as CSV');
  }
  const delimiter = wanted ?? delimiterOf(text.slice(0, endOfLine(text)));
  const problems = createProblems(file);
  const rows: Row[] = [];
  const broken: { line: number; why: string }[] = [];
  let header: Row | null = null;
  for (const some of csvRows(text, problems, delimiter)) {
    for (const row of some) {
      if (header === null) header = row;
      else if (row.cells.every((cell) => cell === '')) continue;
      else if (row.cells.length === header.cells.length) rows.push(row);
      else
        broken.push({ line: row.line, why: `it has ${row.cells.length} cells, the header has ${header.cells.length}` });
    }
  }
  if (problems.full) throw new UsageError(`${file} is no table: too many of its lines cannot be read`);
  for (const { line, message } of problems.list) broken.push({ line, why: message });
  if (header === null) throw new UsageError(`\`${file}\` is empty`, 'its first line must name the columns');
  return { file, header: header.cells, headerLine: header.line, rows, broken };
}

function decode(file: string, bytes: Uint8Array, encoding: Encoding | null): string {
  const found = markOf(bytes);
  if (found !== null) return new TextDecoder(found, { fatal: false }).decode(bytes);
  if (encoding === 'windows-1252') {
    const text = new TextDecoder('windows-1252').decode(bytes);
    if (/[\u0080-\u009f]/u.test(text))
      throw new UsageError(`\`${file}\` is not Windows-1252 either`, 'export it as UTF-8');
    return text;
  }
  if (encoding === 'utf-16') return new TextDecoder('utf-16le').decode(bytes);
  if (isUtf8(bytes)) return new TextDecoder('utf-8').decode(bytes);
  const text = new TextDecoder('windows-1252').decode(bytes);
  const line = text.split('\n').findIndex((one) => /[^\u0000-\u007f]/u.test(one)) + 1;
  const sample = /\S*[^\u0000-\u007f]\S*/u.exec(text)?.[0].slice(0, 40) ?? '';
  throw new UsageError(
    `${file}:${line} is not UTF-8`,
    `in Windows-1252 it would read \`${sample}\`: if that is right, add \`--encoding windows-1252\``,
  );
}

/** By the byte order mark that the file begins with. */
function markOf([first, second, third]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' | null {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : null;
}

function delimiterOf(header: string): string {
  const outside = header.replaceAll(/"[^"]*"/g, '');
  const counts = [...DELIMITERS.values()].map((one) => ({ one, count: outside.split(one).length }));
  return counts.toSorted((a, b) => b.count - a.count)[0]?.one ?? ',';
}

function endOfLine(text: string): number {
  const at = text.search(/[\r\n]/);
  return at < 0 ? text.length : at;
}
