// Reads JSON and NDJSON, strictly: one value per name, no value that cannot be kept exactly. It must never let a later member replace an earlier one.
import type { Path } from '../../core/report.ts';
import { createProblems, placeAt, START, startsOfLines, type Place, type Problems } from './text.ts';
import { refuseUnfaithful } from './values.ts';
import { NOWHERE, parseYaml, type Parsed } from './yaml-file.ts';

/** Characters of NDJSON read between two pauses. */
const SLICE = 32_768;

export function parseJson(text: string, problems: Problems): Parsed {
  if (text.trim() === '') {
    problems.add(START, 'empty-file', 'the file is empty');
    return NOWHERE;
  }
  const value = readJson(text, problems, (place) => place);
  return value === undefined ? NOWHERE : { value, locate: (path) => locateIn(text, path) };
}

/** One object per line; blank lines mean nothing. The rows belong to one root, as in `{ matters: [ … ] }`. */
export function* parseNdjson(text: string, root: string, problems: Problems): Generator<void, Parsed> {
  const { entries, lines } = yield* readNdjson(text, problems);
  return { value: { [root]: entries }, locate: rowLocator(root, lines) };
}

/** The objects, and the 1-based line of each within the text. */
export function* readNdjson(
  text: string,
  problems: Problems,
): Generator<void, { readonly entries: readonly unknown[]; readonly lines: readonly number[] }> {
  const entries: unknown[] = [];
  const lines: number[] = [];
  let paused = 0;
  for (let start = 0, line = 1; start < text.length && !problems.full; line++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const row = text.slice(start, end).trimEnd();
    if (row.trim() !== '') {
      const value = readJson(row, problems, ({ column }) => ({ line, column }));
      if (isObject(value)) {
        entries.push(value);
        lines.push(line);
      } else if (value !== undefined) {
        problems.add({ line, column: 1 }, 'not-an-object', 'each line must be one JSON object');
      }
    }
    start = end + 1;
    if (start - paused > SLICE) {
      paused = start;
      yield;
    }
  }
  return { entries, lines };
}

/** Rows are located by their line. */
export function rowLocator(root: string, lines: readonly number[]): (path: Path) => Place {
  return ([first, index]) => {
    const line = first === root && typeof index === 'number' ? lines[index] : undefined;
    return line === undefined ? START : { line, column: 1 };
  };
}

/** Undefined when the text cannot be used at all. */
function readJson(text: string, problems: Problems, place: (within: Place) => Place): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const offset = / at position (\d+)/u.exec(message)?.[1];
    const at = placeAt(startsOfLines(text), offset === undefined ? text.length : Number(offset));
    problems.add(place(at), 'json-syntax', `this is not JSON: ${reasonOf(message)}`);
    return undefined;
  }
  let usable = true;
  refuseUnfaithful(value, [], (path, code, message, hint) => {
    problems.add(place(code === 'too-deep' ? START : locateIn(text, path)), code, message, hint);
    usable = false;
  });
  // JSON.parse silently keeps the last of several equal names. A colon outside of strings stands for one member each.
  if (usable && countMembers(value) !== countColons(text)) {
    reportDuplicates(text, problems, place);
    usable = false;
  }
  return usable ? value : undefined;
}

function reasonOf(message: string): string {
  const reason = message.replace(/ (?:in|after) JSON at position.*$|, ".*$|, \.\.\..*$/su, '');
  return `${reason.charAt(0).toLowerCase()}${reason.slice(1)}`;
}

function reportDuplicates(text: string, problems: Problems, place: (within: Place) => Place): void {
  const found = createProblems('');
  parseYaml(text, found);
  const duplicates = found.list.filter(({ code }) => code === 'duplicate-key');
  for (const { line, column, code, message } of duplicates) problems.add(place({ line, column }), code, message);
  if (duplicates.length === 0) problems.add(place(START), 'duplicate-key', 'a name stands twice in one object');
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  let count = Array.isArray(value) ? 0 : members.length;
  for (const member of members) if (typeof member === 'object') count += countMembers(member);
  return count;
}

function countColons(text: string): number {
  let count = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x22) quoted = !quoted;
    else if (quoted && code === 0x5c) index++;
    else if (!quoted && code === 0x3a) count++;
  }
  return count;
}

/** JSON is YAML, so that its parser finds places; only asked when there is something to say. */
function locateIn(text: string, path: Path): Place {
  return parseYaml(text, createProblems('')).locate(path);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
