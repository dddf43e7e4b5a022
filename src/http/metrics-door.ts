// Serves /metrics to whoever asks, like health: no token, no record. It must never answer with anything but what the table of metrics
// has.
import type { FastifyInstance } from 'fastify';
import { METRICS_TYPE, type Metrics } from '../metrics.ts';
import { describe } from './openapi.ts';

export function metricsDoor(app: FastifyInstance, { metrics }: { readonly metrics: Metrics }, done: () => void): void {
  app.get(
    '/metrics',
    {
      exposeHeadRoute: true,
      schema: {
        ...describe('metrics'),
        response: { 200: { description: 'Metrics', content: { 'text/plain': { schema: { type: 'string' } } } } },
      },
    },
    async (_request, reply) => reply.header('content-type', METRICS_TYPE).send(await metrics.text()),
  );
  done();
}
