// Makes entries of the rows of an export, and of every row that cannot be one a rejected line. It must never let one row replace another.
import { isDeepStrictEqual } from 'node:util';
import type { Mapping, Target } from './columns.ts';
import { readCell } from './cell.ts';
import type { Table } from './table.ts';

export interface Rejected {
  readonly file: string;
  readonly line: number;
  /** Stable slug. */
  readonly code: string;
  /** Id of the person or matter; empty where the line has none. */
  readonly what: string;
  readonly why: string;
  readonly hint: string | null;
}

export type Fields = Readonly<Record<string, unknown>>;

export interface Entry {
  readonly id: string;
  readonly line: number;
  readonly fields: Fields;
}

export interface Titles {
  of(target: Target): ReadonlyMap<string, string>;
}

/** Every row for itself. */
export function readEntries(
  table: Table,
  mapping: Mapping,
  titles: Titles,
  reject: (one: Rejected) => void,
): readonly Entry[] {
  const { file } = table;
  for (const { line, why } of table.broken)
    reject({ file, line, code: 'broken-line', what: '', why, hint: 'put a cell that holds the delimiter in quotes' });
  const idColumn = mapping.columns.find(({ target }) => target.name === 'id');
  const entries: Entry[] = [];
  for (const { cells, line } of table.rows) {
    const what = cells[idColumn?.index ?? -1] ?? '';
    const fields: Record<string, unknown> = {};
    const problems: Rejected[] = [];
    for (const { index, target } of mapping.columns) {
      const cell = cells[index] ?? '';
      if (cell === '') {
        if (NEEDED.has(target.name)) problems.push({ file, line, what, ...missing(target.name) });
        continue;
      }
      const read = readCell(cell, target.type, titles.of(target));
      if ('why' in read)
        problems.push({ file, line, code: 'wrong-value', what, why: `${target.name}: ${read.why}`, hint: read.hint });
      else put(fields, target.path, read.value);
    }
    problems.forEach(reject);
    if (problems.length === 0) entries.push({ id: what, line, fields });
  }
  return idColumn === undefined ? entries : withoutRepeats(file, entries, reject);
}

const NEEDED: ReadonlySet<string> = new Set(['id', 'client_id', 'matter_id', 'person_id']);

function missing(name: string): Pick<Rejected, 'code' | 'why' | 'hint'> {
  return name === 'client_id'
    ? { code: 'no-client', why: 'the matter has no client', hint: 'walls round a client need it' }
    : { code: 'no-id', why: `\`${name}\` is empty`, hint: null };
}

/** The same line twice is one too many; two that say different things are both in doubt. */
function withoutRepeats(file: string, entries: readonly Entry[], reject: (one: Rejected) => void): readonly Entry[] {
  const byId = Map.groupBy(entries, ({ id }) => id);
  return [...byId.values()].flatMap((same) => {
    const [first, ...others] = same;
    if (first === undefined || others.length === 0) return same;
    const isSame = others.every(({ fields }) => isDeepStrictEqual(fields, first.fields));
    const rejected = isSame ? others : same;
    for (const { id, line } of rejected) {
      const other = same.find((one) => one.line !== line)?.line ?? line;
      const why = isSame ? `it repeats line ${other}` : `line ${other} says something else about it`;
      reject({ file, line, code: 'duplicate', what: id, why, hint: 'each may stand there once' });
    }
    return isSame ? [first] : [];
  });
}

function put(fields: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let target = fields;
  for (const name of path.slice(0, -1)) {
    const inner = target[name];
    const next: Record<string, unknown> = isFields(inner) ? inner : {};
    target[name] = next;
    target = next;
  }
  target[path.at(-1) ?? ''] = value;
}

export function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the export says, and of what it has no column what was there before. */
export function kept(
  fresh: Fields,
  before: Fields | undefined,
  columns: readonly { readonly target: Target }[],
): Fields {
  if (before === undefined) return fresh;
  const brought = new Set(columns.map(({ target }) => target.path.join('.')));
  const merged: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(before)) {
    if (isFields(value) && !brought.has(name)) {
      const inner = Object.entries(value).filter(([member]) => !brought.has(`${name}.${member}`));
      if (inner.length > 0) merged[name] = Object.fromEntries(inner);
    } else if (!brought.has(name)) merged[name] = value;
  }
  for (const [name, value] of Object.entries(fresh))
    merged[name] = isFields(value) && isFields(merged[name]) ? { ...merged[name], ...value } : value;
  return merged;
}
