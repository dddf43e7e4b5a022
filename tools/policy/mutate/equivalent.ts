// Whether changes that no test noticed change any decision at all, as the solver proves it. It must never call equivalent what was not settled.
import { SLOT } from '../../../src/core/dictionary.ts';
import { codePoints } from '../../../src/core/operators.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { someCount } from '../prove/prove.ts';
import { createCodes } from '../smt/codes.ts';
import { createEncoder } from '../smt/encode.ts';
import { fileLaws, loadSize, MOST_LOADED } from '../smt/loaded.ts';
import type { Solver } from '../smt/solver.ts';
import { equal, int, type Term } from '../smt/term.ts';
import { createUniverse } from '../smt/universe.ts';
import { LENGTH } from '../smt/variables.ts';
import { differs } from './differs.ts';
import type { Made } from './mutants.ts';

/** For whatever data there will be, or with the people, matters and grants of the folder. */
export type Equivalence = 'always' | 'with this data';

const TIMEOUT_MS = 60_000;

/** Those that change no decision; changes of rules only. */
export async function equivalentOnes(
  set: PolicySet,
  made: readonly Made[],
  solver: Solver,
  onProgress: (left: number) => void,
): Promise<ReadonlyMap<Made, Equivalence>> {
  const found = new Map<Made, Equivalence>();
  const kinds = loadSize(set) > MOST_LOADED ? (['any'] as const) : (['any', 'loaded'] as const);
  for (const data of kinds) {
    const left = made.filter((one) => one.rules !== null && !found.has(one));
    if (left.length === 0) break;
    const universe = createUniverse(set, createCodes(), { data, entries: someCount(set, []) + 1 });
    const shared = { definitions: new Map<string, Term>(), names: new Map<string, string>() };
    const base = createEncoder(set, universe, shared);
    const asked = left.map((one) => differs(set.rules, one, base, createEncoder(one.set, universe, shared)));
    const lengths = universe.codes.all().map((text, code) => equal([LENGTH, int(code)], int(codePoints(text))));
    // A token without a subject is refused before any rule is asked.
    const isStated = universe.slots[SLOT.subjectId]?.known ?? true;
    const laws = [...universe.laws, ...lengths, isStated, ...(data === 'loaded' ? fileLaws(set, universe) : [])];
    const { symbols, functions } = universe;
    const session = await solver.open({ symbols, functions, definitions: shared.definitions, laws }, TIMEOUT_MS);
    try {
      for (const [index, one] of left.entries()) {
        onProgress(left.length - index);
        const { verdict } = await session.check([asked[index] ?? true]);
        if (verdict === 'impossible') found.set(one, data === 'any' ? 'always' : 'with this data');
      }
    } finally {
      session.close();
    }
  }
  return found;
}
