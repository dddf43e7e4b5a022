// The spine: facts, decision, record, answer. It must never let a decision out whose record is not committed (P1).
import { decide } from './core/decide.ts';
import type { PolicySet } from './core/policy-set.ts';
import { decisionEntry } from './core/record/decision-record.ts';
import { uuidv7 } from './core/record/uuid.ts';
import type { Caller, Decision, DecisionRequest, Subject } from './model/decision.ts';
import type { Receipt, RecordEntry } from './model/record.ts';

export interface AuthorizeDeps {
  readonly recorder: { append(entries: readonly RecordEntry[]): Promise<readonly Receipt[]> };
  readonly clock: { now(): number };
}

export interface Question {
  readonly action: string;
  readonly resource: DecisionRequest['resource'];
  readonly context: DecisionRequest['context'];
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
  for (const question of questions) {
    const request: DecisionRequest = {
      subject: asked.subject,
      actor: asked.subject.actor ?? asked.caller.aiAssistant,
      ...question,
      sourceSystem: asked.caller.sourceSystem,
      approvals: [],
      now,
    };
    const decision = decide(set, request);
    const id = uuidv7(now);
    const durationUs = Math.round((performance.now() - asked.arrivedAt) * 1000);
    const { subject, caller, requestId, traceId } = asked;
    entries.push(decisionEntry(set, { id, request, decision, subject, caller, requestId, traceId, approvalIds: [], durationUs }));
    answered.push({ evaluationId: id, evaluatedAt: now, decision });
  }
  await deps.recorder.append(entries);
  return answered;
}
