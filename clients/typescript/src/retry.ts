// Says whether and when a question may be asked again. It must never say so where the first may have been decided, for each decision
// is a record: only where nothing was judged, or where Privity itself says that it kept no decision.
import type { PrivityClientError } from './errors.ts';

/** Turned away before anything was looked at, or never sent. */
const NOT_JUDGED = new Set(['unreachable', 'overloaded', 'no_policies', 'rate_limited']);
/** Judged, but the decision could not be kept: there is none, and asking again is what Privity advises (`docs/errors.md`). */
const NOT_KEPT = new Set(['cannot_record', 'shutting_down']);

const FIRST_MS = 100;
const LONGEST_MS = 2_000;

export interface RetryPolicy {
  readonly retries: number;
  readonly repeatable: boolean;
}

/** Milliseconds to wait before the next attempt, Retry-After heeded, never in step with other clients; null: do not ask again. */
export function retryDelay(
  { code, retryAfterSeconds = 0 }: PrivityClientError,
  attempt: number,
  { retries, repeatable }: RetryPolicy,
): number | null {
  if (attempt >= retries) return null;
  if (!NOT_JUDGED.has(code) && !(repeatable && NOT_KEPT.has(code))) return null;
  const backOff = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return retryAfterSeconds * 1000 + backOff * (0.5 + Math.random() / 2);
}
