// What two facts say of each other: their difference, one being in the other, a length, a calendar. It must never conclude more than operators.ts would find.
import type { Ref } from '../condition.ts';
import { codePoints } from '../operators.ts';
import {
  ANYTHING,
  above,
  among,
  below,
  between,
  drop,
  intersection,
  keep,
  keepIf,
  limitsOf,
  single,
} from './values.ts';
import type { Limit, Narrowing, Values } from './values.ts';
import { LEFT_OUT_NONE, NONES, THERE_NONE, THERE_UNKNOWN, THERE_VALUE, UNKNOWNS, VALUES } from './variables.ts';
import { statesOfField, statesOfWhole, variable, type Variable } from './variables.ts';

/** States of a relation: an operand is unknown, one operand is a known none, all are, or it has a value. */
export const UNCLEAR = THERE_UNKNOWN;
export const ONE_NONE = LEFT_OUT_NONE;
export const ALL_NONE = THERE_NONE;
export const CLEAR = THERE_VALUE;

export type RelationKind =
  /** Left minus right, of numbers or of the places of ordered values; of other values 0 when equal. */
  | 'difference'
  /** Whether the left is in the list at the right. */
  | 'member'
  | 'length'
  | 'during'
  /** The left is a field of the right; has no value of its own. */
  | 'field';

export interface Relation {
  readonly key: string;
  readonly kind: RelationKind;
  readonly left: string;
  /** The left once more where there is one operand only. */
  readonly right: string;
  readonly type: Ref['type'];
}

export function initialRelation({ kind, left, right }: Relation): Variable {
  const states = UNCLEAR | ONE_NONE | ALL_NONE | CLEAR;
  switch (kind) {
    case 'difference':
      return { states, values: left === right ? among([0]) : ANYTHING };
    case 'member':
    case 'during':
      return { states, values: among([true, false]) };
    case 'length':
      return { states, values: above(0, false)(ANYTHING) ?? ANYTHING };
    case 'field':
      return { states, values: ANYTHING };
  }
}

export interface Linked {
  readonly relation: Variable;
  readonly left: Variable;
  readonly right: Variable;
}

/** What each of the three can still be, once they are seen together. Null: they exclude each other. */
export function link(relation: Relation, { relation: own, left, right }: Linked): Linked | null {
  if (relation.kind === 'field') return linkField(own, left, right);
  const alone = relation.left === relation.right;
  const [ofLeft, ofRight] = [classesOf(left), classesOf(right)];
  let [states, keptLeft, keptRight] = [0, 0, 0];
  for (const x of CLASSES) {
    for (const y of CLASSES) {
      if ((ofLeft & x) === 0 || (ofRight & y) === 0 || (alone && x !== y)) continue;
      const result = outcome(x, y, relation.kind);
      if ((own.states & result) === 0) continue;
      states |= result;
      keptLeft |= x;
      keptRight |= y;
    }
  }
  let values: Values | null = own.values;
  let leftValues: Values | null = left.values;
  let rightValues: Values | null = right.values;
  if ((states & CLEAR) !== 0) {
    values = forward(relation, values, left.values, right.values);
    if (values === null) states &= ~CLEAR;
    else if (states === CLEAR) [leftValues, rightValues] = backward(relation, values, left.values, right.values);
  }
  const leftNow = variable(left.states & keptLeft, leftValues, left.whenLeftOut);
  const rightNow = variable(right.states & keptRight, rightValues, right.whenLeftOut);
  const ownNow = variable(states, values, undefined);
  return ownNow === null || leftNow === null || rightNow === null
    ? null
    : { relation: ownNow, left: leftNow, right: rightNow };
}

const CLASSES = [NONES, UNKNOWNS, VALUES] as const;

function classesOf({ states }: Variable): number {
  return CLASSES.reduce<number>((sum, one) => ((states & one) === 0 ? sum : sum | one), 0);
}

function outcome(x: number, y: number, kind: RelationKind): number {
  if (x === UNKNOWNS || y === UNKNOWNS) return UNCLEAR;
  if (x === VALUES && y === VALUES) return CLEAR;
  return x === NONES && y === NONES && kind === 'difference' ? ALL_NONE : ONE_NONE;
}

function linkField(own: Variable, field: Variable, whole: Variable): Linked | null {
  const left = variable(field.states & statesOfField(whole.states), field.values, field.whenLeftOut);
  const right = variable(whole.states & statesOfWhole(field.states), whole.values, whole.whenLeftOut);
  return left === null || right === null ? null : { relation: own, left, right };
}

/** What the operands say of the relation. */
function forward({ kind, type }: Relation, values: Values, a: Values, b: Values): Values | null {
  if (kind === 'length') {
    if (a.only === null) return values;
    const lengths = [...a.only].map((value) => codePoints(String(value)));
    return keep([...new Set(lengths)].filter((length) => keep([length])(values) !== null))(values);
  }
  if (kind !== 'difference') return values;
  if (intersection(a, b) === null) return drop([0])(values);
  const [x, y] = [single(a), single(b)];
  if (x !== null && y !== null && x.value === y.value) return keep([0])(values);
  const rank = rankOf(type);
  if (rank === null) return values;
  const [[lowA, highA], [lowB, highB]] = [limitsOf(a, rank), limitsOf(b, rank)];
  // Closed, for subtraction may round a difference to the limit itself.
  const low: Limit = { value: lowA.value - highB.value, open: false };
  const high: Limit = { value: highA.value - lowB.value, open: false };
  return between(low, high)(values);
}

/** What the relation says of its operands. */
function backward({ kind, type }: Relation, values: Values, a: Values, b: Values): [Values | null, Values | null] {
  if (kind !== 'difference') return [a, b];
  if (single(values)?.value === 0) {
    const both = intersection(a, b);
    return [both, both];
  }
  const unequal = keep([0])(values) === null;
  const [x, y] = [single(a), single(b)];
  let left: Values | null = unequal && y !== null ? drop([y.value])(a) : a;
  let right: Values | null = unequal && x !== null ? drop([x.value])(b) : b;
  const rank = rankOf(type);
  if (rank === null || left === null || right === null) return [left, right];
  const [[lowA, highA], [lowB, highB]] = [limitsOf(left, rank), limitsOf(right, rank)];
  const [low, high] = limitsOf(values, (value) => value);
  if (high.value <= 0) {
    left = notAbove(highB, unequal, rank)(left);
    right = notBelow(lowA, unequal, rank)(right);
  } else if (low.value >= 0) {
    left = notBelow(lowB, unequal, rank)(left);
    right = notAbove(highA, unequal, rank)(right);
  }
  return [left, right];
}

type Rank = (value: unknown) => unknown;

function notAbove({ value, open }: Limit, strictly: boolean, rank: Rank): Narrowing {
  return within(below(value, open || strictly), rank);
}

function notBelow({ value, open }: Limit, strictly: boolean, rank: Rank): Narrowing {
  return within(above(value, open || strictly), rank);
}

/** Sets of values are kept by their rank, all other values by their limits. */
function within(narrowing: Narrowing, rank: Rank): Narrowing {
  const fits = (value: unknown) => narrowing(among([rank(value)])) !== null;
  return (values) => (values.only === null ? narrowing(values) : keepIf(fits)(values));
}

/** Null: values of the type have no order. */
function rankOf(type: Ref['type']): Rank | null {
  if (type.kind === 'number' || type.kind === 'timestamp' || type.kind === 'duration') return (value) => value;
  if (type.kind !== 'enum' || !type.ordered) return null;
  const { values } = type;
  return (value) => values.indexOf(String(value));
}
