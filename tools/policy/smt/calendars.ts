// What calendars say around the instants of a solution: they are no terms. It must never call an hour part of a calendar that is not.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Model } from './solver.ts';
import { and, compare, implies, not, real, type Term } from './term.ts';
import type { FrameTerms } from './universe.ts';

/** By the name of their function. */
export type Calendars = ReadonlyMap<string, (ms: number) => boolean>;

export function calendarsOf({ firm }: PolicySet, { during }: Pick<FrameTerms, 'during'>): Calendars {
  return new Map([...firm.calendars].map(([name, contains]) => [during(name), contains]));
}

const SECOND = 1_000;
const MOST_SECONDS = 6 * 3_600;

/** What calendars say around the instants of this solution, where it had them say something else. */
export function calendarLessons(calendars: Calendars, definitions: Iterable<Term>, model: Model): readonly Term[] {
  const asked = new Map<string, readonly [calendar: string, instant: Term]>();
  const visit = (term: Term): void => {
    if (typeof term !== 'object' || !Array.isArray(term)) return;
    const [name, ...args] = term as readonly [string, ...Term[]];
    if (calendars.has(name) && args[0] !== undefined) asked.set(JSON.stringify(term), [name, args[0]]);
    args.forEach(visit);
  };
  for (const term of definitions) visit(term);
  const each = [...asked.values()];
  const said = model.valuesOf(each.flatMap(([name, instant]): Term[] => [instant, [name, instant]]));
  return each.flatMap(([name, instant], index) => {
    const contains = calendars.get(name);
    const [at, claimed] = [Number(said[2 * index]), said[2 * index + 1] === true];
    if (contains === undefined || contains(at) === claimed) return [];
    // A calendar changes with whole seconds: so every one of them is looked at.
    let [from, until] = [at, at];
    for (let left = MOST_SECONDS; left > 0 && contains(from - SECOND) !== claimed; left--) from -= SECOND;
    for (let left = MOST_SECONDS; left > 0 && contains(until + SECOND) !== claimed; left--) until += SECOND;
    const isNear = and(compare('>=', instant, real(from)), compare('<=', instant, real(until)));
    const truth: Term = [name, instant];
    return [implies(isNear, claimed ? not(truth) : truth)];
  });
}
