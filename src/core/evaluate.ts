// Turns the typed tree of a condition into a closure that gives its truth for a frame. It must never treat unknown as false, nor read anything but the frame.
import type { Entry } from './attribute-types.ts';
import { childrenOf, type Expr } from './condition.ts';
import { isEntryTable, type EntryTable, type Frame } from './frame.ts';
import {
  codePoints,
  compileEquals,
  compileHas,
  compileHasAny,
  compileIn,
  compileNumber,
  compileOrder,
  compilePresence,
  compileSame,
  getter,
  getterOf,
  isEntry,
  slotOf,
  type Get,
  type Test,
} from './operators.ts';
import { and, FALSE, known, NONE, not, or, TRUE, UNKNOWN, UNKNOWN_VALUE, type Truth } from './truth.ts';

export type { Test };

const tests = new WeakMap<Expr, Test>();

/** Compiled once, for those who judge parts of a condition on their own. */
export function testOf(expr: Expr): Test {
  let test = tests.get(expr);
  if (test === undefined) tests.set(expr, (test = compileExpr(expr)));
  return test;
}

export function compileExpr(expr: Expr): Test {
  switch (expr.op) {
    case 'all': {
      const test = compileConjunction(flatten(expr, 'all'));
      return notesEntries(expr) ? forgetting(test, (truth) => truth !== TRUE) : test;
    }
    case 'any': {
      const tests = flatten(expr, 'any').map(compileExpr);
      return notesEntries(expr) ? compileEvery(tests) : compileAny(tests);
    }
    case 'not': {
      const arg = compileExpr(expr.arg);
      const test: Test = (frame) => not(arg(frame));
      return notesEntries(expr) ? forgetting(test, () => true) : test;
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

/** Whether judging it notes which entries of policy data matched. */
export function notesEntries(expr: Expr): boolean {
  return expr.op === 'some' || childrenOf(expr).some(notesEntries);
}

/** Entries noted on the way count only where they made something true: a record names the grants a decision rests on, whatever the order of its parts. */
function forgetting(test: Test, when: (truth: Truth) => boolean): Test {
  return (frame) => {
    const before = frame.matched.length;
    const truth = test(frame);
    if (when(truth)) frame.matched.length = before;
    return truth;
  };
}

/** Does not stop at the first true: every alternative may note entries. */
function compileEvery(tests: readonly Test[]): Test {
  return (frame) => tests.reduce<Truth>((result, test) => or(result, test(frame)), FALSE);
}

/** What most often is false comes first, in one go: attributes that must have one value. The order cannot change the result. */
function compileConjunction(parts: readonly Expr[]): Test {
  const fixed = parts.flatMap(fixedValueOf);
  const tests = parts.filter((part) => fixedValueOf(part).length === 0).map(compileExpr);
  if (fixed.length === 0) return compileAll(tests);
  const rest = compileAll(tests);
  return (frame) => {
    const { slots } = frame;
    let result: Truth = TRUE;
    for (const { slot, value } of fixed) {
      const actual = slots[slot];
      if (actual === UNKNOWN_VALUE) result = UNKNOWN;
      else if (actual !== value) return FALSE;
    }
    return tests.length === 0 ? result : and(result, rest(frame));
  };
}

interface FixedValue {
  readonly slot: number;
  readonly value: unknown;
}

/** Of `attribute: literal`; nothing of any other part. */
function fixedValueOf(part: Expr): readonly FixedValue[] {
  if (part.op !== 'eq' || part.right.kind !== 'literal') return [];
  const slot = slotOf(part.left);
  return slot < 0 ? [] : [{ slot, value: part.right.value }];
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
    if (best.length === 0) break;
  }
  return best;
}
