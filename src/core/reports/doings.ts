// Counts what people did, by person and by action. It must never hold more than counts: rows go through it one by one.
import type { ReportChart } from '../../model/audit-report.ts';
import type { ReportRow } from './report.ts';
import { count, ranked } from './tables.ts';

export interface Did {
  allowed: number;
  denied: number;
  /** Milliseconds since 1970. */
  first: number;
  last: number;
  /** Of what was allowed; meaningless while nothing was. */
  firstAllowed: number;
  lastAllowed: number;
  /** `read 12, list 3`, denied ones apart. */
  actionsInWords(): string;
}

export interface Doings {
  add(row: ReportRow): void;
  readonly byPerson: ReadonlyMap<string, Did>;
  readonly allowed: number;
  readonly denied: number;
  allowedPeople(): number;
  /** Most decisions first. */
  ranked(): readonly (readonly [string, Did])[];
  chart(label: string, most: number): ReportChart;
}

export function createDoings(): Doings {
  const byPerson = new Map<string, Did & { readonly note: (action: string, isAllowed: boolean) => void }>();
  let allowed = 0;
  let denied = 0;
  const sum = (did: Did): number => did.allowed + did.denied;
  const inOrder = () => [...byPerson].toSorted(([a, x], [b, y]) => sum(y) - sum(x) || (a < b ? -1 : 1));
  return {
    byPerson,
    get allowed() {
      return allowed;
    },
    get denied() {
      return denied;
    },
    add({ at, found }) {
      const person = found.subject.id ?? '(nobody)';
      const isAllowed = found.outcome === 'allow';
      let did = byPerson.get(person);
      if (did === undefined) byPerson.set(person, (did = nothingDone(at)));
      did.note(found.action ?? '(none)', isAllowed);
      did.first = Math.min(did.first, at);
      did.last = Math.max(did.last, at);
      if (isAllowed) {
        allowed += 1;
        did.allowed += 1;
        did.firstAllowed = Math.min(did.firstAllowed, at);
        did.lastAllowed = Math.max(did.lastAllowed, at);
      } else {
        denied += 1;
        did.denied += 1;
      }
    },
    allowedPeople: () => [...byPerson.values()].filter((did) => did.allowed > 0).length,
    ranked: inOrder,
    chart(label, most) {
      const points = inOrder()
        .slice(0, most)
        .map(([person, did]) => ({ label: person, values: [did.allowed, did.denied] }));
      const left = byPerson.size - points.length;
      const said = left > 0 ? `${label} (the ${most} with most; ${left} more)` : label;
      return { kind: 'bars', label: said, unit: 'decisions', series: ['allowed', 'denied'], points };
    },
  };
}

function nothingDone(at: number) {
  const actions: readonly [Map<string, number>, Map<string, number>] = [new Map(), new Map()];
  const words = (counts: ReadonlyMap<string, number>): string =>
    ranked(counts)
      .map(([action, times]) => `${action} ${times}`)
      .join(', ');
  return {
    allowed: 0,
    denied: 0,
    first: at,
    last: at,
    firstAllowed: Infinity,
    lastAllowed: -Infinity,
    note: (action: string, isAllowed: boolean) => count(actions[isAllowed ? 0 : 1], action),
    actionsInWords(): string {
      const [done, refused] = actions;
      return [words(done), refused.size === 0 ? '' : `denied: ${words(refused)}`]
        .filter((one) => one !== '')
        .join('; ');
    },
  };
}
