// Proves invariants for every request, or finds one that contradicts them. It must never call proven what the solver could not settle.
import { childrenOf, type Expr } from '../../../src/core/condition.ts';
import { SLOT } from '../../../src/core/dictionary.ts';
import type { Invariant } from '../../../src/core/invariants.ts';
import { codePoints } from '../../../src/core/operators.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Decision } from '../../../src/model/decision.ts';
import { createCodes } from '../smt/codes.ts';
import { createEncoder, type Encoder } from '../smt/encode.ts';
import { fileLaws, loadSize, MOST_LOADED, namesAndCovers, nothingRefuses } from '../smt/loaded.ts';
import type { Model, Session, Solver } from '../smt/solver.ts';
import { and, compare, equal, implies, int, not, or, real, type Term } from '../smt/term.ts';
import { createUniverse, type Universe } from '../smt/universe.ts';
import { isOneOf } from '../smt/value.ts';
import { LENGTH } from '../smt/variables.ts';
import { caseOf } from './solution.ts';
import { smallest } from './smallest.ts';
import { type Case, violationOf } from './violation.ts';

export interface Proof {
  readonly invariant: Invariant;
  /**
   * - `proven`: for every request, whatever people, matters and grants there are
   * - `holds`: for every request with the people, matters, grants and walls that there are now; others could break it
   * - `refuted`: the example contradicts it
   * - `unknown`: not settled, see `why`
   */
  readonly verdict: 'proven' | 'holds' | 'refuted' | 'unknown';
  readonly example: { readonly case: Case; readonly decision: Decision } | null;
  readonly why: string | null;
}

export interface ProveOptions {
  readonly solver: Solver;
  /** Of one question to the solver. */
  readonly timeoutMs: number;
  readonly onProgress: (done: number, of: number) => void;
}

interface World {
  readonly universe: Universe;
  readonly encoder: Encoder;
  /** What contradicts each invariant. */
  readonly broken: ReadonlyMap<Invariant, Term>;
  readonly session: Session;
}

export async function prove(
  set: PolicySet,
  invariants: readonly Invariant[],
  { solver, timeoutMs, onProgress }: ProveOptions,
): Promise<readonly Proof[]> {
  const anyData = await openWorld(set, invariants, 'any', solver, timeoutMs);
  const size = loadSize(set);
  const loaded = size > MOST_LOADED ? null : await openWorld(set, invariants, 'loaded', solver, timeoutMs);
  const proofs: Proof[] = [];
  try {
    for (const invariant of invariants) {
      onProgress(proofs.length, invariants.length);
      proofs.push(await proveOne(set, invariant, anyData, loaded, size));
    }
  } finally {
    anyData.session.close();
    loaded?.session.close();
  }
  return proofs;
}

async function proveOne(
  set: PolicySet,
  invariant: Invariant,
  anyData: World,
  loaded: World | null,
  size: number,
): Promise<Proof> {
  const settled = (verdict: Proof['verdict'], why: string | null = null): Proof => ({
    invariant,
    verdict,
    example: null,
    why,
  });
  if (!invariant.isBehindWall) {
    const { verdict } = await anyData.session.check([anyData.broken.get(invariant) ?? true]);
    if (verdict === 'impossible') return settled('proven');
  }
  if (loaded === null)
    return settled('unknown', `some data could break it; whether ${size} entries do is more than is asked of a solver`);
  return lookForExample(set, invariant, loaded, settled);
}

const MOST_TRIES = 40;

/** Calendars are no terms: where a solution gets one wrong, the hours around it are told, and it is asked again. */
async function lookForExample(
  set: PolicySet,
  invariant: Invariant,
  { universe, encoder, broken, session }: World,
  settled: (verdict: Proof['verdict'], why?: string) => Proof,
): Promise<Proof> {
  const lessons: Term[] = [];
  const look = (model: Model): { readonly found: Case; readonly learned: readonly Term[] } => ({
    found: caseOf(set, universe, model),
    learned: calendarLessons(set, universe, encoder, model),
  });
  let isPlain = true;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const asked = [broken.get(invariant) ?? true, ...lessons, ...(isPlain ? plainSolutions(set, universe) : [])];
    const { verdict, seen } = await session.check(asked, look);
    if (verdict !== 'possible' || seen === null) {
      if (isPlain) isPlain = false;
      else
        return verdict === 'impossible' ? settled('holds') : settled('unknown', 'the solver did not settle it in time');
      continue;
    }
    const decision = violationOf(set, invariant, seen.found);
    if (decision !== null) {
      const example = smallest(seen.found, (one) => violationOf(set, invariant, one) !== null);
      return {
        invariant,
        verdict: 'refuted',
        example: { case: example, decision: violationOf(set, invariant, example) ?? decision },
        why: null,
      };
    }
    if (seen.learned.length === 0) return settled('unknown', 'a solution was found that no request states');
    lessons.push(...seen.learned);
  }
  return settled('unknown', 'calendars were asked about too often');
}

async function openWorld(
  set: PolicySet,
  invariants: readonly Invariant[],
  data: 'any' | 'loaded',
  solver: Solver,
  timeoutMs: number,
): Promise<World> {
  const universe = createUniverse(set, createCodes(), { data, entries: someCount(set, invariants) });
  const encoder = createEncoder(set, universe);
  const allowed = encoder.allowed();
  const isOpen = data === 'loaded' ? nothingRefuses(set, universe) : true;
  const broken = new Map(
    invariants.map((invariant) => {
      const meets = invariant.requires === null ? false : encoder.condition(invariant.requires).isTrue;
      const behind = invariant.isBehindWall
        ? or(
            ...set.walls.all
              .filter(({ kind }) => kind === 'exclusion')
              .map((wall) => namesAndCovers(set, universe, wall)),
          )
        : true;
      return [invariant, and(encoder.rule(invariant.about).isTrue, behind, not(meets), allowed, isOpen)];
    }),
  );
  const lengths = universe.codes.all().map((text, code) => equal([LENGTH, int(code)], int(codePoints(text))));
  const laws = [...universe.laws, ...lengths, ...(data === 'loaded' ? fileLaws(set, universe) : [])];
  const { symbols, functions } = universe;
  const session = await solver.open({ symbols, functions, definitions: encoder.definitions, laws }, timeoutMs);
  return { universe, encoder, broken, session };
}

/** As many entries of a list as there are different `$some` suffice: each needs at most one that fits. */
function someCount({ rules }: PolicySet, invariants: readonly Invariant[]): number {
  const found = new Set<Expr>();
  const visit = (expr: Expr): void => {
    if (expr.op === 'some') found.add(expr);
    childrenOf(expr).forEach(visit);
  };
  for (const { branches } of [...rules, ...invariants.map(({ about }) => about)])
    for (const { expr } of branches) visit(expr);
  for (const { requires } of invariants) if (requires !== null) visit(requires);
  return Math.max(1, found.size);
}

const EARLIEST = Date.UTC(2020, 0, 1);
const LATEST = Date.UTC(2035, 0, 1);

/** What makes a solution a request that people would write: whole milliseconds of these years, known names, declared assistants. */
function plainSolutions(set: PolicySet, universe: Universe): readonly Term[] {
  const { slots, codes } = universe;
  return set.firm.dictionary.attributes.flatMap(({ slot, type, namespace }): Term[] => {
    const value = slots[slot];
    if (value?.is.kind !== 'scalar' || namespace === 'data') return [];
    const { term } = value.is;
    if (slot === SLOT.actorId) return [implies(value.known, isOneOf(term, set.aiAssistants, codes))];
    if (slot === SLOT.subjectId)
      return [or(isOneOf(term, peopleOf(set), codes), compare('>=', term, int(codes.all().length)))];
    if (slot === SLOT.resourceType) return [isOneOf(term, set.firm.names.resourceTypes.keys(), codes)];
    if (slot === SLOT.actionName) return [isOneOf(term, set.firm.names.actions.keys(), codes)];
    if (type.kind === 'timestamp')
      return [
        ['is_int', ['/', term, real(1000)]],
        compare('>=', term, real(EARLIEST)),
        compare('<', term, real(LATEST)),
      ];
    return type.kind === 'duration' ? [['is_int', ['/', term, real(1000)]], compare('>=', term, real(0))] : [];
  });
}

/** Everybody whom policy data or a wall names. */
function peopleOf({ data, walls }: PolicySet): ReadonlySet<string> {
  const people = new Set(data.people.keys());
  for (const { team, responsible, proposing } of data.matters.values())
    for (const one of [...team, responsible, proposing]) if (typeof one === 'string') people.add(one);
  for (const { excluded, included } of walls.all) for (const one of [...excluded, ...included]) people.add(one);
  return people;
}

const SECOND = 1_000;
const MOST_SECONDS = 6 * 3_600;

/** What calendars say around the instants of this solution, where it had them say something else. */
function calendarLessons(set: PolicySet, { functions }: Universe, encoder: Encoder, model: Model): readonly Term[] {
  const asked = new Map<string, readonly [calendar: string, instant: Term]>();
  const visit = (term: Term): void => {
    if (typeof term !== 'object' || !Array.isArray(term)) return;
    const [name, ...args] = term as readonly [string, ...Term[]];
    if (name.startsWith('during-') && functions.has(name) && args[0] !== undefined)
      asked.set(JSON.stringify(term), [name, args[0]]);
    args.forEach(visit);
  };
  for (const term of encoder.definitions.values()) visit(term);
  const each = [...asked.values()];
  const said = model.valuesOf(each.flatMap(([name, instant]): Term[] => [instant, [name, instant]]));
  return each.flatMap(([name, instant], index) => {
    const contains = set.firm.calendars.get(name.slice('during-'.length));
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
