// Whether one request, decided by the engine itself, contradicts an invariant. It must never rely on the encoding that found the request.
import { compileExpr } from '../../../src/core/evaluate.ts';
import { decideFacts } from '../../../src/core/decide.ts';
import { gatherFacts } from '../../../src/core/facts.ts';
import type { Invariant } from '../../../src/core/invariants.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { requestOfTest, type TestRequest } from '../../../src/core/run-tests.ts';
import type { Selection } from '../../../src/core/rules.ts';
import { TRUE } from '../../../src/core/truth.ts';
import { judgeWalls } from '../../../src/core/walls.ts';
import type { Decision } from '../../../src/model/decision.ts';
import type { TestCase } from '../../../src/model/rules.ts';

export type Case = Pick<TestCase, 'now' | 'claims' | 'action' | 'resource' | 'context'>;

/** The decision that contradicts it; null: none does. */
export function violationOf(set: PolicySet, invariant: Invariant, one: Case): Decision | null {
  const made: TestRequest = requestOfTest(set, one);
  if ('refused' in made) return null;
  const { request } = made;
  const facts = gatherFacts(set, request);
  const { action, resource } = request;
  const isAbout = invariant.about.branches.some(
    (branch) =>
      speaksOf(branch.actions, set.firm.names.actions, action) &&
      speaksOf(branch.resources, set.firm.names.resourceTypes, resource.type) &&
      branch.test(facts.frame) === TRUE,
  );
  if (!isAbout) return null;
  if (invariant.requires !== null && compileExpr(invariant.requires)(facts.frame) === TRUE) return null;
  if (invariant.isBehindWall && !isBehindExclusion(set, facts.frame)) return null;
  const decision = decideFacts(set, action, resource.type, gatherFacts(set, request));
  return decision.outcome === 'allow' ? decision : null;
}

const EXCLUSIONS: ReadonlySet<string> = new Set(['exclusion-wall', 'client-wide-exclusion', 'lateral-hire-screen']);

function isBehindExclusion(set: PolicySet, frame: Parameters<typeof judgeWalls>[1]): boolean {
  return judgeWalls(set.walls, frame).some(({ rule, truth }) => truth === TRUE && EXCLUSIONS.has(rule));
}

function speaksOf({ names, others }: Selection, all: ReadonlyMap<string, unknown>, name: string): boolean {
  return names.has(name) || (others && !all.has(name));
}
