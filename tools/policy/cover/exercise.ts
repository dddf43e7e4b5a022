// Judges every part of every rule on the facts of each test case, with the engine's own closures. It must never judge a part of a rule that does not
// speak of the request.
import { childrenOf, type Expr } from '../../../src/core/condition.ts';
import { testOf } from '../../../src/core/evaluate.ts';
import { gatherFacts } from '../../../src/core/facts.ts';
import type { Frame } from '../../../src/core/frame.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Branch, Selection } from '../../../src/core/rules.ts';
import { requestOfTest } from '../../../src/core/run-tests.ts';
import { FALSE, or, type Truth } from '../../../src/core/truth.ts';
import type { DecisionRequest } from '../../../src/model/decision.ts';
import type { TestCase } from '../../../src/model/rules.ts';

/** A test case whose token would not be refused, and what is known about its request. */
export interface Exercise {
  readonly test: TestCase;
  readonly request: DecisionRequest;
  readonly frame: Frame;
}

/** Truths seen, as bits: 1 << truth. */
export type Seen = Map<unknown, number>;

export function exercisesOf(set: PolicySet, tests: readonly TestCase[]): readonly Exercise[] {
  return tests.flatMap((test) => {
    const made = requestOfTest(set, test);
    return 'refused' in made ? [] : [{ test, request: made.request, frame: gatherFacts(set, made.request).frame }];
  });
}

/** By rule, branch and part of a condition. */
export function exerciseRules(set: PolicySet, exercises: readonly Exercise[]): Seen {
  const seen: Seen = new Map();
  const note = (what: unknown, truth: Truth): void => void seen.set(what, (seen.get(what) ?? 0) | (1 << truth));
  for (const { request, frame } of exercises) {
    const visited = new Set<Expr>();
    const visit = (expr: Expr): void => {
      if (visited.has(expr)) return;
      visited.add(expr);
      note(expr, testOf(expr)(frame));
      if (expr.op !== 'some') for (const child of childrenOf(expr)) visit(child);
    };
    for (const rule of set.rules) {
      const inScope = rule.branches.filter((branch) => speaksOf(set, branch, request));
      if (inScope.length === 0) continue;
      note(
        rule,
        inScope.reduce<Truth>((sum, branch) => or(sum, branch.test(frame)), FALSE),
      );
      for (const branch of inScope) {
        note(branch, branch.test(frame));
        visit(branch.expr);
      }
    }
    frame.matched.length = 0;
  }
  return seen;
}

export function speaksOf({ firm }: PolicySet, { actions, resources }: Branch, request: DecisionRequest): boolean {
  return (
    isSpokenOf(actions, firm.names.actions, request.action) &&
    isSpokenOf(resources, firm.names.resourceTypes, request.resource.type)
  );
}

function isSpokenOf({ names, others }: Selection, all: ReadonlyMap<string, unknown>, name: string): boolean {
  return names.has(name) || (others && !all.has(name));
}
