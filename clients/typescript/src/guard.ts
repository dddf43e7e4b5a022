// What a guarded route answers: go on, or why not, in the words of HTTP. It must never let a request on without a permission, nor say
// why somebody was refused.
import type { Question, PrivityClient, Resource, Verdict } from './client.ts';
import type { AuthorizeAnswer } from './api.ts';
import { challengeOf, stepUpOf } from './challenge.ts';
import { PrivityClientError } from './errors.ts';
import { isCallerTokenRefused, type Call } from './exchange.ts';
import type { Duties, Obligation } from './obligations.ts';

/** What a route needs, in one line. */
export interface RouteRule<Request> {
  readonly action: string;
  /** Null or undefined: there is no such thing, and the answer is 404. */
  readonly resource: (request: Request) => Resource | null | undefined | Promise<Resource | null | undefined>;
  readonly context?: (request: Request) => Question['context'] | Promise<Question['context']>;
  /** What this route does about duties of a permission, by their ids; others deny. */
  readonly duties?: Readonly<Record<string, (obligation: Obligation, request: Request) => unknown>>;
  /** Status of a deny, where it differs from the guard's. */
  readonly denied?: 403 | 404;
}

export interface GuardOptions<Request> {
  readonly client: Pick<PrivityClient, 'decide'>;
  /** The access token of the person who asks; that of `Authorization: Bearer` unless told. */
  readonly subjectToken?: (request: Request) => string | undefined | Promise<string | undefined>;
  /** For every route, such as the network that a request comes from; a route's own context is laid over it. */
  readonly context?: (request: Request) => Question['context'] | Promise<Question['context']>;
  /** 403 unless told; 404 hides that there is something. */
  readonly denied?: 403 | 404;
  /** Told why a request was refused, for the service's own log. */
  readonly onRefused?: (why: Refusal, request: Request) => void;
}

export interface Refusal {
  readonly status: 401 | 403 | 404 | 503;
  readonly headers: Readonly<Record<string, string>>;
  /** A problem document (RFC 9457). */
  readonly body: string;
  readonly answer: AuthorizeAnswer | null;
  readonly error: unknown;
}

export interface Permitted {
  readonly status: null;
  readonly answer: AuthorizeAnswer;
}

interface WithHeaders {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

const RETRY_AFTER_SECONDS = 1;
const TITLES = { 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 503: 'Service Unavailable' } as const;

export async function judge<Request extends WithHeaders>(
  options: GuardOptions<Request>,
  rule: RouteRule<Request>,
  request: Request,
): Promise<Permitted | Refusal> {
  const outcome = await outcomeOf(options, rule, request);
  if (outcome.status !== null) options.onRefused?.(outcome, request);
  return outcome;
}

async function outcomeOf<Request extends WithHeaders>(
  { client, subjectToken = bearerOf, context, denied = 403 }: GuardOptions<Request>,
  rule: RouteRule<Request>,
  request: Request,
): Promise<Permitted | Refusal> {
  const token = await subjectToken(request);
  if (token === undefined || token === '') return refusal(401, { 'www-authenticate': 'Bearer' });
  const resource = await rule.resource(request);
  if (resource === null || resource === undefined) return refusal(404);
  const around = { ...(await context?.(request)), ...(await rule.context?.(request)) };
  const question = { action: rule.action, resource, context: around };
  const verdict = await client.decide(question, callOf(request, token), dutiesOf(rule, request));
  if (verdict.permitted && verdict.answer !== null) return { status: null, answer: verdict.answer };
  return refusalOf(verdict, rule.denied ?? denied);
}

function refusalOf({ answer, error }: Verdict, denied: 403 | 404): Refusal {
  if (answer !== null) {
    const stepUp = stepUpOf(answer);
    if (stepUp !== null) return refusal(401, { 'www-authenticate': challengeOf(stepUp) }, { answer, error });
    return refusal(denied, {}, { answer, error });
  }
  const known = error instanceof PrivityClientError ? error : null;
  if (known !== null && isTokenOfPerson(known)) {
    return refusal(401, { 'www-authenticate': 'Bearer error="invalid_token"' }, { answer, error });
  }
  // An id or a property that no question may have: whatever it is, nobody may have it.
  if (known?.code === 'malformed_request') return refusal(denied, {}, { answer, error });
  const seconds = Math.max(RETRY_AFTER_SECONDS, known?.retryAfterSeconds ?? 0);
  return refusal(503, { 'retry-after': String(seconds) }, { answer, error });
}

function isTokenOfPerson(error: PrivityClientError): boolean {
  if (error.code === 'no_subject_token') return true;
  const isRefused = error.code === 'token_refused' || error.code === 'caller_not_allowed';
  return isRefused && !isCallerTokenRefused(error) && error.pointer === '/subject_token';
}

function refusal(
  status: Refusal['status'],
  headers: Readonly<Record<string, string>> = {},
  why: Pick<Refusal, 'answer' | 'error'> = { answer: null, error: null },
): Refusal {
  return {
    status,
    headers: { ...headers, 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
    body: JSON.stringify({ type: 'about:blank', title: TITLES[status], status }),
    ...why,
  };
}

function dutiesOf<Request>({ duties }: RouteRule<Request>, request: Request): Duties | undefined {
  if (duties === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(duties).map(([id, fulfil]) => [id, (one: Obligation) => fulfil(one, request)]),
  );
}

function callOf({ headers }: WithHeaders, subjectToken: string): Call {
  return { subjectToken, requestId: oneOf(headers['x-request-id']), traceparent: oneOf(headers['traceparent']) };
}

function oneOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** RFC 6750, 2.1; the scheme in any case (RFC 9110, 11.1). */
export function bearerOf({ headers }: WithHeaders): string | undefined {
  return /^bearer +(\S+) *$/i.exec(oneOf(headers['authorization']) ?? '')?.[1];
}
