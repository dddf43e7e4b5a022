// Looks for requests that two sets decide differently, and shows only what the engine confirms. It must never call impossible what it did not find.
import type { Case } from '../prove/violation.ts';
import { smallest } from '../prove/smallest.ts';
import { caseOf, matterTexts, namedMembers, type RequestTerms } from '../prove/solution.ts';
import { calendarLessons } from '../smt/calendars.ts';
import { namedIn, plainSolutions } from '../smt/plain.ts';
import type { Model, Session } from '../smt/solver.ts';
import { not, type Term } from '../smt/term.ts';
import { instantsIn, usualWeek } from './calendar-laws.ts';
import { judgedByBoth, type Both } from './flips.ts';
import type { Pair } from './pair.ts';
import { simpler } from './simpler.ts';
import type { Sets } from './shared-request.ts';

export interface Found {
  readonly case: Case;
  readonly judged: Both;
}

export type Looked =
  | { readonly verdict: 'possible'; readonly found: Found }
  | { readonly verdict: 'impossible' }
  | { readonly verdict: 'unknown'; readonly why: string };

/** Among which requests: those that state all that is asked for, those that people would write, or all. Nothing found is a proof only among all. */
export const AMONG = ['complete', 'plain', 'all'] as const;
export type Among = (typeof AMONG)[number];

const MOST_TRIES = 30;

/** @param sets by which the engine confirms: with all their data */
export function createLooker(pair: Pair, sets: Sets, session: Session) {
  const lessons: Term[] = [];
  const instants = instantsIn(pair.calendars, pair.parts.definitions.values());
  const plain = [...plainTerms(pair), ...usualWeek(pair.calendars, instants)];
  const look = (model: Model): { readonly found: Case; readonly learned: readonly Term[] } => ({
    found: caseOf(requestTermsOf(pair, model), model),
    learned: calendarLessons(pair.calendars, pair.parts.definitions.values(), model),
  });
  const wanted: Readonly<Record<Among, readonly Term[]>> = {
    complete: [...plain, ...nothingMissing(pair)],
    plain,
    all: [],
  };
  return async (asked: readonly Term[], isIt: (both: Both) => boolean, among: Among): Promise<Looked> => {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const { verdict, seen } = await session.check([...asked, ...lessons, ...wanted[among]], look);
      if (verdict === 'impossible') return { verdict };
      if (verdict === 'unknown' || seen === null)
        return { verdict: 'unknown', why: 'the solver did not settle it in time' };
      const fits = (one: Case): boolean => {
        const both = judgedByBoth(sets, one);
        return (
          isIt(both) &&
          (among !== 'complete' || both.every(({ decidedBy }) => !decidedBy.includes('attribute-missing')))
        );
      };
      if (fits(seen.found)) {
        const small = smallest(simpler(smallest(seen.found, fits), fits), fits);
        return { verdict: 'possible', found: { case: small, judged: judgedByBoth(sets, small) } };
      }
      if (seen.learned.length === 0) return { verdict: 'unknown', why: 'a solution was found that no request states' };
      lessons.push(...seen.learned);
    }
    return { verdict: 'unknown', why: 'calendars were asked about too often' };
  };
}

function plainTerms({ sets, frames }: Pair): readonly Term[] {
  const [a, b] = [namedIn(sets[0]), namedIn(sets[1])];
  const named = {
    assistants: new Set([...a.assistants, ...b.assistants]),
    people: new Set([...a.people, ...b.people]),
    types: new Set([...a.types, ...b.types]),
    actions: new Set([...a.actions, ...b.actions]),
  };
  return ([0, 1] as const).flatMap((side) => plainSolutions(sets[side], frames[side], named));
}

function nothingMissing({ sets, frames }: Pair): readonly Term[] {
  return ([0, 1] as const).flatMap((side) =>
    sets[side].firm.dictionary.declared.map(({ slot }) => not(frames[side].slots[slot]?.unknown ?? false)),
  );
}

/** Where an attribute is of another kind in each set, what the solution states fits one of them, or none. */
function requestTermsOf({ sets, frames, request }: Pair, model: Model): RequestTerms {
  const both = [...request.attributes.values()].filter(({ raws }) => raws.length > 1);
  const fitting = model.valuesOf(both.map(({ raws }) => raws[1]?.value.known ?? false).filter(isAsked));
  const chosen = new Map(both.map(({ path }, index) => [path, fitting[index] === true ? 1 : 0]));
  const named = new Map<string, Set<string>>();
  for (const set of sets)
    for (const [path, members] of namedMembers(set)) named.set(path, new Set([...(named.get(path) ?? []), ...members]));
  return {
    codes: request.codes,
    now: request.now,
    envelope: request.envelope,
    stated: [...request.attributes.values()].flatMap(({ path, namespace, name, absent, raws }) => {
      const raw = raws[chosen.get(path) ?? 0];
      return raw === undefined ? [] : [{ path, namespace, name, absent, type: raw.type, value: raw.value }];
    }),
    texts: ([0, 1] as const).flatMap((side) => matterTexts(sets[side], frames[side].slots)),
    named,
  };
}

function isAsked(term: Term): boolean {
  return typeof term !== 'boolean';
}
