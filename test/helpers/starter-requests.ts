// Random requests near the test cases of the starter policies, for property tests. It must never judge one, other than to
// draw evenly from what decides them.
import type fc from 'fast-check';
import { decide } from '../../src/core/decide.ts';
import type { DecisionRequest } from '../../src/model/decision.ts';
import { mutatedRequests, type Vocabulary } from './mutations.ts';
import { instant, requestOf, starterFiles, starterPolicies } from './policies.ts';

export const STARTER_CASES: readonly DecisionRequest[] = starterPolicies().tests.map(({ test }) => requestOf(test));

const set = starterPolicies();
const text = JSON.stringify([starterFiles().map(({ value }) => value), STARTER_CASES]);
const words: Vocabulary = {
  actions: [...set.firm.names.actions.keys()],
  types: [...set.firm.names.resourceTypes.keys()],
  sourceSystems: [...set.firm.names.sourceSystems],
  actors: [...set.aiAssistants],
  resourceIds: [...set.data.matters.keys(), 'M-9999', 'C-100', 'C-200', 'C-999', 'D-1'],
  // Beginnings and ends of walls, grants, training, and so on, as the files name them.
  instants: [...text.matchAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g)].map(([found]) => instant(found)),
};

// By what decides them, so that rules with few cases come up as often as those with many.
const groups = Map.groupBy(STARTER_CASES, (one) => decide(set, one).decidedBy.join());

/** @param decidedBy start from the cases that this decides, instead of from all */
export function starterRequests(mutations = 4, decidedBy?: string): fc.Arbitrary<DecisionRequest> {
  const bases = decidedBy === undefined ? [...groups.values()] : [groups.get(decidedBy) ?? []];
  return mutatedRequests(bases, words, mutations);
}

/** The same near each case that makes some rule true or unknown, each of these drawn from equally often. */
export function starterRequestsByTruth(mutations = 4): fc.Arbitrary<DecisionRequest> {
  const byTruth = new Map<string, DecisionRequest[]>();
  for (const one of STARTER_CASES)
    for (const { rule, truth, effect } of decide(set, one).results) {
      if (effect === 'wall') continue;
      const list = byTruth.get(`${rule} ${truth}`) ?? [];
      byTruth.set(`${rule} ${truth}`, list);
      list.push(one);
    }
  return mutatedRequests([...byTruth.values()], words, mutations);
}
