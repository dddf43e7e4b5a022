// Puts a decision into the words of the wire (DESIGN 5.1). It must never let an answer show which wall, rule or fact stood behind
// a deny, unless the caller may explain (P7): same members, same order, same text.
import type { Answered } from '../authorize.ts';
import type { PolicySet } from '../core/policy-set.ts';
import type { Caller, Decision } from '../model/decision.ts';
import type { AuthorizeAnswer } from '../model/evaluation.ts';

const ALLOWED = 'Access is permitted.';
const DENIED = 'You do not have access to this. If you need it for your work, ask the security officer.';

export function answerOf(
  set: PolicySet,
  caller: Caller,
  { evaluationId, evaluatedAt, decision }: Answered,
): AuthorizeAnswer {
  const explains = caller.own && caller.rights.has('explain');
  const advice = explains ? decision.advice : decision.advice.filter((code) => !isForPrivity(set, code));
  return {
    decision: decision.outcome === 'allow',
    context: {
      evaluation_id: evaluationId,
      evaluated_at: new Date(evaluatedAt).toISOString(),
      policy: { revision: set.revision, commit: set.commit },
      reason_user: reasonFor(set, decision),
      missing: [...decision.missing],
      advice: [...advice],
      obligations: [...decision.obligations],
      ...stepUpOf(decision),
      ...(explains ? explanationOf(decision) : undefined),
    },
  };
}

/** One text for every deny that no person could do anything about. */
function reasonFor(set: PolicySet, decision: Decision): string {
  if (decision.outcome === 'allow') return ALLOWED;
  if (decision.advice.length === 0) return DENIED;
  const texts = decision.advice
    .filter((code) => !isForPrivity(set, code))
    .map((code) => set.firm.advice.get(code)?.text);
  return texts.filter((text) => text !== undefined).join(' ') || DENIED;
}

/** Alerts go to the webhook, never to people. */
function isForPrivity(set: PolicySet, code: string): boolean {
  return set.firm.advice.get(code)?.fulfilled_by === 'privity';
}

function stepUpOf({ stepUp }: Decision): { readonly acr_values?: string; readonly max_age?: number } | undefined {
  if (stepUp === null) return undefined;
  const { acr_values, max_age } = stepUp;
  return max_age === null ? { acr_values } : { acr_values, max_age };
}

function explanationOf(decision: Decision) {
  return {
    reason_admin: decision.results.map(({ rule, effect, truth, source }) => ({ rule, effect, truth, source })),
    decided_by: [...decision.decidedBy],
    walls: [...decision.walls],
    grants: [...decision.grants],
  };
}
