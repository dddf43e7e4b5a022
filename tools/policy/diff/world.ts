// What makes two policy sets decide one request differently, as terms: each rule, wall and list that could be the reason, and the difference as a whole.
// It must never leave out a reason.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { codePoints } from '../../../src/core/operators.ts';
import type { Rule, Selection } from '../../../src/core/rules.ts';
import type { Truths } from '../smt/encode.ts';
import { refusalsOf } from '../smt/loaded.ts';
import type { Session, Solver } from '../smt/solver.ts';
import { and, equal, int, not, or, type Term } from '../smt/term.ts';
import { LENGTH } from '../smt/variables.ts';
import { calendarPairs, inclusions, instantsIn } from './calendar-laws.ts';
import type { Pair } from './pair.ts';
import type { SideIndex } from './raw-types.ts';

export type Direction = 'newly_allowed' | 'newly_denied';

/** What could be the reason why a decision flips. */
export interface Cause {
  readonly kind: 'rule' | 'wall' | 'lockdown' | 'ai_assistants';
  readonly id: string;
  /** It lets through under one set, and did not under the other. */
  readonly term: Term;
  /** Where no other rule speaks of it, others need not be asked. */
  readonly rule: RulePair | null;
}

export interface RulePair {
  readonly id: string;
  readonly effect: Rule['effect'];
  readonly rules: readonly [Rule | null, Rule | null];
  readonly truths: readonly [Truths, Truths];
  readonly isChanged: boolean;
  /** What it speaks of: actions and resource types, `*` for those that no set knows. */
  readonly reach: readonly (readonly [actions: ReadonlySet<string>, types: ReadonlySet<string>])[];
}

interface RefusalPair {
  /** Null: lockdown.yaml. */
  readonly wall: string | null;
  readonly terms: readonly [Term, Term];
  readonly isChanged: boolean;
}

export interface World {
  readonly pair: Pair;
  readonly rules: readonly RulePair[];
  causes(direction: Direction): readonly Cause[];
  /** Requests whose decisions flip for one of these reasons, whatever else differs. */
  difference(direction: Direction, causes: readonly Cause[]): Term;
  /** Denied under a set, or allowed. */
  allowed(side: SideIndex): Term;
}

const NEVER: Truths = { isTrue: false, isFalse: true };

export function createWorld(pair: Pair): World {
  const rules = pairRules(pair);
  const refusals = pairRefusals(pair);
  const sidesOf = (direction: Direction): readonly [gains: SideIndex, loses: SideIndex] =>
    direction === 'newly_allowed' ? [1, 0] : [0, 1];

  const causes = (direction: Direction): readonly Cause[] => {
    const [gains, loses] = sidesOf(direction);
    const found: Cause[] = [];
    const add = (kind: Cause['kind'], id: string, term: Term, rule: RulePair | null = null): void => {
      if (term !== false) found.push({ kind, id, term, rule });
    };
    for (const one of rules) {
      if (!one.isChanged) continue;
      const [now, before] = [one.truths[gains], one.truths[loses]];
      const term = one.effect === 'deny' ? and(now.isFalse, not(before.isFalse)) : and(now.isTrue, not(before.isTrue));
      add('rule', one.id, term, one);
    }
    for (const { wall, terms, isChanged } of refusals)
      if (isChanged) add(wall === null ? 'lockdown' : 'wall', wall ?? 'lockdown', and(not(terms[gains]), terms[loses]));
    if (pair.mode === 'loaded' || pair.knowsActor[gains] !== pair.knowsActor[loses])
      add('ai_assistants', 'ai_assistants', actorGain(gains, loses));
    return found;
  };
  const actorGain = (gains: SideIndex, loses: SideIndex): Term =>
    JSON.stringify(pair.knowsActor[gains]) === JSON.stringify(pair.knowsActor[loses])
      ? false
      : and(pair.knowsActor[gains], not(pair.knowsActor[loses]));

  const allowedBy = (side: SideIndex, asked: readonly RulePair[], walls: readonly RefusalPair[]): Term =>
    and(
      pair.knowsActor[side],
      ...walls.map(({ terms }) => not(terms[side])),
      ...asked.flatMap(({ effect, truths }) => (effect === 'deny' ? [truths[side].isFalse] : [])),
      or(...asked.flatMap(({ effect, truths }) => (effect === 'allow' ? [truths[side].isTrue] : []))),
    );

  return {
    ...{ pair, rules, causes },
    allowed: (side) => allowedBy(side, rules, refusals),
    difference(direction, reasons) {
      const [gains, loses] = sidesOf(direction);
      const about = reasons.flatMap(({ rule }) => rule ?? []);
      const asked =
        about.length < reasons.length ? rules : rules.filter((one) => about.some((rule) => meets(rule, one)));
      // With any data, what refuses alike under both sets is left out: it could only refuse more.
      const walls = pair.mode === 'loaded' ? refusals : refusals.filter(({ isChanged }) => isChanged);
      // What denies alike does not deny here: the side that gains says so.
      const others = asked.filter(({ effect, isChanged }) => effect === 'allow' || isChanged);
      return and(
        or(...reasons.map(({ term }) => term)),
        allowedBy(gains, asked, walls),
        not(
          allowedBy(
            loses,
            others,
            walls.filter(({ isChanged }) => isChanged),
          ),
        ),
      );
    },
  };
}

/** @param terms whatever is going to be asked: all texts must be known before the first question */
export async function openSession(
  pair: Pair,
  solver: Solver,
  timeoutMs: number,
  more: readonly Term[],
): Promise<Session> {
  const { request, parts } = pair;
  const { codes, symbols, functions } = request;
  const lengths = codes.all().map((text, code) => equal([LENGTH, int(code)], int(codePoints(text))));
  const instants = instantsIn(pair.calendars, parts.definitions.values());
  const hours = inclusions(calendarPairs(pair.sets), instants, (name, side) => pair.frames[side].during(name));
  const laws = [...request.laws, ...pair.laws, ...lengths, ...hours, ...more];
  return solver.open({ symbols, functions, definitions: parts.definitions, laws }, timeoutMs);
}

/** A rule whose effect has changed is one that was removed and one that was added. */
function pairRules({ sets, encoders }: Pair): readonly RulePair[] {
  const keyOf = ({ id, effect }: Rule): string => `${effect} ${id}`;
  const [a, b] = [
    new Map(sets[0].rules.map((rule) => [keyOf(rule), rule])),
    new Map(sets[1].rules.map((rule) => [keyOf(rule), rule])),
  ];
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((key) => {
    const [left, right] = [a.get(key) ?? null, b.get(key) ?? null];
    const one = left ?? right;
    if (one === null) return [];
    const truths = [
      left === null ? NEVER : encoders[0].rule(left),
      right === null ? NEVER : encoders[1].rule(right),
    ] as const;
    const isChanged = JSON.stringify(truths[0]) !== JSON.stringify(truths[1]);
    const reach = [...reachOf(sets, 0, left), ...reachOf(sets, 1, right)];
    return [{ id: one.id, effect: one.effect, rules: [left, right] as const, truths, isChanged, reach }];
  });
}

function reachOf(sets: readonly [PolicySet, PolicySet], side: SideIndex, rule: Rule | null): RulePair['reach'] {
  const { actions, resourceTypes } = sets[side].firm.names;
  const other = sets[side === 0 ? 1 : 0].firm.names;
  const namesOf = (
    { names, others }: Selection,
    own: ReadonlyMap<string, string>,
    foreign: ReadonlyMap<string, string>,
  ) => new Set([...names, ...(others ? ['*', ...[...foreign.keys()].filter((name) => !own.has(name))] : [])]);
  return (rule?.branches ?? []).map((branch) => [
    namesOf(branch.actions, actions, other.actions),
    namesOf(branch.resources, resourceTypes, other.resourceTypes),
  ]);
}

function meets({ reach: a }: RulePair, { reach: b }: RulePair): boolean {
  return a.some(([actions, types]) =>
    b.some((other) => !actions.isDisjointFrom(other[0]) && !types.isDisjointFrom(other[1])),
  );
}

function pairRefusals({ sets, frames, mode }: Pair): readonly RefusalPair[] {
  const found = new Map<string | null, [Term, Term]>();
  for (const side of [0, 1] as const) {
    for (const { wall, term } of refusalsOf(sets[side], frames[side])) {
      const terms = found.get(wall?.id ?? null) ?? [false, false];
      terms[side] = term;
      found.set(wall?.id ?? null, terms);
    }
  }
  return [...found].flatMap(([wall, terms]) => {
    const isChanged = JSON.stringify(terms[0]) !== JSON.stringify(terms[1]);
    return isChanged || mode === 'loaded' ? [{ wall, terms, isChanged }] : [];
  });
}
