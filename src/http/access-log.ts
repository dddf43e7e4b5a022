// Writes one line for each request. It must never hold tokens, attribute values or the ids of people, matters and documents: whoever
// may see those finds them in the record, by request id.
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import type { Logger } from 'pino';

/** One line, made here instead of by a logger for each request, which would cost more than the line. */
export const accessLog = fp(
  (app: FastifyInstance, { log }: { readonly log: Logger }, done: (error?: Error) => void) => {
    if (!log.isLevelEnabled('info')) return done();
    // Looking for secrets in members that are all listed below would cost several times what the line does.
    const lines = log.child({}, { redact: [] });
    app.addHook('onResponse', (request, reply, next) => {
      lines.info(
        {
          request_id: request.id,
          trace_id: request.traceId,
          method: request.method,
          route: request.routeOptions.url ?? null,
          status: reply.statusCode,
          caller: request.asking?.bearer.caller.id ?? null,
          ms: Math.round((performance.now() - request.arrivedAt) * 1000) / 1000,
        },
        'request',
      );
      next();
    });
    done();
  },
  { name: 'access-log' },
);
