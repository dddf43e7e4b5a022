// Turns the typed tree of a condition into a closure that gives its truth for a frame. It must never treat unknown as false, nor read anything but the frame.
import type { Entry } from './attribute-types.ts';
import { childrenOf, type Bound, type Expr, type Operand, type Order, type Ref } from './condition.ts';
import { isEntryTable, type EntryTable, type Frame } from './frame.ts';
import { and, FALSE, known, NONE, not, TRUE, UNKNOWN, UNKNOWN_VALUE, type Truth } from './truth.ts';

export type Test = (frame: Frame) => Truth;
type Get = (frame: Frame) => unknown;

export function compileExpr(expr: Expr): Test {
  switch (expr.op) {
    case 'all':
      return compileAll(flatten(expr, 'all').map(compileExpr));
    case 'any':
      return compileAny(flatten(expr, 'any').map(compileExpr));
    case 'not': {
      const arg = compileExpr(expr.arg);
      return (frame) => not(arg(frame));
    }
    case 'term':
      return compileTerm(expr.index, expr.arg);
    case 'eq':
      return compileEquals(expr.left, expr.right);
    case 'ne': {
      const equals = compileEquals(expr.left, expr.right);
      return (frame) => not(equals(frame));
    }
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return compileOrder(expr.op, expr.left, expr.right);
    case 'in':
      return compileIn(expr.left, expr.right);
    case 'nin': {
      const within = compileIn(expr.left, expr.right);
      return (frame) => not(within(frame));
    }
    case 'has':
      return compileHas(getterOf(expr.right), getter(expr.left));
    case 'has_any':
      return compileHasAny(getter(expr.left), expr.values);
    case 'exists':
    case 'none':
      return compilePresence(expr.op, expr.left, expr.want);
    case 'same':
      return compileSame(getter(expr.left), getter(expr.right));
    case 'age':
      return compileNumber(getter(expr.left), expr.bounds, (value, frame) => frame.now - Number(value));
    case 'length':
      return compileNumber(getter(expr.left), expr.bounds, (value) => codePoints(String(value)));
    case 'during': {
      const get = getter(expr.left);
      const { contains } = expr;
      return (frame) => {
        const value = get(frame);
        return value === UNKNOWN_VALUE ? UNKNOWN : known(typeof value === 'number' && contains(value));
      };
    }
    case 'some':
      return compileSome(getter(expr.left), expr.where);
  }
}

/** a AND (b AND c) is judged as a AND b AND c. */
function flatten(expr: Expr, op: 'all' | 'any'): readonly Expr[] {
  return expr.op === op ? expr.args.flatMap((arg) => flatten(arg, op)) : [expr];
}

/** Many rules share a term: it is judged once per request, except where it notes which entries matched. */
function compileTerm(index: number, arg: Expr): Test {
  const test = compileExpr(arg);
  if (childrenOf(arg).length === 0 || notesEntries(arg)) return test;
  return (frame) => {
    const judged = frame.terms[index];
    if (judged === FALSE || judged === UNKNOWN || judged === TRUE) return judged;
    return (frame.terms[index] = test(frame));
  };
}

function notesEntries(expr: Expr): boolean {
  return expr.op === 'some' || childrenOf(expr).some(notesEntries);
}

/** Stops at the first false: nothing after it can change the result. */
function compileAll(tests: readonly Test[]): Test {
  const [first, second, third] = tests;
  if (first === undefined) return () => TRUE;
  if (second === undefined) return first;
  if (third === undefined) {
    return (frame) => {
      const truth = first(frame);
      return truth === FALSE ? FALSE : and(truth, second(frame));
    };
  }
  return (frame) => {
    let result: Truth = TRUE;
    for (const test of tests) {
      const truth = test(frame);
      if (truth === FALSE) return FALSE;
      if (truth === UNKNOWN) result = UNKNOWN;
    }
    return result;
  };
}

function compileAny(tests: readonly Test[]): Test {
  return (frame) => {
    let result: Truth = FALSE;
    for (const test of tests) {
      const truth = test(frame);
      if (truth === TRUE) return TRUE;
      if (truth === UNKNOWN) result = UNKNOWN;
    }
    return result;
  };
}

function getter(ref: Ref): Get {
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

function getterOf(operand: Operand): Get {
  if (operand.kind === 'ref') return getter(operand.ref);
  const { value } = operand;
  return () => value;
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null;
}

/** A known none equals nothing, not even another known none. */
function compileEquals(left: Ref, right: Operand): Test {
  const get = getter(left);
  if (right.kind === 'literal') {
    const { value } = right;
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

function compileSame(left: Get, right: Get): Test {
  return (frame) => {
    const a = left(frame);
    const b = right(frame);
    return a === UNKNOWN_VALUE || b === UNKNOWN_VALUE ? UNKNOWN : known(a === b);
  };
}

function compileOrder(order: Order, left: Ref, right: Operand): Test {
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

function compileIn(left: Ref, right: Extract<Expr, { op: 'in' | 'nin' }>['right']): Test {
  const get = getter(left);
  if (right.kind === 'ref') return compileHas(get, getter(right.ref));
  const values = new Set<unknown>(right.kind === 'list' ? right.values : [right.value]);
  return (frame) => {
    const value = get(frame);
    return value === UNKNOWN_VALUE ? UNKNOWN : known(values.has(value));
  };
}

function compileHas(item: Get, list: Get): Test {
  return (frame) => {
    const values = list(frame);
    const value = item(frame);
    if (values === UNKNOWN_VALUE || value === UNKNOWN_VALUE) return UNKNOWN;
    if (value === NONE) return FALSE;
    if (Array.isArray(values)) return known(values.includes(value));
    return known(values instanceof Set && values.has(value));
  };
}

function compileHasAny(list: Get, wanted: readonly unknown[]): Test {
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

/** `$exists` asks whether it was sent: a required attribute left out is known not to be there. `$none` asks for a known none. */
function compilePresence(op: 'exists' | 'none', left: Ref, want: boolean): Test {
  const get = getter(left);
  const slot = op === 'exists' && left.attribute !== null && left.field === null ? left.attribute.slot : -1;
  return (frame) => {
    if (frame.absent[slot] === 1) return known(!want);
    const value = get(frame);
    if (value === UNKNOWN_VALUE) return UNKNOWN;
    return known((value !== NONE) === (op === 'exists') ? want : !want);
  };
}

function compileNumber(get: Get, bounds: readonly Bound[], measure: (value: unknown, frame: Frame) => number): Test {
  return (frame) => {
    const value = get(frame);
    if (value === UNKNOWN_VALUE) return UNKNOWN;
    if (value === NONE) return FALSE;
    const number = measure(value, frame);
    return known(bounds.every((bound) => inOrder(bound.order, number, bound.value)));
  };
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** One and the same entry satisfies the whole condition. Equality fields narrow policy data lists to few entries. */
function compileSome(list: Get, where: Expr): Test {
  const test = compileExpr(where);
  const keys = equalityKeys(where);
  return (frame) => {
    const value = list(frame);
    if (value === UNKNOWN_VALUE) return UNKNOWN;
    if (value === NONE) return FALSE;
    const table = isEntryTable(value);
    const entries: readonly unknown[] = table ? narrow(value, keys, frame) : Array.isArray(value) ? value : [];
    const outer = frame.entry;
    let result: Truth = FALSE;
    for (const entry of entries) {
      if (!isEntry(entry)) continue;
      frame.entry = entry;
      const truth = test(frame);
      if (truth > result) result = truth;
      if (truth === TRUE && table && typeof entry['id'] === 'string') frame.matched.push(entry['id']);
    }
    frame.entry = outer;
    return result;
  };
}

interface EqualityKey {
  readonly field: string;
  readonly get: Get;
}

function equalityKeys(where: Expr): EqualityKey[] {
  const parts = where.op === 'all' ? where.args : [where];
  return parts.flatMap((part) =>
    part.op === 'eq' && part.left.attribute === null && part.left.field !== null
      ? [{ field: part.left.field, get: getterOf(part.right) }]
      : [],
  );
}

/** Entries that differ on a known equality field cannot match; an unknown one narrows nothing. */
function narrow(table: EntryTable, keys: readonly EqualityKey[], frame: Frame): readonly Entry[] {
  let best = table.entries;
  for (const { field, get } of keys) {
    const value = get(frame);
    if (value === UNKNOWN_VALUE) continue;
    if (value === NONE) return [];
    const found = table.find(field, value);
    if (found.length < best.length) best = found;
  }
  return best;
}
