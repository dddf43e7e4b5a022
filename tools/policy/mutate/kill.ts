// Runs test cases against a changed policy set until one notices the change. It must never run fewer cases than could.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { requestOfTest, runTestCase } from '../../../src/core/run-tests.ts';
import type { DecisionRequest } from '../../../src/model/decision.ts';
import type { TestCase } from '../../../src/model/rules.ts';
import { speaksOf } from '../cover/exercise.ts';
import type { Made } from './mutants.ts';

export interface Known {
  readonly test: TestCase;
  readonly request: DecisionRequest;
  /** Rules and walls that are true or unknown: the likeliest to be noticed by it. */
  readonly by: ReadonlySet<string>;
}

export function knownCases(set: PolicySet, tests: readonly TestCase[]): readonly Known[] {
  return tests.flatMap((test) => {
    const made = requestOfTest(set, test);
    return 'refused' in made ? [] : [{ test, request: made.request, by: new Set(runTestCase(set, test).actual_rules) }];
  });
}

/** The first case that notices; null: none does. */
export function noticedBy(set: PolicySet, made: Made, cases: readonly Known[]): TestCase | null {
  const concerned = made.rules === null ? cases : cases.filter(({ request }) => isConcerned(set, made, request));
  const ids = new Set(made.rules?.map(([{ id }]) => id));
  const likely = ({ by }: Known): boolean => !ids.isDisjointFrom(by);
  for (const isLikely of made.rules === null ? [null] : [true, false])
    for (const one of concerned)
      if ((isLikely === null || likely(one) === isLikely) && !runTestCase(made.set, one.test).passed) return one.test;
  return null;
}

/** Whether a changed rule speaks of the request, before or after. */
export function isConcerned(set: PolicySet, { rules }: Made, request: DecisionRequest): boolean {
  return (rules ?? []).some(([before, after]) =>
    [...before.branches, ...(after?.branches ?? [])].some((branch) => speaksOf(set, branch, request)),
  );
}
