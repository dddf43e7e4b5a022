// All that a request can bring into a frame, as variables, and what facts.ts guarantees of them. It must never rule out a frame that some request brings about.
import type { AttributeType } from '../../../src/core/attribute-types.ts';
import { SLOT, type Attribute } from '../../../src/core/dictionary.ts';
import type { Frame } from '../../../src/core/frame.ts';
import { codePoints } from '../../../src/core/operators.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { NONE } from '../../../src/core/truth.ts';
import { USER_TYPES } from '../../../src/model/firm.ts';
import type { Codes } from './codes.ts';
import { and, either, equal, implies, not, or, type Meaning, type Sort, type Term } from './term.ts';
import { isOnTeam, loadedValue } from './data-values.ts';
import { isOneOf, literal, type Value } from './value.ts';
import { createVariables, LENGTH, type States, type Values } from './variables.ts';

/** The frame of a request as the words of one policy set have it. */
export interface FrameTerms {
  readonly codes: Codes;
  /** By Attribute.slot. */
  readonly slots: readonly Value[];
  /** By slot: the attribute was not sent. */
  readonly absent: readonly Term[];
  readonly now: Term;
  /** Name of the function that says what a calendar contains. */
  during(calendar: string): string;
}

export interface Universe extends FrameTerms {
  readonly symbols: ReadonlyMap<string, Sort>;
  /** Functions of one argument. */
  readonly functions: ReadonlyMap<string, readonly [argument: Sort, result: Sort]>;
  /** What holds in every frame. */
  readonly laws: readonly Term[];
  /** The variables as one frame has them; null: it has more entries in a list than there are variables for. */
  meaningOf(frame: Frame): Meaning | null;
}

export interface UniverseOptions {
  /** Whether grants, services and consents are those of the set, or any that there could be. */
  readonly data: 'loaded' | 'any';
  /** Entries of a list that are told apart: as many as there are different `$some`. */
  readonly entries: number;
}

export const calendarName = (calendar: string): string => `during-${calendar}`;

export function createUniverse(set: PolicySet, codes: Codes, options: UniverseOptions): Universe {
  const { dictionary, names, calendars } = set.firm;
  const symbols = new Map<string, Sort>();
  const functions = new Map<string, readonly [Sort, Sort]>([[LENGTH, ['Int', 'Int']]]);
  for (const name of calendars.keys()) functions.set(calendarName(name), ['Real', 'Bool']);
  const laws: Term[] = [];
  const binds: ((frame: Frame, into: Values) => boolean)[] = [];

  const { symbol, made } = createVariables({ codes, symbols, functions, laws, entries: options.entries });

  const slots: Value[] = [];
  const absent: Term[] = dictionary.attributes.map(() => false);
  const put = (slot: number, name: string, type: AttributeType, states: States): Value => {
    const one = made(name, type, states);
    slots[slot] = one.value;
    binds.push((frame, into) => one.bind(frame.slots[slot], into));
    return one.value;
  };
  const mayBeAbsent = (slot: number, name: string): Term => {
    const term = symbol(`${name}.absent`, 'Bool');
    absent[slot] = term;
    binds.push((frame, into) => into.set(term, frame.absent[slot] === 1) instanceof Map);
    return term;
  };
  const nameOf = ({ path, slot }: Attribute): string => `${path.replaceAll(/[^A-Za-z0-9_.]/g, '_')}-${slot}`;
  const fixed = { none: false, unknown: false };

  // What the envelope of a request states.
  const bySlot = (slot: number): Attribute => {
    const attribute = dictionary.attributes[slot];
    if (attribute === undefined) throw new Error(`the dictionary has no slot ${slot}`);
    return attribute;
  };
  for (const slot of [SLOT.actionName, SLOT.resourceType, SLOT.now])
    put(slot, nameOf(bySlot(slot)), bySlot(slot).type, fixed);
  for (const slot of [SLOT.subjectId, SLOT.resourceId])
    put(slot, nameOf(bySlot(slot)), bySlot(slot).type, { none: false, unknown: true });
  const actor = put(SLOT.actorId, nameOf(bySlot(SLOT.actorId)), bySlot(SLOT.actorId).type, {
    none: true,
    unknown: false,
  });
  laws.push(equal(mayBeAbsent(SLOT.actorId, 'actor'), actor.none));

  const scalarOf = (slot: number): Term => {
    const is = slots[slot]?.is;
    return is?.kind === 'scalar' ? is.term : false;
  };
  const [action, type] = [scalarOf(SLOT.actionName), scalarOf(SLOT.resourceType)];

  // What token, caller and request carry: dictionary.ts says what it is when they do not.
  const carried = [
    ...dictionary.declared.filter(({ slot }) => slot === SLOT.userType),
    ...dictionary.declared.filter(({ slot }) => slot !== SLOT.userType),
    bySlot(SLOT.sourceSystem),
    bySlot(SLOT.approvals),
  ];
  for (const attribute of carried) {
    const name = nameOf(attribute);
    const value = put(attribute.slot, name, attribute.type, { none: true, unknown: true });
    const left = mayBeAbsent(attribute.slot, name);
    const userType = slots[SLOT.userType];
    const needed = userType === undefined ? true : requiredTerm(attribute, action, type, userType, codes);
    laws.push(implies(and(left, needed), value.unknown), implies(not(left), not(value.none)));
    if (attribute.whenAbsent === NONE) laws.push(implies(and(left, not(needed)), value.none));
    else {
      laws.push(implies(and(left, not(needed)), value.known));
      slots[attribute.slot] = withDefault(value, attribute, and(left, not(needed)));
    }
  }

  /** A default is the value, whatever the variables say. */
  function withDefault(value: Value, { type: declared, whenAbsent }: Attribute, isDefault: Term): Value {
    const { is } = value;
    if (is.kind === 'scalar')
      return {
        ...value,
        is: { kind: 'scalar', term: either(isDefault, literal(whenAbsent, codes, declared), is.term) },
      };
    if (is.kind === 'list' && declared.kind === 'list' && Array.isArray(whenAbsent)) {
      const list = whenAbsent.map((one: unknown) => literal(one, codes, declared.items));
      const has = (item: Term): Term => either(isDefault, or(...list.map((one) => equal(item, one))), is.has(item));
      return { ...value, is: { kind: 'list', has } };
    }
    if (is.kind === 'entries' && Array.isArray(whenAbsent) && whenAbsent.length === 0) {
      const entries = is.entries.map((entry) => ({ ...entry, present: and(not(isDefault), entry.present) }));
      return { ...value, is: { kind: 'entries', entries } };
    }
    throw new Error(`a default of type ${declared.kind} has no terms`);
  }

  derive(SLOT.matterId, SLOT.resourceId, 'matter', set.plan.matterId);
  derive(SLOT.clientId, SLOT.resourceId, 'client', set.plan.clientId);

  /** As facts.ts: for the type itself the id of the resource, for every other the attribute. */
  function derive(target: number, own: number, itself: string, attribute: Attribute | null): void {
    const [id, other] = [slots[own], attribute === null ? undefined : slots[attribute.slot]];
    if (id === undefined || id.is.kind !== 'scalar') throw new Error('the id of a resource has no terms');
    const isItself = isOneOf(type, [itself], codes);
    const term = other?.is.kind === 'scalar' ? other.is.term : id.is.term;
    slots[target] = {
      known: either(isItself, id.known, other?.known ?? false),
      none: either(isItself, id.none, other?.none ?? true),
      unknown: either(isItself, id.unknown, other?.unknown ?? false),
      is: { kind: 'scalar', term: either(isItself, id.is.term, term) },
    };
    absent[target] = either(isItself, false, attribute === null ? true : (absent[attribute.slot] ?? true));
  }

  // What is on file about the matter: any matter there could be, unless other laws say which there are.
  const matter = slots[SLOT.matterId];
  if (matter === undefined) throw new Error('the matter has no terms');
  for (let slot: number = SLOT.matterRegistered; slot <= SLOT.matterTeam; slot++) {
    const attribute = bySlot(slot);
    const none = attribute.presence.kind === 'optional';
    const value = put(slot, nameOf(attribute), attribute.type, { none, unknown: true });
    laws.push(equal(value.unknown, matter.unknown));
  }
  const registeredTerm = and(slots[SLOT.matterRegistered]?.known ?? false, scalarOf(SLOT.matterRegistered));
  laws.push(implies(registeredTerm, matter.known));
  for (const slot of [SLOT.matterClient, SLOT.matterPracticeGroup, SLOT.matterResponsible, SLOT.matterProposing])
    laws.push(implies(slots[slot]?.known ?? false, registeredTerm));
  laws.push(implies(registeredTerm, slots[SLOT.matterClient]?.known ?? false));
  const team = slots[SLOT.matterTeam];
  if (team?.is.kind === 'list') {
    const { has } = team.is;
    const member =
      options.data === 'loaded' ? (person: Term): Term => isOnTeam(set, scalarOf(SLOT.matterId), person, codes) : has;
    slots[SLOT.matterTeam] = { ...team, is: { kind: 'list', has: (item) => and(registeredTerm, member(item)) } };
  }

  // Policy data that rules look things up in.
  for (const attribute of dictionary.attributes) {
    if (attribute.namespace !== 'data') continue;
    slots[attribute.slot] =
      options.data === 'loaded'
        ? loadedValue(set, attribute, codes)
        : put(attribute.slot, nameOf(attribute), attribute.type, fixed);
  }

  for (const one of USER_TYPES) codes.of(one);
  for (const one of names.resourceTypes.keys()) codes.of(one);

  return {
    codes,
    slots,
    absent,
    now: scalarOf(SLOT.now),
    during: calendarName,
    symbols,
    functions,
    laws,
    meaningOf(frame) {
      const values: Values = new Map();
      for (const bind of binds) if (!bind(frame, values)) return null;
      return {
        valueOf(name) {
          if (!values.has(name)) throw new Error(`${name} has no value`);
          return values.get(name);
        },
        apply(name, argument) {
          if (name === LENGTH) return codePoints(codes.textOf(Number(argument)) ?? 'x');
          const calendar = calendars.get(name.slice(calendarName('').length));
          if (calendar !== undefined && name.startsWith(calendarName(''))) return calendar(Number(argument));
          const members = values.get(name);
          return members instanceof Set && members.has(argument);
        },
      };
    },
  };
}

/** The attribute must be stated, for this action, type and kind of subject. */
export function requiredTerm(
  { presence }: Attribute,
  ofAction: Term,
  ofType: Term,
  userType: Value,
  codes: Codes,
): Term {
  if (presence.kind === 'required') return true;
  if (presence.kind !== 'required_for') return false;
  const kind = userType.is.kind === 'scalar' ? userType.is.term : false;
  return or(
    ...presence.entries.map((entry) =>
      and(
        entry.resources === null ? true : isOneOf(ofType, entry.resources, codes),
        entry.actions === null ? true : isOneOf(ofAction, entry.actions, codes),
        entry.exceptActions === null ? true : not(isOneOf(ofAction, entry.exceptActions, codes)),
        entry.userTypes === null ? true : or(not(userType.known), isOneOf(kind, entry.userTypes, codes)),
      ),
    ),
  );
}
