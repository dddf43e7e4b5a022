// Gathers what reports list and count: tables that stop at a bound and say so, counts by name, rows by day. It must never drop a row
// without counting it.
import type { ReportCell, ReportChart, ReportSection } from '../../model/audit-report.ts';
import { formatTimestamp } from '../time.ts';
import { DAY } from './period.ts';
import { LISTED_MOST, type Period } from './report.ts';

type Table = NonNullable<ReportSection['table']>;

export interface ListedTable {
  add(...cells: ReportCell[]): void;
  readonly count: number;
  /** False: more rows were added than are listed. */
  readonly isWhole: boolean;
  /** Null where it is whole. */
  note(what: string): string | null;
  table(): Table;
}

/** @param columns by name, how they are headed */
export function listed(columns: Readonly<Record<string, string>>, most: number = LISTED_MOST): ListedTable {
  const rows: ReportCell[][] = [];
  let count = 0;
  return {
    add(...cells) {
      count += 1;
      if (rows.length < most) rows.push(cells);
    },
    get count() {
      return count;
    },
    get isWhole() {
      return count <= most;
    },
    note(what) {
      if (count <= most) return null;
      return `${(count - most).toLocaleString('en-US')} of ${count.toLocaleString('en-US')} ${what} are counted but not listed.`;
    },
    table: () => ({ columns: Object.entries(columns).map(([name, label]) => ({ name, label })), rows }),
  };
}

/** Numbers by name, the largest first, then by name. */
export function ranked(counts: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...counts].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}

export function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

const BARS = 40;

export function rankedBars(label: string, unit: string, counts: ReadonlyMap<string, number>): ReportChart {
  const all = ranked(counts);
  const said = all.length > BARS ? `${label} (the first ${BARS} of ${all.length})` : label;
  const points = all.slice(0, BARS).map(([name, value]) => ({ label: name, values: [value] }));
  return { kind: 'bars', label: said, unit, series: [unit], points };
}

export interface Timeline {
  add(at: number, series: number, by?: number): void;
  chart(label: string, unit: string): ReportChart;
}

const HOUR = 3_600_000;

/** Counts by day, or by hour where the period is short; days on which nothing happened are there too. */
export function timelineOf({ from, to }: Period, series: readonly string[]): Timeline {
  const unit = to - from <= 3 * DAY ? HOUR : DAY;
  const first = Math.floor(from / unit);
  const points = new Map<number, number[]>();
  return {
    add(at, index, by = 1) {
      const slot = Math.floor(at / unit);
      let values = points.get(slot);
      if (values === undefined) points.set(slot, (values = series.map(() => 0)));
      values[index] = (values[index] ?? 0) + by;
    },
    chart(label, unitOfChart) {
      const length = unit === DAY ? 10 : 16;
      const last = Math.max(first, Math.ceil(to / unit) - 1);
      const all: ReportChart['points'] = [];
      for (let slot = first; slot <= last; slot++) {
        const values = points.get(slot) ?? series.map(() => 0);
        all.push({ label: formatTimestamp(slot * unit).slice(0, length), values });
      }
      return { kind: 'timeline', label, unit: unitOfChart, series: [...series], points: all };
    },
  };
}
