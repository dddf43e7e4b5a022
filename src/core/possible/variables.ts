// What one fact of a request can still be: stated or left out, unknown, a known none, or a value. It must never leave out what facts.ts can bring about.
import type { Ref } from '../condition.ts';
import { isRequired, type Attribute } from '../dictionary.ts';
import { USER_TYPES } from '../../model/firm.ts';
import type { Selection } from '../rules.ts';
import { ANYTHING, among, drop, fitsList, keep, type Values } from './values.ts';

/** Bits: what a slot can hold, by whether it was left out (Frame.absent) or is there. */
export const LEFT_OUT_NONE = 1;
export const LEFT_OUT_UNKNOWN = 2;
/** The default. */
export const LEFT_OUT_VALUE = 4;
export const THERE_NONE = 8;
export const THERE_UNKNOWN = 16;
export const THERE_VALUE = 32;

export const LEFT_OUT = LEFT_OUT_NONE | LEFT_OUT_UNKNOWN | LEFT_OUT_VALUE;
export const THERE = THERE_NONE | THERE_UNKNOWN | THERE_VALUE;
export const NONES = LEFT_OUT_NONE | THERE_NONE;
export const UNKNOWNS = LEFT_OUT_UNKNOWN | THERE_UNKNOWN;
export const VALUES = LEFT_OUT_VALUE | THERE_VALUE;
export const STATES = [1, 2, 4, 8, 16, 32] as const;

export interface Variable {
  readonly states: number;
  readonly values: Values;
  /** The value where it was left out; undefined where there is no default. */
  readonly whenLeftOut?: unknown;
}

/** Null: nothing is possible any more. */
export function variable(states: number, values: Values | null, whenLeftOut: unknown): Variable | null {
  let left = values === null ? states & ~VALUES : states;
  let kept = values;
  if (kept !== null && (left & LEFT_OUT_VALUE) !== 0 && whenLeftOut !== undefined) {
    const fits = Array.isArray(whenLeftOut) ? fitsList(kept, whenLeftOut) : keep([whenLeftOut])(kept) !== null;
    if (!fits) left &= ~LEFT_OUT_VALUE;
    else if ((left & VALUES) === LEFT_OUT_VALUE && !Array.isArray(whenLeftOut)) kept = keep([whenLeftOut])(kept);
  }
  return left === 0 ? null : { states: left, values: kept ?? ANYTHING, whenLeftOut };
}

/** What the header of a rule leaves open, before any condition is looked at. */
export interface Scene {
  initial(ref: Ref): Variable;
}

export interface Names {
  readonly actions: ReadonlySet<string>;
  readonly resourceTypes: ReadonlySet<string>;
}

/** @param selected what the rule speaks of; all there is, when left out */
export function createScene(
  names: Names,
  selected?: { readonly actions: Selection; readonly resources: Selection },
): Scene {
  const actions = selected?.actions ?? { names: names.actions, others: true };
  const types = selected?.resources ?? { names: names.resourceTypes, others: true };
  const known = new Map<Attribute, Variable>();
  const ofAttribute = (attribute: Attribute): Variable => {
    const found = known.get(attribute);
    if (found !== undefined) return found;
    const states = statesOf(attribute, actions, types);
    const fresh: Variable = {
      states,
      values:
        attribute.path === 'action.name'
          ? named(actions, names.actions)
          : attribute.path === 'resource.type'
            ? named(types, names.resourceTypes)
            : valuesOf(attribute.type),
      whenLeftOut: attribute.presence.kind === 'default' ? attribute.whenAbsent : undefined,
    };
    known.set(attribute, fresh);
    return fresh;
  };
  return {
    initial({ attribute, field, type }) {
      if (attribute === null) return { states: THERE, values: valuesOf(type) };
      if (field === null) return ofAttribute(attribute);
      return { states: statesOfField(ofAttribute(attribute).states), values: valuesOf(type) };
    },
  };
}

function valuesOf(type: Ref['type']): Values {
  if (type.kind === 'boolean') return among([true, false]);
  return type.kind === 'enum' && type.open !== true ? among(type.values) : ANYTHING;
}

/** Names that firm.yaml does not know are possible where `any` or `except` stands. */
function named({ names, others }: Selection, all: ReadonlySet<string>): Values {
  if (!others) return among(names);
  return drop([...all].filter((name) => !names.has(name)))(ANYTHING) ?? ANYTHING;
}

/** No firm.yaml can declare this name: it stands for all others. */
const OTHER = '?';

function statesOf(attribute: Attribute, actions: Selection, types: Selection): number {
  const { presence, source } = attribute;
  const carried = source === 'token' || source === 'request' || source === 'caller' || source === 'approvals';
  const always = attribute.path === 'subject.id' || attribute.path === 'action.name' || attribute.namespace === 'now';
  if (always || attribute.path === 'resource.type' || attribute.path === 'resource.id') return THERE & ~NONES;
  if (attribute.path === 'actor.id') return LEFT_OUT_NONE | THERE_VALUE;
  if (!carried) return presence.kind === 'optional' ? LEFT_OUT | THERE : (LEFT_OUT | THERE) & ~NONES;
  const stated = THERE_VALUE | THERE_UNKNOWN;
  switch (presence.kind) {
    case 'required':
      return stated | LEFT_OUT_UNKNOWN;
    case 'default':
      return stated | LEFT_OUT_VALUE;
    case 'optional':
      return stated | LEFT_OUT_NONE;
    case 'required_for': {
      let states = stated;
      for (const type of namesOf(types)) {
        for (const action of namesOf(actions)) {
          for (const userType of [undefined, ...USER_TYPES])
            states |= isRequired(presence, type, action, userType) ? LEFT_OUT_UNKNOWN : LEFT_OUT_NONE;
          if (states === (stated | LEFT_OUT_UNKNOWN | LEFT_OUT_NONE)) return states;
        }
      }
      return states;
    }
  }
}

function namesOf({ names, others }: Selection): Iterable<string> {
  return others ? [...names, OTHER] : names;
}

/** What a field can be, by what its object is. */
const FIELD_STATES: readonly (readonly [whole: number, field: number])[] = [
  [LEFT_OUT_NONE, LEFT_OUT_NONE],
  [LEFT_OUT_UNKNOWN, LEFT_OUT_UNKNOWN],
  [LEFT_OUT_VALUE, LEFT_OUT],
  [THERE_NONE, THERE_NONE],
  [THERE_UNKNOWN, THERE_UNKNOWN],
  [THERE_VALUE, THERE],
];

export function statesOfField(whole: number): number {
  return FIELD_STATES.reduce((sum, [of, field]) => ((whole & of) === 0 ? sum : sum | field), 0);
}

/** What an object can be, by what one of its fields is. */
export function statesOfWhole(field: number): number {
  return FIELD_STATES.reduce((sum, [of, states]) => ((field & states) === 0 ? sum : sum | of), 0);
}
