// Bounds how much one caller may ask, so that none can take the service away from the others. It must never look at what is asked.
import { PrivityError } from '../model/errors.ts';

export interface RateLimit {
  /** @throws PrivityError `rate_limited` */
  take(caller: string): void;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

const UNLIMITED: RateLimit = { take: () => undefined };

/**
 * A token bucket for each caller, one second deep.
 * @param perSecond 0: no limit
 * @param now milliseconds that never go back
 */
export function createRateLimit(perSecond: number, now: () => number): RateLimit {
  if (perSecond === 0) return UNLIMITED;
  // Callers are registered ones, so there are few.
  const buckets = new Map<string, Bucket>();
  return {
    take(caller) {
      const time = now();
      const bucket = buckets.get(caller) ?? { tokens: perSecond, filledAt: time };
      bucket.tokens = Math.min(perSecond, bucket.tokens + ((time - bucket.filledAt) / 1000) * perSecond);
      bucket.filledAt = time;
      buckets.set(caller, bucket);
      if (bucket.tokens < 1) throw new PrivityError('rate_limited', { retryAfterSeconds: 1 });
      bucket.tokens -= 1;
    },
  };
}
