// The spine: facts, decision, record, answer. It must never let a decision out whose record is not committed (P1).
import { decide } from './core/decide.ts';
import { decideWithFields, type FieldDecision } from './core/fields.ts';
import type { PolicySet } from './core/policy-set.ts';
import { decisionEntry, type DecisionEvent } from './core/record/decision-record.ts';
import type { Template } from './core/access-request.ts';
import { requestableOf } from './core/requestable.ts';
import { underTerms } from './core/terms.ts';
import { uuidv7 } from './core/record/uuid.ts';
import type { Approvals } from './io/log/approvals.ts';
import type { SpentApproval } from './io/log/approvals.ts';
import type { Decision } from './model/decision.ts';
import type { Receipt, RecordEntry } from './model/record.ts';
import { requestOf, type Asked, type Question } from './question.ts';
import type { Shadow } from './shadow.ts';
import { passDecided } from './stages.ts';
import { provenBy, spendApprovals, type Use } from './spend-approvals.ts';

export interface AuthorizeDeps {
  readonly recorder: { append(entries: readonly RecordEntry[]): Promise<readonly Receipt[]> };
  readonly clock: { now(): number };
  readonly approvals: Pick<Approvals, 'add' | 'spend'>;
  /** Looks at what was answered, in its own time; null: there is no dry run. */
  readonly shadow?: Pick<Shadow, 'offer'> | null;
}

export interface Answered {
  readonly evaluationId: string;
  /** Milliseconds since 1970. */
  readonly evaluatedAt: number;
  readonly decision: Decision;
  /** Empty unless they were asked for. */
  readonly fields: readonly FieldDecision[];
  /** Of a deny, where the terms ask: what would open it; null if nothing that can be requested. */
  readonly requestable?: Template | null;
  /** Approvals that were spent on it. */
  readonly spent?: readonly SpentApproval[];
}

const NOT_USED: Use = { evaluationId: '', spent: [] };
const NO_USES: ReadonlyMap<Question, Use> = new Map();
const NO_FIELDS: readonly FieldDecision[] = [];

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
  const { caller, requestId, traceId, stages = null } = asked;
  // Spent before the decision: an approval that was looked at is used, whatever comes after (DESIGN 5.2).
  const approved = questions.some(({ approvalIds }) => approvalIds.length > 0);
  const uses = approved ? await spendApprovals(deps, set, asked, questions) : NO_USES;

  if (stages !== null) stages.began = performance.now();
  const now = deps.clock.now();
  const answered: Answered[] = [];
  const entries: RecordEntry[] = [];
  const events: DecisionEvent[] = [];
  for (const question of questions) {
    const use = uses.get(question) ?? NOT_USED;
    const id = use === NOT_USED ? uuidv7(now) : use.evaluationId;
    const unproven = requestOf(asked, question, now);
    const request = use === NOT_USED ? unproven : { ...unproven, approvals: provenBy(set, unproven, use) };

    const { decision: decided, fields } =
      question.withFields === true
        ? decideWithFields(set, request)
        : { decision: decide(set, request), fields: undefined };
    const { subject = asked.subject, terms } = question;
    const decision = terms === undefined ? decided : underTerms(decided, terms);
    const isAsked = terms?.saysRequestable === true && !terms.isStranger && decision.outcome === 'deny';
    const requestable = isAsked ? requestableOf(set, request) : null;
    const durationUs = Math.round((performance.now() - asked.arrivedAt) * 1000);
    const approvalIds = use.spent.map((one) => one.id);
    const plain = { id, request, decision, subject, caller, requestId, traceId, approvalIds, durationUs };
    const isPlain = fields === undefined && terms === undefined;
    const event = isPlain ? plain : { ...plain, fields, terms, requestable };
    events.push(event);
    entries.push(decisionEntry(set, event));
    const { spent } = use;
    answered.push({ evaluationId: id, evaluatedAt: now, decision, fields: fields ?? NO_FIELDS, requestable, spent });
  }
  if (stages !== null) passDecided(stages, answered);
  await deps.recorder.append(entries);
  if (stages !== null) stages.committed = performance.now();
  deps.shadow?.offer(set.revision, events);
  return answered;
}
