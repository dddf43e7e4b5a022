// Tells machines whether the process lives and whether it can answer. It must never name rules, walls, people, matters or hosts:
// codes only, for anybody may ask.
import type { FastifyInstance } from 'fastify';
import type { LiveAnswer, ReadyAnswer } from '../model/reports.ts';
import { describe, shared } from './openapi.ts';

export interface Health {
  /** Codes: why the service cannot answer. Empty: it can. */
  problems(): readonly string[];
  /** Codes: what is worse than it should be. */
  degraded(): readonly string[];
}

export function health(app: FastifyInstance, { health: state }: { readonly health: Health }, done: () => void): void {
  app.get(
    '/livez',
    { exposeHeadRoute: true, schema: { ...describe('live'), response: { 200: shared('LiveAnswer') } } },
    (): LiveAnswer => ({ status: 'ok' }),
  );
  app.get(
    '/readyz',
    {
      exposeHeadRoute: true,
      schema: { ...describe('ready'), response: { 200: shared('ReadyAnswer'), 503: shared('ReadyAnswer') } },
    },
    (_request, reply): ReadyAnswer => {
      const problems = [...state.problems()].sort();
      if (problems.length > 0) void reply.code(503);
      return { status: problems.length > 0 ? 'not_ready' : 'ready', problems, degraded: [...state.degraded()].sort() };
    },
  );
  done();
}
