// Until when a filter holds: a minute, and no longer than any wall, grant or condition on the time stays as it is. It must never look further
// ahead than it has looked, nor tell whose wall or grant it is that changes.
import { childrenOf, type Expr } from '../condition.ts';
import { SLOT } from '../dictionary.ts';
import { getter } from '../operators.ts';
import type { PolicySet } from '../policy-set.ts';
import { constantsIn } from './leaf.ts';
import { entriesOf } from './residual.ts';
import { slotsOf, type Situation } from './situation.ts';
import { rulesFor } from './judge.ts';
import type { Situations } from './situations.ts';

export const LONGEST_MS = 60_000;

/** Milliseconds since 1970: at that instant the filter is no longer to be used. */
export function expiryOf(set: PolicySet, situations: Situations): number {
  const { now } = situations.question;
  const any = situations.ofResource(null);
  let end = Math.min(now + LONGEST_MS, nextBoundary(set, now));
  const isKnown = (slot: number): boolean => any.fields[slot] === undefined && !situations.ofMatter.has(slot);
  for (const { exprs } of rulesFor(set, situations, any))
    for (const expr of exprs) for (const flip of flipsOf(expr, any, isKnown, end)) if (flip < end) end = flip;
  return end;
}

/** Instants after now at which a condition on the time may turn, as far as it does not depend on the row. */
function* flipsOf(
  expr: Expr,
  at: Situation,
  isKnown: (slot: number) => boolean,
  until: number,
): Generator<number, void> {
  if (!readsTime(expr)) return;
  if (expr.op === 'some') {
    if (expr.left.attribute !== null && !isKnown(expr.left.attribute.slot)) return;
    const { frame } = at;
    const outer = frame.entry;
    for (const entry of entriesOf(getter(expr.left)(frame), expr.where, at, (slot) => !isKnown(slot))) {
      frame.entry = entry;
      yield* flipsOf(expr.where, at, isKnown, until);
    }
    frame.entry = outer;
    return;
  }
  const children = childrenOf(expr);
  if (children.length > 0) {
    for (const child of children) yield* flipsOf(child, at, isKnown, until);
    return;
  }
  if (!slotsOf(expr).every(isKnown)) return;
  const { now } = at.frame;
  if (expr.op === 'during') {
    const value = getter(expr.left)(at.frame);
    if (value === now) yield turnOf(expr.contains, now, until);
    return;
  }
  for (const mark of turningPoints(expr, at))
    for (const instant of [Math.ceil(mark), Math.floor(mark) + 1]) if (instant > now) yield instant;
}

function turningPoints(expr: Expr, at: Situation): readonly number[] {
  if (expr.op !== 'age') return constantsIn(expr, at, SLOT.now).filter((value) => typeof value === 'number');
  const since = getter(expr.left)(at.frame);
  return typeof since === 'number' ? expr.bounds.map(({ value }) => since + value) : [];
}

const timed = new WeakMap<Expr, boolean>();

function readsTime(expr: Expr): boolean {
  let known = timed.get(expr);
  if (known === undefined) {
    known = expr.op === 'age' || slotsOf(expr).includes(SLOT.now) || childrenOf(expr).some(readsTime);
    timed.set(expr, known);
  }
  return known;
}

interface Stretch {
  readonly from: number;
  /** The calendar says the same of all that is before. */
  readonly until: number;
}

const stretches = new WeakMap<(ms: number) => boolean, Stretch>();

/** Calendars know whole seconds. */
function turnOf(contains: (ms: number) => boolean, now: number, until: number): number {
  const known = stretches.get(contains);
  if (known !== undefined && known.from <= now && until <= known.until) return until;
  const first = contains(now);
  let second = Math.floor(now / 1_000) * 1_000;
  do second += 1_000;
  while (second < now + LONGEST_MS && contains(second) === first);
  if (contains(second) !== first) return second;
  stretches.set(contains, { from: now, until: second });
  return second;
}

const boundariesBySet = new WeakMap<PolicySet, readonly number[]>();

/** When a wall or grant next begins or ends, whomever it names. */
function nextBoundary(set: PolicySet, now: number): number {
  let sorted = boundariesBySet.get(set);
  if (sorted === undefined) {
    const ofGrants = set.data.grants.entries.flatMap((grant) => [grant['valid_from'], grant['valid_until']]);
    const all = [...set.walls.all.flatMap(({ from, until }) => [from, until]), ...ofGrants];
    sorted = [...new Set(all.flatMap((one) => (typeof one === 'number' && Number.isFinite(one) ? [one] : [])))].sort(
      (a, b) => a - b,
    );
    boundariesBySet.set(set, sorted);
  }
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) > now) high = middle;
    else low = middle + 1;
  }
  // A fraction of a millisecond is over before the clock can say so.
  return Math.floor(sorted[low] ?? Infinity);
}
