// The frame that one of two policy sets makes of a shared request, as facts.ts does: what was said, what is on file instead, and what follows. It must never
// differ from facts.ts.
import type { OnFile } from '../../../src/core/data-entries.ts';
import { SLOT, type Attribute } from '../../../src/core/dictionary.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { NONE } from '../../../src/core/truth.ts';
import { loadedContent } from '../smt/data-values.ts';
import { and, either, equal, int, not, or, type Term } from '../smt/term.ts';
import { requiredTerm } from '../smt/universe.ts';
import { NONE_THERE, NOT_THERE, type Value } from '../smt/value.ts';
import type { ChangedData } from './changed-data.ts';
import { choose } from './choose.ts';
import type { SideIndex } from './raw-types.ts';
import type { SharedRequest } from './shared-request.ts';

/** Not finished: what is on file about the matter comes once both sides are known to speak of one matter. */
export interface Frame {
  readonly slots: Value[];
  readonly absent: Term[];
  /** What the entry of the resource itself says, which outranks that of its matter. */
  isOnOwnFile(slot: number): Term;
}

/** Entries on file that are named one by one; beyond that, some entry may say it or not. */
const MOST_OWN = 500;

/** What token, caller and request say, and what is on file about the changed people and resources. */
export function frameOf(set: PolicySet, side: SideIndex, request: SharedRequest, changed: ChangedData): Frame {
  const { codes, envelope, variables } = request;
  const { dictionary } = set.firm;
  const slots: Value[] = [];
  const absent: Term[] = dictionary.attributes.map(() => false);
  slots[SLOT.subjectId] = envelope.subject;
  slots[SLOT.actionName] = envelope.action;
  slots[SLOT.resourceType] = envelope.type;
  slots[SLOT.resourceId] = envelope.id;
  slots[SLOT.actorId] = envelope.actor;
  absent[SLOT.actorId] = envelope.actor.none;
  slots[SLOT.now] = { known: true, none: false, unknown: false, is: { kind: 'scalar', term: request.now } };

  const [action, type] = [termOf(envelope.action), termOf(envelope.type)];
  const isSubject = (id: string): Term => isText(envelope.subject, id, codes);
  const isResource = (key: string): Term => {
    const [ofType = '', id = ''] = key.split('\u0000');
    return and(isText(envelope.type, ofType, codes), isText(envelope.id, id, codes));
  };

  const carried = [...request.attributes.values()].flatMap(({ path }) => dictionary.byPath.get(path) ?? []);
  for (const attribute of carried.toSorted((a, b) => rank(a) - rank(b))) {
    const { slot, path, namespace } = attribute;
    const shared = request.attributes.get(path);
    const read = shared?.read[side];
    if (shared === undefined || read === undefined || read === null) continue;
    const userType = slot === SLOT.userType ? null : (slots[SLOT.userType] ?? NOT_THERE);
    const needed = userType === null ? true : requiredTerm(attribute, action, type, userType, codes);
    slots[slot] = statedOr(attribute, read, shared.absent, needed);
    absent[slot] = shared.absent;
    if (namespace === 'subject')
      for (const id of changed.people) layOver(attribute, isSubject(id), set.data.people.get(id));
    if (namespace === 'resource')
      for (const key of changed.resources) layOver(attribute, isResource(key), set.data.resources.get(key));
  }

  /** Whoever outranks what was said leaves nothing of it. */
  function layOver(attribute: Attribute, condition: Term, onFile: OnFile | undefined): void {
    const found = onFile?.find(({ slot }) => slot === attribute.slot);
    if (found === undefined) return;
    const value = loadedContent(found.value, attribute.type, codes);
    slots[attribute.slot] = choose(condition, value, slots[attribute.slot] ?? NOT_THERE);
    absent[attribute.slot] = and(not(condition), absent[attribute.slot] ?? false);
  }

  function statedOr(attribute: Attribute, read: Value, left: Term, needed: Term): Value {
    const stated = { known: and(not(left), read.known), is: read.is };
    const unread = and(not(left), read.unknown);
    if (attribute.whenAbsent === NONE)
      return { ...stated, none: and(left, not(needed)), unknown: or(unread, and(left, needed)) };
    const otherwise: Value = { ...stated, none: false, unknown: or(unread, left) };
    return choose(and(left, not(needed)), loadedContent(attribute.whenAbsent, attribute.type, codes), otherwise);
  }

  derive(SLOT.matterId, 'matter', set.plan.matterId);
  derive(SLOT.clientId, 'client', set.plan.clientId);

  /** For the type itself the id of the resource, for every other the attribute. */
  function derive(target: number, itself: string, attribute: Attribute | null): void {
    const isItself = isText(envelope.type, itself, codes);
    const other = attribute === null ? NONE_THERE : (slots[attribute.slot] ?? NONE_THERE);
    slots[target] = choose(isItself, envelope.id, other);
    absent[target] = either(isItself, false, attribute === null ? true : (absent[attribute.slot] ?? true));
  }

  const isOnOwnFile = (slot: number): Term => {
    const keys = [...set.data.resources].filter(([, onFile]) => onFile.some((one) => one.slot === slot));
    return keys.length > MOST_OWN
      ? variables.symbol(`own-file-${side}-${slot}`, 'Bool')
      : or(...keys.map(([key]) => isResource(key)));
  };
  for (const id of changed.matters) {
    for (const { slot } of set.data.matters.get(id)?.onFile ?? []) {
      const attribute = dictionary.attributes[slot];
      if (attribute === undefined) continue;
      const isIt = isText(slots[SLOT.matterId] ?? NOT_THERE, id, codes);
      layOver(attribute, and(isIt, not(isOnOwnFile(slot))), set.data.matters.get(id)?.onFile);
    }
  }
  return { slots, absent, isOnOwnFile };
}

/** The kind of person first: what must be stated depends on it. */
function rank({ slot }: Attribute): number {
  return slot === SLOT.userType ? 0 : 1;
}

export function termOf({ is }: Value): Term {
  return is.kind === 'scalar' ? is.term : false;
}

export function isText(value: Value, text: string, codes: SharedRequest['codes']): Term {
  return and(value.known, equal(termOf(value), int(codes.of(text))));
}
