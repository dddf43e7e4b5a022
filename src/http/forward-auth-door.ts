// The door that proxies ask before they let a request through (nginx auth_request, Traefik ForwardAuth, Envoy ext_authz): it maps the
// request to the question that routes.yaml makes of it. It must never believe a client about anything, nor say yes to what fits no route.
import { isUtf8 } from 'node:buffer';
import { METHODS } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authorize, type AuthorizeDeps } from '../authorize.ts';
import { questionAt, unroutedQuestion } from '../core/route-request.ts';
import type { Routes } from '../core/routes.ts';
import { PrivityError } from '../model/errors.ts';
import { ForwardHeaders, type ForwardAnswer } from '../model/forward-auth.ts';
import { FACT_HEADER, type RequestIn } from '../model/routes.ts';
import { SUBJECT_TOKEN_HEADER } from '../model/search.ts';
import type { Question } from '../question.ts';
import { answerOf } from './answer.ts';
import { askingOf, type Asking, type Gate } from './authenticate.ts';
import { checkQuestion } from './envelope.ts';
import { describe, shared } from './openapi.ts';

export interface ForwardAuthDoorOptions {
  readonly gate: Gate;
  readonly deps: AuthorizeDeps;
}

const PATH = '/v1/forward-auth';

/** Names of headers with method and URI; with `path` they are those of the request itself, behind the door's path. */
const CARRIERS: Readonly<Record<Exclude<RequestIn, 'path'>, readonly [method: string, uri: string]>> = {
  original_headers: ['x-original-method', 'x-original-uri'],
  forwarded_headers: ['x-forwarded-method', 'x-forwarded-uri'],
};

/** RFC 9110, 5.6.2, of a length that methods have. */
const METHOD = /^[A-Za-z-]{1,20}$/;

/** A proxy fulfils no obligation; what Privity fulfils itself does not concern it. */
const NO_OBLIGATIONS = { isStranger: false, supports: [] } as const;
const NO_ROUTE = { ...NO_OBLIGATIONS, isUnrouted: true } as const;

export function forwardAuthDoor(app: FastifyInstance, { gate, deps }: ForwardAuthDoorOptions, done: () => void): void {
  // What the client sends is not for Privity, and is not read.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null, undefined));
  app.setErrorHandler((error: FastifyError, request) => {
    throw aboutProxy(error, request);
  });

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<ForwardAnswer> {
    const asking = askingOf(request);
    const { set, bearer } = asking;
    const routes = set.routes.get(bearer.caller.id);
    if (routes === undefined) {
      throw new PrivityError('caller_not_allowed', { detail: 'routes.yaml says nothing about this caller' });
    }
    const question = questionOf(request, routes);
    checkQuestion(set, { ...question, action: { name: question.action } }, '');
    const { caller, subject } = await personOf(request, asking);
    const { id: requestId, traceId, arrivedAt, stages } = request;
    const asked = { caller, subject, requestId, traceId, arrivedAt, stages };
    const [answered] = await authorize(deps, set, asked, [question]);
    if (answered === undefined) throw new Error('a question without an answer');
    const { decision, context } = answerOf(set, caller, answered);
    const { evaluation_id: id, evaluated_at: at, reason_user: reason, acr_values: values, max_age: age } = context;
    reply.header('privity-evaluation-id', id);
    if (!decision && values !== undefined) reply.code(401).header('www-authenticate', stepUp(values, age));
    else reply.code(decision ? 200 : 403);
    return { decision, context: { evaluation_id: id, evaluated_at: at, reason_user: reason } };
  }

  /** Nobody signed in is no mistake of the proxy: the answer is that somebody has to. */
  async function personOf(request: FastifyRequest, asking: Asking) {
    const token = personToken(request);
    try {
      return await gate.subjectOf(request, asking, token);
    } catch (error) {
      if (token !== undefined || !isRefusal(error, 'caller_not_allowed')) throw error;
      throw new PrivityError('token_refused', { reason: 'missing', detail: 'no token of a person came along' });
    }
  }

  app.get(
    PATH,
    {
      config: { right: 'authorize' },
      schema: {
        ...describe('forwardAuth'),
        headers: ForwardHeaders,
        response: { 200: shared('ForwardAnswer'), 401: shared('ForwardAnswer'), 403: shared('ForwardAnswer') },
      },
    },
    answer,
  );
  for (const method of METHODS) {
    if (method === 'CONNECT') continue;
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true });
  }
  const method = app.supportedMethods;
  app.route({ method, url: `${PATH}/*`, config: { right: 'authorize' }, schema: { hide: true }, handler: answer });
  done();
}

/** @throws PrivityError `malformed_request` where the proxy is not set up as routes.yaml says */
function questionOf(request: FastifyRequest, routes: Routes): Question {
  const { headers } = request;
  if (headers['transfer-encoding'] !== undefined || !['0', undefined].includes(headers['content-length'])) {
    throw misconfigured('the proxy must not send the body of the original request');
  }
  const { method, uri } = originalOf(request, routes.requestIn);
  if (!METHOD.test(method)) throw misconfigured('the method of the original request is no method');
  for (const name of Object.keys(headers)) {
    if (!name.startsWith(FACT_HEADER) || routes.headers.has(name)) continue;
    throw misconfigured(
      `no route of this caller reads a header ${FACT_HEADER}*: the proxy must not pass on the client’s`,
    );
  }
  const routed = questionAt(routes, method, uri, (name) => headerOf(request, name));
  const asked = routed ?? unroutedQuestion(method, uri);
  return { ...asked, approvalIds: [], terms: routed === null ? NO_ROUTE : NO_OBLIGATIONS };
}

function originalOf(request: FastifyRequest, requestIn: RequestIn): { readonly method: string; readonly uri: string } {
  const below = (request.raw.url ?? '').slice(PATH.length);
  if (requestIn === 'path') {
    if (!below.startsWith('/')) throw misconfigured('the path of the original request must follow that of this door');
    return { method: request.method, uri: below };
  }
  const [methodHeader, uriHeader] = CARRIERS[requestIn];
  const method = headerOf(request, methodHeader);
  const uri = headerOf(request, uriHeader);
  if (below.startsWith('/') || method === undefined || uri === undefined) {
    throw misconfigured(`method and URI of the original request must come in ${methodHeader} and ${uriHeader}`);
  }
  return { method, uri };
}

/** @throws PrivityError `malformed_request` where one header has two values: one of them may be the client's */
function headerOf({ headers, raw }: FastifyRequest, name: string): string | undefined {
  const value = headers[name];
  if (value === undefined || value === '') return undefined;
  const times = raw.rawHeaders.filter((one, index) => index % 2 === 0 && one.toLowerCase() === name).length;
  if (typeof value !== 'string' || times !== 1) throw misconfigured(`the header ${name} is there more than once`);
  const bytes = Buffer.from(value, 'latin1');
  if (!isUtf8(bytes)) throw misconfigured(`the header ${name} is not UTF-8`);
  return bytes.toString('utf8');
}

/** Proxies have the whole `Authorization` header at hand. */
function personToken(request: FastifyRequest): string | undefined {
  return headerOf(request, SUBJECT_TOKEN_HEADER)?.replace(/^bearer /i, '');
}

function misconfigured(detail: string): PrivityError {
  return new PrivityError('malformed_request', { detail });
}

/** 401 speaks of the person alone: a proxy whose own token is refused would send everybody to sign in, over and over. */
function aboutProxy(error: FastifyError, { asking, headers }: FastifyRequest): Error {
  const hasPerson = (headers[SUBJECT_TOKEN_HEADER] ?? '') !== '';
  if (asking !== null || !hasPerson || !isRefusal(error, 'token_refused')) return error;
  return new PrivityError('caller_not_allowed', { detail: 'the proxy’s own token was refused', cause: error });
}

function isRefusal(error: unknown, code: 'token_refused' | 'caller_not_allowed'): boolean {
  return error instanceof PrivityError && error.code === code;
}

/** RFC 9470, 3. Values come from firm.yaml, where they could hold anything. */
function stepUp(acrValues: string, maxAge: number | undefined): string {
  const values = acrValues.replaceAll(/[^\x21\x23-\x5b\x5d-\x7e ]/g, '');
  const description = 'Confirm your identity again';
  const challenge = `Bearer realm="privity", error="insufficient_user_authentication", error_description="${description}"`;
  return `${challenge}, acr_values="${values}"${maxAge === undefined ? '' : `, max_age="${maxAge}"`}`;
}
