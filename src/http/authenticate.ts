// Stands before every protected door: takes the policy set, verifies who asks, checks the caller's right, all before a body is
// read. It must never let a request on without a caller, wait for the record of a refusal, or log a token.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { PolicySet } from '../core/policy-set.ts';
import { uuidv7 } from '../core/record/uuid.ts';
import type { Asked, Bearer, Identity } from '../io/identity/identify.ts';
import type { CallerRight } from '../model/data.ts';
import { PrivityError } from '../model/errors.ts';
import type { TrustSet } from '../model/identity.ts';
import { NO_COLUMNS, type RecordEntry } from '../model/record.ts';
import { thumbprintOf } from './client-certificate.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before the handler of every protected door. */
    asking: Asking | null;
  }
  interface FastifyContextConfig {
    /** Right of callers.yaml that the door needs. */
    right?: CallerRight;
  }
}

/** One request sees one policy set, from start to end (P6). */
export interface Asking {
  readonly set: PolicySet;
  readonly trust: TrustSet;
  readonly bearer: Bearer;
}

export interface GateDeps {
  /** @throws PrivityError `no_policies` */
  readonly policies: { current(): PolicySet };
  /** Whom a policy set believes; more than its own issuers in development. */
  readonly trustOf: (set: PolicySet) => TrustSet;
  readonly identity: Pick<Identity, 'authenticate' | 'subjectOf'>;
  readonly recorder: { appendRefused(entry: RecordEntry): void };
  readonly clock: { now(): number };
}

export interface Gate {
  authenticate(request: FastifyRequest): Promise<void>;
  /** @throws PrivityError `token_refused` or `caller_not_allowed` */
  subjectOf(request: FastifyRequest, asking: Asking, subjectToken: string | undefined): Promise<Asked>;
}

export function createGate(deps: GateDeps): Gate {
  return {
    async authenticate(request) {
      const set = deps.policies.current();
      const trust = deps.trustOf(set);
      const { authorization } = request.headers;
      let bearer: Bearer;
      try {
        bearer = await deps.identity.authenticate(trust, authorization, thumbprintOf(request));
      } catch (error) {
        recordRefusal(deps, request, error, { token: authorization, caller: null, set });
        throw error;
      }
      const { right } = request.routeOptions.config;
      if (right !== undefined && !bearer.caller.rights.has(right)) {
        throw new PrivityError('caller_not_allowed', { detail: `the caller lacks the right \`${right}\`` });
      }
      request.asking = { set, trust, bearer };
    },
    async subjectOf(request, { set, trust, bearer }, subjectToken) {
      try {
        return await deps.identity.subjectOf(trust, bearer, subjectToken);
      } catch (error) {
        recordRefusal(deps, request, error, { token: subjectToken, caller: bearer.caller.id, set });
        if (subjectToken === undefined || !(error instanceof PrivityError)) throw error;
        const { code, details } = error;
        const detail =
          code === 'token_refused' ? 'the subject token was refused' : 'no subject token may come with this bearer';
        throw new PrivityError(code, { detail, ...details, pointer: '/subject_token' });
      }
    },
  };
}

export const authenticated = fp(
  (app: FastifyInstance, { gate }: { readonly gate: Gate }, done: (error?: Error) => void) => {
    app.decorateRequest('asking', null);
    app.addHook('onRequest', (request) => gate.authenticate(request));
    done();
  },
  { name: 'authenticated' },
);

export function askingOf(request: FastifyRequest): Asking {
  if (request.asking === null) throw new Error('a protected door outside the authenticated part');
  return request.asking;
}

interface RefusedToken {
  readonly token: string | undefined;
  readonly caller: string | null;
  readonly set: PolicySet;
}

/** Never waited for: a flood of bad tokens must not slow down answers, nor stop when the database is away. */
function recordRefusal(deps: GateDeps, request: FastifyRequest, error: unknown, refused: RefusedToken): void {
  if (!(error instanceof PrivityError)) return;
  deps.recorder.appendRefused(refusedEntry(request, error, refused, deps.clock.now()));
}

/** @param at milliseconds since 1970 */
export function refusedEntry(
  request: FastifyRequest,
  { code, details }: PrivityError,
  { token, caller, set }: RefusedToken,
  at: number,
): RecordEntry {
  return {
    kind: 'refused',
    id: uuidv7(at),
    at,
    body: {
      code,
      reason: details.reason ?? null,
      detail: details.internal ?? null,
      issuer: claimedIssuer(token),
      caller,
      remote_address: request.ip,
      policy: { revision: set.revision, commit: set.commit },
      request_id: request.id,
      trace_id: request.traceId,
    },
    columns: { ...NO_COLUMNS, caller, revision: set.revision, request_id: request.id },
  };
}

const LONGEST_ISSUER = 256;

/** What an unverified token says of its issuer: a hint for whoever looks into refusals, proof of nothing. */
function claimedIssuer(token: string | undefined): string | null {
  const payload = token?.slice(0, 20_000).split('.')[1];
  if (payload === undefined) return null;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const issuer: unknown = typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'iss') : undefined;
    return typeof issuer === 'string' ? issuer.slice(0, LONGEST_ISSUER).replaceAll('\u0000', '').toWellFormed() : null;
  } catch {
    return null;
  }
}
