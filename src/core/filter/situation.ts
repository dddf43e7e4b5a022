// What is known of every row, or of the rows of one matter: a frame, in which some slots stand for fields of the row. It must never be
// judged as if a field's slot held a value.
import type { AttributeType } from '../attribute-types.ts';
import { childrenOf, refsOf, type Expr } from '../condition.ts';
import type { Frame } from '../frame.ts';
import type { Field, Formula } from './formula.ts';

/** For which rows a condition is true, and for which false. What is neither is unknown. */
export interface Both {
  readonly whenTrue: Formula;
  readonly whenFalse: Formula;
}

export interface Situation {
  readonly frame: Frame;
  /** By slot; undefined: the slot of the frame holds the value. */
  readonly fields: readonly (Field | undefined)[];
  /** What a slot holds in a row that does not state its field, and whether it then counts as left out. */
  readonly unstated: Pick<Frame, 'slots' | 'absent'>;
  /** Of conditions that say the same in other situations as well. */
  readonly memory?: Memory;
}

export interface Memory {
  isShared(expr: Expr): boolean;
  readonly known: Map<Expr, Both>;
}

/** A field that has no value in the row. */
export const UNSTATED: unique symbol = Symbol('unstated');

/** What `work` finds where the field has this value; afterwards all is as before. */
export function withValue<T>(at: Situation, field: Field, value: unknown, work: (at: Situation) => T): T {
  const { frame, unstated } = at;
  const before = field.slots.map((slot) => [frame.slots[slot], frame.absent[slot] ?? 0] as const);
  for (const slot of field.slots) {
    frame.slots[slot] = value === UNSTATED ? unstated.slots[slot] : value;
    frame.absent[slot] = value === UNSTATED ? (unstated.absent[slot] ?? 0) : 0;
  }
  try {
    return work({ ...at, fields: without(at.fields, field) });
  } finally {
    for (const [index, slot] of field.slots.entries()) {
      const [old, absent] = before[index] ?? [undefined, 0];
      frame.slots[slot] = old;
      frame.absent[slot] = absent;
    }
  }
}

export function without(fields: readonly (Field | undefined)[], field: Field): (Field | undefined)[] {
  const left = fields.slice();
  for (const slot of field.slots) left[slot] = undefined;
  return left;
}

const slotsKnown = new WeakMap<Expr, readonly number[]>();

/** Of every attribute that a condition reads. */
export function slotsOf(expr: Expr): readonly number[] {
  let slots = slotsKnown.get(expr);
  if (slots === undefined) {
    const own = refsOf(expr).flatMap(({ attribute }) => (attribute === null ? [] : [attribute.slot]));
    slots = [...new Set([...own, ...childrenOf(expr).flatMap(slotsOf)])];
    slotsKnown.set(expr, slots);
  }
  return slots;
}

export function readsField(expr: Expr, { fields }: Situation): boolean {
  for (const slot of slotsOf(expr)) if (fields[slot] !== undefined) return true;
  return false;
}

export function fieldsIn(expr: Expr, { fields }: Situation): readonly Field[] {
  return [...new Set(slotsOf(expr).flatMap((slot) => fields[slot] ?? []))];
}

export function isText(type: AttributeType): boolean {
  return type.kind === 'string' || type.kind === 'person' || (type.kind === 'enum' && type.open === true);
}

/** The only values that a closed type has; null: it has others. */
export function listedValues(type: AttributeType): readonly (string | boolean)[] | null {
  if (type.kind === 'boolean') return [true, false];
  return type.kind === 'enum' && type.open !== true ? type.values : null;
}

export function isMeasured(type: AttributeType): boolean {
  return type.kind === 'number' || type.kind === 'timestamp';
}

export function isTextList(type: AttributeType): boolean {
  return type.kind === 'list' && (isText(type.items) || type.items.kind === 'enum');
}
