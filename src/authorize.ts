// The spine: facts, decision, record, answer. It must never let a decision out whose record is not committed (P1).
import { decide } from './core/decide.ts';
import type { PolicySet } from './core/policy-set.ts';
import { gatherFacts } from './core/facts.ts';
import { decisionEntry } from './core/record/decision-record.ts';
import { uuidv7 } from './core/record/uuid.ts';
import type { Approvals, SpentApproval } from './io/log/approvals.ts';
import type { Caller, Decision, DecisionRequest, Subject } from './model/decision.ts';
import { PrivityError } from './model/errors.ts';
import type { Receipt, RecordEntry } from './model/record.ts';

export interface AuthorizeDeps {
  readonly recorder: { append(entries: readonly RecordEntry[]): Promise<readonly Receipt[]> };
  readonly clock: { now(): number };
  readonly approvals: Pick<Approvals, 'spend'>;
}

export interface Question {
  readonly action: string;
  readonly resource: DecisionRequest['resource'];
  readonly context: DecisionRequest['context'];
  /** Approvals of a second person that the requester wants to use. */
  readonly approvalIds: readonly string[];
}

export interface Asked {
  readonly caller: Caller;
  readonly subject: Subject;
  readonly requestId: string;
  readonly traceId: string | null;
  /** performance.now() when the request arrived. */
  readonly arrivedAt: number;
}

export interface Answered {
  readonly evaluationId: string;
  /** Milliseconds since 1970. */
  readonly evaluatedAt: number;
  readonly decision: Decision;
}

/**
 * Answers questions about one subject, in order, in one commit.
 * @param set the policy set that was in force when the request arrived; it stays the same to the end (P6)
 * @throws PrivityError cannot_record: then there is no decision, and the caller must treat that as a deny
 */
export async function authorize(
  deps: AuthorizeDeps,
  set: PolicySet,
  asked: Asked,
  questions: readonly Question[],
): Promise<readonly Answered[]> {
  const now = deps.clock.now();
  const answered: Answered[] = [];
  const entries: RecordEntry[] = [];
  for (const { approvalIds: claimed, ...question } of questions) {
    const id = uuidv7(now);
    const unproven: DecisionRequest = {
      subject: asked.subject,
      actor: asked.subject.actor ?? asked.caller.aiAssistant,
      ...question,
      sourceSystem: asked.caller.sourceSystem,
      approvals: [],
      now,
    };
    // Spent before the decision: an approval that was looked at is used, whatever comes after (DESIGN 5.2).
    const spent = claimed.length === 0 ? [] : await spendApprovals(deps, set, unproven, claimed, id);
    const request = spent.length === 0 ? unproven : { ...unproven, approvals: factsOf(spent) };
    const decision = decide(set, request);
    const durationUs = Math.round((performance.now() - asked.arrivedAt) * 1000);
    const { subject, caller, requestId, traceId } = asked;
    entries.push(
      decisionEntry(set, {
        id,
        request,
        decision,
        subject,
        caller,
        requestId,
        traceId,
        approvalIds: spent.map((one) => one.id),
        durationUs,
      }),
    );
    answered.push({ evaluationId: id, evaluatedAt: now, decision });
  }
  await deps.recorder.append(entries);
  return answered;
}

/** @throws PrivityError cannot_record when the uses could not be committed */
async function spendApprovals(
  { approvals }: AuthorizeDeps,
  set: PolicySet,
  request: DecisionRequest,
  ids: readonly string[],
  evaluationId: string,
): Promise<readonly SpentApproval[]> {
  const { matter, client } = gatherFacts(set, request);
  const { type: resourceType, id: resourceId } = request.resource;
  const thing = { requester: request.subject.id, action: request.action, resourceType, resourceId, matter, client };
  try {
    return await approvals.spend(ids, thing, evaluationId, request.now);
  } catch (cause) {
    throw new PrivityError('cannot_record', { internal: 'the use of an approval', retryAfterSeconds: 1, cause });
  }
}

/** What rules read as context.approvals: one entry for each role the approver holds. */
function factsOf(spent: readonly SpentApproval[]): readonly { readonly by: string; readonly role: string | null }[] {
  return spent.flatMap(({ by, roles }) => {
    const held: readonly (string | null)[] = roles.length === 0 ? [null] : roles;
    return held.map((role) => ({ by, role }));
  });
}
