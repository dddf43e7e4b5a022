// Changes the policies in many small ways, one at a time, and says which changes no test case notices. It must never count a change that changes no
// decision against the tests, nor one as noticed that none noticed.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import type { TestCase } from '../../../src/model/rules.ts';
import type { Solver } from '../smt/solver.ts';
import { equivalentOnes, type Equivalence } from './equivalent.ts';
import { knownCases, noticedBy } from './kill.ts';
import { mutantsOf, type Made, type Mutant } from './mutants.ts';
import { nearCase, type NearCase } from './near-case.ts';

export interface Tried {
  readonly mutant: Mutant;
  readonly fate: 'killed' | 'survived' | 'equivalent';
  /** Of what was killed: the case that noticed. */
  readonly by: string | null;
  /** Of what is equivalent. */
  readonly proof: Equivalence | null;
  /** Of a survivor: a case that would notice. */
  readonly near: NearCase | null;
}

export interface MutateOptions {
  /** Only as many, drawn by the seed; all when left out. */
  readonly sample: { readonly size: number; readonly seed: number } | null;
  /** Only those in one file, or of one rule, term or wall. */
  readonly only: string | null;
  /** Started only where something was not noticed. */
  readonly startSolver: () => Promise<Solver>;
  readonly onProgress: (text: string) => void;
}

/** Between two looks at the terminal. */
const STEP = 20;

/** Requests that are tried for one change: first what finds most, and more once the solver has not called it equivalent. */
const FIRST_LOOK = 4_000;
const LAST_LOOK = 200_000;

export async function mutate(
  set: PolicySet,
  files: readonly SourceFile[],
  tests: readonly TestCase[],
  { sample, only, startSolver, onProgress }: MutateOptions,
): Promise<readonly Tried[]> {
  const all = mutantsOf(set, files).filter(({ of, place }) => only === null || of === only || place.file.path === only);
  const chosen = sample === null ? all : drawn(all, sample.size, sample.seed);
  const cases = knownCases(set, tests);
  const killed = new Map<Mutant, TestCase>();
  const alive = new Map<Mutant, Made>();
  for (const [index, mutant] of chosen.entries()) {
    if (index % STEP === 0) onProgress(`${index} of ${chosen.length} changes …`);
    const made = mutant.make();
    if (made === null) continue;
    const test = noticedBy(set, made, cases);
    if (test === null) alive.set(mutant, made);
    else killed.set(mutant, test);
  }
  const near = new Map<Mutant, NearCase>();
  const look = (mutants: Iterable<readonly [Mutant, Made]>, most: number): void => {
    for (const [mutant, made] of mutants) {
      onProgress(`looking for a case that would notice: ${near.size + 1} of ${alive.size} …`);
      const found = nearCase(set, made, cases, most);
      if (found !== null) near.set(mutant, found);
    }
  };
  look(alive, FIRST_LOOK);
  const doubtful = [...alive].filter(([mutant, { rules }]) => !near.has(mutant) && rules !== null);
  const proofs =
    doubtful.length === 0
      ? new Map<Made, Equivalence>()
      : await equivalentOnes(
          set,
          doubtful.map(([, made]) => made),
          await startSolver(),
          (left) => onProgress(`asking the solver whether ${left} changes change anything …`),
        );
  look(
    [...alive].filter(([mutant, made]) => !near.has(mutant) && !proofs.has(made)),
    LAST_LOOK,
  );
  return chosen.flatMap((mutant): Tried[] => {
    const test = killed.get(mutant);
    if (test !== undefined) return [{ mutant, fate: 'killed', by: test.id, proof: null, near: null }];
    const made = alive.get(mutant);
    if (made === undefined) return [];
    const proof = proofs.get(made) ?? null;
    const fate = proof === null ? 'survived' : 'equivalent';
    return [{ mutant, fate, by: null, proof, near: near.get(mutant) ?? null }];
  });
}

/** In the order of the files; the same for the same seed. */
function drawn<T>(all: readonly T[], size: number, seed: number): readonly T[] {
  const next = random(seed);
  const numbered = all.map((one, index) => ({ one, index, lot: next() }));
  const chosen = numbered.toSorted((a, b) => a.lot - b.lot).slice(0, size);
  return chosen.toSorted((a, b) => a.index - b.index).map(({ one }) => one);
}

/** mulberry32: small, fast and the same everywhere. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Score {
  readonly killed: number;
  readonly survived: number;
  readonly equivalent: number;
  /** Killed, of all that change something; null: nothing does. */
  readonly percent: number | null;
}

export function scoreOf(tried: readonly Tried[]): Score {
  const number = (fate: Tried['fate']): number => tried.filter((one) => one.fate === fate).length;
  const [killed, survived, equivalent] = [number('killed'), number('survived'), number('equivalent')];
  const all = killed + survived;
  return { killed, survived, equivalent, percent: all === 0 ? null : (100 * killed) / all };
}
