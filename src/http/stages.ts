// Follows each request through its stages and tells metrics and traces when it is answered. It must never hold up a request, nor tell
// anything that a request said.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { Metrics } from '../metrics.ts';
import { startStages, type Stages } from '../stages.ts';
import type { TracedRequest, Tracing } from '../tracing.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null before routing. */
    stages: Stages | null;
  }
}

export interface StagesOptions {
  readonly metrics: Metrics;
  /** Null: traces are off. */
  readonly tracing: Tracing | null;
}

const UNKNOWN_ROUTE = 'none';

/** Registered after `requestIds`, before everything that may refuse. */
export const stages = fp(
  (app: FastifyInstance, { metrics, tracing }: StagesOptions, done: (error?: Error) => void) => {
    app.decorateRequest('stages', null);
    app.addHook('onRequest', (request, _reply, next) => {
      request.stages = startStages(request.arrivedAt);
      // The record of a decision names its trace, begun here if not by the caller.
      if (tracing !== null) request.traceId ??= tracing.newTraceId();
      next();
    });
    app.addHook('onResponse', (request, reply, next) => {
      const { stages: passed } = request;
      if (passed !== null) {
        const now = performance.now();
        const route = request.is404 ? UNKNOWN_ROUTE : (request.routeOptions.url ?? UNKNOWN_ROUTE);
        metrics.answered(route, reply.statusCode, passed, now);
        if (tracing !== null) tracing.answered(tracedOf(request, route, reply.statusCode), passed, now);
      }
      next();
    });
    done();
  },
  { name: 'stages' },
);

function tracedOf(request: FastifyRequest, route: string, status: number): TracedRequest {
  const { method, protocol: scheme, traceId, asking } = request;
  const { traceparent } = request.headers;
  return {
    method,
    route,
    scheme,
    status,
    traceId,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    // Health and what is there for everybody has nobody who asks.
    caller: asking?.bearer.caller.id ?? null,
    revision: asking?.set.revision ?? null,
  };
}

/** Registered after `authenticated`. */
export const authenticatedStage = fp(
  (app: FastifyInstance, _options: object, done: (error?: Error) => void) => {
    app.addHook('onRequest', (request, _reply, next) => {
      if (request.stages !== null) request.stages.authenticated = performance.now();
      next();
    });
    done();
  },
  { name: 'authenticated-stage' },
);
