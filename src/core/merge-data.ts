// Joins the parts of all data files into one set of look-ups. It must never let one entry silently replace another.
import type { DataPart, Pieces } from './data.ts';
import type { MatterFacts, OnFile } from './data-entries.ts';
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

/** What was joined last, and of which objects: the same ones are not joined again. */
interface Joined<T> {
  last: { readonly of: readonly object[]; readonly value: T } | null;
}

export type MergeMemory = { readonly [Name in keyof PolicyData]: Joined<PolicyData[Name]> };

export function createMergeMemory(): MergeMemory {
  return {
    matters: { last: null },
    grants: { last: null },
    services: { last: null },
    people: { last: null },
    directory: { last: null },
    assistants: { last: null },
    consents: { last: null },
    aiAssistants: { last: null },
    resources: { last: null },
  };
}

const STEP = 2_000;

export function resourceKey(type: string, id: string): string {
  return `${type}\u0000${id}`;
}

export function* mergeData(
  parts: readonly DataPart[],
  report: Report,
  memory: MergeMemory = createMergeMemory(),
): Generator<void, PolicyData> {
  const byId = <T, V>(
    root: string,
    listOf: (part: DataPart) => Pieces<T>,
    entryOf: (item: T) => readonly [string, V],
  ) => unique(parts, root, listOf, entryOf, report);
  const table = function* (root: 'grants' | 'services', id: string): Generator<void, EntryTable> {
    yield* byId(
      root,
      (part) => part[root],
      (entry) => [String(entry[id]), entry],
    );
    return createEntryTable(parts.flatMap((part) => part[root].flat()));
  };
  const joined = function* <T>(joint: Joined<T>, of: readonly object[], join: () => Generator<void, T>) {
    if (joint.last !== null && isSame(joint.last.of, of)) return joint.last.value;
    const before = report.diagnostics.length;
    const value = yield* join();
    joint.last = report.diagnostics.length === before ? { of, value } : null;
    return value;
  };
  const of = (listOf: (part: DataPart) => readonly object[]): readonly object[] => parts.flatMap(listOf);
  return {
    matters: yield* joined(
      memory.matters,
      of(({ matters }) => matters),
      () =>
        byId(
          'matters',
          ({ matters }) => matters,
          (entry) => entry,
        ),
    ),
    people: yield* joined(
      memory.people,
      of(({ people }) => people),
      () =>
        byId(
          'people',
          ({ people }) => people,
          (entry) => entry,
        ),
    ),
    resources: yield* joined(
      memory.resources,
      of(({ resources }) => resources),
      () =>
        byId(
          'resources',
          ({ resources }) => resources,
          ({ type, id, onFile }) => [resourceKey(type, id), onFile],
        ),
    ),
    grants: yield* joined(
      memory.grants,
      of(({ grants }) => grants),
      () => table('grants', 'id'),
    ),
    services: yield* joined(
      memory.services,
      of(({ services }) => services),
      () => table('services', 'sub'),
    ),
    directory: yield* joined(
      memory.directory,
      of(({ directory }) => directory),
      function* () {
        yield;
        return new Map(parts.flatMap(({ directory }) => directory.flat()));
      },
    ),
    assistants: yield* joined(memory.assistants, filled(parts.map(({ assistants }) => assistants)), function* () {
      yield;
      return joinLists(parts.map(({ assistants }) => assistants));
    }),
    consents: yield* joined(memory.consents, filled(parts.map(({ consents }) => consents)), function* () {
      yield;
      const lists = joinLists(parts.map(({ consents }) => consents));
      return new Map([...lists].map(([id, clients]) => [id, new Set(clients)] as const));
    }),
    aiAssistants: yield* joined(
      memory.aiAssistants,
      of(({ aiAssistants }) => aiAssistants),
      function* () {
        yield;
        return new Set(parts.flatMap(({ aiAssistants }) => aiAssistants.flat()));
      },
    ),
  };
}

function* unique<T, V>(
  parts: readonly DataPart[],
  root: string,
  listOf: (part: DataPart) => Pieces<T>,
  entryOf: (item: T) => readonly [string, V],
  report: Report,
): Generator<void, Map<string, V>> {
  const all = new Map<string, V>();
  for (const part of parts) {
    let index = 0;
    for (const piece of listOf(part)) {
      for (const item of piece) {
        const [id, value] = entryOf(item);
        if (all.has(id)) {
          const name = id.replace('\u0000', ' ');
          const place = { file: part.file, path: [root, index], item: name };
          report.error(
            place,
            'duplicate-id',
            `\`${name}\` is listed twice in ${root}`,
            'remove one of the two entries',
          );
        }
        all.set(id, value);
        index++;
        if (index % STEP === 0) yield;
      }
    }
  }
  return all;
}

function joinLists(parts: readonly Readonly<Record<string, readonly string[]>>[]): Map<string, readonly string[]> {
  const all = new Map<string, string[]>();
  for (const part of parts) {
    for (const [id, list] of Object.entries(part)) {
      const before = all.get(id);
      if (before === undefined) all.set(id, [...list]);
      else before.push(...list);
    }
  }
  return all;
}

function filled<T extends object>(objects: readonly T[]): readonly T[] {
  return objects.filter((one) => Object.keys(one).length > 0);
}

export function isSame(left: readonly object[], right: readonly object[]): boolean {
  return left.length === right.length && left.every((one, index) => one === right[index]);
}
