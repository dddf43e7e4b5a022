// Brings one request and what is on file about it into a frame. It must never let what a caller says outrank what is on file.
import type { DecisionRequest } from '../model/decision.ts';
import { isAbsent } from './attribute-types.ts';
import type { OnFile } from './data-entries.ts';
import { SLOT, type Attribute } from './dictionary.ts';
import type { FactsPlan, Start } from './facts-plan.ts';
import type { Frame } from './frame.ts';
import { resourceKey } from './merge-data.ts';
import type { PolicySet } from './policy-set.ts';
import { NONE, UNKNOWN_VALUE } from './truth.ts';

export interface Facts {
  readonly frame: Frame;
  /** Attributes a caller should have sent, or sent with the wrong type. Depends on the request, the kind of subject and the dictionary alone (P7). */
  readonly missing: readonly string[];
  readonly matter: string | null;
  readonly client: string | null;
  /** Paths whose value came from policy data instead of the token or request, sorted. */
  readonly onFile: readonly string[];
}

type Values = Readonly<Record<string, unknown>>;
type Slots = Pick<Frame, 'slots' | 'absent'>;

const NOTHING: OnFile = [];
const NO_TEAM: readonly string[] = [];

export function gatherFacts(set: PolicySet, request: DecisionRequest): Facts {
  const { plan, data } = set;
  const { subject, resource } = request;
  const person = data.people.get(subject.id) ?? NOTHING;
  const ownFile =
    data.resources.size === 0 ? NOTHING : (data.resources.get(resourceKey(resource.type, resource.id)) ?? NOTHING);
  const start = plan.start(resource.type, request.action, userTypeOf(set, subject.attributes, person));
  const slots = start.slots.slice();
  const absent = start.absent.slice();
  const frame: Frame = {
    slots,
    absent,
    now: request.now,
    entry: null,
    matched: [],
    terms: set.noTerms.slice(),
    gates: 0,
  };
  const missing: string[] = [];
  if (subject.id === '') missing.push('subject.id');
  if (resource.id === '') missing.push('resource.id');

  slots[SLOT.subjectId] = subject.id === '' ? UNKNOWN_VALUE : subject.id;
  slots[SLOT.actionName] = request.action;
  slots[SLOT.resourceType] = resource.type;
  slots[SLOT.resourceId] = resource.id === '' ? UNKNOWN_VALUE : resource.id;
  slots[SLOT.now] = request.now;
  if (request.actor !== null) {
    slots[SLOT.actorId] = request.actor;
    absent[SLOT.actorId] = 0;
  }
  state(plan.sourceSystem, request.sourceSystem, frame, missing);
  state(plan.approvals, request.approvals, frame, missing);
  stateSubject(plan, subject.attributes, frame, missing);
  stateAll(plan.members.resource, resource.properties, frame, missing);
  stateAll(plan.members.context, request.context, frame, missing);
  for (const slot of start.requiredSlots) if (absent[slot] === 1) missing.push(pathOf(start, slot));

  const onFile: string[] = [];
  layOver(person, frame, onFile);
  frame.gates = set.gates.ofSubject(slots[SLOT.roles]);
  layOver(ownFile, frame, onFile);
  derive(SLOT.matterId, resource.type === 'matter', plan.matterId, frame);
  derive(SLOT.clientId, resource.type === 'client', plan.clientId, frame);
  const matterFile = lookUpMatter(set, slots);
  // The entry of the resource itself is more exact than that of its matter.
  if (matterFile.length > 0) layOver(ownFile.length === 0 ? matterFile : without(matterFile, ownFile), frame, onFile);

  return {
    frame,
    missing: missing.length < 2 ? missing : missing.sort(),
    matter: textOf(slots[SLOT.matterId]),
    client: textOf(slots[SLOT.clientId]),
    onFile: onFile.length < 2 ? onFile : onFile.sort(),
  };
}

function pathOf({ required }: Start, slot: number): string {
  return required.find((attribute) => attribute.slot === slot)?.path ?? '';
}

/** Puts those values that the dictionary declares into their slots. */
function stateAll(members: ReadonlyMap<string, Attribute>, values: Values, frame: Slots, missing: string[]): void {
  for (const name in values) {
    const attribute = members.get(name);
    if (attribute !== undefined) state(attribute, values[name], frame, missing);
  }
}

/** What a token states, in the words of one dictionary. */
interface Stated {
  readonly plan: FactsPlan;
  readonly slots: readonly number[];
  readonly values: readonly unknown[];
  readonly missing: readonly string[];
}

/** Many requests come with one token, whose attributes never change: they are read once. */
const statedBySubject = new WeakMap<Values, Stated>();

function stateSubject(plan: FactsPlan, attributes: Values, { slots, absent }: Frame, missing: string[]): void {
  let stated = statedBySubject.get(attributes);
  if (stated === undefined || stated.plan !== plan) {
    stated = readSubject(plan, attributes, slots.length);
    statedBySubject.set(attributes, stated);
  }
  for (let index = 0; index < stated.slots.length; index++) {
    const slot = stated.slots[index] ?? 0;
    slots[slot] = stated.values[index];
    absent[slot] = 0;
  }
  for (const path of stated.missing) missing.push(path);
}

function readSubject(plan: FactsPlan, attributes: Values, size: number): Stated {
  const missing: string[] = [];
  const values: unknown[] = [];
  const absent: number[] = Array.from({ length: size }, () => 1);
  stateAll(plan.members.subject, attributes, { slots: values, absent }, missing);
  const slots = absent.flatMap((one, slot) => (one === 0 ? [slot] : []));
  return { plan, slots, values: slots.map((slot) => values[slot]), missing };
}

function state(attribute: Attribute, raw: unknown, { slots, absent }: Slots, missing: string[]): void {
  if (isAbsent(raw)) return;
  const value = attribute.read(raw);
  slots[attribute.slot] = value;
  absent[attribute.slot] = 0;
  if (value === UNKNOWN_VALUE) missing.push(attribute.path);
  else if (typeof value === 'object') checkFields(attribute, value, missing);
}

function checkFields({ type, path }: Attribute, value: unknown, missing: string[]): void {
  if (type.kind === 'object') {
    for (const field of mistypedFields(value)) missing.push(`${path}.${field}`);
  } else if (type.kind === 'list' && type.items.kind === 'object' && Array.isArray(value)) {
    if (value.some((entry) => mistypedFields(entry).length > 0)) missing.push(path);
  }
}

function mistypedFields(entry: unknown): string[] {
  if (typeof entry !== 'object' || entry === null) return [];
  return Object.entries(entry).flatMap(([field, value]) => (value === UNKNOWN_VALUE ? [field] : []));
}

/** Undefined while absent or mistyped: what is required of some kinds of people is then required. */
function userTypeOf({ plan }: PolicySet, attributes: Values, person: OnFile): string | undefined {
  const onFile = person.length === 0 ? undefined : person.find(({ slot }) => slot === SLOT.userType)?.value;
  const value = onFile ?? plan.userType.read(attributes['user_type']);
  return typeof value === 'string' ? value : undefined;
}

function layOver(values: OnFile, { slots, absent }: Frame, onFile: string[]): void {
  for (const { slot, path, value } of values) {
    slots[slot] = value;
    absent[slot] = 0;
    onFile.push(path);
  }
}

function without(values: OnFile, others: OnFile): OnFile {
  return values.filter(({ slot }) => !others.some((other) => other.slot === slot));
}

/** For the type itself (matter, client) the resource id is the id; for every other type the attribute is. */
function derive(target: number, itself: boolean, attribute: Attribute | null, { slots, absent }: Frame): void {
  slots[target] = itself ? slots[SLOT.resourceId] : attribute === null ? NONE : slots[attribute.slot];
  absent[target] = itself ? 0 : attribute === null ? 1 : (absent[attribute.slot] ?? 1);
}

function lookUpMatter({ data }: PolicySet, slots: unknown[]): OnFile {
  const id = slots[SLOT.matterId];
  if (id === UNKNOWN_VALUE) {
    for (let slot: number = SLOT.matterRegistered; slot <= SLOT.matterTeam; slot++) slots[slot] = UNKNOWN_VALUE;
    return NOTHING;
  }
  const matter = typeof id === 'string' ? data.matters.get(id) : undefined;
  slots[SLOT.matterRegistered] = matter !== undefined;
  slots[SLOT.matterClient] = matter?.clientId ?? NONE;
  slots[SLOT.matterPracticeGroup] = matter?.practiceGroup ?? NONE;
  slots[SLOT.matterResponsible] = matter?.responsible ?? NONE;
  slots[SLOT.matterProposing] = matter?.proposing ?? NONE;
  slots[SLOT.matterTeam] = matter?.team ?? NO_TEAM;
  return matter?.onFile ?? NOTHING;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
