// The data dictionary: every attribute a condition may name, its type, where it comes from and what its absence means. It must never hold a value of a request.
import { USER_TYPES, type AttributeEntry, type FirmFile, type RequiredForEntry } from '../model/firm.ts';
import { compileReader, describeType, isAbsent, typeOf, type AttributeType, type Reader } from './attribute-types.ts';
import { flat } from './flat.ts';
import { at, type Place, type Report } from './report.ts';
import { NONE, UNKNOWN_VALUE } from './truth.ts';
import type { Vocabulary } from './vocabulary.ts';

export type Namespace = 'subject' | 'actor' | 'action' | 'resource' | 'context' | 'matter' | 'client' | 'data' | 'now';
const OF_RESOURCE: ReadonlySet<Namespace> = new Set<Namespace>(['resource', 'matter', 'client']);

/** What differs from one resource to the next: said or on file about it, its matter or its client. */
export function isOfResource(namespace: Namespace): boolean {
  return OF_RESOURCE.has(namespace);
}

export type Source = 'token' | 'request' | 'caller' | 'approvals' | 'policy data' | 'derived';

export type Presence =
  | { readonly kind: 'required' }
  | {
      readonly kind: 'required_for';
      readonly entries: readonly CompiledRequiredFor[];
      /** Of its absence elsewhere; null: the author did not say. */
      readonly meaning: string | null;
    }
  | { readonly kind: 'optional'; readonly meaning: string }
  | { readonly kind: 'default'; readonly value: unknown };

export interface CompiledRequiredFor {
  readonly resources: ReadonlySet<string> | null;
  /** Null: all actions. */
  readonly actions: ReadonlySet<string> | null;
  readonly exceptActions: ReadonlySet<string> | null;
  readonly userTypes: ReadonlySet<string> | null;
}

export interface Attribute {
  readonly path: string;
  readonly namespace: Namespace;
  readonly name: string;
  /** Index into the slots of a frame. */
  readonly slot: number;
  readonly type: AttributeType;
  readonly presence: Presence;
  readonly source: Source;
  readonly freeText: boolean;
  readonly read: Reader;
  /** Value of the slot when the attribute is absent and not required. */
  readonly whenAbsent: unknown;
}

export interface Dictionary {
  readonly attributes: readonly Attribute[];
  readonly byPath: ReadonlyMap<string, Attribute>;
  /** Declared attributes that a token or a request carries, in slot order. */
  readonly declared: readonly Attribute[];
}

/** Fixed slots, so that facts.ts and walls.ts need no look-up. */
export const SLOT = {
  subjectId: 0,
  roles: 1,
  userType: 2,
  actorId: 3,
  actionName: 4,
  resourceType: 5,
  resourceId: 6,
  sourceSystem: 7,
  approvals: 8,
  matterId: 9,
  matterRegistered: 10,
  matterClient: 11,
  matterPracticeGroup: 12,
  matterResponsible: 13,
  matterProposing: 14,
  matterTeam: 15,
  clientId: 16,
  now: 17,
  grants: 18,
  services: 19,
} as const;

const text: AttributeType = { kind: 'string' };
const person: AttributeType = { kind: 'person' };
const timestamp: AttributeType = { kind: 'timestamp' };
const listOf = (items: AttributeType): AttributeType => ({ kind: 'list', items });
const objectOf = (fields: Record<string, AttributeType>): AttributeType => ({
  kind: 'object',
  fields: new Map(Object.entries(fields)),
});
const enumOf = (values: Iterable<string>): AttributeType => ({ kind: 'enum', values: [...values], ordered: false });
const openEnumOf = (values: Iterable<string>): AttributeType => ({
  kind: 'enum',
  values: [...values],
  ordered: false,
  open: true,
});

const REQUIRED: Presence = { kind: 'required' };
const optional = (meaning: string): Presence => ({ kind: 'optional', meaning });

/** Types of the entries of data.grants and data.services. */
export function grantType(names: Vocabulary): AttributeType {
  return objectOf({
    id: text,
    granted_to: person,
    matter_id: text,
    actions: listOf(openEnumOf(names.actions.keys())),
    valid_from: timestamp,
    valid_until: timestamp,
    approved_by: person,
    reason: text,
  });
}

export function serviceType(names: Vocabulary): AttributeType {
  const [actions, types] = [openEnumOf(names.actions.keys()), openEnumOf(names.resourceTypes.keys())];
  return objectOf({
    sub: person,
    source_systems: listOf(openEnumOf(names.sourceSystems)),
    allowed: listOf(objectOf({ resource_type: types, actions: listOf(actions) })),
  });
}

type BuiltIn = readonly [path: string, type: AttributeType, presence: Presence, source: Source];

function builtIns(names: Vocabulary): BuiltIn[] {
  const nobody = optional('nobody');
  const notRegistered = optional('the matter is not registered');
  return [
    ['subject.id', person, REQUIRED, 'token'],
    ['subject.roles', listOf(enumOf(names.roles.keys())), REQUIRED, 'token'],
    ['subject.user_type', enumOf(USER_TYPES), REQUIRED, 'token'],
    ['actor.id', person, optional('nobody acts for the subject'), 'token'],
    ['action.name', openEnumOf(names.actions.keys()), REQUIRED, 'request'],
    ['resource.type', openEnumOf(names.resourceTypes.keys()), REQUIRED, 'request'],
    ['resource.id', text, REQUIRED, 'request'],
    ['context.source_system', enumOf(names.sourceSystems), REQUIRED, 'caller'],
    [
      'context.approvals',
      listOf(objectOf({ by: person, role: openEnumOf(names.roles.keys()) })),
      { kind: 'default', value: [] },
      'approvals',
    ],
    ['matter.id', text, optional('belongs to no single matter'), 'derived'],
    ['matter.registered', { kind: 'boolean' }, REQUIRED, 'derived'],
    ['matter.client_id', text, notRegistered, 'policy data'],
    ['matter.practice_group', text, notRegistered, 'policy data'],
    ['matter.responsible_attorney', person, nobody, 'policy data'],
    ['matter.proposing_partner', person, nobody, 'policy data'],
    ['matter.team', listOf(person), { kind: 'default', value: [] }, 'policy data'],
    ['client.id', text, optional('belongs to no single client'), 'derived'],
    ['now', timestamp, REQUIRED, 'derived'],
    ['data.grants', listOf(grantType(names)), { kind: 'default', value: [] }, 'policy data'],
    ['data.services', listOf(serviceType(names)), { kind: 'default', value: [] }, 'policy data'],
    ...[...names.consents.keys()].map((id): BuiltIn => [
      `data.consents.${id}`,
      listOf(text),
      { kind: 'default', value: [] },
      'policy data',
    ]),
  ];
}

export function compileDictionary(firm: FirmFile, names: Vocabulary, place: Place, report: Report): Dictionary {
  const attributes: Attribute[] = [];
  const byPath = new Map<string, Attribute>();
  const add = (path: string, type: AttributeType, presence: Presence, source: Source, freeText = false) => {
    const [namespace = '', ...rest] = path.split('.');
    const read = compileReader(type, source === 'token');
    const whenAbsent: unknown = presence.kind === 'default' ? read(presence.value) : NONE;
    const attribute: Attribute = {
      path,
      namespace: namespace as Namespace,
      name: rest.join('.'),
      slot: attributes.length,
      type,
      presence,
      source,
      freeText,
      read,
      whenAbsent,
    };
    attributes.push(attribute);
    byPath.set(path, attribute);
    return attribute;
  };
  for (const builtIn of builtIns(names)) add(...builtIn);

  const declared: Attribute[] = ['subject.roles', 'subject.user_type'].flatMap((path) => byPath.get(path) ?? []);
  for (const namespace of ['subject', 'resource', 'context'] as const) {
    for (const [name, entry] of Object.entries(firm.attributes[namespace] ?? {})) {
      const path = flat(`${namespace}.${name}`);
      const here = at(place, 'attributes', namespace, name);
      // Every object has a member of the one name, sent or not; a dot would make a field of an object of the other.
      if (name === 'constructor' || name.includes('.')) {
        report.error(here, 'reserved-name', `an attribute cannot be named \`${name}\``, 'choose another name');
        continue;
      }
      if (byPath.has(path)) {
        report.error(here, 'built-in-attribute', `\`${path}\` is built in and cannot be declared`, 'remove the entry');
        continue;
      }
      const type = typeOf(entry);
      if ('problem' in type) report.error(here, 'attribute-type', `\`${path}\`: ${type.problem}`);
      const presence = presenceOf(entry, names, here, path, report);
      if ('problem' in type) continue;
      const attribute = add(
        path,
        type,
        presence ?? optional(''), // so that rules naming it are not called wrong as well
        namespace === 'subject' ? 'token' : 'request',
        entry.free_text === true,
      );
      if (presence?.kind === 'default' && (isAbsent(presence.value) || attribute.whenAbsent === UNKNOWN_VALUE)) {
        report.error(at(here, 'default'), 'wrong-type', `the default of \`${path}\` must be ${describeType(type)}`);
      }
      declared.push(attribute);
    }
  }
  return { attributes, byPath, declared };
}

function presenceOf(
  entry: AttributeEntry,
  names: Vocabulary,
  here: Place,
  path: string,
  report: Report,
): Presence | null {
  const stated = (['required', 'required_for', 'default'] as const).filter((key) => entry[key] !== undefined);
  // Words may stand beside required_for: they say what absence means outside it.
  const contradicted = entry.optional !== undefined && stated[0] !== 'required_for';
  if (stated.length > 1 || (stated.length === 0 ? entry.optional === undefined : contradicted)) {
    report.error(
      here,
      'attribute-presence',
      `\`${path}\` must say what its absence means: exactly one of required, required_for, optional or default`,
      'write `optional: what absence means, in words` when absence is harmless',
    );
    return null;
  }
  if (entry.required === true) return REQUIRED;
  if (entry.default !== undefined) return { kind: 'default', value: entry.default };
  if (entry.required_for === undefined) return optional(entry.optional ?? '');
  const entries = entry.required_for.map((one, index) =>
    compileRequiredFor(one, names, at(here, 'required_for', index), report),
  );
  return { kind: 'required_for', entries, meaning: entry.optional ?? null };
}

function compileRequiredFor(
  entry: RequiredForEntry,
  names: Vocabulary,
  place: Place,
  report: Report,
): CompiledRequiredFor {
  const { actions } = entry;
  const except = typeof actions === 'object' && !Array.isArray(actions) ? actions.except : null;
  return {
    resources:
      entry.resources === undefined
        ? null
        : names.expand('resource type', entry.resources, at(place, 'resources'), report),
    actions: Array.isArray(actions) ? names.expand('action', actions, at(place, 'actions'), report) : null,
    exceptActions: except === null ? null : names.expand('action', except, at(place, 'actions', 'except'), report),
    userTypes: entry.user_types === undefined ? null : new Set(entry.user_types),
  };
}

/** While user_type itself is absent, a condition on user types counts as met: the dictionary then asks for more, never for less. */
export function isRequired(
  presence: Presence,
  resourceType: string,
  action: string,
  userType: string | undefined,
): boolean {
  if (presence.kind === 'required') return true;
  if (presence.kind !== 'required_for') return false;
  return presence.entries.some(
    (entry) =>
      (entry.resources === null || entry.resources.has(resourceType)) &&
      (entry.actions === null || entry.actions.has(action)) &&
      (entry.exceptActions === null || !entry.exceptActions.has(action)) &&
      (entry.userTypes === null || userType === undefined || entry.userTypes.has(userType)),
  );
}
