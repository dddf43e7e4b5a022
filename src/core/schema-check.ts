// Checks parsed files against the schemas of model/ and reports every problem at its place. It must never change a value.
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Diagnostic, SourceFile } from '../model/diagnostic.ts';
import type { Path } from './report.ts';
import { explain } from './schema-explain.ts';

interface Checker {
  Check(value: unknown): boolean;
}

/** Compiled once per schema: compiling takes milliseconds, checking an entry less than a microsecond. */
const checkers = new WeakMap<TSchema, Checker>();

/** Every problem of a file: those found while it was parsed, then what does not fit the schema. Empty when it fits. */
export function checkFile(file: SourceFile, schema: TSchema): Diagnostic[] {
  if (file.value === undefined) return [...file.problems];
  return [...file.problems, ...check(file, schema, file.value, [])];
}

/**
 * The same for some entries of a list, so that long lists can be checked in slices. `from` is the index in the file of the
 * first of `entries`. Problems found while parsing are left to `checkFile`.
 */
export function checkEntries(
  file: SourceFile,
  path: Path,
  entries: readonly unknown[],
  schema: TSchema,
  from: number,
): Diagnostic[] {
  return entries.flatMap((entry, index) => check(file, schema, entry, [...path, from + index]));
}

/** `file:line:column item: message — hint` */
export function formatDiagnostic({ file, line, column, item, message, hint }: Diagnostic): string {
  return `${file}:${line}:${column}${item === undefined ? '' : ` ${item}`}: ${message}${hint === undefined ? '' : ` — ${hint}`}`;
}

function check(file: SourceFile, schema: TSchema, value: unknown, path: Path): Diagnostic[] {
  let checker = checkers.get(schema);
  if (checker === undefined) checkers.set(schema, (checker = Compile(schema)));
  if (checker.Check(value)) return [];
  const problems: Diagnostic[] = [];
  explain(schema, value, path, (where, code, message, hint) => {
    const item = itemAt(file.value, where);
    problems.push({
      severity: 'error',
      code,
      file: file.path,
      ...file.locate(where),
      ...(item === undefined ? {} : { item }),
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  });
  return problems;
}

/** The id of the innermost list entry that a path runs through: the rule, wall, grant, … a problem is in. */
function itemAt(root: unknown, path: Path): string | undefined {
  let value = root;
  let item: string | undefined;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) break;
    value = Reflect.get(value, step);
    if (typeof step === 'number') item = idOf(value) ?? item;
  }
  return item;
}

function idOf(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  if ('id' in entry && typeof entry.id === 'string' && entry.id !== '') return entry.id;
  return 'sub' in entry && typeof entry.sub === 'string' && entry.sub !== '' ? entry.sub : undefined;
}
