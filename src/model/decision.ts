// What goes into a decision and what comes out of it, inside the service. It must never hold behaviour or wire details.
import type { CallerRight } from './data.ts';

/** Who a verified token speaks of. Attribute values are raw: policy gives them their types. */
export interface Subject {
  readonly id: string;
  /** By subject attribute name (roles, user_type, amr, …), as the token said it; unknown roles already dropped. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** AI assistant named by the token's `act`, already known to be declared. */
  readonly actor: string | null;
  readonly evidence: TokenEvidence;
}

/** What proves who the subject is: a verified token, or a caller with `vouch`. */
export interface TokenEvidence {
  readonly kind: 'token' | 'vouched' | 'test';
  readonly issuer: string | null;
  readonly tokenId: string | null;
  readonly keyId: string | null;
  /** SHA-256 over the token's payload bytes, lower-case hex. */
  readonly claimsHash: string | null;
  /** Roles of the token that firm.yaml does not know. */
  readonly droppedRoles: readonly string[];
}

export interface Caller {
  readonly id: string;
  readonly sourceSystem: string;
  readonly rights: ReadonlySet<CallerRight>;
  /** True when the bearer is the caller's own token: only then do filter, explain and vouch count. */
  readonly own: boolean;
  /** AI assistant that every request through this caller has as actor. */
  readonly aiAssistant: string | null;
}

export interface Approval {
  readonly id: string;
  readonly by: string;
  readonly role: string;
}

/** One question, complete: the same one always gets the same answer from the same policy set (P4). */
export interface DecisionRequest {
  readonly subject: { readonly id: string; readonly attributes: Readonly<Record<string, unknown>> };
  readonly actor: string | null;
  readonly action: string;
  readonly resource: {
    readonly type: string;
    readonly id: string;
    readonly properties: Readonly<Record<string, unknown>>;
  };
  /** As sent; never holds source_system or approvals. */
  readonly context: Readonly<Record<string, unknown>>;
  /** Null only in policy tests that leave it out. */
  readonly sourceSystem: string | null;
  /** Proven approvals: a list of { by, role }. Policy tests may state anything, so it is judged like every attribute. */
  readonly approvals: unknown;
  /** Milliseconds since 1970, UTC. */
  readonly now: number;
}

export interface RuleResult {
  readonly rule: string;
  readonly effect: 'allow' | 'deny' | 'wall';
  readonly truth: 'true' | 'unknown';
  /** `file:line` of the rule; of the wall for walls. */
  readonly source: string;
}

export interface ObligationResult {
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly fulfilled_by: 'caller' | 'privity';
}

export interface Decision {
  readonly outcome: 'allow' | 'deny';
  /** Sorted: rule ids, wall rule names, lockdown, attribute-missing or default-deny. */
  readonly decidedBy: readonly string[];
  /** Every rule and wall rule that was true or unknown, in file order. */
  readonly results: readonly RuleResult[];
  /** Ids of walls that applied (true), sorted. */
  readonly walls: readonly string[];
  /** Ids of grants that matched in a rule that was true, sorted. */
  readonly grants: readonly string[];
  readonly obligations: readonly ObligationResult[];
  /** Advice codes of true denies, sorted. */
  readonly advice: readonly string[];
  /** Attribute paths that a caller should have sent, or sent with the wrong type, sorted. */
  readonly missing: readonly string[];
  /** Present only when stepping up would turn this deny into an allow. */
  readonly stepUp: { readonly acr_values: string; readonly max_age: number | null } | null;
  /** As rules and walls saw them; null for a known none, or unknown. */
  readonly matter: string | null;
  readonly client: string | null;
  /** Paths whose value came from policy data instead of the token or request, sorted. */
  readonly onFile: readonly string[];
}
