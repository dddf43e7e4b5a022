// Bounds how much one caller may ask, so that none can take the service away from the others. It must never look at what is asked,
// nor count a request whose caller is not known.
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { PrivityError } from '../model/errors.ts';
import { askingOf } from './authenticate.ts';

export interface RateLimitOptions {
  /** Requests of one caller; not 0. */
  readonly perSecond: number;
  readonly onLimited: (caller: string) => void;
}

const WINDOW_MS = 1_000;

/** Registered after `authenticated`. A refused request was not decided and leaves no record. */
export const rateLimits = fp(
  async (app: FastifyInstance, { perSecond, onLimited }: RateLimitOptions) => {
    // Its own answers are about addresses and carry the headers of an old draft; what counts is its counting.
    await app.register(rateLimit, { global: false });
    const count = app.createRateLimit({
      max: perSecond,
      timeWindow: WINDOW_MS,
      keyGenerator: (request) => askingOf(request).bearer.caller.id,
    });
    // draft-ietf-httpapi-ratelimit-headers-10, 2 and 3
    const policy = `"caller";q=${perSecond};w=${WINDOW_MS / 1_000}`;
    app.addHook('onRequest', async (request, reply) => {
      const counted = await count(request);
      if (counted.isAllowed) return;
      const { isExceeded, remaining, ttlInSeconds } = counted;
      reply.headers({ 'ratelimit-policy': policy, ratelimit: `"caller";r=${remaining};t=${ttlInSeconds}` });
      if (!isExceeded) return;
      onLimited(askingOf(request).bearer.caller.id);
      throw new PrivityError('rate_limited', { retryAfterSeconds: Math.max(1, ttlInSeconds) });
    });
  },
  { name: 'rate-limits' },
);
