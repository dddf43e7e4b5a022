// Counts refused tokens: by system, reason and issuer, and the hours in which there were many. It must never count a line for one refusal
// that stands for many.
import type { ReportSection } from '../../model/audit-report.ts';
import { textOf } from '../reading/row.ts';
import { formatTimestamp } from '../time.ts';
import type { Period, ReportRow } from './report.ts';
import { usualRange } from './spread.ts';
import { listed, timelineOf } from './tables.ts';

export interface Refusals {
  add(row: ReportRow): void;
  facts(): readonly { readonly label: string; readonly value: string }[];
  notes(): readonly string[];
  sections(): readonly ReportSection[];
  /** Of the period. */
  readonly total: number;
  readonly isWhole: boolean;
}

const HOUR = 3_600_000;
const MOST_KINDS = 2_000;
const MOST_ADDRESSES = 10_000;
const RULES = { leastPast: 24, deviations: 6, leastLimit: 20 };

interface Kind {
  readonly caller: string | null;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly issuer: string | null;
  count: number;
  first: number;
  last: number;
}

export function createRefusals(period: Period): Refusals {
  const kinds = new Map<string, Kind>();
  const addresses = new Set<string>();
  const hours = new Map<number, number>();
  const timeline = timelineOf(period, ['refused']);
  let [total, leftOut] = [0, 0];
  return {
    add({ at, record, found }) {
      // Beyond a rate they are counted instead of listed: one record for many, with the time of the first and last.
      const { count: said } = record;
      const count = typeof said === 'number' && Number.isSafeInteger(said) && said > 0 ? said : 1;
      const hour = Math.floor(at / HOUR) * HOUR;
      hours.set(hour, (hours.get(hour) ?? 0) + count);
      if (at < period.from) return;
      total += count;
      timeline.add(at, 0, count);
      const address = textOf(record['remote_address']);
      if (address !== null && addresses.size < MOST_ADDRESSES) addresses.add(address);
      const [reason, detail, issuer] = ['reason', 'detail', 'issuer'].map((name) => textOf(record[name]));
      const caller = found.caller ?? null;
      const key = JSON.stringify([caller, reason, detail, issuer]);
      let kind = kinds.get(key);
      if (kind === undefined) {
        if (kinds.size === MOST_KINDS) {
          leftOut += count;
          return;
        }
        kind = {
          caller,
          reason: reason ?? null,
          detail: detail ?? null,
          issuer: issuer ?? null,
          count: 0,
          first: at,
          last: at,
        };
        kinds.set(key, kind);
      }
      kind.count += count;
      kind.first = Math.min(kind.first, at);
      kind.last = Math.max(kind.last, at);
    },
    facts: () => [
      { label: 'Refused tokens', value: total.toLocaleString('en-US') },
      { label: 'From so many addresses', value: addresses.size.toLocaleString('en-US') },
    ],
    notes: () =>
      leftOut === 0
        ? []
        : [`${leftOut.toLocaleString('en-US')} refusals are in the total but not in the table: too many kinds.`],
    sections: () => [
      {
        heading: 'Refused tokens',
        note:
          'What a refused token says of itself is not proven: the issuer is a claim. A system is named once its own token was good. In a ' +
          'flood refusals are counted together, and the count stands at the end of it.',
        chart: timeline.chart('Refused tokens over time', 'refusals'),
        table: tableOf([...kinds.values()]),
      },
      { heading: 'Hours with unusually many refused tokens', ...spikes(hours, period) },
    ],
    get total() {
      return total;
    },
    get isWhole() {
      return leftOut === 0;
    },
  };
}

function tableOf(kinds: readonly Kind[]) {
  const table = listed({
    caller: 'System',
    reason: 'Reason',
    detail: 'In detail',
    issuer: 'Issuer it claims',
    count: 'Refused',
    first: 'First',
    last: 'Last',
  });
  for (const one of kinds.toSorted((a, b) => b.count - a.count || a.first - b.first)) {
    const { caller, reason, detail, issuer, count, first, last } = one;
    table.add(caller, reason, detail, issuer, count, formatTimestamp(first), formatTimestamp(last));
  }
  return table.table();
}

/** Compared with the hours of the past in which there were any. */
function spikes(hours: ReadonlyMap<number, number>, { from }: Period): Pick<ReportSection, 'note' | 'table'> {
  const past = [...hours].filter(([at]) => at + HOUR <= from).map(([, count]) => count);
  const usual = usualRange(past, RULES);
  const limit = usual?.limit ?? RULES.leastLimit;
  const table = listed({ hour: 'Hour', count: 'Refused', limit: 'More than this stands out' });
  for (const [at, count] of [...hours].toSorted(([a], [b]) => a - b)) {
    if (at + HOUR > from && count > limit) table.add(formatTimestamp(at), count, Math.round(limit * 10) / 10);
  }
  const note =
    usual === null
      ? `There is no past to compare with: more than ${RULES.leastLimit} in an hour are listed.`
      : `The median of ${usual.of} hours of the past with refusals is ${usual.median}.`;
  return { note, table: table.table() };
}
