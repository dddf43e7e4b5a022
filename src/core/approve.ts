// Tells whether a second person may approve something for a first one (DESIGN 5.2). It must never count the requester, an AI assistant, or anybody a wall keeps from the matter.
import type { DecisionRequest } from '../model/decision.ts';
import { SLOT } from './dictionary.ts';
import { gatherFacts } from './facts.ts';
import { judgeLockdown } from './lockdown.ts';
import type { PolicySet } from './policy-set.ts';
import { FALSE, TRUE } from './truth.ts';
import { judgeWalls } from './walls.ts';

export interface ApprovalVerdict {
  readonly approved: boolean;
  /** For the record: what stood against it. */
  readonly reasons: readonly string[];
  /** Roles of the approver, after policy data. */
  readonly roles: readonly string[];
  readonly matter: string | null;
  readonly client: string | null;
}

/** @param request subject is the approver; action and resource are what the requester wants to do */
export function judgeApproval(
  set: PolicySet,
  request: DecisionRequest,
  requester: string,
  expiresAt: number,
): ApprovalVerdict {
  const { frame, matter, client } = gatherFacts(set, request);
  const rules = set.firm.approvals;
  const roles: unknown = frame.slots[SLOT.roles];
  const reasons: string[] = [];
  if (rules === null) reasons.push('approvals-not-configured');
  else {
    if (rules.approver(frame) !== TRUE) reasons.push('approver-terms');
    if (expiresAt <= request.now || expiresAt > request.now + rules.validForMs) reasons.push('validity');
  }
  if (request.subject.id === requester) reasons.push('own-request');
  if (request.actor !== null) reasons.push('actor');
  if (judgeLockdown(set.lockdown, frame) !== FALSE) reasons.push('lockdown');
  for (const { rule } of judgeWalls(set.walls, frame)) reasons.push(rule);
  return {
    approved: reasons.length === 0,
    reasons,
    roles: Array.isArray(roles) ? roles.map(String) : [],
    matter,
    client,
  };
}
