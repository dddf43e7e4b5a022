// The values that something can still have, as sets, intervals and what a list holds. It must never leave out a value that is possible.

export interface Limit {
  readonly value: number;
  /** The limit itself is outside. */
  readonly open: boolean;
}

export interface Values {
  /** Null: every value of the type. */
  readonly only: ReadonlySet<unknown> | null;
  readonly not: ReadonlySet<unknown>;
  readonly low: Limit;
  readonly high: Limit;
  /** Of a list: each group has at least one member in it. */
  readonly groups: readonly ReadonlySet<unknown>[];
  /** Of a list: none of these is in it. */
  readonly without: ReadonlySet<unknown>;
}

/** Null: no value is left. */
export type Narrowing = (values: Values) => Values | null;

const NOTHING: ReadonlySet<unknown> = new Set();
const LOWEST: Limit = { value: -Infinity, open: false };
const HIGHEST: Limit = { value: Infinity, open: false };

export const ANYTHING: Values = {
  only: null,
  not: NOTHING,
  low: LOWEST,
  high: HIGHEST,
  groups: [],
  without: NOTHING,
};

export function among(list: Iterable<unknown>): Values {
  return { ...ANYTHING, only: new Set(list) };
}

export function keep(list: readonly unknown[]): Narrowing {
  const wanted = new Set(list);
  return (values) => {
    const both = values.only === null ? wanted : new Set([...values.only].filter((value) => wanted.has(value)));
    return settled({ ...values, only: both });
  };
}

export function drop(list: readonly unknown[]): Narrowing {
  return (values) => settled({ ...values, not: new Set([...values.not, ...list]) });
}

export function between(low: Limit, high: Limit): Narrowing {
  return (values) => settled({ ...values, low: higher(values.low, low), high: lower(values.high, high) });
}

export const above = (value: number, open: boolean): Narrowing => between({ value, open }, HIGHEST);
export const below = (value: number, open: boolean): Narrowing => between(LOWEST, { value, open });

/** Of a set of values with an order of their own. */
export function keepIf(fits: (value: unknown) => boolean): Narrowing {
  return (values) =>
    values.only === null ? values : settled({ ...values, only: new Set([...values.only].filter(fits)) });
}

export function listHasAny(list: readonly unknown[]): Narrowing {
  return (values) => settled({ ...values, groups: [...values.groups, new Set(list)] });
}

export function listHasNone(list: readonly unknown[]): Narrowing {
  return (values) => settled({ ...values, without: new Set([...values.without, ...list]) });
}

export function intersection(a: Values, b: Values): Values | null {
  const kept = b.only === null ? a : keep([...b.only])(a);
  if (kept === null) return null;
  return settled({
    ...kept,
    not: b.not.size === 0 ? kept.not : new Set([...kept.not, ...b.not]),
    low: higher(kept.low, b.low),
    high: lower(kept.high, b.high),
  });
}

/** Whether one list, known in full, can be what is left. */
export function fitsList(values: Values, list: readonly unknown[]): boolean {
  return (
    values.groups.every((group) => list.some((one) => group.has(one))) && !list.some((one) => values.without.has(one))
  );
}

/** The one value that is left, if it is one. */
export function single({ only }: Values): { readonly value: unknown } | null {
  if (only?.size !== 1) return null;
  const [value] = only;
  return { value };
}

/** Lowest and highest value; `rank` gives values of an ordered enum their place. */
export function limitsOf(values: Values, rank: (value: unknown) => unknown): readonly [Limit, Limit] {
  if (values.only === null) return [values.low, values.high];
  let [low, high] = [Infinity, -Infinity];
  for (const value of values.only) {
    const place = rank(value);
    if (typeof place !== 'number') return [LOWEST, HIGHEST];
    low = Math.min(low, place);
    high = Math.max(high, place);
  }
  return [
    { value: low, open: false },
    { value: high, open: false },
  ];
}

function settled(values: Values): Values | null {
  const { only, not, low, high, groups, without } = values;
  if (only !== null) {
    const left = new Set([...only].filter((value) => !not.has(value) && isWithin(value, low, high)));
    return left.size === 0 ? null : { ...values, only: left };
  }
  if (low.value > high.value) return null;
  if (low.value === high.value && (low.open || high.open || not.has(low.value))) return null;
  if (without.size === 0 || groups.length === 0) return values;
  const open = groups.map((group) => new Set([...group].filter((one) => !without.has(one))));
  return open.some(({ size }) => size === 0) ? null : { ...values, groups: open };
}

function isWithin(value: unknown, low: Limit, high: Limit): boolean {
  if (typeof value !== 'number') return true;
  const under = low.open ? value <= low.value : value < low.value;
  const over = high.open ? value >= high.value : value > high.value;
  return !under && !over;
}

function higher(a: Limit, b: Limit): Limit {
  return a.value === b.value ? (a.open ? a : b) : a.value > b.value ? a : b;
}

function lower(a: Limit, b: Limit): Limit {
  return a.value === b.value ? (a.open ? a : b) : a.value < b.value ? a : b;
}
