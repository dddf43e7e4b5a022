// Reads periods, days and months from a query string. It must never take a period that nobody has bounded.
import { PrivityError } from '../../model/errors.ts';
import type { ReportWords } from '../../model/audit-report.ts';
import { parseSearch, wrong } from '../reading/search.ts';
import { formatTimestamp, parseTimestamp } from '../time.ts';
import type { Period } from './report.ts';

export const DAY = 86_400_000;
const MOST_DAYS = 400;

export interface PeriodLimits {
  readonly mostDays?: number;
  /** Without `from`, so many days before `to`. */
  readonly otherwiseDays: number;
}

/** @throws PrivityError `malformed_request` */
export function periodOf(words: ReportWords, now: number, limits: PeriodLimits): Period {
  const { mostDays = MOST_DAYS, otherwiseDays } = limits;
  const { from, to } = parseSearch(
    {
      ...(words.from === undefined ? {} : { from: words.from }),
      ...(words.to === undefined ? {} : { to: words.to }),
    },
    now,
  );
  const end = to ?? Math.max(now, (from ?? 0) + 1);
  const start = from ?? end - otherwiseDays * DAY;
  if (end - start > mostDays * DAY) throw wrong('from', `makes the period longer than ${mostDays} days: ask for less`);
  return { from: start, to: end };
}

/** A day in UTC. @throws PrivityError `malformed_request` */
export function dayOf(text: string, now: number): Period {
  return until(now, 'date', `${text}T00:00:00Z`, (from) => from + DAY);
}

/** A month in UTC. @throws PrivityError `malformed_request` */
export function monthOf(text: string, now: number): Period {
  return until(now, 'month', `${text}-01T00:00:00Z`, (from) => {
    const next = new Date(from);
    return next.setUTCMonth(next.getUTCMonth() + 1);
  });
}

function until(now: number, name: 'date' | 'month', text: string, end: (from: number) => number): Period {
  const from = parseTimestamp(text);
  if (from === undefined) throw wrong(name, `is no ${name === 'date' ? 'day' : 'month'} of the calendar`);
  try {
    parseSearch({ from: text }, now);
  } catch (error) {
    throw error instanceof PrivityError
      ? wrong(name, 'is not in the years 2000 to 2199, or lies in the future')
      : error;
  }
  return { from, to: end(from) };
}

/** As a report shows it. */
export function periodWords({ from, to }: Period): { readonly from: string; readonly to: string } {
  return { from: formatTimestamp(from), to: formatTimestamp(to) };
}
