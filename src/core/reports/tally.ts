// Counts what was allowed and denied by name: matters, documents, rules. It must never hold more names than it was told to, nor lose a
// count over it.
import type { ReportCell, ReportChart } from '../../model/audit-report.ts';
import { formatTimestamp } from '../time.ts';
import { listed, type ListedTable } from './tables.ts';

export interface Tallied {
  allowed: number;
  denied: number;
  /** Milliseconds since 1970. */
  first: number;
  last: number;
  readonly actions: Set<string>;
  /** What stands beside the name, such as the client of a matter. */
  readonly beside: readonly ReportCell[];
}

export interface Tally {
  add(name: string, event: TallyEvent): void;
  readonly names: ReadonlyMap<string, Tallied>;
  /** Events of names beyond the bound. */
  readonly left: number;
  chart(label: string, unit: string): ReportChart;
  table(columns: Readonly<Record<string, string>>): ListedTable;
}

export interface TallyEvent {
  readonly at: number;
  readonly isAllowed: boolean;
  readonly action: string | null;
  readonly beside?: readonly ReportCell[];
}

const MOST_NAMES = 100_000;
const BARS = 20;

export function createTally(most: number = MOST_NAMES): Tally {
  const names = new Map<string, Tallied>();
  let left = 0;
  const sum = ({ allowed, denied }: Tallied): number => allowed + denied;
  const inOrder = () => [...names].toSorted(([a, x], [b, y]) => sum(y) - sum(x) || (a < b ? -1 : 1));
  return {
    names,
    get left() {
      return left;
    },
    add(name, { at, isAllowed, action, beside = [] }) {
      let one = names.get(name);
      if (one === undefined) {
        if (names.size === most) {
          left += 1;
          return;
        }
        names.set(name, (one = { allowed: 0, denied: 0, first: at, last: at, actions: new Set(), beside }));
      }
      one[isAllowed ? 'allowed' : 'denied'] += 1;
      one.first = Math.min(one.first, at);
      one.last = Math.max(one.last, at);
      if (action !== null) one.actions.add(action);
    },
    chart(label, unit) {
      const points = inOrder().slice(0, BARS);
      const more = names.size - points.length;
      return {
        kind: 'bars',
        label: more > 0 ? `${label} (the ${BARS} with most; ${more} more)` : label,
        unit,
        series: ['allowed', 'denied'],
        points: points.map(([name, { allowed, denied }]) => ({ label: name, values: [allowed, denied] })),
      };
    },
    table(columns) {
      const table = listed({
        ...columns,
        allowed: 'Allowed',
        denied: 'Denied',
        actions: 'Actions',
        first: 'First',
        last: 'Last',
      });
      for (const [name, { allowed, denied, actions, first, last, beside }] of inOrder()) {
        table.add(
          name,
          ...beside,
          allowed,
          denied,
          [...actions].toSorted().join(', '),
          formatTimestamp(first),
          formatTimestamp(last),
        );
      }
      return table;
    },
  };
}
