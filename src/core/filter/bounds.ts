// To which matters a condition confines rows, where it names them or asks who is on their teams. It must never leave out a matter whose
// rows the condition could be true (or false) of.
import type { Expr, Operand, Ref } from '../condition.ts';
import { SLOT } from '../dictionary.ts';
import type { MatterFacts } from '../data-entries.ts';
import { getter } from '../operators.ts';
import type { PolicySet } from '../policy-set.ts';
import { FALSE, NONE, TRUE, UNKNOWN_VALUE } from '../truth.ts';
import { truthOf } from './leaf.ts';
import { entriesOf } from './residual.ts';
import { slotsOf, type Situation } from './situation.ts';
import type { Situations } from './situations.ts';

/** Ids; null: any. */
export type Bound = ReadonlySet<string> | null;

export interface Bounds {
  /** @param wanted the truth that the condition is to have */
  of(expr: Expr, wanted: typeof TRUE | typeof FALSE): Bound;
}

const NOWHERE: Bound = new Set();
type Facts = 'clientId' | 'practiceGroup' | 'responsible' | 'proposing' | 'team';
const FACTS: ReadonlyMap<number, Facts> = new Map([
  [SLOT.matterClient, 'clientId'],
  [SLOT.matterPracticeGroup, 'practiceGroup'],
  [SLOT.matterResponsible, 'responsible'],
  [SLOT.matterProposing, 'proposing'],
  [SLOT.matterTeam, 'team'],
]);

const indexes = new WeakMap<object, Map<Facts, ReadonlyMap<string, readonly string[]>>>();

/** Ids of the matters of which a fact is, or holds, a value. */
export function mattersWith(matters: ReadonlyMap<string, MatterFacts>, fact: Facts, value: string): readonly string[] {
  let known = indexes.get(matters);
  if (known === undefined) indexes.set(matters, (known = new Map()));
  let index = known.get(fact);
  if (index === undefined) {
    const work = indexed(matters, fact);
    let step = work.next();
    while (step.done !== true) step = work.next();
    known.set(fact, (index = step.value));
  }
  return index.get(value) ?? [];
}

const STEP = 2_000;

/** What `mattersWith` looks up about people, made ahead and in steps, for a large firm has it made while others wait. */
export function* indexPeople(matters: ReadonlyMap<string, MatterFacts>): Generator<void> {
  let known = indexes.get(matters);
  if (known === undefined) indexes.set(matters, (known = new Map()));
  for (const fact of ['team', 'responsible', 'proposing'] as const) {
    if (!known.has(fact)) known.set(fact, yield* indexed(matters, fact));
  }
}

function* indexed(matters: ReadonlyMap<string, MatterFacts>, fact: Facts): Generator<void, Map<string, string[]>> {
  const made = new Map<string, string[]>();
  let count = 0;
  for (const [id, facts] of matters) {
    if (++count % STEP === 0) yield;
    const held = facts[fact];
    for (const one of held === NONE ? [] : typeof held === 'string' ? [held] : new Set(held)) {
      const list = made.get(one);
      if (list === undefined) made.set(one, [id]);
      else list.push(id);
    }
  }
  return made;
}

export function createBounds({ data }: PolicySet, situations: Situations, at: Situation): Bounds {
  const { ofMatter, matterField } = situations;
  const isOpenSlot = (slot: number): boolean => ofMatter.has(slot) || at.fields[slot] !== undefined;
  const isOpen = ({ attribute }: Ref): boolean => attribute !== null && isOpenSlot(attribute.slot);
  const dependsOnRow = (expr: Expr): boolean => slotsOf(expr).some(isOpenSlot);

  /** Matters of which what the reference names can be one of the values, or hold one. */
  const holding = (ref: Ref, values: readonly unknown[]): Bound => {
    const slot = ref.attribute?.slot ?? -1;
    if (ref.field !== null) return null;
    // An unknown value makes nothing true, a known none equals nothing.
    const texts = values.filter((value) => typeof value === 'string');
    if (matterField !== null && matterField.slots.includes(slot)) return new Set(texts);
    const fact = FACTS.get(slot);
    return fact === undefined ? null : new Set(texts.flatMap((value) => mattersWith(data.matters, fact, value)));
  };
  const valuesOf = (right: Operand | { readonly kind: 'list'; readonly values: readonly unknown[] }) => {
    if (right.kind === 'list') return right.values;
    return spread(right.kind === 'literal' ? right.value : getter(right.ref)(at.frame));
  };
  /** That one side, which depends on the row, equals or holds a value of the other, which does not. */
  const meeting = (left: Ref, right: Parameters<typeof valuesOf>[0]): Bound => {
    const rightIsOpen = right.kind === 'ref' && isOpen(right.ref);
    if (isOpen(left)) return rightIsOpen ? null : holding(left, valuesOf(right));
    return rightIsOpen && right.kind === 'ref' ? holding(right.ref, spread(getter(left)(at.frame))) : null;
  };
  const ofLeaf = (expr: Expr, wanted: typeof TRUE | typeof FALSE): Bound => {
    switch (expr.op) {
      case 'eq':
      case 'in':
      case 'has':
        return wanted === TRUE ? meeting(expr.left, expr.right) : null;
      case 'ne':
      case 'nin':
        return wanted === FALSE ? meeting(expr.left, expr.right) : null;
      case 'has_any':
        return wanted === TRUE ? meeting(expr.left, { kind: 'list', values: expr.values }) : null;
      case 'same': {
        if (wanted === FALSE || isOpen(expr.left) === isOpen(expr.right)) return null;
        const [known, open] = isOpen(expr.left) ? [expr.right, expr.left] : [expr.left, expr.right];
        const value = getter(known)(at.frame);
        return value === NONE ? null : value === UNKNOWN_VALUE ? NOWHERE : holding(open, [value]);
      }
      default:
        return null;
    }
  };

  const of = (expr: Expr, wanted: typeof TRUE | typeof FALSE): Bound => {
    if (!dependsOnRow(expr)) return truthOf(expr, at) === wanted ? null : NOWHERE;
    switch (expr.op) {
      case 'all':
      case 'any': {
        const every = (expr.op === 'all') === (wanted === TRUE);
        return every ? smallest(expr.args, (arg) => of(arg, wanted)) : union(expr.args, (arg) => of(arg, wanted));
      }
      case 'not':
        return of(expr.arg, wanted === TRUE ? FALSE : TRUE);
      case 'term':
        return of(expr.arg, wanted);
      case 'some': {
        if (wanted === FALSE || isOpen(expr.left)) return null;
        const { frame } = at;
        const outer = frame.entry;
        const entries = entriesOf(getter(expr.left)(frame), expr.where, at, isOpenSlot);
        const found = union(entries, (entry) => {
          frame.entry = entry;
          return of(expr.where, TRUE);
        });
        frame.entry = outer;
        return found;
      }
      default:
        return ofLeaf(expr, wanted);
    }
  };
  return { of };
}

function spread(value: unknown): readonly unknown[] {
  return Array.isArray(value) || value instanceof Set ? [...value] : [value];
}

export function smallest<T>(list: readonly T[], of: (one: T) => Bound): Bound {
  let best: Bound = null;
  for (const one of list) {
    const bound = of(one);
    if (bound !== null && (best === null || bound.size < best.size)) best = bound;
    if (best?.size === 0) return best;
  }
  return best;
}

export function union<T>(list: Iterable<T>, of: (one: T) => Bound): Bound {
  const all = new Set<string>();
  for (const one of list) {
    const bound = of(one);
    if (bound === null) return null;
    for (const id of bound) all.add(id);
  }
  return all;
}
