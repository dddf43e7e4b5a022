// What a right says, as a hash: the same for as long as it gives the same. It must never change with a title, a comment or the order of members.
import { createHash } from 'node:crypto';
import { canonicalize } from '../../../src/core/record/canonical.ts';
import type { GrantEntry, MatterEntry } from '../../../src/model/data.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import type { RuleEntry } from '../../../src/model/rules.ts';
import { membershipKey } from './rights.ts';

export const keyOf = {
  rule: (id: string): string => `rule ${id}`,
  grant: (id: string): string => `grant ${id}`,
  membership: (matter: string, person: string): string => `team ${membershipKey(matter, person)}`,
} as const;

type Value = Readonly<Record<string, unknown>>;

/** Keys of the rights in one file, and what they say. */
export function contentsOf({ path, value }: Pick<SourceFile, 'path' | 'value'>, firm: unknown): Map<string, string> {
  const found = new Map<string, string>();
  if (!isObject(value)) return found;
  if (path.startsWith('rules/')) {
    for (const entry of listOf<RuleEntry>(value, 'rules')) found.set(keyOf.rule(entry.id), ruleHash(entry, firm));
  } else if (path.startsWith('data/')) {
    for (const entry of listOf<GrantEntry>(value, 'grants')) found.set(keyOf.grant(entry.id), grantHash(entry));
    for (const { id, team } of listOf<MatterEntry>(value, 'matters')) {
      for (const person of Array.isArray(team) ? team : []) found.set(keyOf.membership(id, String(person)), 'member');
    }
  }
  return found;
}

/** With the words of firm.yaml that it is made of, as they are there. */
export function ruleHash(
  { id, effect, subjects, roles, actions, resources, when, unless, cases, obligations }: RuleEntry,
  firm: unknown,
): string {
  const said = { id, effect, subjects, roles, actions, resources, when, unless, cases, obligations };
  return hashOf({ ...stated(said), words: wordsOf(stated(said), firm) });
}

export function grantHash({
  id,
  granted_to,
  matter_id,
  actions,
  valid_from,
  valid_until,
  approved_by,
}: GrantEntry): string {
  return hashOf(stated({ id, granted_to, matter_id, actions, valid_from, valid_until, approved_by }));
}

export function hashOf(value: Value): string {
  return `sha256:${createHash('sha256').update(canonicalize(value)).digest('hex')}`;
}

function stated(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined));
}

/** Terms, groups, calendars and attributes that are named anywhere in it, and those that these name. */
function wordsOf(said: unknown, firm: unknown): Value {
  const words: Record<string, unknown> = {};
  const waiting = [...namesIn(said)];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    for (const [kind, meaning] of meaningsOf(name, firm)) {
      const key = `${kind} ${name}`;
      if (Object.hasOwn(words, key)) continue;
      words[key] = meaning;
      waiting.push(...namesIn(meaning));
    }
  }
  return words;
}

function meaningsOf(name: string, firm: unknown): readonly (readonly [kind: string, meaning: unknown])[] {
  const places: (readonly string[])[] = [
    ['terms', name],
    ['calendars', name],
    ['groups', 'roles', name],
    ['groups', 'actions', name],
    ['groups', 'resources', name],
  ];
  const [namespace, attribute] = name.replace(/^\$\{(.*)\}$/, '$1').split('.');
  if (namespace !== undefined && attribute !== undefined) places.push(['attributes', namespace, attribute]);
  return places.flatMap((place) => {
    const meaning = place.reduce<unknown>(
      (from, step) => (isObject(from) && Object.hasOwn(from, step) ? from[step] : undefined),
      firm,
    );
    return meaning === undefined ? [] : [[place.slice(0, -1).join('.'), meaning] as const];
  });
}

function namesIn(value: unknown, into: string[] = []): readonly string[] {
  if (typeof value === 'string') into.push(value);
  else if (Array.isArray(value)) for (const one of value) namesIn(one, into);
  else if (isObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      into.push(name);
      namesIn(member, into);
    }
  }
  return into;
}

function listOf<T>(value: Value, root: string): readonly T[] {
  const list = value[root];
  return Array.isArray(list) ? (list.filter(isObject) as readonly T[]) : [];
}

function isObject(value: unknown): value is Value {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
