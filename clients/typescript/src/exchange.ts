// Sends one question to Privity and brings back its answer, within a time limit. It must never ask twice where the first time may have
// been decided (each decision is a record), follow a redirect, or let a token out of the request it belongs to.
import { errorOfProblem, PrivityClientError, type ErrorFacts } from './errors.ts';
import { retryDelay } from './retry.ts';

/** Gives the caller's own access token, from a cache of the service's own. `refused`: Privity did not take the last one. */
export type TokenSource = (about: { readonly refused: boolean }) => string | Promise<string>;

export interface Target {
  readonly url: URL;
  /** Null: the person's token is the bearer. */
  readonly token: TokenSource | null;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly fetch: typeof fetch;
}

/** What belongs to one call. */
export interface Call {
  /** The access token of the person that the question is about. */
  readonly subjectToken?: string | undefined;
  /** For all attempts together. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Stands in Privity's record of the decision, so that both logs can be read together. */
  readonly requestId?: string | undefined;
  /** W3C Trace Context. */
  readonly traceparent?: string | undefined;
}

export interface Sent {
  readonly path: string;
  /** Absent: a GET, which brings the person's token along in a header. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Whether it does no harm to ask again when Privity could not keep the first decision. */
  readonly repeatable: boolean;
}

/** RFC 6750, 2.1. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
const LONGEST_TOKEN = 16_384;
const LONGEST_ANSWER = 32 * 2 ** 20;
/** What may stand in a header and is taken over by Privity. */
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]{1,128})?$/;

/** @throws PrivityClientError and nothing else */
export async function exchange(target: Target, sent: Sent, call: Call): Promise<unknown> {
  const { timeoutMs = target.timeoutMs, signal } = call;
  const limit = new AbortController();
  const stop = (): void => limit.abort();
  const timer = setTimeout(stop, timeoutMs);
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  const deadline = performance.now() + timeoutMs;
  try {
    for (let attempt = 0, refused = false; ; attempt += 1) {
      try {
        return await attemptOnce(target, sent, call, { refused, signal: limit.signal });
      } catch (error) {
        const known = limit.signal.aborted ? cut(signal) : asKnown(error);
        // A token that ran out between two checks: the caller may have a newer one. Nothing was judged.
        const isStale: boolean = isCallerTokenRefused(known) && !refused && target.token !== null;
        const delayMs = isStale
          ? 0
          : retryDelay(known, attempt, { retries: target.retries, repeatable: sent.repeatable });
        if (delayMs === null || performance.now() + delayMs >= deadline) throw known;
        refused = isStale;
        if (delayMs > 0) await pause(delayMs, limit.signal, () => cut(signal));
      }
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** Whether it was the caller's own token; a refused token of a person has a pointer. */
export function isCallerTokenRefused({ code, pointer }: PrivityClientError): boolean {
  return code === 'token_refused' && pointer === undefined;
}

async function attemptOnce(
  target: Target,
  { path, body }: Sent,
  call: Call,
  { refused, signal }: { readonly refused: boolean; readonly signal: AbortSignal },
): Promise<unknown> {
  const { subjectToken, requestId, traceparent } = call;
  if (subjectToken !== undefined && !isToken(subjectToken)) {
    throw new PrivityClientError('no_subject_token', 'what should be the token of the person is no token');
  }
  const bearer = target.token === null ? subjectToken : await callerToken(target.token, refused, signal);
  if (bearer === undefined) throw new PrivityClientError('no_subject_token', 'there is no token of the person');
  const brought = target.token === null || subjectToken === undefined ? null : subjectToken;
  const response = await target.fetch(new URL(path, target.url), {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${bearer}`,
      accept: 'application/json, application/problem+json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(body === undefined && brought !== null ? { 'privity-subject-token': brought } : {}),
      ...(requestId !== undefined && REQUEST_ID.test(requestId) ? { 'x-request-id': requestId } : {}),
      ...(traceparent !== undefined && TRACEPARENT.test(traceparent) ? { traceparent } : {}),
    },
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(brought === null ? body : { ...body, subject_token: brought }) }),
    redirect: 'manual',
    signal,
  });
  return answerOf(response, [bearer, ...(subjectToken === undefined ? [] : [subjectToken])]);
}

function isToken(text: unknown): text is string {
  return typeof text === 'string' && text.length <= LONGEST_TOKEN && TOKEN.test(text);
}

async function callerToken(source: TokenSource, refused: boolean, signal: AbortSignal): Promise<string> {
  let token: unknown;
  try {
    token = await unlessAborted(Promise.resolve(source({ refused })), signal);
  } catch (cause) {
    // Their error, with whatever they put into it.
    throw new PrivityClientError('no_caller_token', 'the `token` function failed', { cause });
  }
  if (isToken(token)) return token;
  throw new PrivityClientError('no_caller_token', 'what the `token` function gave is no token');
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
    promise.then(resolve, reject);
  });
}

async function answerOf(response: Response, secrets: readonly string[]): Promise<unknown> {
  const { status, headers } = response;
  const facts: ErrorFacts = {
    status,
    retryAfterSeconds: retryAfterOf(headers.get('retry-after')),
    requestId: headers.get('x-request-id') ?? undefined,
  };
  const type = (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json' && type !== 'application/problem+json') {
    await response.body?.cancel();
    throw new PrivityClientError('bad_answer', `something answered ${status} without JSON: is that Privity?`, facts);
  }
  const body = parse(await read(response, facts), facts);
  if (status === 200 || status === 201) return body;
  const problem = type === 'application/problem+json' ? errorOfProblem(body, facts, secrets) : undefined;
  throw problem ?? new PrivityClientError('bad_answer', `something answered ${status}, but not as Privity does`, facts);
}

async function read(response: Response, facts: ErrorFacts): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop by an error ends the connection.
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > LONGEST_ANSWER) {
      throw new PrivityClientError('bad_answer', 'the answer is longer than any of Privity', facts);
    }
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

function parse(bytes: Uint8Array, facts: ErrorFacts): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new PrivityClientError('bad_answer', 'the answer is not JSON, or not all of it', facts);
  }
}

/** Seconds or a date (RFC 9110, 10.2.3). */
function retryAfterOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

/** Failures in which the request was certainly not sent. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The words of others are left out, for they may repeat what was sent. */
function asKnown(error: unknown): PrivityClientError {
  if (error instanceof PrivityClientError) return error;
  const system = systemCodeOf(error) ?? systemCodeOf(error instanceof Error ? error.cause : undefined);
  if (system !== undefined && NOT_SENT.has(system)) {
    return new PrivityClientError('unreachable', `Privity cannot be reached (${system})`, { system });
  }
  return new PrivityClientError('interrupted', 'the connection to Privity failed before the answer was there', {
    system,
  });
}

function systemCodeOf(error: unknown): string | undefined {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code) ? code : undefined;
}

function cut(signal: AbortSignal | undefined): PrivityClientError {
  return signal?.aborted === true
    ? new PrivityClientError('aborted', 'the question was called off')
    : new PrivityClientError('timeout', 'Privity did not answer in time');
}

function pause(ms: number, signal: AbortSignal, cause: () => PrivityClientError): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        reject(cause());
      },
      { once: true },
    );
  });
}
