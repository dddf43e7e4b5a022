// What rules, walls and the lockdown say of all rows of one situation together, as `decide` weighs them: one deny outweighs every allow, and
// unknown denies. It must never let a row through whose permission brings duties.
import { SLOT } from '../dictionary.ts';
import type { Candidate } from '../ability.ts';
import { childrenOf, type Expr } from '../condition.ts';
import type { PolicySet } from '../policy-set.ts';
import { and, NEVER, or, refused, type Formula } from './formula.ts';
import { clientsNamed, unguarded } from './guards.ts';
import { truthOf } from './leaf.ts';
import { anyOf, residualOf } from './residual.ts';
import { readsField, slotsOf, type Memory, type Situation } from './situation.ts';
import type { Situations } from './situations.ts';

/** Rules that can be other than false for the subject. */
export function rulesFor(set: PolicySet, { question }: Situations, { frame }: Situation): readonly Candidate[] {
  const { action, resource } = question;
  return set.ruleIndex
    .candidates(action, resource.type, frame.slots[SLOT.userType])
    .filter(({ gates }) => (gates & frame.gates) !== 0);
}

export interface Judge {
  /** What holds for the rows of every matter alike. */
  readonly always: Formula;
  /** The rest. */
  of(at: Situation): Formula;
}

const WITH_DUTIES = 'an allow that brings obligations: ask about each item';

/**
 * Of the rows of one resource on file, or of all that are not.
 * @param any one of these situations
 */
export function createJudge(
  set: PolicySet,
  { ofMatter }: Situations,
  any: Situation,
  rules: readonly Candidate[],
): Judge {
  const clients = clientsNamed(set, any);
  const sharedExprs = new Map<Expr, boolean>();
  const isShared = (expr: Expr): boolean => {
    let known = sharedExprs.get(expr);
    if (known === undefined) sharedExprs.set(expr, (known = !slotsOf(expr).some((slot) => ofMatter.has(slot))));
    return known;
  };
  const memory: Memory = { isShared, known: new Map() };
  const resultOf = ({ exprs }: Candidate, at: Situation) => anyOf(exprs.map((expr) => residualOf(expr, at)));

  const allows = rules.filter(({ rule }) => rule.effect === 'allow');
  const denies = Map.groupBy(
    rules.filter(({ rule }) => rule.effect === 'deny'),
    ({ exprs }) => exprs.every(isShared),
  );
  const always = and((denies.get(true) ?? []).map((rule) => resultOf(rule, { ...any, memory }).whenFalse));

  const judge = (at: Situation, guard: Formula): Formula => {
    const allowed = or(
      allows.map((candidate) => {
        const { whenTrue } = resultOf(candidate, at);
        return candidate.rule.obligations.length === 0 ? whenTrue : and([whenTrue, refused(WITH_DUTIES)]);
      }),
    );
    if (allowed === NEVER) return NEVER;
    const parts = [guard, allowed];
    for (const candidate of denies.get(false) ?? []) {
      const { whenFalse } = resultOf(candidate, at);
      if (whenFalse === NEVER) return NEVER;
      parts.push(whenFalse);
    }
    return and(parts);
  };

  // Many matters are alike in all that rules ask of them: they are judged once.
  const asked = [...new Set(rules.flatMap(({ exprs }) => exprs.flatMap(comparisonsIn)))]
    .map((expr) => ({ expr, slots: slotsOf(expr).filter((slot) => ofMatter.has(slot)) }))
    .filter(({ slots }) => slots.length > 0);
  const judged = new Map<string, Formula>();
  return {
    always,
    of(at) {
      const guard = unguarded(set, at, clients);
      if (guard === NEVER || always === NEVER) return NEVER;
      let key = guard.key;
      for (const { expr, slots } of asked) {
        if (!readsField(expr, at)) key += `|${truthOf(expr, at)}`;
        else for (const slot of slots) key += `|${at.fields[slot]?.of ?? described(at.frame.slots[slot])}`;
      }
      let formula = judged.get(key);
      if (formula === undefined) judged.set(key, (formula = judge({ ...at, memory }, guard)));
      return formula;
    },
  };
}

function described(value: unknown): string {
  return typeof value === 'symbol' ? String(value) : JSON.stringify(value);
}

function comparisonsIn(expr: Expr): readonly Expr[] {
  if (expr.op === 'some') return [expr];
  const children = childrenOf(expr);
  return children.length === 0 ? [expr] : children.flatMap(comparisonsIn);
}
