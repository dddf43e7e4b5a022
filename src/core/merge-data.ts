// Joins the parts of all data files into one set of look-ups. It must never let one entry silently replace another.
import type { DataPart, MatterFacts, OnFile } from './data.ts';
import { createEntryTable, type EntryTable } from './frame.ts';
import type { Report } from './report.ts';

export interface PolicyData {
  readonly matters: ReadonlyMap<string, MatterFacts>;
  readonly grants: EntryTable;
  readonly services: EntryTable;
  readonly people: ReadonlyMap<string, OnFile>;
  /** What the directory says about people: for searches and development tokens, never for decisions. */
  readonly directory: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly assistants: ReadonlyMap<string, readonly string[]>;
  readonly consents: ReadonlyMap<string, ReadonlySet<string>>;
  readonly aiAssistants: ReadonlySet<string>;
  readonly resources: ReadonlyMap<string, OnFile>;
}

const STEP = 5_000;

export function resourceKey(type: string, id: string): string {
  return `${type}\u0000${id}`;
}

export function* mergeData(parts: readonly DataPart[], report: Report): Generator<void, PolicyData> {
  const matters = yield* unique(parts, 'matters', (part) => part.matters, report);
  const people = yield* unique(parts, 'people', (part) => part.people, report);
  const resources = yield* unique(
    parts,
    'resources',
    (part) => part.resources.map(({ type, id, onFile }) => [resourceKey(type, id), onFile] as const),
    report,
  );
  yield* unique(parts, 'grants', (part) => part.grants.map((grant) => [String(grant['id']), grant] as const), report);
  yield* unique(parts, 'services', (part) => part.services.map((one) => [String(one['sub']), one] as const), report);
  const consents = new Map<string, Set<string>>();
  const assistants = new Map<string, string[]>();
  for (const part of parts) {
    for (const [id, clients] of part.consents)
      for (const client of clients) listOf(consents, id, () => new Set<string>()).add(client);
    for (const [id, assisted] of part.assistants) listOf(assistants, id, (): string[] => []).push(...assisted);
  }
  return {
    matters,
    people,
    resources,
    consents,
    assistants,
    directory: new Map(parts.flatMap((part) => part.directory)),
    grants: createEntryTable(parts.flatMap((part) => part.grants)),
    services: createEntryTable(parts.flatMap((part) => part.services)),
    aiAssistants: new Set(parts.flatMap((part) => part.aiAssistants)),
  };
}

function* unique<T>(
  parts: readonly DataPart[],
  root: string,
  entriesOf: (part: DataPart) => readonly (readonly [string, T])[],
  report: Report,
): Generator<void, Map<string, T>> {
  const all = new Map<string, T>();
  for (const part of parts) {
    for (const [index, [id, value]] of entriesOf(part).entries()) {
      if (all.has(id)) {
        const name = id.replace('\u0000', ' ');
        const place = { file: part.file, path: [root, index], item: name };
        report.error(place, 'duplicate-id', `\`${name}\` is listed twice in ${root}`, 'remove one of the two entries');
      }
      all.set(id, value);
      if (index % STEP === STEP - 1) yield;
    }
  }
  return all;
}

function listOf<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}
