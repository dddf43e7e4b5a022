// Puts a decision into AuthZEN's words (AuthZEN 1.0, section 5.5; obligations profile; access request and approval profile). It must
// never say more than was asked for, nor let an obligation go untold.
import type { Answered } from '../authorize.ts';
import { standardObligation, STEP_UP, type StandardObligation } from '../core/obligation-types.ts';
import type { PolicySet } from '../core/policy-set.ts';
import { REQUESTABLE_MS, type Template } from '../core/access-request.ts';
import { formatTimestamp } from '../core/time.ts';
import type { EvaluationAnswer } from '../model/authzen.ts';
import type { Caller, Decision, ObligationResult } from '../model/decision.ts';
import { answerOf } from './answer.ts';

/** What a request's context may ask about its answer; not attributes, so that no policy reads them. */
export interface AnswerWishes {
  readonly withContext: boolean;
  readonly supports: readonly string[];
  /** Id of the approval that the request came with. */
  readonly approval: string | null;
}

export function evaluationAnswer(
  set: PolicySet,
  caller: Caller,
  answered: Answered,
  wishes: AnswerWishes,
): EvaluationAnswer {
  const decision = answered.decision.outcome === 'allow';
  const obligations = [...toFulfil(answered.decision.obligations), ...stepUps(answered.decision, wishes.supports)];
  if (wishes.withContext) {
    const context = fullContext(set, caller, answered);
    return { decision, context: { ...context, obligations, ...furtherContext(answered, wishes) } };
  }
  return obligations.length === 0 ? { decision } : { decision, context: { obligations } };
}

/** Privity’s own are not for the caller: it would have to deny what it cannot do (section 3.4). */
export function toFulfil(obligations: readonly ObligationResult[]): readonly StandardObligation[] {
  return obligations.filter((one) => one.fulfilled_by === 'caller').map(standardObligation);
}

/** Section 4.1, on a deny: signing in as they say turns it into an allow. */
function stepUps({ stepUp }: Decision, supports: readonly string[]): readonly StandardObligation[] {
  if (stepUp === null || !supports.includes(STEP_UP)) return [];
  const { acr_values: values, max_age: maxAge } = stepUp;
  return values.split(' ').map((acr) => ({
    id: `${STEP_UP}:${acr}`,
    type: STEP_UP,
    properties: { acr_value: acr, ...(maxAge === null ? {} : { max_age: maxAge }) },
  }));
}

/** Reasons by code, as the examples of AuthZEN 1.0 (section 6.2) have them; the rest has our own names. */
function fullContext(set: PolicySet, caller: Caller, answered: Answered): Record<string, unknown> {
  const { decision, context } = answerOf(set, caller, answered);
  const { reason_user: user, reason_admin: admin, decided_by: decidedBy, ...rest } = context;
  const code = decision ? '200' : '403';
  return {
    ...rest,
    reason_user: { [code]: user },
    ...(decidedBy === undefined ? {} : { reason_admin: { [code]: decidedBy.join(', ') }, decided_by: decidedBy }),
    ...(admin === undefined ? {} : { rules: admin }),
  };
}

const WORDS: Readonly<
  Record<Template, { readonly reason: string; readonly display: Readonly<Record<string, string>> }>
> = {
  approval: {
    reason: 'approval_required',
    display: { title: 'Ask for approval', description: 'A second person has to approve this before it can be done.' },
  },
  emergency: {
    reason: 'emergency_required',
    display: {
      title: 'Emergency access',
      description: 'State why it cannot wait. Every emergency is reported and reviewed.',
    },
  },
};

/** Access request and approval profile, sections 5 and 8. */
function furtherContext(
  { decision, evaluatedAt, requestable = null, spent = [] }: Answered,
  { approval }: AnswerWishes,
) {
  const used = spent.find(({ id }) => id === approval);
  if (decision.outcome === 'allow') {
    if (approval === null) return undefined;
    return used === undefined
      ? { approval: { id: approval } }
      : { approval: { id: approval, approved_until: formatTimestamp(used.expiresAt) } };
  }
  // What was approved and is denied all the same is not approved by asking once more.
  if (used !== undefined) return { reason: 'policy_denied', next_action: 'none' };
  const next = approval === null ? undefined : { next_action: requestable === null ? 'none' : 'request' };
  if (requestable === null) return next === undefined ? undefined : { reason: 'approval_unverifiable', ...next };
  const { reason, display } = WORDS[requestable];
  const expiresAt = formatTimestamp(evaluatedAt + REQUESTABLE_MS);
  return { reason, access_request: { template: requestable, expires_at: expiresAt, display }, ...next };
}
