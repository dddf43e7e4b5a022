// What there is in this firm to choose from, and checks of what is typed freely. It must never offer a name that a policy file cannot hold.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { parseTimestamp } from '../../../src/core/time.ts';

export type Choices = ReadonlyMap<string, string>;

export interface FirmChoices {
  readonly people: Choices | undefined;
  readonly matters: Choices | undefined;
  readonly clients: Choices | undefined;
  readonly roles: Choices;
  readonly actions: Choices;
  /** With groups, as rules name them. */
  readonly actionsOrGroups: Choices;
  readonly resourcesOrGroups: Choices;
  readonly terms: Choices;
  readonly advice: Choices;
  readonly obligations: Choices;
}

/** `allowsUnknown`: people and matters that data/ does not have yet may be named. */
export function firmChoices({ firm, data }: PolicySet, allowsUnknown: boolean): FirmChoices {
  const people = new Map<string, string>();
  for (const id of data.people.keys()) people.set(id, rolesOf(data.directory.get(id)));
  for (const { team } of data.matters.values()) for (const id of team) if (!people.has(id)) people.set(id, '');
  const matters = new Map([...data.matters].map(([id, { clientId }]) => [id, `client ${clientId}`]));
  const clients = new Map([...data.matters.values()].map(({ clientId }) => [clientId, '']));
  const unless = (choices: Choices): Choices | undefined => (allowsUnknown || choices.size === 0 ? undefined : choices);
  const { groups } = Object(firm.file.value) as {
    groups?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  };
  const grouped = (names: Choices, kind: string): Choices =>
    new Map([
      ...names,
      ...Object.entries(groups?.[kind] ?? {}).map(([name, members]) => [name, members.join(', ')] as const),
    ]);
  return {
    people: unless(people),
    matters: unless(matters),
    clients: unless(clients),
    roles: grouped(firm.names.roles, 'roles'),
    actions: firm.names.actions,
    actionsOrGroups: new Map([['any', 'every action'], ...grouped(firm.names.actions, 'actions')]),
    resourcesOrGroups: new Map([['any', 'every type'], ...grouped(firm.names.resourceTypes, 'resources')]),
    terms: new Map([...firm.terms.keys()].map((name) => [name, ''])),
    advice: new Map([...firm.advice].map(([code, { text }]) => [code, text ?? ''])),
    obligations: new Map([...firm.obligations].map(([code, { text }]) => [code, text ?? ''])),
  };
}

function rolesOf(directory: Readonly<Record<string, unknown>> | undefined): string {
  const roles = directory?.['roles'];
  return Array.isArray(roles) ? roles.join(', ') : '';
}

/** `2027-03-31` is the beginning of that day in UTC. */
export function instantOf(answer: string): string {
  return /^\d{4}-\d{2}-\d{2}$/.test(answer) ? `${answer}T00:00:00Z` : answer;
}

export function checkInstant(answer: string): string | null {
  return parseTimestamp(instantOf(answer)) === undefined
    ? `\`${answer}\` is no instant: write 2027-03-31 or 2027-03-31T09:00:00Z`
    : null;
}

/** An end that is still to come, after the beginning where there is one. */
export function checkEnd(now: number, from: string | null): (answer: string) => string | null {
  return (answer) => {
    const problem = checkInstant(answer);
    if (problem !== null) return problem;
    const end = parseTimestamp(instantOf(answer)) ?? 0;
    if (end <= now) return `${answer} is past: an end must be still to come`;
    return from !== null && end <= (parseTimestamp(from) ?? 0) ? `it must end after it begins (${from})` : null;
  };
}

/** The next id in the row of those that are there, such as W-EX-6 after W-EX-5. */
export function nextId(ids: readonly string[], likely: readonly string[], first: string): string {
  const numbered = (id: string): RegExpExecArray | null => /^(.*?)(\d+)$/.exec(id);
  const prefix = (likely.some(numbered) ? likely : ids).flatMap((id) => numbered(id)?.[1] ?? []).at(-1);
  if (prefix === undefined) return ids.includes(first) ? nextId([...ids, `${first}-1`], [], first) : first;
  const taken = ids.flatMap((id) => {
    const [, before, digits = ''] = numbered(id) ?? [];
    return before === prefix ? [digits] : [];
  });
  const highest = Math.max(0, ...taken.map(Number));
  const width = Math.max(0, ...taken.filter((digits) => digits.startsWith('0')).map(({ length }) => length));
  return `${prefix}${String(highest + 1).padStart(width, '0')}`;
}

export function checkNew(ids: Iterable<string>, shape: RegExp): (answer: string) => string | null {
  const taken = new Set(ids);
  return (answer) => {
    if (taken.has(answer)) return `there is already a \`${answer}\``;
    return shape.test(answer) ? null : `\`${answer}\` cannot be an id: lower-case letters, digits, - _ .`;
  };
}
