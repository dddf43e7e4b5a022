// Splits CSV (RFC 4180) into rows that know their line. It must never let one broken row swallow the rows after it.
import { CsvError, parse } from 'csv-parse/sync';
import type { Problems } from './text.ts';

export interface Row {
  readonly cells: readonly string[];
  /** 1-based line in which the row begins. */
  readonly line: number;
}

/** Characters parsed between two pauses. */
const SLICE = 32_768;
/** A block without an end of row within this length cannot be a table any more. */
const LONGEST_BLOCK = 262_144;

/** Rows in order, some at a time. A row that cannot be read is a problem; reading goes on with the line after its first. */
export function* csvRows(written: string, problems: Problems, delimiter = ','): Generator<readonly Row[], void> {
  const text = withNewlines(written);
  let line = 1;
  for (let start = 0; start < text.length && !problems.full;) {
    const end = endOfBlock(text, start);
    const { rows, brokenLine, reason } = parseBlock(text.slice(start, end), line, delimiter);
    yield rows;
    if (brokenLine === null) {
      line += countLines(text, start, end);
      start = end;
    } else {
      problems.add(
        { line: brokenLine, column: 1 },
        'csv-syntax',
        reason,
        'put a cell that holds a quote in quotes, and double the quote in it',
      );
      for (; line <= brokenLine; line++) start = afterLine(text, start);
    }
  }
}

/** With the end of a line that is written in any of the three ways that are in use. */
export function withNewlines(text: string): string {
  return text.includes('\r') ? text.replaceAll(/\r\n?/gu, '\n') : text;
}

interface Block {
  readonly rows: readonly Row[];
  readonly brokenLine: number | null;
  readonly reason: string;
}

function parseBlock(block: string, firstLine: number, delimiter: string): Block {
  if (!block.includes('"')) return { rows: splitBlock(block, firstLine, delimiter), brokenLine: null, reason: '' };
  const rows: Row[] = [];
  let done = 0;
  try {
    parse(block, {
      delimiter,
      record_delimiter: '\n',
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      on_record: (cells: string[], { lines }) => {
        const within = cells.reduce(
          (sum, cell) => (cell.includes('\n') ? sum + countLines(cell, 0, cell.length) : sum),
          0,
        );
        rows.push({ cells, line: firstLine + lines - 1 - within });
        done = lines;
        return null;
      },
    });
    return { rows, brokenLine: null, reason: '' };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { rows, brokenLine: firstLine + done + blankLines(block, done), reason: reasonOf(error) };
  }
}

/** Without quotes every line is a row and every delimiter a border: long lists are read many times faster so. */
function splitBlock(block: string, firstLine: number, delimiter: string): readonly Row[] {
  const rows: Row[] = [];
  for (const [index, line] of block.split('\n').entries()) {
    if (line.trim() === '') continue;
    const cells = line.split(delimiter);
    for (const [column, cell] of cells.entries()) cells[column] = cell.trim();
    rows.push({ cells, line: firstLine + index });
  }
  return rows;
}

function reasonOf({ code }: CsvError): string {
  if (code === 'CSV_QUOTE_NOT_CLOSED' || code === 'CSV_MAX_RECORD_SIZE') return 'a quote in this row is never closed';
  return 'a quote in this row stands where none may stand';
}

/**
 * The first end of a line at which an even number of quotes lies behind: in a well-formed file always the end of a row,
 * and in any other parseBlock stops at the broken row.
 */
function endOfBlock(text: string, start: number): number {
  let open = false;
  for (let index = start; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x22) open = !open;
    else if (code === 0x0a && ((!open && index - start >= SLICE) || index - start >= LONGEST_BLOCK)) return index + 1;
  }
  return text.length;
}

/** Blank lines after the given number of lines of a block: they belong to no row. */
function blankLines(block: string, lines: number): number {
  let start = 0;
  for (let line = 0; line < lines; line++) start = afterLine(block, start);
  let blank = 0;
  for (let end = afterLine(block, start); end < block.length && block.slice(start, end).trim() === ''; blank++) {
    start = end;
    end = afterLine(block, start);
  }
  return blank;
}

export function countLines(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', start); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function afterLine(text: string, start: number): number {
  const newline = text.indexOf('\n', start);
  return newline < 0 ? text.length : newline + 1;
}
