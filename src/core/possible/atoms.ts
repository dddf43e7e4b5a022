// Single comparisons as what they ask of one fact, or of a relation between two. It must never differ from what operators.ts says of the same comparison.
import type { Bound, Expr, Operand, Order, Ref } from '../condition.ts';
import { FALSE, known, TRUE, UNKNOWN, type Truth } from '../truth.ts';
import { ALL_NONE, CLEAR, UNCLEAR, type Relation, type RelationKind } from './relations.ts';
import { above, below, drop, keep, keepIf, listHasAny, listHasNone, type Narrowing } from './values.ts';
import { LEFT_OUT, NONES, STATES, UNKNOWNS, VALUES, variable, type Variable } from './variables.ts';

/** Sets of truths, as bits. */
export const CAN_BE_FALSE = 1 << FALSE;
export const CAN_BE_UNKNOWN = 1 << UNKNOWN;
export const CAN_BE_TRUE = 1 << TRUE;

export interface Atom extends Test {
  /** Of the fact or relation it is about. */
  readonly key: string;
  /** Facts it reads. */
  readonly facts: readonly (readonly [key: string, ref: Ref])[];
  readonly relation: Relation | null;
}

export interface Test {
  /** By state; undefined: its value decides. */
  truthIn(state: number): Truth | undefined;
  readonly whenTrue: Narrowing;
  readonly whenFalse: Narrowing;
}

/** What is left of the variable when the comparison has one of these truths; null: it cannot. */
export function restrict({ states, values, whenLeftOut }: Variable, atom: Test, truths: number): Variable | null {
  let left = 0;
  let byValue = 0;
  for (const state of STATES) {
    if ((states & state) === 0) continue;
    const truth = atom.truthIn(state);
    if (truth === undefined) byValue |= state;
    else if ((truths & (1 << truth)) !== 0) left |= state;
  }
  if (byValue === 0) return variable(left, values, whenLeftOut);
  const both = CAN_BE_TRUE | CAN_BE_FALSE;
  if ((truths & both) === both) return variable(left | byValue, values, whenLeftOut);
  if ((truths & both) === 0) return variable(left, values, whenLeftOut);
  const kept = ((truths & CAN_BE_TRUE) !== 0 ? atom.whenTrue : atom.whenFalse)(values);
  return variable(kept === null ? left : left | byValue, kept ?? values, whenLeftOut);
}

/** @param entry which entry bare fields belong to */
export function factOf({ attribute, path }: Ref, entry: string): string {
  return attribute === null ? `${entry} ${path}` : path;
}

/** Of a comparison with one test; null for what can-be.ts takes apart before: negations, several bounds, `$some`. */
export function atomOf(expr: Expr, entry: string, now: Ref): Atom | null {
  switch (expr.op) {
    case 'eq':
      return expr.right.kind === 'literal'
        ? ofValue(expr.left, entry, keep([expr.right.value]), drop([expr.right.value]))
        : difference(expr.left, expr.right.ref, entry, keep([0]), drop([0]));
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return ordered(expr.op, expr.left, expr.right, entry);
    case 'in': {
      const { right } = expr;
      if (right.kind === 'ref') return relation('member', expr.left, right.ref, entry, keep([true]), keep([false]));
      const list = right.kind === 'list' ? right.values : [right.value];
      return ofValue(expr.left, entry, keep(list), drop(list));
    }
    case 'has':
      return expr.right.kind === 'literal'
        ? ofValue(expr.left, entry, listHasAny([expr.right.value]), listHasNone([expr.right.value]))
        : relation('member', expr.right.ref, expr.left, entry, keep([true]), keep([false]));
    case 'has_any':
      return ofValue(expr.left, entry, listHasAny(expr.values), listHasNone(expr.values));
    case 'exists':
    case 'none':
      return presence(expr.op, expr.left, entry, expr.want);
    case 'same': {
      const compared = difference(expr.left, expr.right, entry, keep([0]), drop([0]));
      return { ...compared, truthIn: (state) => (state === ALL_NONE ? TRUE : compared.truthIn(state)) };
    }
    case 'age': {
      const [bound, ...more] = expr.bounds;
      return bound === undefined || more.length > 0 ? null : difference(now, expr.left, entry, ...limited(bound));
    }
    case 'length': {
      const [bound, ...more] = expr.bounds;
      return bound === undefined || more.length > 0
        ? null
        : relation('length', expr.left, null, entry, ...wholeNumbers(bound));
    }
    case 'during':
      return relation('during', expr.left, null, entry, keep([true]), keep([false]), expr.calendar);
    default:
      return null;
  }
}

function aboutOne(ref: Ref, entry: string): Pick<Atom, 'key' | 'facts' | 'relation'> {
  const key = factOf(ref, entry);
  return { key, facts: [[key, ref]], relation: null };
}

function ofValue(ref: Ref, entry: string, whenTrue: Narrowing, whenFalse: Narrowing): Atom {
  return {
    ...aboutOne(ref, entry),
    truthIn: (state) => ((state & UNKNOWNS) !== 0 ? UNKNOWN : (state & NONES) !== 0 ? FALSE : undefined),
    whenTrue,
    whenFalse,
  };
}

function presence(op: 'exists' | 'none', ref: Ref, entry: string, want: boolean): Atom {
  return {
    ...aboutOne(ref, entry),
    truthIn(state) {
      if (op === 'exists' && (state & LEFT_OUT) !== 0 && ref.attribute !== null) return known(!want);
      if ((state & UNKNOWNS) !== 0) return UNKNOWN;
      return known(((state & VALUES) !== 0) === (op === 'exists') ? want : !want);
    },
    whenTrue: (values) => values,
    whenFalse: (values) => values,
  };
}

function relation(
  kind: RelationKind,
  left: Ref,
  right: Ref | null,
  entry: string,
  whenTrue: Narrowing,
  whenFalse: Narrowing,
  name = '',
): Atom {
  const [a, b] = [factOf(left, entry), factOf(right ?? left, entry)];
  const key = `${kind} ${name}: ${a}, ${b}`;
  return {
    key,
    facts: right === null ? [[a, left]] : [[a, left], [b, right]], // prettier-ignore
    relation: { key, kind, left: a, right: b, type: left.type },
    truthIn: (state) => (state === UNCLEAR ? UNKNOWN : state === CLEAR ? undefined : FALSE),
    whenTrue,
    whenFalse,
  };
}

/** One relation for both directions, so that `a < b` and `b < a` are seen together. */
function difference(left: Ref, right: Ref, entry: string, whenTrue: Narrowing, whenFalse: Narrowing): Atom {
  if (factOf(left, entry) <= factOf(right, entry))
    return relation('difference', left, right, entry, whenTrue, whenFalse);
  return relation('difference', right, left, entry, mirrored(whenTrue), mirrored(whenFalse));
}

function mirrored(narrowing: Narrowing): Narrowing {
  const turn: Narrowing = (values) => ({
    ...values,
    only: values.only === null ? null : new Set([...values.only].map((value) => 0 - Number(value))),
    not: new Set([...values.not].map((value) => 0 - Number(value))),
    low: { value: 0 - values.high.value, open: values.high.open },
    high: { value: 0 - values.low.value, open: values.low.open },
  });
  return (values) => {
    const turned = turn(values);
    const narrowed = turned === null ? null : narrowing(turned);
    return narrowed === null ? null : turn(narrowed);
  };
}

function ordered(order: Order, left: Ref, right: Operand, entry: string): Atom {
  if (right.kind === 'ref') return difference(left, right.ref, entry, ...limited({ order, value: 0 }));
  const { type } = left;
  if (type.kind !== 'enum') return ofValue(left, entry, ...limited({ order, value: Number(right.value) }));
  const place = (value: unknown) => type.values.indexOf(String(value));
  const fits = (value: unknown) => inOrder(order, place(value), place(right.value));
  return ofValue(
    left,
    entry,
    keepIf(fits),
    keepIf((value) => !fits(value)),
  );
}

function inOrder(order: Order, a: number, b: number): boolean {
  return { lt: a < b, lte: a <= b, gt: a > b, gte: a >= b }[order];
}

function limited({ order, value }: Pick<Bound, 'order' | 'value'>): [whenTrue: Narrowing, whenFalse: Narrowing] {
  switch (order) {
    case 'lt':
      return [below(value, true), above(value, false)];
    case 'lte':
      return [below(value, false), above(value, true)];
    case 'gt':
      return [above(value, true), below(value, false)];
    case 'gte':
      return [above(value, false), below(value, true)];
  }
}

/** Lengths: what is above 3 is at least 4. */
function wholeNumbers({ order, value }: Bound): [whenTrue: Narrowing, whenFalse: Narrowing] {
  const from = order === 'gt' || order === 'lte' ? value + 1 : value; // where the upper part begins
  const [upper, lower] = [above(from, false), below(from - 1, false)];
  return order === 'gt' || order === 'gte' ? [upper, lower] : [lower, upper];
}
