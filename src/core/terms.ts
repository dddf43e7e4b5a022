// What a decision is subject to beyond policy, where somebody asks in AuthZEN's words: subjects whom nobody vouched for, and obligations
// that the caller does not know. It must never turn a deny into an allow.
import type { Decision } from '../model/decision.ts';

export interface Terms {
  /** Nobody said who the subject is: not a token, nor a caller that may vouch for its type. */
  readonly isStranger: boolean;
  /** Types of obligations that the caller fulfils (AuthZEN obligations profile, `supported_obligations`), sorted. */
  readonly supports: readonly string[];
}

/** Reserved rule name: the allow carries an obligation that the caller does not fulfil. */
export const UNSUPPORTED = 'obligation-unsupported';

const NOTHING = Object.freeze([]);

export function underTerms(decision: Decision, { isStranger, supports }: Terms): Decision {
  const isAllowed = decision.outcome === 'allow';
  if (isStranger) {
    const decidedBy = isAllowed ? ['default-deny'] : decision.decidedBy;
    return { ...decision, outcome: 'deny', decidedBy, obligations: NOTHING, advice: NOTHING, stepUp: null };
  }
  if (!isAllowed) return decision;
  const isKept = decision.obligations.every(
    ({ type, fulfilled_by: by }) => by === 'privity' || supports.includes(type),
  );
  return isKept ? decision : { ...decision, outcome: 'deny', decidedBy: [UNSUPPORTED], obligations: NOTHING };
}
