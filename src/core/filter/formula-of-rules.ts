// Which resources of a type rules allow one action on, for hints in user interfaces:
//
//   formulaOfRules(set, { subject, actor, action, resource: { type, properties: {} }, context, sourceSystem, now }, names)
//
// gives a Formula (formula.ts) over those attributes of the resource in `names`; others count as not stated, and `id` is always among them.
// A `const` formula decides for all of them. A leaf that is `refused` stands for what nobody can tell from attributes: take it for false.
// It knows nothing of walls and the lockdown, so it must never be used to decide, nor named to anybody as a permission.
import type { PolicySet } from '../policy-set.ts';
import type { Formula } from './formula.ts';
import { rowsAllowed } from './rows.ts';
import { createSituations, type FilterQuestion } from './situations.ts';

export type { Formula };

/** @param names attributes of the resource that the user interface knows, such as matter_id */
export function formulaOfRules(set: PolicySet, question: FilterQuestion, names: readonly string[]): Formula {
  const columns = Object.fromEntries(['id', ...names].map((name) => [name, name]));
  const work = rowsAllowed(set, createSituations(set, question, { columns, matters: null }), false);
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
}
