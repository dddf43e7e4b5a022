// Brings one request and what is on file about it into a frame. It must never let what a caller says outrank what is on file.
import type { DecisionRequest, RecordedFacts } from '../model/decision.ts';
import { isAbsent } from './attribute-types.ts';
import type { OnFile } from './data.ts';
import { SLOT, type Attribute } from './dictionary.ts';
import type { Frame } from './frame.ts';
import { resourceKey } from './merge-data.ts';
import type { PolicySet } from './policy-set.ts';
import { NONE, UNKNOWN_VALUE } from './truth.ts';

export interface Facts {
  readonly frame: Frame;
  /** Attributes a caller should have sent, or sent with the wrong type. Depends on the request, the kind of subject and the dictionary alone (P7). */
  readonly missing: readonly string[];
  readonly recorded: RecordedFacts;
}

const NOTHING: OnFile = [];

export function gatherFacts(set: PolicySet, request: DecisionRequest): Facts {
  const slots = [...set.template];
  const { dictionary } = set.firm;
  const absent = new Uint8Array(slots.length);
  slots[SLOT.subjectId] = request.subject.id === '' ? UNKNOWN_VALUE : request.subject.id;
  slots[SLOT.actorId] = request.actor ?? NONE;
  slots[SLOT.actionName] = request.action;
  slots[SLOT.resourceType] = request.resource.type;
  slots[SLOT.resourceId] = request.resource.id;
  slots[SLOT.now] = request.now;
  readOne(dictionary.byPath.get('context.source_system'), request.sourceSystem, slots, absent, true);
  readOne(dictionary.byPath.get('context.approvals'), request.approvals, slots, absent, false);
  if (request.actor === null) absent[SLOT.actorId] = 1;

  const person = set.data.people.get(request.subject.id) ?? NOTHING;
  const resource = set.data.resources.get(resourceKey(request.resource.type, request.resource.id)) ?? NOTHING;
  const userType = effectiveUserType(request, person, dictionary.declared);
  const required = dictionary.required(request.resource.type, request.action, userType);
  const missing: string[] = [];
  for (const attribute of dictionary.declared) {
    const { slot } = attribute;
    readOne(attribute, rawValue(request, attribute), slots, absent, required[slot] === 1);
    if (slots[slot] === UNKNOWN_VALUE) missing.push(attribute.path);
  }
  if (slots[SLOT.sourceSystem] === UNKNOWN_VALUE) missing.push('context.source_system');

  const onFile: string[] = [];
  layOver(person, slots, absent, onFile);
  const matterAttribute = dictionary.byPath.get('resource.matter_id');
  layOver(resource, slots, absent, onFile);
  derive(SLOT.matterId, request.resource.type === 'matter', matterAttribute, request, slots, absent);
  derive(
    SLOT.clientId,
    request.resource.type === 'client',
    dictionary.byPath.get('resource.client_id'),
    request,
    slots,
    absent,
  );
  const matterOnFile = lookUpMatter(set, slots);
  // The entry of the resource itself is more exact than that of its matter.
  layOver(
    matterOnFile.filter(({ slot }) => !resource.some((own) => own.slot === slot)),
    slots,
    absent,
    onFile,
  );

  return {
    frame: { slots, absent, now: request.now, entry: null, matched: [] },
    missing: missing.sort(),
    recorded: recordedFacts(set, request, slots, onFile),
  };
}

function rawValue(request: DecisionRequest, { namespace, name }: Attribute): unknown {
  const values =
    namespace === 'subject'
      ? request.subject.attributes
      : namespace === 'resource'
        ? request.resource.properties
        : request.context;
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

function readOne(
  attribute: Attribute | undefined,
  raw: unknown,
  slots: unknown[],
  absent: Uint8Array,
  required: boolean,
): void {
  if (attribute === undefined) return;
  if (isAbsent(raw)) {
    absent[attribute.slot] = 1;
    slots[attribute.slot] = required ? UNKNOWN_VALUE : attribute.whenAbsent;
  } else {
    slots[attribute.slot] = attribute.read(raw);
  }
}

/** Undefined while absent or mistyped: what is required of some kinds of people is then required. */
function effectiveUserType(
  request: DecisionRequest,
  person: OnFile,
  declared: readonly Attribute[],
): string | undefined {
  const onFile = person.find(({ slot }) => slot === SLOT.userType)?.value;
  const attribute = declared.find(({ slot }) => slot === SLOT.userType);
  const value = onFile ?? attribute?.read(request.subject.attributes['user_type']);
  return typeof value === 'string' ? value : undefined;
}

function layOver(values: OnFile, slots: unknown[], absent: Uint8Array, onFile: string[]): void {
  for (const { slot, path, value } of values) {
    slots[slot] = value;
    absent[slot] = 0;
    onFile.push(path);
  }
}

/** For the type itself (matter, client) the resource id is the id; for every other type the attribute is. */
function derive(
  target: number,
  isItself: boolean,
  attribute: Attribute | undefined,
  request: DecisionRequest,
  slots: unknown[],
  absent: Uint8Array,
): void {
  if (isItself) {
    slots[target] = request.resource.id;
  } else {
    slots[target] = attribute === undefined ? NONE : slots[attribute.slot];
    absent[target] = attribute === undefined ? 1 : (absent[attribute.slot] ?? 0);
  }
}

function lookUpMatter(set: PolicySet, slots: unknown[]): OnFile {
  const id = slots[SLOT.matterId];
  if (id === UNKNOWN_VALUE) {
    for (let slot: number = SLOT.matterRegistered; slot <= SLOT.matterTeam; slot++) slots[slot] = UNKNOWN_VALUE;
    return NOTHING;
  }
  const matter = typeof id === 'string' ? set.data.matters.get(id) : undefined;
  slots[SLOT.matterRegistered] = matter !== undefined;
  slots[SLOT.matterClient] = matter?.clientId ?? NONE;
  slots[SLOT.matterPracticeGroup] = matter?.practiceGroup ?? NONE;
  slots[SLOT.matterResponsible] = matter?.responsible ?? NONE;
  slots[SLOT.matterProposing] = matter?.proposing ?? NONE;
  slots[SLOT.matterTeam] = matter?.team ?? [];
  return matter?.onFile ?? NOTHING;
}

function recordedFacts(
  set: PolicySet,
  request: DecisionRequest,
  slots: readonly unknown[],
  onFile: string[],
): RecordedFacts {
  const values = {
    subject: {} as Record<string, unknown>,
    resource: {} as Record<string, unknown>,
    context: {} as Record<string, unknown>,
  };
  const freeText: string[] = [];
  for (const attribute of set.recorded) {
    const { namespace, name } = attribute;
    if (namespace !== 'subject' && namespace !== 'resource' && namespace !== 'context') continue;
    const raw = rawValue(request, attribute);
    values[namespace][name] = isAbsent(raw) ? null : raw;
    if (attribute.freeText && !isAbsent(raw)) freeText.push(attribute.path);
  }
  return {
    matter: textOf(slots[SLOT.matterId]),
    client: textOf(slots[SLOT.clientId]),
    ...values,
    onFile: onFile.sort(),
    freeText: freeText.sort(),
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
