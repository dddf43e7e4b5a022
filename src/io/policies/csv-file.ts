// Reads a CSV list whose header names members of the entries. It must never drop a column or a row in silence.
import * as Type from 'typebox';
import type { TSchema } from 'typebox';
import { nearest } from '../../core/suggest.ts';
import { csvRows, type Row } from './csv-rows.ts';
import { rowLocator } from './json-file.ts';
import { placeAt, START, startsOfLines, type Problems } from './text.ts';
import { NULL_CHARACTER } from './values.ts';
import { NOWHERE, type Parsed } from './yaml-file.ts';

interface Column {
  /** Members from the entry inwards: `properties.matter_status` is a member of a member. */
  readonly path: readonly string[];
  readonly read: (cell: string) => unknown;
}

/** The one problem of a row that says nothing about the rows after it. */
export const CELLS = 'csv-cells';

type Tell = (message: string, hint?: string) => void;

/** What the header says; lists with the same header have equal keys. */
export interface Columns {
  readonly key: string;
  readonly list: readonly Column[];
}

export interface CsvRows {
  /** Null when no row has named the columns yet. */
  readonly columns: Columns | null;
  readonly entries: readonly Record<string, unknown>[];
  /** 1-based, of each entry, within the text. */
  readonly lines: readonly number[];
}

/** The rows belong to one root, as in `{ matters: [ … ] }`; an empty cell means that the entry lacks the member. */
export function* parseCsv(text: string, root: string, entry: TSchema, problems: Problems): Generator<void, Parsed> {
  const read = yield* readCsv(text, null, entry, problems);
  if (read === null) return NOWHERE;
  if (read.columns === null)
    problems.add(START, 'empty-file', 'the file is empty', 'the first row must name the columns');
  return read.columns === null ? NOWHERE : { value: { [root]: read.entries }, locate: rowLocator(root, read.lines) };
}

/** Without columns the first row names them. Null when the text cannot be used at all. */
export function* readCsv(
  text: string,
  known: Columns | null,
  entry: TSchema,
  problems: Problems,
): Generator<void, CsvRows | null> {
  const entries: Record<string, unknown>[] = [];
  const lines: number[] = [];
  let columns = known;
  const nothing = text.indexOf('\u0000');
  if (nothing >= 0) {
    problems.add(placeAt(startsOfLines(text), nothing), 'bad-character', NULL_CHARACTER, 'remove it');
    return null;
  }
  for (const rows of csvRows(text, problems)) {
    for (const row of rows) {
      if (columns === null) {
        const before = problems.list.length;
        columns = { key: JSON.stringify(row.cells), list: readHeader(row, entry, problems) };
        if (problems.list.length > before) return null;
      } else if (row.cells.length !== columns.list.length) {
        const message = `this row has ${row.cells.length} cells, the header has ${columns.list.length}`;
        problems.add({ line: row.line, column: 1 }, CELLS, message, 'put a cell that holds a comma in quotes');
      } else if (row.cells.some((cell) => cell !== '')) {
        entries.push(readRow(row, columns.list));
        lines.push(row.line);
      }
    }
    yield;
  }
  return { columns, entries, lines };
}

function readRow(row: Row, columns: readonly Column[]): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [index, { path, read }] of columns.entries()) {
    const cell = row.cells[index] ?? '';
    if (cell === '') continue;
    let target = result;
    for (const name of path.slice(0, -1)) target = childOf(target, name);
    target[path.at(-1) ?? ''] = read(cell);
  }
  return result;
}

function childOf(parent: Record<string, unknown>, name: string): Record<string, unknown> {
  const child = parent[name];
  if (isMap(child)) return child;
  const created: Record<string, unknown> = {};
  parent[name] = created;
  return created;
}

function readHeader({ cells, line }: Row, entry: TSchema, problems: Problems): readonly Column[] {
  const [only = ''] = cells;
  if (cells.length === 1 && /[;\t|]/u.test(only)) {
    problems.add(
      { line, column: 1 },
      'csv-columns',
      'the columns are not separated by commas',
      'export the list as comma-separated values',
    );
    return [];
  }
  const seen = new Set<string>();
  const columns = cells.map((cell, index) => {
    const tell: Tell = (message, hint) => problems.add({ line, column: 1 }, 'csv-columns', message, hint);
    const name = cell.endsWith('[]') ? cell.slice(0, -2) : cell;
    if (name === '') tell(`column ${index + 1} has no name`);
    else if (seen.has(name)) tell(`two columns have the name \`${name}\``);
    seen.add(name);
    return readColumn(name.split('.'), entry, cell.endsWith('[]'), tell);
  });
  for (const name of seen) {
    const parent = name.slice(0, name.lastIndexOf('.'));
    if (name.includes('.') && seen.has(parent)) {
      problems.add(
        { line, column: 1 },
        'csv-columns',
        `the columns \`${parent}\` and \`${name}\` cannot stand beside each other`,
      );
    }
  }
  for (const name of requiredOf(entry)) {
    if (!seen.has(name) && ![...seen].some((other) => other.startsWith(`${name}.`))) {
      problems.add({ line, column: 1 }, 'csv-columns', `the column \`${name}\` is missing`);
    }
  }
  return columns;
}

function readColumn(path: readonly string[], entry: TSchema, marked: boolean, tell: Tell): Column {
  const name = path.join('.');
  let schema: TSchema | undefined = entry;
  for (const step of path) {
    if (schema === undefined) break;
    const known = Type.IsObject(schema) ? Object.keys(schema.properties) : [];
    const inner = memberOf(schema, step);
    if (inner === null) {
      const near = nearest(step, known);
      tell(
        `unknown column \`${name}\``,
        near === undefined ? `known: ${known.join(', ')}` : `did you mean \`${near}\`?`,
      );
      return { path, read: asText };
    }
    schema = inner;
  }
  if (path.some((step) => step === '' || step === '__proto__')) tell(`\`${name}\` cannot be the name of a column`);
  // Of attributes only the dictionary knows the type, hence the mark for lists; numbers stay text.
  if (schema === undefined) return { path, read: marked ? asList : asUntyped };
  if (Type.IsArray(schema) && isScalar(schema.items)) return { path, read: asList };
  if (marked || !isScalar(schema)) {
    const map = Type.IsObject(schema) || Type.IsRecord(schema);
    const hint = map
      ? `write one column for each member, such as \`${name}.…\``
      : 'use NDJSON or YAML for such entries';
    tell(`the column \`${name}\` cannot be ${marked ? 'a list' : 'written as one cell'}`, marked ? undefined : hint);
  }
  if (Type.IsBoolean(schema)) return { path, read: asUntyped };
  return { path, read: Type.IsNumber(schema) || Type.IsInteger(schema) ? asNumber : asText };
}

/** Undefined when any value may stand there, null when the schema knows no such member. */
function memberOf(schema: TSchema, name: string): TSchema | undefined | null {
  if (Type.IsObject(schema)) {
    if (Object.hasOwn(schema.properties, name)) return known(schema.properties[name]);
    return Type.ObjectOptions(schema).additionalProperties === false ? null : undefined;
  }
  return Type.IsRecord(schema) ? known(Type.RecordValue(schema)) : null;
}

function known(schema: TSchema | undefined): TSchema | undefined {
  return Type.IsUnknown(schema) ? undefined : schema;
}

function isScalar(schema: TSchema): boolean {
  if (Type.IsUnion(schema)) return schema.anyOf.every(isScalar);
  return [Type.IsString, Type.IsLiteral, Type.IsBoolean, Type.IsNumber, Type.IsInteger].some((is) => is(schema));
}

/** TypeBox leaves `required` out when no member is. */
function requiredOf(schema: TSchema): readonly string[] {
  return Type.IsObject(schema) && Array.isArray(schema.required) ? schema.required : [];
}

const asText = (cell: string): unknown => cell;
const asUntyped = (cell: string): unknown => (cell === 'true' || cell === 'false' ? cell === 'true' : cell);
const asNumber = (cell: string): unknown => (/^-?\d+(?:\.\d+)?$/u.test(cell) ? Number(cell) : cell);

function asList(cell: string): unknown {
  return cell
    .split(';')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
