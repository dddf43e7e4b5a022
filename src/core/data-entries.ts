// One entry of policy data, checked against the dictionary and brought into the form that decisions read. It must never let an entry of the wrong type through.
import { AiAssistant, Grant, Matter, Person, Resource, Service } from '../model/data.ts';
import type { GrantEntry, MatterEntry, PersonEntry, ResourceEntry, ServiceEntry } from '../model/data.ts';
import { compileReader, describeType, isAbsent, type Entry, type Reader } from './attribute-types.ts';
import { grantType, serviceType, type Dictionary } from './dictionary.ts';
import { at, type Place, type Report } from './report.ts';
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

/** What entries that stand behind each other in one list become. */
export interface Piece {
  readonly matters: (readonly [id: string, facts: MatterFacts])[];
  readonly grants: Entry[];
  readonly services: Entry[];
  readonly people: (readonly [id: string, onFile: OnFile])[];
  readonly directory: (readonly [id: string, attributes: Readonly<Record<string, unknown>>])[];
  readonly resources: ResourceFacts[];
  readonly aiAssistants: string[];
}

export interface DataContext {
  readonly names: Vocabulary;
  readonly dictionary: Dictionary;
  readonly report: Report;
}

/** How an entry of each list is read, after it was found to fit its schema. */
export type EntryReaders = Readonly<Record<ListRoot, (entry: unknown, place: Place, piece: Piece) => void>>;

/** In the order in which they are read. */
export const LISTS = {
  matters: Matter,
  grants: Grant,
  services: Service,
  people: Person,
  resources: Resource,
  ai_assistants: AiAssistant,
} as const;

export type ListRoot = keyof typeof LISTS;

export function isListRoot(root: string): root is ListRoot {
  return Object.hasOwn(LISTS, root);
}

export function emptyPiece(): Piece {
  return { matters: [], grants: [], services: [], people: [], directory: [], resources: [], aiAssistants: [] };
}

export function createEntryReaders(context: DataContext): EntryReaders {
  const { names, report } = context;
  const readGrant = compileReader(grantType(names));
  const readService = compileReader(serviceType(names));
  return {
    matters(entry, place, { matters }) {
      const matter = entry as MatterEntry;
      matters.push([matter.id, matterFacts(matter, place, context)]);
    },
    grants(entry, place, { grants }) {
      const grant = entry as GrantEntry;
      const here = { ...place, item: grant.id };
      const read = readEntry(readGrant, grant, here, report);
      plainNames('action', grant.actions, at(here, 'actions'), context);
      grants.push(read);
    },
    services(entry, place, { services }) {
      const service = entry as ServiceEntry;
      const here = { ...place, item: service.sub };
      checkService(service, here, context);
      services.push(readEntry(readService, service, here, report));
    },
    people(entry, place, { people, directory }) {
      const { id, directory: said, ...overrides } = entry as PersonEntry;
      const here = { ...place, item: id };
      people.push([id, onFile('subject', overrides, here, context)]);
      if (said === undefined) return;
      onFile('subject', said, at(here, 'directory'), context);
      directory.push([id, said]);
    },
    resources(entry, place, { resources }) {
      const { type, id, properties = {} } = entry as ResourceEntry;
      const here = { ...place, item: `${type} ${id}` };
      plainNames('resource type', [type], at(here, 'type'), context);
      resources.push({ type, id, onFile: onFile('resource', properties, at(here, 'properties'), context) });
    },
    ai_assistants(entry, _, { aiAssistants }) {
      aiAssistants.push((entry as { readonly sub: string }).sub);
    },
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
    result.push({ slot: attribute.slot, path: attribute.path, value });
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
