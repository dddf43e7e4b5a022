// Which entries of policy data two sets have differently, by what decisions read of them. It must never miss one.
import type { Entry } from '../../../src/core/attribute-types.ts';
import type { MatterFacts, OnFile } from '../../../src/core/data-entries.ts';
import type { EntryTable } from '../../../src/core/frame.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';

export interface ChangedData {
  readonly matters: ReadonlySet<string>;
  /** Attributes on file, not the directory: that decides nothing. */
  readonly people: ReadonlySet<string>;
  /** By resourceKey. */
  readonly resources: ReadonlySet<string>;
  readonly grants: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  /** Clients, by the list that they joined or left. Lists that only one set has are here as a whole. */
  readonly consents: ReadonlyMap<string, ReadonlySet<string>>;
  readonly assistants: ReadonlySet<string>;
  readonly aiAssistants: ReadonlySet<string>;
}

export function changedData({ data: a }: PolicySet, { data: b }: PolicySet): ChangedData {
  const lists = new Set([...a.consents.keys(), ...b.consents.keys()]);
  const none: ReadonlySet<string> = new Set();
  return {
    matters: changedKeys(a.matters, b.matters, matterText),
    people: changedKeys(a.people, b.people, onFileText),
    resources: changedKeys(a.resources, b.resources, onFileText),
    grants: changedKeys(byField(a.grants, 'id'), byField(b.grants, 'id'), entryText),
    services: changedKeys(byField(a.services, 'sub'), byField(b.services, 'sub'), entryText),
    consents: new Map(
      [...lists]
        .map((id) => [id, (a.consents.get(id) ?? none).symmetricDifference(b.consents.get(id) ?? none)] as const)
        .filter(([, clients]) => clients.size > 0),
    ),
    assistants: changedKeys(a.assistants, b.assistants, (people) => JSON.stringify([...people].sort())),
    aiAssistants: a.aiAssistants.symmetricDifference(b.aiAssistants),
  };
}

export function countOf({ consents, ...rest }: ChangedData): number {
  const listed = [...consents.values()].reduce((sum, { size }) => sum + size, 0);
  return Object.values(rest).reduce((sum, { size }) => sum + size, listed);
}

export function byField({ entries }: EntryTable, field: string): ReadonlyMap<string, Entry> {
  return new Map(entries.map((entry) => [String(entry[field]), entry]));
}

function changedKeys<T>(
  a: ReadonlyMap<string, T>,
  b: ReadonlyMap<string, T>,
  textOf: (one: T) => string,
): ReadonlySet<string> {
  const changed = new Set<string>();
  if (a === b) return changed;
  for (const [key, one] of a) {
    const other = b.get(key);
    if (other === undefined || (one !== other && textOf(one) !== textOf(other))) changed.add(key);
  }
  for (const key of b.keys()) if (!a.has(key)) changed.add(key);
  return changed;
}

function matterText({ clientId, practiceGroup, responsible, proposing, team, onFile }: MatterFacts): string {
  return JSON.stringify([
    clientId,
    ...[practiceGroup, responsible, proposing].map((one) => (typeof one === 'string' ? one : null)),
    [...new Set(team)].sort(),
    onFileText(onFile),
  ]);
}

function onFileText(onFile: OnFile): string {
  return JSON.stringify(onFile.map(({ path, value }) => JSON.stringify([path, plain(value)])).sort());
}

function entryText(entry: Entry): string {
  return JSON.stringify(plain(entry));
}

/** A known none and what cannot be read are symbols; the order of members says nothing. */
function plain(value: unknown): unknown {
  if (typeof value === 'symbol') return { symbol: value.description };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .map(([name, one]) => JSON.stringify([name, plain(one)]))
    .sort();
}
