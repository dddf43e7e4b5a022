// What a decision is subject to beyond policy, where somebody asks in AuthZEN's words or through a proxy: subjects whom nobody vouched
// for, obligations that the caller does not know, requests for access, which are no access, and paths without a route. It must never
// turn a deny into an allow.
import type { Decision } from '../model/decision.ts';
import { standardType } from './obligation-types.ts';
import type { AccessRequest } from './access-request.ts';

export interface Terms {
  /** Nobody said who the subject is: not a token, nor a caller that may vouch for its type. */
  readonly isStranger: boolean;
  /** Types of obligations that the caller fulfils (AuthZEN obligations profile, `supported_obligations`), sorted. */
  readonly supports: readonly string[];
  /** A deny says whether access may be requested: only where somebody asked, and there is a door for it. */
  readonly saysRequestable?: boolean;
  /** The question is a request for access to what was denied. */
  readonly request?: AccessRequest;
  /** The request for access that its question rests on. */
  readonly approval?: string;
  /** The question is one of a proxy, about a path that fits no route. */
  readonly isUnrouted?: true;
}

/** Reserved rule name: the allow carries an obligation that the caller does not fulfil. */
export const UNSUPPORTED = 'obligation-unsupported';
/** Reserved rule name: access was asked for, not had. */
export const REQUESTED = 'access-requested';

/** Reserved rule name: nothing is said of such a path in routes.yaml. */
export const NO_ROUTE = 'no-route';

const NOTHING = Object.freeze([]);

export function underTerms(decision: Decision, { isStranger, supports, request, isUnrouted }: Terms): Decision {
  const isAllowed = decision.outcome === 'allow';
  if (isStranger) {
    const decidedBy = isAllowed ? ['default-deny'] : decision.decidedBy;
    return { ...decision, outcome: 'deny', decidedBy, obligations: NOTHING, advice: NOTHING, stepUp: null };
  }
  const reason = request !== undefined ? REQUESTED : isUnrouted === true ? NO_ROUTE : null;
  if (reason !== null) {
    return { ...decision, outcome: 'deny', decidedBy: [reason], obligations: NOTHING, advice: NOTHING, stepUp: null };
  }
  if (!isAllowed) return decision;
  const isKept = decision.obligations.every(
    (one) => one.fulfilled_by === 'privity' || supports.includes(standardType(one)),
  );
  return isKept ? decision : { ...decision, outcome: 'deny', decidedBy: [UNSUPPORTED], obligations: NOTHING };
}
