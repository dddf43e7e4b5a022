// Tells whether a second person may approve something for a first one (DESIGN 5.2). It must never count the requester, an AI assistant, or anybody a wall keeps from the matter.
import type { Decision, DecisionRequest } from '../model/decision.ts';
import { idsOf, wallResult } from './decide.ts';
import { SLOT } from './dictionary.ts';
import { gatherFacts } from './facts.ts';
import type { Frame } from './frame.ts';
import { judgeLockdown } from './lockdown.ts';
import type { PolicySet } from './policy-set.ts';
import { FALSE, TRUE, UNKNOWN_VALUE } from './truth.ts';
import { judgeWalls, type WallVerdict } from './walls.ts';

export interface ApprovalVerdict {
  /** As of every decision, so that records of both are read, searched and replayed alike. `decidedBy` says what stood against it. */
  readonly decision: Decision;
  /** Roles of the approver, after policy data. */
  readonly roles: readonly string[];
}

/** By what an approval is decided when nothing stands against it. */
const GRANTED: readonly string[] = ['approver-terms'];

/** What has to be known of an approval: who gives it, in which capacity, and for what (P3). */
const KNOWN = [SLOT.subjectId, SLOT.roles, SLOT.userType, SLOT.resourceId, SLOT.matterId, SLOT.clientId];

/** @param request subject is the approver; action and resource are what the requester wants to do */
export function judgeApproval(
  set: PolicySet,
  request: DecisionRequest,
  requester: string,
  expiresAt: number,
): ApprovalVerdict {
  const { frame, matter, client, missing, onFile } = gatherFacts(set, request);
  const { slots } = frame;
  const walls = judgeWalls(set.walls, frame);
  const reasons: string[] = [];
  if (set.firm.approvals === null) reasons.push('approvals-not-configured');
  else {
    const { approver, validForMs } = set.firm.approvals;
    if (approver(frame) !== TRUE) reasons.push('approver-terms');
    if (expiresAt <= request.now || expiresAt > request.now + validForMs) reasons.push('validity');
  }
  if (request.subject.id === requester) reasons.push('own-request');
  if (request.actor !== null) reasons.push('actor');
  if (slots[SLOT.userType] === 'service') reasons.push('not-a-person');
  if (KNOWN.some((slot) => slots[slot] === UNKNOWN_VALUE)) reasons.push('attribute-missing');
  reasons.push(...standing(set, frame, walls));
  const roles: unknown = slots[SLOT.roles];
  return {
    roles: Array.isArray(roles) ? roles.map(String) : [],
    decision: {
      outcome: reasons.length === 0 ? 'allow' : 'deny',
      decidedBy: reasons.length === 0 ? GRANTED : reasons.sort(),
      results: walls.map(wallResult),
      walls: [...new Set(walls.flatMap(idsOf))].sort(),
      grants: [],
      obligations: [],
      advice: [],
      missing,
      stepUp: null,
      matter,
      client,
      onFile,
    },
  };
}

/** Whether an approval still counts when it is used: since it was given, its approver may have been locked or walled off. */
export function stillCounts(
  set: PolicySet,
  request: DecisionRequest,
  approver: { readonly by: string; readonly roles: readonly string[] },
): boolean {
  const subject = { id: approver.by, attributes: { roles: approver.roles } };
  const { frame } = gatherFacts(set, { ...request, actor: null, subject });
  return standing(set, frame, judgeWalls(set.walls, frame)).length === 0;
}

/** Matter and client that an approval must have been given for; null while either is unknown, for then none fits. */
export function placeOfUse(
  set: PolicySet,
  request: DecisionRequest,
): { readonly matter: string | null; readonly client: string | null } | null {
  const { frame, matter, client } = gatherFacts(set, request);
  const unknown = frame.slots[SLOT.matterId] === UNKNOWN_VALUE || frame.slots[SLOT.clientId] === UNKNOWN_VALUE;
  return unknown ? null : { matter, client };
}

/** Whatever keeps the approver from the matter; unknown counts (P3). */
function standing(set: PolicySet, frame: Frame, walls: readonly WallVerdict[]): readonly string[] {
  const locked = judgeLockdown(set.lockdown, frame) === FALSE ? [] : ['lockdown'];
  return [...locked, ...walls.map(({ rule }) => rule)];
}
