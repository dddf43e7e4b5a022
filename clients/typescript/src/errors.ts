// Everything that can go wrong between a service and Privity, as one error with a code. It must never hold a token, nor words of
// anybody but Privity.
import type { Problem } from './api.ts';

/** What the client itself finds. Codes of Privity's own (`docs/errors.md`) stand beside these. */
export type ClientCode =
  /** No connection: nothing was asked. */
  | 'unreachable'
  /** The connection broke before the answer was there: whether it was decided is not known. */
  | 'interrupted'
  /** Not answered within `timeoutMs`. */
  | 'timeout'
  /** The caller's `signal` was aborted. */
  | 'aborted'
  /** Something answered, but not as Privity does. */
  | 'bad_answer'
  /** The `token` function failed, or what it gave is no token. */
  | 'no_caller_token'
  /** There is no token of the person, or it is no token. */
  | 'no_subject_token';

export type PrivityCode =
  | ClientCode
  | 'malformed_request'
  | 'token_refused'
  | 'caller_not_allowed'
  | 'approval_refused'
  | 'filter_not_translatable'
  | 'payload_too_large'
  | 'rate_limited'
  | 'cannot_record'
  | 'no_policies'
  | 'overloaded'
  | 'shutting_down'
  | 'internal_error'
  // Of a later version.
  | (string & {});

export interface ErrorFacts {
  /** HTTP status, where something answered. */
  readonly status?: number | undefined;
  /** Of Retry-After. */
  readonly retryAfterSeconds?: number | undefined;
  /** To be quoted to Privity's operators. */
  readonly requestId?: string | undefined;
  /** JSON Pointer to the member of the body that is at fault. */
  readonly pointer?: string | undefined;
  /** What went wrong underneath, such as ECONNREFUSED. */
  readonly system?: string | undefined;
  readonly cause?: unknown;
}

/** There is no decision: treat it as a deny. */
export class PrivityClientError extends Error {
  readonly code: PrivityCode;
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly requestId: string | undefined;
  readonly pointer: string | undefined;
  readonly system: string | undefined;

  constructor(code: PrivityCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'PrivityClientError';
    this.code = code;
    this.status = facts.status;
    this.retryAfterSeconds = facts.retryAfterSeconds;
    this.requestId = facts.requestId;
    this.pointer = facts.pointer;
    this.system = facts.system;
  }
}

const CODE = /^[a-z][a-z_]{1,63}$/;
const LONGEST_TEXT = 300;

/** A problem document of Privity (RFC 9457) as an error; undefined for anything else. */
export function errorOfProblem(
  body: unknown,
  facts: ErrorFacts,
  secrets: readonly string[],
): PrivityClientError | undefined {
  if (!isProblem(body) || body.status !== facts.status) return undefined;
  const { code, title, detail, request_id: requestId, errors } = body;
  const text = detail === undefined ? title : `${title}: ${detail}`;
  const pointer = errors?.[0]?.pointer;
  const message = `Privity answered ${body.status} ${code}: ${text.slice(0, LONGEST_TEXT)}`;
  // Privity repeats no token; whatever stands in between might.
  const clean = secrets.reduce((rest, secret) => rest.replaceAll(secret, '[token]'), message);
  return new PrivityClientError(code, clean, { ...facts, requestId, pointer });
}

function isProblem(body: unknown): body is Problem {
  if (typeof body !== 'object' || body === null) return false;
  const {
    code,
    title,
    detail,
    status,
    request_id: requestId,
    errors,
  } = body as Partial<Record<keyof Problem, unknown>>;
  const texts = [title, detail ?? '', requestId];
  return (
    typeof code === 'string' &&
    CODE.test(code) &&
    typeof status === 'number' &&
    texts.every((one) => typeof one === 'string') &&
    (errors === undefined || (Array.isArray(errors) && errors.every(hasPointer)))
  );
}

function hasPointer(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'pointer' in value && typeof value.pointer === 'string';
}
