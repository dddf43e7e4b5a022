// When two policy sets that differ in a few rules decide differently, as a term for the solver: the decision, the rules it names, advice and
// obligations. It must never leave out a difference that a test case could state.
import type { Rule } from '../../../src/core/rules.ts';
import type { Encoder, Truths } from '../smt/encode.ts';
import { and, equal, not, or, type Term } from '../smt/term.ts';
import type { Made } from './mutants.ts';

type Judged = readonly (readonly [rule: Rule, truths: Truths])[];

/**
 * Walls and the lockdown only refuse more, which hides differences and makes none: they are left out.
 * @param own encodes the changed rules with the words of the changed set
 */
export function differs(rules: readonly Rule[], made: Made, base: Encoder, own: Encoder): Term {
  const pairs = new Map(made.rules);
  const before = rules.map((rule) => [rule, base.rule(rule)] as const);
  const after = rules.flatMap((rule) => {
    const changed = pairs.get(rule);
    if (changed === undefined) return [[rule, base.rule(rule)] as const];
    return changed === null ? [] : [[changed, own.rule(changed)] as const];
  });
  const [a, b] = [phases(before), phases(after)];
  const changed = [...pairs].flatMap(([one, other]) => [one, ...(other === null ? [] : [other])]);
  const ids = new Set(changed.map(({ id }) => id));
  const denies = [...ids].map((id) => unlike(named(before, 'deny', id), named(after, 'deny', id)));
  const allows = [...ids].map((id) => unlike(named(before, 'allow', id), named(after, 'allow', id)));
  const advice = [...new Set(changed.flatMap((rule) => rule.advice))].map((code) =>
    unlike(stating(before, 'deny', code), stating(after, 'deny', code)),
  );
  const obligations = [...new Set(changed.flatMap((rule) => rule.obligations))].map((code) =>
    unlike(stating(before, 'allow', code), stating(after, 'allow', code)),
  );
  const neither = and(not(a.denied), not(b.denied));
  return or(
    ...denies,
    ...advice,
    unlike(a.denied, b.denied),
    and(neither, or(unlike(a.allowed, b.allowed), unlike(a.unclear, b.unclear))),
    and(neither, a.allowed, b.allowed, or(...allows, ...obligations)),
  );
}

/** As decide.ts: true denies, then what is missing, then true allows. */
function phases(judged: Judged): { readonly denied: Term; readonly allowed: Term; readonly unclear: Term } {
  const of = (effect: Rule['effect']): readonly Truths[] =>
    judged.flatMap(([rule, truths]) => (rule.effect === effect ? [truths] : []));
  const denied = or(...of('deny').map(({ isTrue }) => isTrue));
  const free = and(...of('deny').map(({ isFalse }) => isFalse));
  const some = or(...of('allow').map(({ isTrue }) => isTrue));
  const none = and(...of('allow').map(({ isFalse }) => isFalse));
  return { denied, allowed: and(free, some), unclear: or(not(free), and(not(some), not(none))) };
}

function named(judged: Judged, effect: Rule['effect'], id: string): Term {
  return or(...judged.flatMap(([rule, { isTrue }]) => (rule.effect === effect && rule.id === id ? [isTrue] : [])));
}

function stating(judged: Judged, effect: Rule['effect'], code: string): Term {
  return or(
    ...judged.flatMap(([rule, { isTrue }]) => {
      const codes = effect === 'deny' ? rule.advice : rule.obligations;
      return rule.effect === effect && codes.includes(code) ? [isTrue] : [];
    }),
  );
}

function unlike(a: Term, b: Term): Term {
  return not(same(a, b));
}

function same(a: Term, b: Term): Term {
  return JSON.stringify(a) === JSON.stringify(b) ? true : equal(a, b);
}
