// What changes of an answer although the decision stays: obligations of what is allowed, advice to who is refused. It must never call them the same
// where one code says something else.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { asksForMemo } from '../smt/loaded.ts';
import { and, equal, not, or, type Term } from '../smt/term.ts';
import type { SideIndex } from './raw-types.ts';
import type { World } from './world.ts';

/** Requests with the same decision and another answer. False: there are none. */
export function differenceBeyond(world: World): Term {
  const { mode } = world.pair;
  const [obligations, advice] = [differingCodes(world, 'obligations'), differingCodes(world, 'advice')];
  // With any data, walls that both have are left out of what is allowed: then nothing is said of who is refused.
  const refused = mode === 'any' ? true : and(not(world.allowed(0)), not(world.allowed(1)));
  return or(
    obligations === false ? false : and(world.allowed(0), world.allowed(1), obligations),
    advice === false ? false : and(refused, advice),
  );
}

function differingCodes({ pair, rules }: World, member: 'obligations' | 'advice'): Term {
  const { sets, frames } = pair;
  const entryOf = ({ firm }: PolicySet, code: string): string => JSON.stringify(firm[member].get(code) ?? null);
  const codes = new Set(rules.flatMap(({ rules: both }) => both.flatMap((rule) => rule?.[member] ?? [])));
  for (const { firm } of sets) if (member === 'advice') for (const code of firm.walls.memoAdvice) codes.add(code);
  const given = (side: SideIndex, code: string): Term =>
    or(
      ...rules.flatMap(({ rules: both, truths }) =>
        both[side]?.[member].includes(code) === true ? [truths[side].isTrue] : [],
      ),
      ...(member === 'advice' && sets[side].firm.walls.memoAdvice.includes(code)
        ? [asksForMemo(sets[side], frames[side])]
        : []),
    );
  return or(
    ...[...codes].map((code): Term => {
      const [before, after] = [given(0, code), given(1, code)];
      // The same code that says something else.
      if (entryOf(sets[0], code) !== entryOf(sets[1], code)) return or(before, after);
      return JSON.stringify(before) === JSON.stringify(after) ? false : not(equal(before, after));
    }),
  );
}
