// The one table of everything that can go wrong towards a caller: stable codes, HTTP status, public words, next step. It must never carry policy internals.

export interface ErrorEntry {
  readonly status: number;
  readonly title: string;
  /** What the caller can do next; public. */
  readonly hint: string;
  /** Where a standard names this problem; absent: `urn:privity:error:` and the code. */
  readonly type?: string;
}

export const ERRORS = {
  malformed_request: {
    status: 400,
    title: 'The request is malformed',
    hint: 'Correct the member that `pointer` names and send the request again.',
  },
  token_refused: {
    status: 401,
    title: 'The token was refused',
    hint: 'Obtain a new token from the identity provider and send the request again.',
  },
  caller_not_allowed: {
    status: 403,
    title: 'The caller may not do this',
    hint: 'Ask the security officer to register the caller, or this right of it, in policies/callers.yaml.',
  },
  access_not_requestable: {
    status: 400,
    title: 'This is not a deny to which access can be requested',
    hint: 'Request access only where the deny had `context.access_request`.',
    type: 'urn:openid:authzen:access-request:error:not_requestable',
  },
  denial_not_bound: {
    status: 400,
    title: 'The request for access does not belong to that deny',
    hint: 'Send subject, resource, action and `denial.evaluation_id` as they were when the same caller was denied.',
    type: 'urn:openid:authzen:access-request:error:invalid_denial_binding',
  },
  client_certificate_required: {
    status: 403,
    title: 'The connection shows no certificate that is trusted here',
    hint: 'Open the connection with a client certificate of an authority in TLS_CLIENT_CA_FILE, valid now and for client use.',
  },
  approval_refused: {
    status: 403,
    title: 'The approval was not given',
    hint:
      'Nothing may be approved for oneself, through an AI assistant, or for longer than the firm allows; sign in again with the ' +
      'second factor and try once more. The security officer finds the reason in the record.',
  },
  review_refused: {
    status: 403,
    title: 'The review was not recorded as done',
    hint:
      'Nobody reviews an access of their own or through an AI assistant, and policy says who may. Ask somebody else to review it. ' +
      'The security officer finds the reason in the record.',
  },
  not_found: {
    status: 404,
    title: 'Nothing is here for you',
    hint: 'Check the path and the identifier. What you may not see answers like what does not exist.',
  },
  unknown_task: {
    status: 404,
    title: 'There is no such request for access for this caller',
    hint: 'Check the identifier. Only the caller that requested access is told what became of it.',
    type: 'urn:openid:authzen:access-request:error:unknown_task',
  },
  method_not_allowed: {
    status: 405,
    title: 'The path does not know this method',
    hint: 'Use one of the methods that the Allow header lists.',
  },
  not_sealed: {
    status: 409,
    title: 'The record has no place under a checkpoint yet',
    hint: 'Wait as long as Retry-After says and ask again. Where it lasts, operators look at what `privity seal` reports.',
  },
  request_timeout: {
    status: 408,
    title: 'The request took too long to arrive',
    hint: 'Send the request again.',
  },
  denial_expired: {
    status: 410,
    title: 'The deny is too old to request access to it',
    hint: 'Evaluate again, and request access before `context.access_request.expires_at`.',
    type: 'urn:openid:authzen:access-request:error:expired_denial',
  },
  task_expired: {
    status: 410,
    title: 'The request for access has ended',
    hint: 'Evaluate again, and request access anew where the deny says that it can be requested.',
    type: 'urn:openid:authzen:access-request:error:task_expired',
  },
  payload_too_large: {
    status: 413,
    title: 'The request body is too large',
    hint: 'Split the request into smaller batches.',
  },
  filter_not_translatable: {
    status: 422,
    title: 'These rows cannot be described by a filter',
    hint: 'Change what `detail` names, or ask about the items one by one with POST /v1/authorize/batch. Until then treat this as a deny.',
  },
  headers_too_large: {
    status: 431,
    title: 'The request headers are too large',
    hint: 'Send smaller headers.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests from this caller',
    hint: 'Wait as long as Retry-After says.',
  },
  cannot_record: {
    status: 503,
    title: 'The decision could not be recorded, so there is none',
    hint: 'Treat this as a deny and try again after Retry-After.',
  },
  no_policies: {
    status: 503,
    title: 'No policy set is in force',
    hint: 'Treat this as a deny. Operators: see the log for the problems of the last load.',
  },
  overloaded: {
    status: 503,
    title: 'The service is busy',
    hint: 'Treat this as a deny and try again after Retry-After.',
  },
  shutting_down: {
    status: 503,
    title: 'The service is shutting down',
    hint: 'Treat this as a deny and send the request again; another instance will answer.',
  },
  internal_error: {
    status: 500,
    title: 'The service failed',
    hint: 'Treat this as a deny. Quote the request id to the operators.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** Classes of token refusals that a client may learn; everything finer stays in the log. */
export type RefusalReason = 'missing' | 'malformed' | 'expired' | 'not_trusted' | 'not_acceptable' | 'locked';

export interface ErrorDetails {
  /** Public sentence about this occurrence; never names rules, walls, people or matters. */
  readonly detail?: string;
  /** JSON Pointer (RFC 6901) to the offending member of the body. */
  readonly pointer?: string;
  readonly retryAfterSeconds?: number;
  /** Reason class of a refused token, for WWW-Authenticate. */
  readonly reason?: RefusalReason;
  /** For the log only. */
  readonly internal?: string;
  readonly cause?: unknown;
}

/** The only error our own code throws towards a door; anything else that reaches a door is an `internal_error`. */
export class PrivityError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    super(details.internal ?? details.detail ?? ERRORS[code].title, { cause: details.cause });
    this.name = 'PrivityError';
    this.code = code;
    this.details = details;
  }
}
