// Tells whether somebody may review an access: policy says who, and whatever it says never the person whose access it was, an AI
// assistant or a service. It must never call reviewed what was not to be reviewed.
import type { Decision, DecisionRequest } from '../model/decision.ts';
import { decide } from './decide.ts';
import { SLOT } from './dictionary.ts';
import { gatherFacts } from './facts.ts';
import type { PolicySet } from './policy-set.ts';

/** What policy is asked, about a record of the log. */
export const REVIEW_ACTION = 'review';

/**
 * @param request subject is the reviewer, resource the record of the access
 * @param accessedBy whose access it was; null where there is nothing to review
 */
export function judgeReview(set: PolicySet, request: DecisionRequest, accessedBy: string | null): Decision {
  const decision = decide(set, request);
  const reasons: string[] = [];
  if (accessedBy === null) reasons.push('nothing-to-review');
  if (request.subject.id === accessedBy) reasons.push('own-access');
  if (request.actor !== null) reasons.push('actor');
  if (gatherFacts(set, request).frame.slots[SLOT.userType] === 'service') reasons.push('not-a-person');
  if (reasons.length === 0) return decision;
  const said = decision.outcome === 'deny' ? decision.decidedBy : [];
  return { ...decision, outcome: 'deny', decidedBy: [...said, ...reasons].sort(), obligations: [], stepUp: null };
}
