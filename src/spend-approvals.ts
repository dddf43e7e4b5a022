// Spends the approvals that requests name, before they are decided (DESIGN 5.2). It must never prove one that was given for something
// else, was used before, has expired, or whose approver has been locked or walled off since.
import { placeOfUse, stillCounts } from './core/approve.ts';
import type { PolicySet } from './core/policy-set.ts';
import { uuidv7 } from './core/record/uuid.ts';
import type { Approvals, SpentApproval } from './io/log/approvals.ts';
import type { DecisionRequest } from './model/decision.ts';
import { PrivityError } from './model/errors.ts';
import { requestOf, type Asked, type Question } from './question.ts';

export interface SpendDeps {
  readonly approvals: Pick<Approvals, 'spend'>;
  readonly clock: { now(): number };
}

/** What was spent for one question, whether or not it proves anything. */
export interface Use {
  readonly evaluationId: string;
  readonly spent: readonly SpentApproval[];
}

/** What a rule reads as one entry of context.approvals. */
export interface ProvenApproval {
  readonly by: string;
  readonly role: string | null;
}

/**
 * Committed when it returns: a use without an answer stays a use.
 * @throws PrivityError cannot_record
 */
export async function spendApprovals(
  { approvals, clock }: SpendDeps,
  set: PolicySet,
  asked: Asked,
  questions: readonly Question[],
): Promise<ReadonlyMap<Question, Use>> {
  const uses = new Map<Question, Use>();
  for (const question of questions) {
    if (question.approvalIds.length === 0) continue;
    const now = clock.now();
    const place = placeOfUse(set, requestOf(asked, question, now));
    if (place === null) continue;
    const { type: resourceType, id: resourceId } = question.resource;
    const { id: requester } = question.subject ?? asked.subject;
    const thing = { requester, action: question.action, resourceType, resourceId, ...place };
    const evaluationId = uuidv7(now);
    const spent = await approvals.spend(question.approvalIds, thing, evaluationId, now).catch((cause: unknown) => {
      throw new PrivityError('cannot_record', { internal: 'the use of an approval', retryAfterSeconds: 1, cause });
    });
    uses.set(question, { evaluationId, spent });
  }
  return uses;
}

/** What those that still count at the time of the decision prove: one entry for each role the approver held. */
export function provenBy(set: PolicySet, request: DecisionRequest, { spent }: Use): readonly ProvenApproval[] {
  const counting = spent.filter((one) => one.expiresAt > request.now && stillCounts(set, request, one));
  return counting.flatMap(rolesOf);
}

/** As rules read it: an entry for each role. */
export function rolesOf({ by, roles }: Pick<SpentApproval, 'by' | 'roles'>): readonly ProvenApproval[] {
  return roles.length === 0 ? [{ by, role: null }] : roles.map((role) => ({ by, role }));
}
