// Proves invariants for every request, or finds one that contradicts them. It must never call proven what the solver could not settle.
import { childrenOf, type Expr } from '../../../src/core/condition.ts';
import type { Invariant } from '../../../src/core/invariants.ts';
import { codePoints } from '../../../src/core/operators.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Decision } from '../../../src/model/decision.ts';
import { calendarsOf, calendarLessons } from '../smt/calendars.ts';
import { createCodes } from '../smt/codes.ts';
import { createEncoder, type Encoder } from '../smt/encode.ts';
import { fileLaws, loadSize, MOST_LOADED, namesAndCovers, nothingRefuses } from '../smt/loaded.ts';
import { plainSolutions } from '../smt/plain.ts';
import type { Model, Session, Solver } from '../smt/solver.ts';
import { and, equal, int, not, or, type Term } from '../smt/term.ts';
import { createUniverse, type Universe } from '../smt/universe.ts';
import { LENGTH } from '../smt/variables.ts';
import { caseOf, requestTerms } from './solution.ts';
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
  const opened: World[] = [];
  const open = async (data: 'any' | 'loaded'): Promise<World> => {
    const world = await openWorld(set, invariants, data, solver, timeoutMs);
    opened.push(world);
    return world;
  };
  const anyData = await open('any');
  const size = loadSize(set);
  let loaded: World | undefined;
  /** Opened for the first statement that is not proven without it. */
  const withData = async (): Promise<World | null> => (size > MOST_LOADED ? null : (loaded ??= await open('loaded')));
  const proofs: Proof[] = [];
  try {
    for (const invariant of invariants) {
      onProgress(proofs.length, invariants.length);
      proofs.push(await proveOne(set, invariant, anyData, withData, size));
    }
  } finally {
    for (const { session } of opened) session.close();
  }
  return proofs;
}

async function proveOne(
  set: PolicySet,
  invariant: Invariant,
  anyData: World,
  withData: () => Promise<World | null>,
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
  const loaded = await withData();
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
  const [request, calendars] = [requestTerms(set, universe), calendarsOf(set, universe)];
  const look = (model: Model): { readonly found: Case; readonly learned: readonly Term[] } => ({
    found: caseOf(request, model),
    learned: calendarLessons(calendars, encoder.definitions.values(), model),
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
export function someCount({ rules }: PolicySet, invariants: readonly Invariant[]): number {
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
