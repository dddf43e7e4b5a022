// Says when a firm asks: working days, working hours, pages of lists among single questions. It must never give a time outside its month.
import type { Dice } from './random.ts';

export interface Moments {
  /** Milliseconds since 1970, ascending. */
  readonly times: Float64Array;
  /** Records of each request. */
  readonly sizes: Uint8Array;
}

const HOUR_MS = 3_600_000;
/** The firm's clock, behind UTC. */
const OFFSET_HOURS = 5;
/** By hour of the day. */
const HOURS = [1, 1, 0.5, 0.5, 0.5, 1, 4, 12, 40, 85, 100, 95, 60, 80, 100, 95, 85, 60, 30, 18, 12, 8, 5, 2];
/** By day of the week, from Sunday. */
const DAYS = [0.05, 1, 1.05, 1.05, 1, 0.85, 0.07];
/** Half of the requests are about a page of a list. */
const PAGES = 0.5;
const PAGE = { least: 10, most: 50 };

/** Exactly so many records in `[from, until)`. */
export function momentsOf(dice: Dice, from: number, until: number, records: number): Moments {
  const hours: { start: number; weight: number }[] = [];
  for (let start = from; start < until; start += HOUR_MS) {
    const local = new Date(start - OFFSET_HOURS * HOUR_MS);
    const length = Math.min(1, (until - start) / HOUR_MS);
    hours.push({ start, weight: (HOURS[local.getUTCHours()] ?? 0) * (DAYS[local.getUTCDay()] ?? 0) * length });
  }
  const total = hours.reduce((sum, { weight }) => sum + weight, 0);
  const times: number[] = [];
  const sizes: number[] = [];
  let owed = 0;
  let left = records;
  for (const [index, { start, weight }] of hours.entries()) {
    owed += index === hours.length - 1 ? left : (records * weight) / total;
    const first = times.length;
    while (owed >= 1 && left > 0) {
      const size = dice.chance(PAGES) ? PAGE.least + dice.below(PAGE.most - PAGE.least + 1) : 1;
      const taken = Math.min(size, left);
      times.push(start + dice.below(Math.min(HOUR_MS, until - start)));
      sizes.push(taken);
      owed -= taken;
      left -= taken;
    }
    // Requests of one hour come in the order of their times, whatever their sizes.
    const sorted = times.splice(first).toSorted((a, b) => a - b);
    for (const time of sorted) times.push(time);
  }
  return { times: Float64Array.from(times), sizes: Uint8Array.from(sizes) };
}
