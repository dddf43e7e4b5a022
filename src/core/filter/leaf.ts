// For which rows one comparison is true, and for which it is false, found by asking the check's own operators about every value that
// matters. It must never say what an operator means itself, nor call false what is unknown.
import type { AttributeType } from '../attribute-types.ts';
import type { Expr, Operand } from '../condition.ts';
import { testOf } from '../evaluate.ts';
import { getter } from '../operators.ts';
import { FALSE, TRUE, type Truth } from '../truth.ts';
import {
  ABSENT,
  and,
  compare,
  constant,
  member,
  NEVER,
  or,
  overlaps,
  points,
  PRESENT,
  ranges,
  refused,
  type Field,
  type Formula,
  type Point,
} from './formula.ts';
import { rangesWhere, wholeRangesWhere } from './ranges.ts';
import {
  fieldsIn,
  isMeasured,
  isText,
  isTextList,
  listedValues,
  UNSTATED,
  withValue,
  type Both,
  type Situation,
} from './situation.ts';

/** No text of policy data or of a token: it stands for every text that a condition does not name. */
export const ANOTHER = '\u0000another';
/** Longer texts are not made to try a bound. */
const LONGEST = 100_000;

export function truthOf(expr: Expr, { frame }: Situation): Truth {
  const truth = testOf(expr)(frame);
  frame.matched.length = 0;
  return truth;
}

export function decided(truth: Truth): Both {
  return { whenTrue: constant(truth === TRUE), whenFalse: constant(truth === FALSE) };
}

export function turned({ whenTrue, whenFalse }: Both): Both {
  return { whenTrue: whenFalse, whenFalse: whenTrue };
}

export function untranslatable(reason: string): Both {
  const formula = refused(reason);
  return { whenTrue: formula, whenFalse: formula };
}

/** @param expr a comparison: no connective, term or `$some` */
export function leafOf(expr: Expr, at: Situation): Both {
  const [first, second, third] = fieldsIn(expr, at);
  if (first === undefined) return decided(truthOf(expr, at));
  if (third !== undefined) return untranslatable(first.path);
  if (second !== undefined) return ofTwo(expr, first, second, at);
  return ofOne(expr, first, at);
}

function ofOne(expr: Expr, field: Field, at: Situation): Both {
  const { type } = field;
  const ask = (value: unknown): Truth => withValue(at, field, value, (there) => truthOf(expr, there));
  const both = (of: (wanted: Truth, absent: boolean) => Formula): Both => {
    const absent = ask(UNSTATED);
    return { whenTrue: of(TRUE, absent === TRUE), whenFalse: of(FALSE, absent === FALSE) };
  };
  if (expr.op === 'during') return untranslatable(`${field.path} in a calendar`);
  if (expr.op === 'length' && isText(type)) return ofLength(expr.bounds, field, both, ask);
  const listed = listedValues(type);
  if (listed !== null) {
    const truths = listed.map((value) => [value, ask(value)] as const);
    return both((wanted, absent) => {
      const values = new Set<Point>(truths.flatMap(([value, truth]) => (truth === wanted ? [value] : [])));
      return points(field, { values, complement: false, absent });
    });
  }
  if (isText(type)) {
    const named = textsIn(expr, at).map((value) => [value, ask(value)] as const);
    const others = ask(ANOTHER);
    return both((wanted, absent) => {
      const complement = others === wanted;
      const values = new Set<Point>(
        named.flatMap(([value, truth]) => ((truth === wanted) === complement ? [] : [value])),
      );
      return points(field, { values, complement, absent });
    });
  }
  if (isMeasured(type)) {
    const marks = marksIn(expr, at);
    return both((wanted, absent) => {
      const list = rangesWhere(marks, (value) => ask(value) === wanted);
      return ranges(field, 'value', list, absent);
    });
  }
  if (isTextList(type)) return ofList(expr, field, at, both, ask);
  return untranslatable(`${field.path}, ${kindOf(type)}`);
}

type Ask = (value: unknown) => Truth;
type Make = (of: (wanted: Truth, absent: boolean) => Formula) => Both;

function ofLength(bounds: readonly { readonly value: number }[], field: Field, both: Make, ask: Ask): Both {
  const marks = bounds.map(({ value }) => value);
  if (marks.some((mark) => mark > LONGEST)) return untranslatable(`the length of ${field.path}`);
  return both((wanted, absent) => {
    const list = wholeRangesWhere(marks, (length) => ask('x'.repeat(length)) === wanted);
    return ranges(field, 'length', list, absent);
  });
}

/** Operators on lists ask which of some values are in it: one of those is enough, or none may be. */
function ofList(expr: Expr, field: Field, at: Situation, both: Make, ask: Ask): Both {
  const [empty, others] = [ask([]), ask([ANOTHER])];
  if (empty !== others) return untranslatable(`${field.path}, whether it is empty`);
  const named = textsIn(expr, at).flatMap((value) => {
    const truth = ask([value]);
    return truth === others ? [] : [{ value, truth }];
  });
  const [first] = named;
  if (named.some(({ truth }) => truth !== first?.truth)) return untranslatable(field.path);
  const values = named.map(({ value }) => value).sort();
  return both((wanted, absent) => {
    if (others === wanted) return overlaps(field, values, true, absent);
    return overlaps(field, first?.truth === wanted ? values : [], false, absent);
  });
}

function ofTwo(expr: Expr, left: Field, right: Field, at: Situation): Both {
  const inside = (field: Field, value: unknown, other: Field): Both =>
    withValue(at, field, value, (there) => ofOne(expr, other, there));
  for (const [closed, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const listed = listedValues(closed.type);
    if (listed === null) continue;
    const cases = [
      [points(closed, ABSENT), inside(closed, UNSTATED, other)] as const,
      ...listed.map((value) => {
        const only = { values: new Set<Point>([value]), complement: false, absent: false };
        return [points(closed, only), inside(closed, value, other)] as const;
      }),
    ];
    return {
      whenTrue: or(cases.map(([where, { whenTrue }]) => and([where, whenTrue]))),
      whenFalse: or(cases.map(([where, { whenFalse }]) => and([where, whenFalse]))),
    };
  }
  const stated = ofTwoStated(expr, left, right, at);
  if (stated === null) return untranslatable(`${left.path} compared with ${right.path}`);
  const [noLeft, noRight] = [inside(left, UNSTATED, right), inside(right, UNSTATED, left)];
  const join = (side: keyof Both): Formula =>
    or([
      stated[side],
      and([points(left, ABSENT), noLeft[side]]),
      and([points(right, ABSENT), presence(left), noRight[side]]),
    ]);
  return { whenTrue: join('whenTrue'), whenFalse: join('whenFalse') };
}

/** That it has a value of its type. */
function presence(field: Field): Formula {
  if (isTextList(field.type)) return overlaps(field, [], true, false);
  if (isMeasured(field.type)) {
    return ranges(field, 'value', [{ from: null, fromIncluded: false, to: null, toIncluded: false }], false);
  }
  return points(field, PRESENT);
}

/** Where both have a value; null: that is no comparison of two columns. */
function ofTwoStated(expr: Expr, first: Field, second: Field, at: Situation): Both | null {
  const alike =
    (isText(first.type) && isText(second.type)) || (isMeasured(first.type) && first.type.kind === second.type.kind);
  if (alike) {
    // Two values are the same, or the one is greater than the other: asked with such values, whatever the operator.
    const [low, high] = isText(first.type) ? ['\u0000a', '\u0000b'] : [0, 1];
    const ask = (a: unknown, b: unknown): Truth =>
      withValue(at, first, a, (there) => withValue(there, second, b, (here) => truthOf(expr, here)));
    const [same, less, greater] = [ask(low, low), ask(low, high), ask(high, low)];
    if (isText(first.type) && less !== greater) return null;
    const where = (wanted: Truth): Formula =>
      comparison(first, second, same === wanted, less === wanted, greater === wanted);
    return { whenTrue: where(TRUE), whenFalse: where(FALSE) };
  }
  const [item, list] = isText(first.type) ? [first, second] : [second, first];
  if (!isText(item.type) || !isTextList(list.type)) return null;
  const ask = (items: readonly string[]): Truth =>
    withValue(at, item, '\u0000a', (there) => withValue(there, list, items, (here) => truthOf(expr, here)));
  const [inside, outside, empty] = [ask(['\u0000a']), ask(['\u0000b']), ask([])];
  if (outside !== empty) return null;
  const where = (wanted: Truth): Formula =>
    or([inside === wanted ? member(item, list, false) : NEVER, outside === wanted ? member(item, list, true) : NEVER]);
  return { whenTrue: where(TRUE), whenFalse: where(FALSE) };
}

function comparison(a: Field, b: Field, same: boolean, less: boolean, greater: boolean): Formula {
  if (less && greater) return same ? and([presence(a), presence(b)]) : compare('ne', a, b);
  if (less) return compare(same ? 'lte' : 'lt', a, b);
  if (greater) return compare(same ? 'gte' : 'gt', a, b);
  return same ? compare('eq', a, b) : NEVER;
}

/**
 * Values that the comparison names itself, or through what is known of the subject and the circumstances.
 * @param butOf a slot that is left out
 */
export function constantsIn(expr: Expr, at: Situation, butOf = -1): readonly unknown[] {
  const ofOperand = (operand: Operand): readonly unknown[] => {
    if (operand.kind === 'literal') return [operand.value];
    return operand.ref.attribute?.slot === butOf ? [] : spread(getter(operand.ref)(at.frame));
  };
  if (!('left' in expr)) return [];
  const own = ofOperand({ kind: 'ref', ref: expr.left });
  if (expr.op === 'has_any') return [...own, ...expr.values];
  if (!('right' in expr)) return own;
  const { right } = expr;
  if (!('kind' in right)) return [...own, ...ofOperand({ kind: 'ref', ref: right })];
  return [...own, ...(right.kind === 'list' ? right.values : ofOperand(right))];
}

function spread(value: unknown): readonly unknown[] {
  if (Array.isArray(value) || value instanceof Set) return [...value];
  return [value];
}

function textsIn(expr: Expr, at: Situation): readonly string[] {
  // '' in a row is no value.
  const found = constantsIn(expr, at).filter((value) => typeof value === 'string' && value !== '');
  return [...new Set(found)].map(String);
}

function marksIn(expr: Expr, at: Situation): readonly number[] {
  if (expr.op === 'age') return expr.bounds.map(({ value }) => at.frame.now - value);
  return constantsIn(expr, at).flatMap((value) => (typeof value === 'number' ? [value] : []));
}

function kindOf(type: AttributeType): string {
  return type.kind === 'list' ? `a list of ${type.items.kind}s` : `a ${type.kind}`;
}
