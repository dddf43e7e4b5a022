// A second person approves what somebody else wants to do (DESIGN 5.2): judged, recorded, kept for use. It must never keep an
// approval whose record is not committed.
import type { AuthorizeDeps } from './authorize.ts';
import { judgeApproval } from './core/approve.ts';
import type { PolicySet } from './core/policy-set.ts';
import { approvalEntry } from './core/record/approval-record.ts';
import { uuidv7 } from './core/record/uuid.ts';
import type { DecisionRequest } from './model/decision.ts';
import { PrivityError } from './model/errors.ts';
import { requestOf, type Asked } from './question.ts';

/** What is to be approved, and for whom. */
export interface Wish extends Pick<DecisionRequest, 'action' | 'resource' | 'context'> {
  readonly requester: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * The subject who asks is the approver.
 * @returns the approval's id, or null if it was refused; either way its record is committed
 * @throws PrivityError cannot_record
 */
export async function giveApproval(
  { recorder, approvals, clock }: AuthorizeDeps,
  set: PolicySet,
  asked: Asked,
  { requester, expiresAt, ...wanted }: Wish,
): Promise<string | null> {
  const { subject, caller, requestId, traceId } = asked;
  const now = clock.now();
  const request = requestOf(asked, wanted, now);
  const verdict = judgeApproval(set, request, requester, expiresAt);
  const { outcome, matter, client } = verdict.decision;
  const id = uuidv7(now);
  const durationUs = Math.round((performance.now() - asked.arrivedAt) * 1000);
  const event = { id, request, verdict, requester, expiresAt, subject, caller, requestId, traceId, durationUs };
  await recorder.append([approvalEntry(set, event)]);
  if (outcome === 'deny') return null;

  // After the record: what is lost in between is an approval that nobody has been told of.
  const { type: resourceType, id: resourceId } = request.resource;
  const thing = { requester, action: request.action, resourceType, resourceId, matter, client };
  const approval = { id, approver: subject.id, roles: verdict.roles, at: now, expiresAt, ...thing };
  await approvals.add(approval).catch((cause: unknown) => {
    throw new PrivityError('cannot_record', { internal: 'an approval', retryAfterSeconds: 1, cause });
  });
  return id;
}
