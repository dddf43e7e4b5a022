// Reads the obligation that somebody looks at an access afterwards, `review:<duration>`, and tells how far that has got. It must never
// take a review for something else because its duration is unreadable.
import type { ReviewOutcome, ReviewState } from '../model/reviews.ts';

const PREFIX = 'review:';
const FORM = /^review:([1-9]\d{0,3})(m|h|d|w)$/;
const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

export function isReview(code: string): boolean {
  return code.startsWith(PREFIX);
}

/** Within how many milliseconds the access has to be reviewed; undefined when the code does not say it. */
export function reviewPeriod(code: string): number | undefined {
  const [, amount = '', unit = ''] = FORM.exec(code) ?? [];
  const ms = UNITS[unit];
  return ms === undefined ? undefined : Number(amount) * ms;
}

/** When the first of the reviews is due, in milliseconds since 1970; null where there is none. One without a period is due at once. */
export function reviewDue(codes: readonly string[], at: number): number | null {
  const periods = codes.filter(isReview).map((code) => reviewPeriod(code) ?? 0);
  return periods.length === 0 ? null : at + Math.min(...periods);
}

/** By the newest of the reviews that were given. */
export function reviewState(given: readonly { readonly at: number; readonly outcome: ReviewOutcome }[]): ReviewState {
  const newest = given.reduce<(typeof given)[number] | null>(
    (last, one) => (last === null || one.at >= last.at ? one : last),
    null,
  );
  if (newest === null) return 'open';
  return newest.outcome === 'follow_up' ? 'follow_up' : 'done';
}
