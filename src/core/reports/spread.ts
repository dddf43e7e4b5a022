// Robust statistics that a reader can check by hand: median, median absolute deviation, what stands out. It must never call unusual what
// there is no past to compare with.

/** Null of nothing. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** The median distance from the median: one wild value does not move it. */
export function medianDeviation(values: readonly number[]): number | null {
  const middle = median(values);
  return middle === null ? null : median(values.map((value) => Math.abs(value - middle)));
}

/** For values spread like a bell curve, 1.4826 median deviations are one standard deviation. */
const TO_DEVIATION = 1.4826;

export interface UsualRange {
  readonly median: number;
  /** More than this stands out. */
  readonly limit: number;
  /** How many values it was made of. */
  readonly of: number;
}

export interface SpreadRules {
  /** With fewer values there is nothing to compare with. */
  readonly leastPast: number;
  /** Standard deviations above the median. */
  readonly deviations: number;
  /** No less than this stands out, however quiet the past. */
  readonly leastLimit: number;
}

/** Null where the past is too short to say what is usual. */
export function usualRange(past: readonly number[], rules: SpreadRules): UsualRange | null {
  const [middle, deviation] = [median(past), medianDeviation(past)];
  if (middle === null || deviation === null || past.length < rules.leastPast) return null;
  const limit = Math.max(rules.leastLimit, middle + rules.deviations * TO_DEVIATION * deviation);
  return { median: middle, limit, of: past.length };
}
