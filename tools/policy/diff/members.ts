// How two writings of one entry differ, member by member. It must never call a difference none, but for the order of names in a list.
import { isRecord } from './entries.ts';

export interface MemberChange {
  /** Such as `valid_until`, or `properties.level`. */
  readonly member: string;
  readonly text: string;
}

/** Members whose order means something: the values of an ordered enum. */
const ORDERED = new Set(['values']);

/** The same text for what means the same. */
export function canonical(value: unknown, member = ''): string {
  if (Array.isArray(value)) {
    const items = value.map((one) => canonical(one, member));
    const isNames = value.every((one) => typeof one !== 'object');
    return `[${(isNames && !ORDERED.has(member) ? [...new Set(items)].sort() : items).join()}]`;
  }
  if (!isRecord(value)) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}:${canonical(one, name)}`);
  return `{${members.sort().join()}}`;
}

export function memberChanges(before: unknown, after: unknown, within = ''): readonly MemberChange[] {
  if (!isRecord(before) || !isRecord(after)) {
    const member = within === '' ? '' : within;
    return canonical(before, lastOf(member)) === canonical(after, lastOf(member))
      ? []
      : [{ member, text: changeText(before, after, lastOf(member)) }];
  }
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
    memberChanges(before[name], after[name], within === '' ? name : `${within}.${name}`),
  );
}

function changeText(before: unknown, after: unknown, member: string): string {
  if (isNames(before) && isNames(after) && !ORDERED.has(member)) return listChange(before, after);
  return `${valueText(before)} → ${valueText(after)}`;
}

/** `+ u-lind, − u-park` */
export function listChange(before: readonly unknown[], after: readonly unknown[]): string {
  const [a, b] = [new Set(before.map(String)), new Set(after.map(String))];
  const added = [...b].filter((one) => !a.has(one)).map((one) => `+ ${one}`);
  const removed = [...a].filter((one) => !b.has(one)).map((one) => `− ${one}`);
  return first([...added, ...removed]);
}

const MOST_NAMED = 10;

export function first(texts: readonly string[], most = MOST_NAMED): string {
  const more = texts.length - most;
  return `${texts.slice(0, most).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}

const LONGEST = 160;

export function valueText(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (isNames(value)) return value.length === 0 ? 'nobody and nothing' : first(value.map(String));
  const text = typeof value === 'string' ? value : flow(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text;
}

function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (!isRecord(value)) return String(value);
  return `{ ${Object.entries(value)
    .map(([name, one]) => `${name}: ${flow(one)}`)
    .join(', ')} }`;
}

function isNames(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.every((one) => typeof one !== 'object');
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}
