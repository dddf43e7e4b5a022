// Whether conditions can have wished-for truths all at once, by following cases. It must never say that something cannot be which some request brings about.
import type { Expr, Ref } from '../condition.ts';
import { atomOf, CAN_BE_FALSE, CAN_BE_TRUE, CAN_BE_UNKNOWN, factOf, type Atom } from './atoms.ts';
import {
  conclude,
  copyOf,
  couldBe,
  createSituation,
  haveEntry,
  narrow,
  statesOf,
  type Situation,
} from './situation.ts';
import { UNKNOWNS, type Scene } from './variables.ts';

export const ONLY_TRUE = CAN_BE_TRUE;
export const ONLY_FALSE = CAN_BE_FALSE;
export const NOT_TRUE = CAN_BE_FALSE | CAN_BE_UNKNOWN;
export const NOT_FALSE = CAN_BE_TRUE | CAN_BE_UNKNOWN;

/** A condition that must have one of some truths: one of the four sets above. */
export interface Wish {
  readonly expr: Expr;
  readonly truths: number;
  /** Whose fields its bare names are; empty: of no entry. */
  readonly entry?: string;
}

export interface Prover {
  /** Wishes that come true, for all that is asked of them together. */
  suppose(wishes: readonly Wish[], scene: Scene): Supposition;
}

export interface Supposition {
  /** Whether these can come true as well. False is proven; true may only mean that no contradiction was found. */
  canBe(more?: readonly Wish[]): boolean;
}

/** Beyond this effort nothing is claimed: the answer is then yes. */
const MOST_STEPS = 2_000;

interface Search {
  readonly now: Ref;
  /** What was made of comparisons before, unless they are about an entry. */
  readonly atoms: WeakMap<Expr, Atom>;
  readonly turned: WeakMap<Expr, Expr>;
  steps: number;
  entries: number;
}

/** @param now the attribute that ages are reckoned from */
export function createProver(now: Ref): Prover {
  const memory = { now, atoms: new WeakMap<Expr, Atom>(), turned: new WeakMap<Expr, Expr>() };
  return {
    suppose(wishes, scene) {
      const situation = createSituation(scene);
      const search: Search = { ...memory, steps: 0, entries: 0 };
      const choices = takeAll([...wishes], situation, search);
      return {
        canBe: (more = []) => choices !== null && follow(copyOf(situation), more, choices, { ...search }),
      };
    },
  };
}

/** Each of the wishes must come true. */
type Alternative = readonly Wish[];
type Choice = readonly Alternative[];

function follow(situation: Situation, wishes: Alternative, given: readonly Choice[], search: Search): boolean {
  const more = takeAll([...wishes], situation, search);
  if (more === null) return false;
  let best: Choice | null = null;
  const choices: Choice[] = [];
  for (const choice of [...given, ...more]) {
    const possible = choice.filter((alternative) => isOpen(alternative, situation, search));
    if (possible.length === 0) return false;
    choices.push(possible);
    if (best === null || possible.length < best.length) best = possible;
  }
  if (best === null || search.steps > MOST_STEPS) return true;
  const others = choices.filter((choice) => choice !== best);
  return best.some((alternative) => follow(copyOf(situation), alternative, others, search));
}

/** Looks at one wish by itself, at little cost. */
function isOpen([wish, ...others]: Alternative, situation: Situation, search: Search): boolean {
  search.steps++;
  if (wish === undefined || others.length > 0) return true;
  const { expr, truths, entry = '' } = plain(wish, search);
  const atom = atomFor(expr, entry, search);
  return atom === null || couldBe(situation, atom, truths);
}

/** The choices that are left once all else is taken in; null: the wishes cannot come true. */
function takeAll(wishes: Wish[], situation: Situation, search: Search): readonly Choice[] | null {
  const choices: Choice[] = [];
  for (let wish = wishes.pop(); wish !== undefined; wish = wishes.pop()) {
    if (++search.steps > MOST_STEPS) return [];
    const step = take(plain(wish, search), situation, search);
    if (step === null) return null;
    if ('all' in step) wishes.push(...step.all);
    else choices.push(step.any);
  }
  return conclude(situation) ? choices : null;
}

type Step = { readonly all: Alternative } | { readonly any: Choice };
const DONE: Step = { all: [] };

/** What a wish comes down to; null: it cannot come true. */
function take({ expr, truths, entry = '' }: Wish, situation: Situation, search: Search): Step | null {
  switch (expr.op) {
    case 'all':
    case 'any': {
      const parts = expr.args.map((arg): Wish => ({ expr: arg, truths, entry }));
      // "All is true" asks something of every part, "all is false" of one; of "any" the other way round.
      const ofEvery = (expr.op === 'all') === ((truths & CAN_BE_TRUE) !== 0);
      return ofEvery ? { all: parts } : { any: parts.map((part) => [part]) };
    }
    case 'some':
      return takeSome(expr, truths, entry, situation, search);
    case 'age':
    case 'length':
      if (expr.bounds.length !== 1) {
        const args = expr.bounds.map((bound): Expr => ({ ...expr, bounds: [bound] }));
        return { all: [{ expr: { op: 'all', args }, truths, entry }] };
      }
      break;
    default:
  }
  const atom = atomFor(expr, entry, search);
  return atom === null || narrow(situation, atom, truths) ? DONE : null;
}

function atomFor(expr: Expr, entry: string, { atoms, now }: Search): Atom | null {
  if (entry !== '') return atomOf(expr, entry, now);
  const known = atoms.get(expr);
  if (known !== undefined) return known;
  const atom = atomOf(expr, entry, now);
  if (atom !== null) atoms.set(expr, atom);
  return atom;
}

const MIRRORED: Readonly<Record<number, number>> = {
  [ONLY_TRUE]: ONLY_FALSE,
  [ONLY_FALSE]: ONLY_TRUE,
  [NOT_TRUE]: NOT_FALSE,
  [NOT_FALSE]: NOT_TRUE,
};

/** Without names and negations in front. */
function plain(wish: Wish, search: Search): Wish {
  const { expr, truths } = wish;
  const mirrored = MIRRORED[truths] ?? truths;
  switch (expr.op) {
    case 'term':
      return plain({ ...wish, expr: expr.arg }, search);
    case 'not':
      return plain({ ...wish, expr: expr.arg, truths: mirrored }, search);
    case 'ne':
    case 'nin': {
      const turned = search.turned.get(expr) ?? (expr.op === 'ne' ? { ...expr, op: 'eq' } : { ...expr, op: 'in' });
      search.turned.set(expr, turned);
      return { ...wish, expr: turned, truths: mirrored };
    }
    default:
      return wish;
  }
}

type Some = Extract<Expr, { op: 'some' }>;

/** True: one entry fits. False, or not true: none does. Not false: one is not ruled out, or nobody knows the list. */
function takeSome(some: Some, truths: number, entry: string, situation: Situation, search: Search): Step | null {
  const { left, where } = some;
  const list = factOf(left, entry);
  const facts = situation.lists.get(list) ?? { entries: [], every: [] };
  const isEmpty = (mask: number): Wish => ({ expr: { op: 'none', left, want: true }, truths: mask, entry });
  if ((truths & CAN_BE_TRUE) === 0) {
    situation.lists.set(list, { ...facts, every: [...facts.every, { where, truths }] });
    const known = truths === ONLY_FALSE ? [isEmpty(CAN_BE_TRUE | CAN_BE_FALSE)] : [];
    return { all: [...facts.entries.map((one): Wish => ({ expr: where, truths, entry: one })), ...known] };
  }
  if (truths === NOT_FALSE && (statesOf(situation, left, entry) & UNKNOWNS) !== 0)
    return { any: [[isEmpty(CAN_BE_UNKNOWN)], [{ expr: some, truths, entry }, isEmpty(CAN_BE_FALSE)]] };
  if (!haveEntry(situation, left, entry)) return null;
  const one = `#${++search.entries}`;
  situation.lists.set(list, { ...facts, entries: [...facts.entries, one] });
  const about = facts.every.map((every): Wish => ({ expr: every.where, truths: every.truths, entry: one }));
  return { all: [{ expr: where, truths, entry: one }, ...about] };
}
