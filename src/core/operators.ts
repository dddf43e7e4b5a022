// What single operators say of the values they name, for evaluate.ts. It must never treat unknown as false, nor read anything but the frame.
import type { Entry } from './attribute-types.ts';
import type { Bound, Expr, Operand, Order, Ref } from './condition.ts';
import type { Frame } from './frame.ts';
import { FALSE, known, NONE, TRUE, UNKNOWN, UNKNOWN_VALUE, type Truth } from './truth.ts';

export type Test = (frame: Frame) => Truth;
export type Get = (frame: Frame) => unknown;

export function getter(ref: Ref): Get {
  const { attribute, field } = ref;
  if (attribute === null)
    return (frame) => (frame.entry === null || field === null ? UNKNOWN_VALUE : frame.entry[field]);
  const { slot } = attribute;
  if (field === null) return (frame) => frame.slots[slot];
  return (frame) => {
    const value = frame.slots[slot];
    if (value === NONE || value === UNKNOWN_VALUE) return value;
    return isEntry(value) ? value[field] : UNKNOWN_VALUE;
  };
}

export function getterOf(operand: Operand): Get {
  if (operand.kind === 'ref') return getter(operand.ref);
  const { value } = operand;
  return () => value;
}

export function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null;
}

/** -1: it takes more than reading a slot. Parts that only read one are judged so often that saving the call of a getter counts. */
export function slotOf({ attribute, field }: Ref): number {
  return attribute === null || field !== null ? -1 : attribute.slot;
}

/** A known none equals nothing, not even another known none. */
export function compileEquals(left: Ref, right: Operand): Test {
  const get = getter(left);
  if (right.kind === 'literal') {
    const { value } = right;
    const slot = slotOf(left);
    if (slot >= 0) {
      return ({ slots }) => {
        const actual = slots[slot];
        return actual === UNKNOWN_VALUE ? UNKNOWN : actual === value ? TRUE : FALSE;
      };
    }
    return (frame) => {
      const actual = get(frame);
      return actual === UNKNOWN_VALUE ? UNKNOWN : actual === value ? TRUE : FALSE;
    };
  }
  const other = getter(right.ref);
  return (frame) => {
    const a = get(frame);
    const b = other(frame);
    if (a === UNKNOWN_VALUE || b === UNKNOWN_VALUE) return UNKNOWN;
    return a === b && a !== NONE ? TRUE : FALSE;
  };
}

export function compileSame(left: Get, right: Get): Test {
  return (frame) => {
    const a = left(frame);
    const b = right(frame);
    return a === UNKNOWN_VALUE || b === UNKNOWN_VALUE ? UNKNOWN : known(a === b);
  };
}

export function compileOrder(order: Order, left: Ref, right: Operand): Test {
  const [a, b] = [ranked(left, getter(left)), ranked(left, getterOf(right))];
  return (frame) => {
    const x = a(frame);
    const y = b(frame);
    if (x === UNKNOWN_VALUE || y === UNKNOWN_VALUE) return UNKNOWN;
    return known(typeof x === 'number' && typeof y === 'number' && inOrder(order, x, y));
  };
}

/** Values of an ordered enum compare by their place in the list. */
function ranked({ type }: Ref, get: Get): Get {
  if (type.kind !== 'enum') return get;
  const ranks = new Map<unknown, unknown>(type.values.map((value, index) => [value, index]));
  return (frame) => {
    const value = get(frame);
    return ranks.get(value) ?? value;
  };
}

function inOrder(order: Order, x: number, y: number): boolean {
  if (order === 'lt') return x < y;
  if (order === 'lte') return x <= y;
  return order === 'gt' ? x > y : x >= y;
}

export function compileIn(left: Ref, right: Extract<Expr, { op: 'in' | 'nin' }>['right']): Test {
  const get = getter(left);
  if (right.kind === 'ref') return compileHas(get, getter(right.ref));
  const values = new Set<unknown>(right.kind === 'list' ? right.values : [right.value]);
  const slot = slotOf(left);
  if (slot >= 0) {
    return ({ slots }) => {
      const value = slots[slot];
      return value === UNKNOWN_VALUE ? UNKNOWN : known(values.has(value));
    };
  }
  return (frame) => {
    const value = get(frame);
    return value === UNKNOWN_VALUE ? UNKNOWN : known(values.has(value));
  };
}

export function compileHas(item: Get, list: Get): Test {
  return (frame) => {
    const values = list(frame);
    const value = item(frame);
    if (values === UNKNOWN_VALUE || value === UNKNOWN_VALUE) return UNKNOWN;
    if (value === NONE) return FALSE;
    if (Array.isArray(values)) return known(values.includes(value));
    return known(values instanceof Set && values.has(value));
  };
}

export function compileHasAny(list: Get, wanted: readonly unknown[]): Test {
  return (frame) => {
    const values = list(frame);
    if (values === UNKNOWN_VALUE) return UNKNOWN;
    if (Array.isArray(values)) {
      for (const value of wanted) if (values.includes(value)) return TRUE;
      return FALSE;
    }
    return known(values instanceof Set && wanted.some((value) => values.has(value)));
  };
}

/** `$exists` asks whether it was sent: a required attribute left out is known not to be there, nor is any field of it. `$none` asks for a known none. */
export function compilePresence(op: 'exists' | 'none', left: Ref, want: boolean): Test {
  const get = getter(left);
  const slot = op === 'exists' && left.attribute !== null ? left.attribute.slot : -1;
  if (slot >= 0 && left.field === null) {
    return ({ slots, absent }) => {
      if (absent[slot] === 1) return known(!want);
      const value = slots[slot];
      return value === UNKNOWN_VALUE ? UNKNOWN : known(value !== NONE ? want : !want);
    };
  }
  return (frame) => {
    if (frame.absent[slot] === 1) return known(!want);
    const value = get(frame);
    if (value === UNKNOWN_VALUE) return UNKNOWN;
    return known((value !== NONE) === (op === 'exists') ? want : !want);
  };
}

export function compileNumber(
  get: Get,
  bounds: readonly Bound[],
  measure: (value: unknown, frame: Frame) => number,
): Test {
  return (frame) => {
    const value = get(frame);
    if (value === UNKNOWN_VALUE) return UNKNOWN;
    if (value === NONE) return FALSE;
    const number = measure(value, frame);
    return known(bounds.every((bound) => inOrder(bound.order, number, bound.value)));
  };
}

export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
