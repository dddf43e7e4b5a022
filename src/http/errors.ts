// Turns every failure into one problem document (RFC 9457) from the one table. It must never tell a caller what only operators may
// know: what is not in the table is an internal error, and its details go to the log.
import type { Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { Logger } from 'pino';
import {
  ERRORS,
  PrivityError,
  type ErrorCode,
  type ErrorDetails,
  type ErrorEntry,
  type RefusalReason,
} from '../model/errors.ts';
import type { Problem } from '../model/evaluation.ts';
import { condemn, isCondemned } from './framing.ts';
import { joinPointer } from './pointer.ts';
import { COMMON_HEADERS } from './request-id.ts';

/** Answers to these are worth another try; the others would fail again. */
export const RETRY_SECONDS: Partial<Readonly<Record<ErrorCode, number>>> = {
  rate_limited: 1,
  not_sealed: 2,
  cannot_record: 1,
  overloaded: 1,
  no_policies: 5,
  shutting_down: 1,
};

export interface ErrorOptions {
  readonly log: Logger;
  /** Told of every problem before it is answered. Must not throw. */
  readonly onProblem: OnProblem;
}

export type OnProblem = (code: ErrorCode, reason: RefusalReason | undefined, request: FastifyRequest | null) => void;

export const problems = fp(
  (app: FastifyInstance, options: ErrorOptions, done: (error?: Error) => void) => {
    const routes: { readonly method: string; readonly segments: readonly string[] }[] = [];
    app.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) routes.push({ method: one, segments: url.split('/') });
    });
    // What no door asked for is not read either.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null, undefined));
    app.setErrorHandler((error: FastifyError, request, reply) => sendProblem(error, request, reply, options));
    app.setNotFoundHandler((request, reply) => {
      const segments = (request.url.split('?', 1)[0] ?? '').split('/');
      const allowed = routes.filter((route) => matches(route.segments, segments)).map(({ method }) => method);
      if (allowed.length === 0) throw new PrivityError('not_found');
      reply.header('allow', [...new Set(allowed)].sort().join(', '));
      throw new PrivityError('method_not_allowed');
    });
    done();
  },
  { name: 'problems' },
);

/** For errors before routing too: Fastify's `frameworkErrors`. */
export function sendProblem(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  { log, onProblem }: ErrorOptions,
): FastifyReply {
  const known = toPrivityError(error);
  const { status } = ERRORS[known.code];
  onProblem(known.code, known.details.reason, request);
  if (status >= 500) {
    const line = {
      request_id: request.id,
      trace_id: request.traceId,
      code: known.code,
      route: request.routeOptions?.url,
    };
    if (known.code === 'internal_error') log.error({ ...line, err: known.details.cause }, 'request failed');
    else log.warn({ ...line, detail: known.message, err: known.details.cause }, 'request refused by the service');
  }
  // Its answer closes the connection, with part of the body unread.
  if (known.code === 'payload_too_large') condemn(request.raw.socket);
  // What fails before routing has met no hook.
  if (!reply.hasHeader('x-request-id')) reply.headers({ 'x-request-id': request.id, ...COMMON_HEADERS });
  if (known.code === 'token_refused') reply.header('www-authenticate', challenge(known.details.reason));
  const retryAfter = known.details.retryAfterSeconds ?? RETRY_SECONDS[known.code];
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  return reply
    .code(status)
    .header('content-type', 'application/problem+json')
    .serializer(JSON.stringify)
    .send(problemOf(known.code, request.id, known.details));
}

export function problemOf(code: ErrorCode, requestId: string, details: ErrorDetails = {}): Problem {
  const { status, title, hint, type = `urn:privity:error:${code}` }: ErrorEntry = ERRORS[code];
  const { detail, pointer } = details;
  return {
    type,
    title,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    hint,
    request_id: requestId,
    ...(pointer === undefined ? {} : { errors: [{ detail: detail ?? title, pointer }] }),
  };
}

/** RFC 6750, 3: without a token there is no error to speak of; with one, the class of the reason and nothing finer. */
function challenge(reason: RefusalReason | undefined): string {
  const realm = 'Bearer realm="privity"';
  return reason === undefined || reason === 'missing'
    ? realm
    : `${realm}, error="invalid_token", error_description="${reason}"`;
}

function toPrivityError(error: FastifyError): PrivityError {
  if (error instanceof PrivityError) return error;
  if (error.validation !== undefined) return new PrivityError('malformed_request', violation(error));
  const code = FRAMEWORK[error.code];
  if (code !== undefined)
    return new PrivityError(code, DETAILS[error.code] === undefined ? {} : { detail: DETAILS[error.code] ?? '' });
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return new PrivityError('malformed_request');
  return new PrivityError('internal_error', { cause: error });
}

const FRAMEWORK: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'malformed_request',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_request',
  FST_ERR_BAD_URL: 'malformed_request',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
};

const DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'the content type must be application/json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'the body is not as long as Content-Length says',
  FST_ERR_BAD_URL: 'the path is not a valid URL',
};

/** The first thing Ajv found wrong, with a pointer to the member itself where one is missing or too many. */
function violation(error: FastifyError): ErrorDetails {
  const first = error.validation?.[0];
  if (first === undefined) return {};
  const name: unknown = first.params['missingProperty'] ?? first.params['additionalProperty'];
  const pointer = typeof name === 'string' ? first.instancePath + joinPointer(name) : first.instancePath;
  if (first.keyword === 'required') return { detail: 'this member is missing', pointer };
  if (first.keyword === 'additionalProperties') return { detail: 'there is no such member', pointer };
  return { detail: first.message ?? 'this member is malformed', pointer };
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) => (part.startsWith(':') ? segments[index] !== '' : part === segments[index]))
  );
}

const CLIENT_ERRORS: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Requests that never became one: Node's `clientError`. */
export function answerClientError(
  error: Error & { readonly code?: string },
  socket: Socket,
  onProblem: OnProblem,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
  if (isCondemned(socket)) {
    socket.destroySoon(); // has its answer
    return;
  }
  const code = CLIENT_ERRORS[error.code ?? ''] ?? 'malformed_request';
  onProblem(code, undefined, null);
  const requestId = randomUUID();
  const body = JSON.stringify(problemOf(code, requestId));
  const { status } = ERRORS[code];
  socket.end(
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Bad Request'}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nx-request-id: ${requestId}\r\ncache-control: no-store\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};
