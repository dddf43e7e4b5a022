// Finds the places of a CSV or NDJSON list that have to change. It must never touch another row, nor another cell of the row.
import { openYaml } from './yaml-text.ts';
import type { Edit } from './cut.ts';

export interface RowsText {
  /** Rows by the 1-based line in which they begin. */
  cutRow(line: number): readonly Edit[] | null;
  cutNames(line: number, column: string, names: ReadonlySet<string>): readonly Edit[] | null;
}

interface Cell {
  readonly from: number;
  readonly to: number;
  readonly isQuoted: boolean;
}

interface Row {
  readonly line: number;
  readonly from: number;
  /** Behind its newline. */
  readonly to: number;
  readonly cells: readonly Cell[];
}

/** RFC 4180, with cells that are lists of names between semicolons. */
export function openCsv(text: string): RowsText {
  let columns: readonly string[] | null = null;
  const byLine = new Map<number, Row>();
  for (const row of rowsOf(text)) {
    const words = row.cells.map((cell) => textOf(text, cell));
    if (words.every((word) => word === '')) continue;
    if (columns === null) columns = words.map((word) => (word.endsWith('[]') ? word.slice(0, -2) : word));
    else byLine.set(row.line, row);
  }
  return {
    cutRow(line) {
      const row = byLine.get(line);
      return row === undefined ? null : [{ from: row.from, to: row.to, text: '' }];
    },
    cutNames(line, column, names) {
      const cell = byLine.get(line)?.cells[columns?.indexOf(column) ?? -1];
      if (cell === undefined) return null;
      const inner = cell.isQuoted ? { from: cell.from + 1, to: cell.to - 1 } : cell;
      const parts = text.slice(inner.from, inner.to).split(';');
      const kept = parts.filter((part) => !names.has(plain(part, cell.isQuoted)));
      return kept.length === parts.length ? null : [{ from: inner.from, to: inner.to, text: kept.join(';').trim() }];
    },
  };
}

function plain(part: string, isQuoted: boolean): string {
  return (isQuoted ? part.replaceAll('""', '"') : part).trim();
}

function textOf(text: string, { from, to, isQuoted }: Cell): string {
  return isQuoted ? plain(text.slice(from + 1, to - 1), true) : text.slice(from, to).trim();
}

function* rowsOf(text: string): Generator<Row> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const from = at;
    const first = line;
    const cells: Cell[] = [];
    for (;;) {
      const cell = cellAt(text, at);
      cells.push(cell);
      for (let index = cell.from; index < cell.to; index++) if (text[index] === '\n') line += 1;
      at = cell.end;
      if (text[at] !== ',') break;
      at += 1;
    }
    if (text[at] === '\r') at += 1;
    if (text[at] === '\n') at += 1;
    line += 1;
    yield { line: first, from, to: at, cells };
  }
}

function cellAt(text: string, start: number): Cell & { readonly end: number } {
  let from = start;
  while (text[from] === ' ' || text[from] === '\t') from += 1;
  if (text[from] === '"') {
    let to = from + 1;
    for (; to < text.length; to++) {
      if (text[to] !== '"') continue;
      if (text[to + 1] !== '"') break;
      to += 1;
    }
    to = Math.min(text.length, to + 1);
    let end = to;
    while (end < text.length && !',\r\n'.includes(text[end] ?? '')) end += 1;
    return { from, to, isQuoted: true, end };
  }
  let end = from;
  while (end < text.length && !',\r\n'.includes(text[end] ?? '')) end += 1;
  return { from, to: end, isQuoted: false, end };
}

/** One JSON object a line. */
export function openNdjson(text: string): RowsText {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  const span = (line: number): readonly [from: number, to: number] | null => {
    const from = starts[line - 1];
    return from === undefined ? null : [from, starts[line] ?? text.length];
  };
  return {
    cutRow(line) {
      const found = span(line);
      return found === null ? null : [{ from: found[0], to: found[1], text: '' }];
    },
    cutNames(line, column, names) {
      const found = span(line);
      if (found === null) return null;
      const row = text.slice(...found);
      const value: unknown = tryParse(row);
      const list: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, column) : undefined;
      if (!Array.isArray(list)) return null;
      const indexes = new Set(list.flatMap((one, index) => (names.has(String(one)) ? [index] : [])));
      const edits = openYaml(row)?.cutItems([column], indexes) ?? null;
      return edits?.map((edit) => ({ ...edit, from: edit.from + found[0], to: edit.to + found[0] })) ?? null;
    },
  };
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
