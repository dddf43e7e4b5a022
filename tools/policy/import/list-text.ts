// Writes entries as the CSV or NDJSON list that the engine reads. It must never write a cell that is read back as something else.
import type { AttributeType } from '../../../src/core/attribute-types.ts';
import type { Dictionary } from '../../../src/core/dictionary.ts';
import { isFields, type Fields } from './entries.ts';
import type { Root } from './present.ts';

export type ListFormat = 'csv' | 'ndjson';

const FIRST: Readonly<Record<Root, readonly string[]>> = {
  people: ['id'],
  matters: ['id', 'client_id', 'name', 'practice_group', 'responsible_attorney', 'proposing_partner', 'team'],
};

/** Members that a cell cannot hold faithfully: the list is then written as NDJSON. */
export function formatFor(entries: readonly Fields[]): ListFormat {
  return entries.every((entry) => leavesOf(entry).every(([, value]) => fitsCell(value))) ? 'csv' : 'ndjson';
}

/** Sorted by id, so that one changed matter is one changed line. */
export function listText(root: Root, entries: readonly Fields[], format: ListFormat): string {
  const sorted = entries.toSorted((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1));
  if (format === 'ndjson') return sorted.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  const names = new Set<string>(FIRST[root].filter((name) => name === 'id' || name === 'client_id'));
  const lists = new Set<string>();
  for (const entry of sorted) {
    for (const [name, value] of leavesOf(entry)) {
      names.add(name);
      if (Array.isArray(value)) lists.add(name);
    }
  }
  const columns = [
    ...FIRST[root].filter((name) => names.has(name)),
    ...[...names].filter((name) => !FIRST[root].includes(name)).toSorted(),
  ];
  // The schema of matters says which of its own members are lists; of attributes the mark does.
  const header = columns.map((name) => (lists.has(name) && name !== 'team' ? `${name}[]` : name));
  const lines = sorted.map((entry) => {
    const leaves = new Map(leavesOf(entry));
    return columns.map((name) => cellOf(leaves.get(name))).join(',');
  });
  return `${[header.map(quoted).join(','), ...lines].join('\n')}\n`;
}

/** Members from the entry inwards, as `properties.legal_hold`. */
function leavesOf(entry: Fields): readonly (readonly [string, unknown])[] {
  return Object.entries(entry).flatMap(([name, value]): (readonly [string, unknown])[] =>
    isFields(value) && Object.keys(value).length > 0
      ? Object.entries(value).map(([member, one]) => [`${name}.${member}`, one] as const)
      : [[name, value]],
  );
}

/** Numbers of attributes would be read as text, and what is empty as absent. */
function fitsCell(value: unknown): boolean {
  if (typeof value === 'boolean') return true;
  if (typeof value === 'string') return fitsText(value) && value !== 'true' && value !== 'false';
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((one) => typeof one === 'string' && fitsText(one) && !one.includes(';'))
  );
}

function fitsText(text: string): boolean {
  return text !== '' && text === text.trim() && !/[\r\n]/.test(text);
}

function cellOf(value: unknown): string {
  if (Array.isArray(value)) return quoted(value.join(';'));
  return typeof value === 'string' || typeof value === 'boolean' ? quoted(String(value)) : '';
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What people call the values of an enum. */
export function titlesOf(
  type: AttributeType,
  { byPath }: Dictionary,
  roles: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const ofRoles = byPath.get('subject.roles')?.type;
  return type === ofRoles ? roles : new Map();
}
