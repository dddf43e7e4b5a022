// Gives every request its id and trace, and every answer, refusals included, the headers that all answers share. It must never
// take over from a caller what could not stand in a log line or a header.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { flat } from '../core/flat.ts';
import { framingError } from './framing.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** performance.now() when the headers had arrived. */
    arrivedAt: number;
    /** W3C trace id, 32 hex digits. */
    traceId: string | null;
  }
}

/** Answers are about one moment and one person: nothing in between may keep them. */
export const COMMON_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

/** Visible ASCII, of a length that any log takes. */
const SANE_ID = /^[\x21-\x7e]{1,128}$/;

/** W3C Trace Context, 3.2: version, trace id, parent id, flags; versions after 00 may add members. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.{1,128})?$/;

export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && SANE_ID.test(given) ? given : flat(randomUUID());
}

/** The trace id of a valid `traceparent`; null for none or an invalid one, which the specification says to ignore. */
export function traceIdOf(traceparent: string): string | null {
  const [, version, traceId = null, rest] = TRACEPARENT.exec(traceparent) ?? [];
  return traceId === null || (version === '00' && rest !== undefined) ? null : flat(traceId);
}

export const requestIds = fp(
  (app: FastifyInstance, _options: object, done: (error?: Error) => void) => {
    app.decorateRequest('arrivedAt', 0);
    app.decorateRequest('traceId', null);
    app.addHook('onRequest', (request, reply, next) => {
      request.arrivedAt = performance.now();
      reply.header('x-request-id', request.id);
      reply.headers(COMMON_HEADERS);
      const { traceparent } = request.headers;
      if (typeof traceparent === 'string') {
        request.traceId = traceIdOf(traceparent);
        if (request.traceId !== null) reply.header('traceparent', traceparent);
      }
      const error = framingError(request.raw);
      if (error === null) return next();
      reply.header('connection', 'close');
      next(error);
    });
    done();
  },
  { name: 'request-ids' },
);
