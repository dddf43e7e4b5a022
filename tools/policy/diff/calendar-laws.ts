// What two sets have to do with each other's calendars: which hours of one are hours of the other, and which hours one usual week has. It must never say of
// a calendar what is not so.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Calendars } from '../smt/calendars.ts';
import { and, compare, equal, implies, or, real, type Term } from '../smt/term.ts';
import { isRecord } from './entries.ts';
import type { Sets } from './shared-request.ts';

export interface CalendarPair {
  readonly name: string;
  readonly entries: readonly [unknown, unknown];
  readonly isChanged: boolean;
}

export function calendarPairs(sets: Sets): readonly CalendarPair[] {
  const [a, b] = [entriesOf(sets[0]), entriesOf(sets[1])];
  return [...new Set([...a.keys(), ...b.keys()])].map((name) => {
    const entries = [a.get(name), b.get(name)] as const;
    return { name, entries, isChanged: JSON.stringify(entries[0]) !== JSON.stringify(entries[1]) };
  });
}

function entriesOf({ firm: { file } }: PolicySet): ReadonlyMap<string, unknown> {
  const calendars = isRecord(file.value) ? file.value['calendars'] : null;
  return new Map(isRecord(calendars) ? Object.entries(calendars) : []);
}

/** Every instant that some calendar is asked about. */
export function instantsIn(calendars: Calendars, definitions: Iterable<Term>): readonly Term[] {
  const found = new Map<string, Term>();
  const visit = (term: Term): void => {
    if (typeof term !== 'object' || !Array.isArray(term)) return;
    const [name, ...args] = term as readonly [string, ...Term[]];
    const [instant] = args;
    if (calendars.has(name) && instant !== undefined) found.set(JSON.stringify(instant), instant);
    args.forEach(visit);
  };
  for (const term of definitions) visit(term);
  return [...found.values()];
}

/** Where all hours of a changed calendar are hours of the other one as well. */
export function inclusions(
  pairs: readonly CalendarPair[],
  instants: readonly Term[],
  nameOf: (name: string, side: 0 | 1) => string,
): readonly Term[] {
  return pairs.flatMap(({ name, entries: [a, b], isChanged }) => {
    if (!isChanged) return [];
    const [before, after] = [nameOf(name, 0), nameOf(name, 1)];
    return instants.flatMap((instant): Term[] => [
      ...(isWithin(a, b) ? [implies([before, instant], [after, instant])] : []),
      ...(isWithin(b, a) ? [implies([after, instant], [before, instant])] : []),
    ]);
  });
}

function isWithin(a: unknown, b: unknown): boolean {
  if (!isRecord(a) || !isRecord(b) || a['timezone'] !== b['timezone']) return false;
  const [days, others] = [a['days'], b['days']];
  if (!Array.isArray(days) || !Array.isArray(others) || !days.every((day) => others.includes(day))) return false;
  const clock = (value: unknown): string => String(value).padEnd('00:00:00'.length, ':00');
  return clock(b['from']) <= clock(a['from']) && clock(a['until']) <= clock(b['until']);
}

const MINUTE = 60_000;
/** A week without a change of clocks in Europe. */
const [FROM, UNTIL] = [Date.UTC(2026, 2, 9), Date.UTC(2026, 2, 16)];

/** The instants lie in one usual week, of which calendars say what they say. */
export function usualWeek(calendars: Calendars, instants: readonly Term[]): readonly Term[] {
  const hours = [...calendars].map(([name, contains]) => [name, stretchesOf(contains)] as const);
  return instants.flatMap((instant) => [
    compare('>=', instant, real(FROM)),
    compare('<', instant, real(UNTIL)),
    ...hours.map(([name, stretches]) =>
      equal(
        [name, instant],
        or(
          ...stretches.map(([from, until]) =>
            and(compare('>=', instant, real(from)), compare('<', instant, real(until))),
          ),
        ),
      ),
    ),
  ]);
}

/** To the minute; what changes within one is left to the engine, which confirms every example. */
function stretchesOf(contains: (ms: number) => boolean): readonly (readonly [from: number, until: number])[] {
  const stretches: (readonly [number, number])[] = [];
  let start: number | null = null;
  for (let at = FROM; at <= UNTIL; at += MINUTE) {
    const isIn = at < UNTIL && contains(at);
    if (isIn && start === null) start = at;
    if (!isIn && start !== null) {
      stretches.push([start, at]);
      start = null;
    }
  }
  return stretches;
}
