// A condition on the row of a list, in which everything that does not depend on the row is decided: two-valued, and without NOT. It must
// never be true of a row of which it is not known to be true.
import type { AttributeType } from '../attribute-types.ts';
import type { Order } from '../condition.ts';

/** An attribute of which each row has its own value. */
export interface Field {
  readonly path: string;
  /** Name in the caller's table or index. */
  readonly column: string;
  /** `matter`: a column of the caller's table of matters. */
  readonly of: 'row' | 'matter';
  /** Column of the row that counts where the table of matters says nothing. */
  readonly otherwise?: string;
  readonly type: AttributeType;
  /** Slots of a frame that hold it. */
  readonly slots: readonly number[];
}

export type Point = string | boolean;

/** Open ends are null. */
export interface Range {
  readonly from: number | null;
  readonly fromIncluded: boolean;
  readonly to: number | null;
  readonly toIncluded: boolean;
}

interface Named {
  /** The same for the same formula. */
  readonly key: string;
}

/** Each says that the field has a value of its type of which something holds; `absent`: or that it has none (NULL or ''). */
export type Leaf = Named &
  (
    | {
        readonly op: 'points';
        readonly field: Field;
        readonly values: ReadonlySet<Point>;
        /** Any value but these. */
        readonly complement: boolean;
        readonly absent: boolean;
      }
    | {
        readonly op: 'ranges';
        readonly field: Field;
        /** Of the value itself, or of the length of a text in code points. */
        readonly measure: 'value' | 'length';
        readonly ranges: readonly Range[];
        readonly absent: boolean;
      }
    | {
        readonly op: 'overlaps';
        readonly field: Field;
        readonly values: readonly string[];
        /** A list that has none of these. */
        readonly complement: boolean;
        readonly absent: boolean;
      }
    | { readonly op: 'compare'; readonly order: Order | 'eq' | 'ne'; readonly left: Field; readonly right: Field }
    | { readonly op: 'member'; readonly item: Field; readonly list: Field; readonly complement: boolean }
    /** Of a field that holds a matter: the caller's table of matters has it, or has not. */
    | { readonly op: 'registered'; readonly field: Field; readonly is: boolean }
    /** Nobody can tell in a condition on rows; what is behind it cannot be filtered. */
    | { readonly op: 'refused'; readonly reason: string }
  );

export type Formula =
  | Leaf
  | (Named & { readonly op: 'const'; readonly value: boolean })
  | (Named & { readonly op: 'and'; readonly args: readonly Formula[] })
  | (Named & { readonly op: 'or'; readonly args: readonly Formula[] });

/** `TRUE` and `FALSE` of truth.ts are truths of one request; these hold for every row. */
export const ALWAYS: Formula = { op: 'const', value: true, key: '1' };
export const NEVER: Formula = { op: 'const', value: false, key: '0' };

export function constant(value: boolean): Formula {
  return value ? ALWAYS : NEVER;
}

export function refused(reason: string): Formula {
  return { op: 'refused', reason, key: `!${reason}` };
}

export interface PointSet {
  readonly values: ReadonlySet<Point>;
  readonly complement: boolean;
  readonly absent: boolean;
}

const NO_POINTS: ReadonlySet<Point> = new Set();
export const NONE_OF_THEM: PointSet = { values: NO_POINTS, complement: false, absent: false };
export const PRESENT: PointSet = { values: NO_POINTS, complement: true, absent: false };
export const ABSENT: PointSet = { values: NO_POINTS, complement: false, absent: true };

/** @param set of a closed list of values (booleans, enums) never a complement */
export function points(field: Field, set: PointSet): Formula {
  const { values, complement, absent } = set;
  if (values.size === 0 && !complement && !absent) return NEVER;
  const isEvery = complement ? values.size === 0 : field.type.kind === 'boolean' && values.size === 2;
  if (absent && isEvery && field.type.kind !== 'list') return ALWAYS; // a text or boolean column holds nothing else
  const listed = JSON.stringify(sorted(values));
  const key = `p(${keyOf(field)},${complement ? '!' : ''}${listed}${absent ? '?' : ''})`;
  return { op: 'points', field, values, complement, absent, key };
}

/** In the order of code units; false before true. */
export function sorted(values: ReadonlySet<Point>): readonly Point[] {
  return values.size < 2 ? [...values] : [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

export function intersect(a: PointSet, b: PointSet): PointSet {
  const absent = a.absent && b.absent;
  if (a.complement && b.complement) return { values: new Set([...a.values, ...b.values]), complement: true, absent };
  const [listed, other] = a.complement ? [b, a] : [a, b];
  const values = new Set([...listed.values].filter((value) => other.values.has(value) !== other.complement));
  return { values, complement: false, absent };
}

export function unite(a: PointSet, b: PointSet): PointSet {
  const absent = a.absent || b.absent;
  if (!a.complement && !b.complement) return { values: new Set([...a.values, ...b.values]), complement: false, absent };
  const [but, other] = a.complement ? [a, b] : [b, a];
  const values = new Set([...but.values].filter((value) => other.values.has(value) === other.complement));
  return { values, complement: true, absent };
}

export function keyOf({ of, path }: Field): string {
  return `${of}:${path}`;
}

/** A leaf of any kind but points, which have their own maker. */
export function ranges(field: Field, measure: 'value' | 'length', list: readonly Range[], absent: boolean): Formula {
  if (list.length === 0) return absent ? points(field, ABSENT) : NEVER;
  const key = `r(${keyOf(field)},${measure},${JSON.stringify(list)}${absent ? '?' : ''})`;
  return { op: 'ranges', field, measure, ranges: list, absent, key };
}

export function overlaps(field: Field, values: readonly string[], complement: boolean, absent: boolean): Formula {
  if (values.length === 0 && !complement) return absent ? points(field, ABSENT) : NEVER;
  const key = `o(${keyOf(field)},${complement ? '!' : ''}${JSON.stringify(values)}${absent ? '?' : ''})`;
  return { op: 'overlaps', field, values, complement, absent, key };
}

export function compare(order: Order | 'eq' | 'ne', left: Field, right: Field): Formula {
  return { op: 'compare', order, left, right, key: `c(${keyOf(left)},${order},${keyOf(right)})` };
}

export function member(item: Field, list: Field, complement: boolean): Formula {
  const key = `m(${keyOf(item)},${complement ? '!' : ''}${keyOf(list)})`;
  return { op: 'member', item, list, complement, key };
}

export function registered(field: Field, is: boolean): Formula {
  return { op: 'registered', field, is, key: `g(${keyOf(field)},${is})` };
}

export function and(args: readonly Formula[]): Formula {
  return join('and', args);
}

export function or(args: readonly Formula[]): Formula {
  return join('or', args);
}

function join(op: 'and' | 'or', args: readonly Formula[]): Formula {
  const absorbing = op === 'or';
  // Most parts are decided without the row.
  const open: Formula[] = [];
  for (const arg of args) {
    if (arg.op !== 'const') open.push(arg);
    else if (arg.value === absorbing) return constant(absorbing);
  }
  const [single] = open;
  if (single === undefined) return constant(!absorbing);
  if (open.length === 1) return single;
  const parts = new Map<string, Formula>();
  const sets = new Map<string, { readonly field: Field; readonly set: PointSet }>();
  const take = (arg: Formula): boolean => {
    if (arg.op === 'const') return arg.value !== absorbing;
    if (arg.op === op) return arg.args.every(take);
    if (arg.op !== 'points') {
      parts.set(arg.key, arg);
      return true;
    }
    const at = keyOf(arg.field);
    const before = sets.get(at);
    const set = before === undefined ? arg : absorbing ? unite(before.set, arg) : intersect(before.set, arg);
    sets.set(at, { field: arg.field, set });
    return true;
  };
  if (!open.every(take)) return constant(absorbing);
  for (const { field, set } of sets.values()) {
    const part = points(field, set);
    if (part.op !== 'const') parts.set(part.key, part);
    else if (part.value === absorbing) return constant(absorbing);
  }
  const list = absorb(op, [...parts.values()], parts);
  const [first] = list;
  if (first === undefined) return constant(!absorbing);
  if (list.length === 1) return first;
  let key = op === 'and' ? '&(' : '|(';
  for (const one of list) key += `${one.key},`;
  return { op, args: list, key };
}

/** a OR (a AND b) is a; a AND (a OR b) is a. */
function absorb(op: 'and' | 'or', list: readonly Formula[], keys: ReadonlyMap<string, Formula>): readonly Formula[] {
  const inner = op === 'and' ? 'or' : 'and';
  return list.filter((one) => one.op !== inner || !one.args.some(({ key }) => keys.has(key)));
}

/** What every one of them says, and what is left of each. */
export function factor(list: readonly Formula[]): { readonly common: Formula; readonly rest: readonly Formula[] } {
  const parts = list.map((one) => (one.op === 'and' ? one.args : [one]));
  const [first, ...others] = parts;
  if (first === undefined) return { common: ALWAYS, rest: list };
  const shared = others.reduce(
    (keys, args) => keys.intersection(new Set(args.map(({ key }) => key))),
    new Set(first.map(({ key }) => key)),
  );
  if (shared.size === 0) return { common: ALWAYS, rest: list };
  return {
    common: and(first.filter(({ key }) => shared.has(key))),
    rest: parts.map((args) => and(args.filter(({ key }) => !shared.has(key)))),
  };
}

export function* leavesOf(formula: Formula): Generator<Leaf> {
  if (formula.op === 'const') return;
  if (formula.op === 'and' || formula.op === 'or') for (const arg of formula.args) yield* leavesOf(arg);
  else yield formula;
}
