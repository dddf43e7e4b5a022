// Policy data of one file, checked against the dictionary and brought into the form that decisions read. It must never let an entry of the wrong type through.
import { AiAssistant, DataFile, Grant, Matter, Person, Resource, Service } from '../model/data.ts';
import type { GrantEntry, MatterEntry, PersonEntry, ResourceEntry, ServiceEntry } from '../model/data.ts';
import type { SourceFile } from '../model/diagnostic.ts';
import { compileReader, describeType, isAbsent, type Entry, type Reader } from './attribute-types.ts';
import { grantType, serviceType, type Dictionary } from './dictionary.ts';
import { at, type Place, type Report } from './report.ts';
import { checkEntries, checkFile } from './schema-check.ts';
import { NONE, UNKNOWN_VALUE } from './truth.ts';
import type { NameKind, Vocabulary } from './vocabulary.ts';

/** Typed values that outrank what a token or request says, by slot. */
export type OnFile = readonly { readonly slot: number; readonly path: string; readonly value: unknown }[];

export interface MatterFacts {
  readonly clientId: string;
  readonly practiceGroup: string | typeof NONE;
  readonly responsible: string | typeof NONE;
  readonly proposing: string | typeof NONE;
  readonly team: readonly string[];
  readonly onFile: OnFile;
}

export interface ResourceFacts {
  readonly type: string;
  readonly id: string;
  readonly onFile: OnFile;
}

/** What one data file says; `where` leads back to the entry for messages. */
export interface DataPart {
  readonly file: SourceFile;
  readonly matters: readonly (readonly [id: string, facts: MatterFacts])[];
  readonly grants: readonly Entry[];
  readonly services: readonly Entry[];
  readonly people: readonly (readonly [id: string, onFile: OnFile])[];
  readonly directory: readonly (readonly [id: string, attributes: Readonly<Record<string, unknown>>])[];
  readonly assistants: readonly (readonly [id: string, people: readonly string[]])[];
  readonly consents: readonly (readonly [id: string, clients: readonly string[]])[];
  readonly aiAssistants: readonly string[];
  readonly resources: readonly ResourceFacts[];
}

export interface DataContext {
  readonly names: Vocabulary;
  readonly dictionary: Dictionary;
  readonly report: Report;
}

const LISTS = {
  matters: Matter,
  grants: Grant,
  people: Person,
  services: Service,
  ai_assistants: AiAssistant,
  resources: Resource,
} as const;

/** Entries handled between two pauses. */
const STEP = 500;

/** Checks and compiles one file; pauses between slices so that a reload never stalls requests. Returns null when the file is unusable. */
export function* compileDataFile(file: SourceFile, context: DataContext): Generator<void, DataPart | null> {
  const { report } = context;
  if (!isRecord(file.value)) {
    report.add(checkFile(file, DataFile));
    return null;
  }
  const lists = new Map<keyof typeof LISTS, readonly unknown[]>();
  const rest: Record<string, unknown> = {};
  for (const [root, value] of Object.entries(file.value)) {
    if (isListRoot(root) && Array.isArray(value)) lists.set(root, value);
    else rest[root] = value;
  }
  const before = report.diagnostics.length;
  report.add(checkFile({ ...file, value: rest }, DataFile));
  for (const [root, entries] of lists) {
    for (let from = 0; from < entries.length; from += STEP) {
      report.add(checkEntries(file, [root], entries.slice(from, from + STEP), LISTS[root], from));
      yield;
    }
  }
  if (report.diagnostics.length > before) return null;

  const whole: DataFile = { ...rest };
  const part = {
    matters: [] as (readonly [string, MatterFacts])[],
    grants: [] as Entry[],
    services: [] as Entry[],
    people: [] as (readonly [string, OnFile])[],
    directory: [] as (readonly [string, Readonly<Record<string, unknown>>])[],
    resources: [] as ResourceFacts[],
  };
  const each = function* <T>(root: keyof typeof LISTS, handle: (entry: T, place: Place) => void): Generator<void> {
    const entries = (lists.get(root) ?? []) as readonly T[];
    for (const [index, entry] of entries.entries()) {
      handle(entry, { file, path: [root, index] });
      if (index % STEP === STEP - 1) yield;
    }
  };
  yield* each<MatterEntry>('matters', (entry, place) =>
    part.matters.push([entry.id, matterFacts(entry, place, context)]),
  );
  const readGrant = compileReader(grantType(context.names));
  yield* each<GrantEntry>('grants', (entry, place) => {
    const grant = readEntry(readGrant, entry, { ...place, item: entry.id }, report);
    plainNames('action', entry.actions, at({ ...place, item: entry.id }, 'actions'), context);
    part.grants.push(grant);
  });
  const readService = compileReader(serviceType(context.names));
  yield* each<ServiceEntry>('services', (entry, place) => {
    checkService(entry, { ...place, item: entry.sub }, context);
    part.services.push(readEntry(readService, entry, { ...place, item: entry.sub }, report));
  });
  yield* each<PersonEntry>('people', (entry, place) => {
    const { id, directory, ...overrides } = entry;
    const here = { ...place, item: id };
    part.people.push([id, onFile('subject', overrides, here, context)]);
    if (directory === undefined) return;
    onFile('subject', directory, at(here, 'directory'), context);
    part.directory.push([id, directory]);
  });
  yield* each<ResourceEntry>('resources', (entry, place) => {
    const here = { ...place, item: `${entry.type} ${entry.id}` };
    plainNames('resource type', [entry.type], at(here, 'type'), context);
    part.resources.push({
      type: entry.type,
      id: entry.id,
      onFile: onFile('resource', entry.properties ?? {}, at(here, 'properties'), context),
    });
  });
  for (const id of Object.keys(whole.consents ?? {})) {
    if (!context.names.consents.has(id))
      report.unknown({ file, path: ['consents', id] }, 'consent list', id, context.names.consents.keys());
  }
  const assistants = (lists.get('ai_assistants') ?? []) as readonly { sub: string }[];
  return {
    file,
    ...part,
    assistants: Object.entries(whole.assistants ?? {}),
    consents: Object.entries(whole.consents ?? {}),
    aiAssistants: assistants.map(({ sub }) => sub),
  };
}

const NOTHING_ON_FILE: OnFile = [];

function matterFacts(entry: MatterEntry, place: Place, context: DataContext): MatterFacts {
  const here = { ...place, item: entry.id };
  for (const name of ['matter_id', 'client_id']) {
    if (entry.properties?.[name] !== undefined) {
      context.report.error(
        at(here, 'properties', name),
        'reserved-property',
        `\`${name}\` of a matter cannot stand in its properties`,
        'the entry itself says it',
      );
    }
  }
  return {
    clientId: entry.client_id,
    practiceGroup: entry.practice_group ?? NONE,
    responsible: entry.responsible_attorney ?? NONE,
    proposing: entry.proposing_partner ?? NONE,
    team: entry.team ?? [],
    onFile:
      entry.properties === undefined
        ? NOTHING_ON_FILE
        : onFile('resource', entry.properties, at(here, 'properties'), context),
  };
}

function onFile(
  namespace: 'subject' | 'resource',
  values: Readonly<Record<string, unknown>>,
  place: Place,
  context: DataContext,
): OnFile {
  const result: { slot: number; path: string; value: unknown }[] = [];
  for (const [name, raw] of Object.entries(values)) {
    if (isAbsent(raw)) continue;
    const path = `${namespace}.${name}`;
    const attribute = context.dictionary.byPath.get(path);
    // Only what a token or request may carry: never the id or type by which the entry is found.
    if (attribute === undefined || !context.dictionary.declared.includes(attribute)) {
      const known = context.dictionary.declared.filter((one) => one.namespace === namespace).map((one) => one.name);
      context.report.unknown(at(place, name), `${namespace} attribute`, name, known);
      continue;
    }
    const value = attribute.read(raw);
    if (value === UNKNOWN_VALUE) {
      context.report.error(at(place, name), 'wrong-type', `\`${path}\` must be ${describeType(attribute.type)}`);
    }
    result.push({ slot: attribute.slot, path, value });
  }
  return result;
}

function readEntry(reader: Reader, entry: GrantEntry | ServiceEntry, place: Place, report: Report): Entry {
  const read = reader(entry);
  if (!isRecord(read)) return {};
  for (const [field, value] of Object.entries(read)) {
    if (value === UNKNOWN_VALUE)
      report.error(
        at(place, field),
        'wrong-type',
        `\`${field}\` has the wrong form`,
        'instants are RFC 3339, such as 2026-03-01T00:00:00Z',
      );
  }
  return read;
}

function checkService(entry: ServiceEntry, place: Place, context: DataContext): void {
  const { names, report } = context;
  for (const [index, system] of entry.source_systems.entries()) {
    if (!names.sourceSystems.has(system))
      report.unknown(at(place, 'source_systems', index), 'source system', system, names.sourceSystems);
  }
  for (const [index, job] of entry.allowed.entries()) {
    plainNames('resource type', [job.resource_type], at(place, 'allowed', index, 'resource_type'), context);
    plainNames('action', job.actions, at(place, 'allowed', index, 'actions'), context);
  }
}

/** Requests name actions and types, never groups: an entry that names a group would match nothing. */
function plainNames(kind: NameKind, list: readonly string[], place: Place, { names, report }: DataContext): void {
  for (const [index, name] of list.entries()) {
    const here = kind === 'action' ? at(place, index) : place;
    const plain = kind === 'action' ? names.actions : names.resourceTypes;
    if (plain.has(name)) continue;
    const members = names.expand(kind, [name], here, report);
    if (members.size === 0) continue; // reported as unknown
    report.error(here, 'group-in-data', `\`${name}\` is a group`, `name its members: ${[...members].join(', ')}`);
  }
}

function isListRoot(root: string): root is keyof typeof LISTS {
  return Object.hasOwn(LISTS, root);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
