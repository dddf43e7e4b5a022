// Which truths a part can have at all, for any request: reckoned first, asked of the solver where reckoning is too coarse. It must never call
// something unreachable that a test case could show.
import { ALWAYS } from '../../../src/core/condition.ts';
import { SLOT } from '../../../src/core/dictionary.ts';
import { createReviewer } from '../../../src/core/findings-conditions.ts';
import { codePoints } from '../../../src/core/operators.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { NOT_FALSE, NOT_TRUE, ONLY_FALSE, ONLY_TRUE } from '../../../src/core/possible/can-be.ts';
import type { Branch } from '../../../src/core/rules.ts';
import { FALSE, TRUE, UNKNOWN, type Truth } from '../../../src/core/truth.ts';
import { someCount } from '../prove/prove.ts';
import { createCodes } from '../smt/codes.ts';
import { createEncoder, type Encoder, type Truths } from '../smt/encode.ts';
import { fileLaws, loadSize, MOST_LOADED } from '../smt/loaded.ts';
import type { Solver } from '../smt/solver.ts';
import { and, equal, int, not, or, type Term } from '../smt/term.ts';
import { createUniverse } from '../smt/universe.ts';
import { LENGTH } from '../smt/variables.ts';
import type { Part } from './parts.ts';

/** One truth of one part that no test case has shown. */
export interface Open {
  readonly part: Part;
  readonly truth: Truth;
}

/** Who found that it cannot be. */
export type Proof = 'reckoned' | 'solver' | 'solver with this data';

/** By reckoning alone: whatever the data, without a solver. */
export function reckoned(set: PolicySet, open: readonly Open[]): ReadonlySet<Open> {
  const reviewer = createReviewer(set.firm);
  const wishes = { [TRUE]: [ONLY_TRUE], [FALSE]: [ONLY_FALSE], [UNKNOWN]: [NOT_TRUE, NOT_FALSE] };
  return new Set(
    open.filter(({ part: { kind, branches, expr }, truth }) => {
      const canBe = (branch: Branch | null): boolean => {
        const about = expr ?? branch?.expr ?? ALWAYS;
        const scene = branch === null ? reviewer.anywhere : reviewer.sceneOf(branch);
        return reviewer.prover
          .suppose(
            wishes[truth].map((truths) => ({ expr: about, truths })),
            scene,
          )
          .canBe();
      };
      // A rule with several cases is false only where none is true or unknown: more than one of them says.
      if (kind === 'rule' && branches.length > 1 && truth === FALSE) return false;
      return branches.length === 0 ? !canBe(null) : !branches.some(canBe);
    }),
  );
}

const TIMEOUT_MS = 60_000;

/** Asks about all of them at once, and drops what a solution shows, until nothing that is left can be. */
export async function askSolver(
  set: PolicySet,
  open: readonly Open[],
  solver: Solver,
  onProgress: (left: number) => void,
): Promise<ReadonlyMap<Open, Proof>> {
  const isLoaded = loadSize(set) <= MOST_LOADED;
  const universe = createUniverse(set, createCodes(), {
    data: isLoaded ? 'loaded' : 'any',
    entries: someCount(set, []),
  });
  const encoder = createEncoder(set, universe);
  // Named, so that asking for them again costs little.
  const named = open.map((one, index) => ({ one, name: `open-${index}`, term: termOf(encoder, one) }));
  const wanted = named.map(({ one, name }) => ({ one, term: name }));
  const definitions = new Map([...encoder.definitions, ...named.map(({ name, term }) => [name, term] as const)]);
  const lengths = universe.codes.all().map((text, code) => equal([LENGTH, int(code)], int(codePoints(text))));
  // A token without a subject is refused before any rule is asked.
  const isStated = universe.slots[SLOT.subjectId]?.known ?? true;
  const laws = [...universe.laws, ...lengths, isStated, ...(isLoaded ? fileLaws(set, universe) : [])];
  const { symbols, functions } = universe;
  const session = await solver.open({ symbols, functions, definitions, laws }, TIMEOUT_MS);
  let left = wanted;
  let isSettled = false;
  try {
    while (left.length > 0) {
      onProgress(left.length);
      const { verdict, seen } = await session.check([or(...left.map(({ term }) => term))], (model) =>
        model.valuesOf(left.map(({ term }) => term)),
      );
      isSettled = verdict === 'impossible';
      if (verdict !== 'possible' || seen === null) break;
      left = left.filter((_, index) => seen[index] !== true);
    }
  } finally {
    session.close();
  }
  return new Map(isSettled ? left.map(({ one }) => [one, isLoaded ? 'solver with this data' : 'solver'] as const) : []);
}

function termOf(encoder: Encoder, { part: { branches, expr }, truth }: Open): Term {
  const applies = (branch: Branch): Term => encoder.rule({ branches: [{ ...branch, expr: ALWAYS }] }).isTrue;
  const truths: Truths = expr === null ? encoder.rule({ branches }) : encoder.condition(expr);
  const isIt =
    truth === TRUE ? truths.isTrue : truth === FALSE ? truths.isFalse : and(not(truths.isTrue), not(truths.isFalse));
  return branches.length === 0 ? isIt : and(or(...branches.map(applies)), isIt);
}
