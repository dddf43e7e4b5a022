// Two sets before one request: the terms say of each set what the engine says, whatever differs in words, rules, walls and data.
import fc from 'fast-check';
import t from 'tap';
import { decide } from '../../../../src/core/decide.ts';
import type { PolicySet } from '../../../../src/core/policy-set.ts';
import { requestOfTest } from '../../../../src/core/run-tests.ts';
import { changedData } from '../../../../tools/policy/diff/changed-data.ts';
import { meaningOf } from '../../../../tools/policy/diff/meaning.ts';
import { createPair } from '../../../../tools/policy/diff/pair.ts';
import { createWorld } from '../../../../tools/policy/diff/world.ts';
import type { Case } from '../../../../tools/policy/prove/violation.ts';
import { createJudge } from '../../../../tools/policy/smt/judge-all.ts';
import { condition, smallRequest } from '../../../helpers/conditions.ts';
import { runs } from '../../../helpers/runs.ts';
import { caseFrom, changedSmallFirms, outcomeOf } from './changes.ts';

/** Problems of one request under both sets. */
function comparer(sets: readonly [PolicySet, PolicySet], mode: 'any' | 'loaded') {
  const changed = changedData(sets[0], sets[1]);
  const world = createWorld(createPair(sets, changed, mode, 4));
  const { pair } = world;
  const differences = (['newly_allowed', 'newly_denied'] as const).map((direction) => {
    const causes = world.causes(direction);
    return { direction, causes, term: world.difference(direction, causes) };
  });
  const allowed = [world.allowed(0), world.allowed(1)] as const;
  return (one: Case): readonly string[] | null => {
    const meaning = meaningOf(pair, changed, one);
    if (meaning === null) return null;
    const judge = createJudge(meaning, pair.parts.definitions);
    const problems = [...pair.request.laws, ...pair.laws].flatMap((law, index) =>
      judge(law) === true ? [] : [`law ${index}: ${JSON.stringify(law)}`],
    );
    const outcomes = [0, 1].map((side) => outcomeOf(sets[side === 0 ? 0 : 1], one));
    for (const side of [0, 1] as const) {
      const made = requestOfTest(sets[side], one);
      if ('refused' in made) continue;
      const { results } = decide(sets[side], made.request);
      for (const { id, rules, truths } of world.rules) {
        if (rules[side] === null) continue;
        const said = results.find(({ rule }) => rule === id)?.truth ?? 'false';
        const [yes, no] = [judge(truths[side].isTrue) === true, judge(truths[side].isFalse) === true];
        const encoded = yes && no ? 'both' : yes ? 'true' : no ? 'false' : 'unknown';
        if (encoded !== said) problems.push(`side ${side}: ${id} is ${said}, encoded as ${encoded}`);
      }
      if (mode === 'loaded' && (judge(allowed[side]) === true) !== (outcomes[side] === 'allow'))
        problems.push(`side ${side}: ${outcomes[side]}, encoded otherwise`);
    }
    for (const { direction, causes, term } of differences) {
      const flips = outcomes.join() === (direction === 'newly_allowed' ? 'deny,allow' : 'allow,deny');
      if (flips && judge(term) !== true) problems.push(`${direction}, and no difference is encoded`);
      if (flips && !causes.some((cause) => judge(cause.term) === true)) problems.push(`${direction} without a cause`);
      if (mode === 'loaded' && !flips && judge(term) === true) problems.push(`encoded as ${direction}`);
    }
    return problems;
  };
}

for (const mode of ['any', 'loaded'] as const) {
  t.test(`random changes of a small firm, ${mode} data`, async (t) => {
    let compared = 0;
    const flips = { 'deny,allow': 0, 'allow,deny': 0 };
    fc.assert(
      fc.property(
        changedSmallFirms(fc.array(condition, { minLength: 3, maxLength: 3 })),
        fc.array(smallRequest, { minLength: 25, maxLength: 25 }),
        ({ sets, files }, requests) => {
          const compare = comparer(sets, mode);
          for (const request of requests) {
            const one = caseFrom(request);
            const problems = compare(one);
            if (problems === null) continue;
            compared++;
            const key = sets.map((set) => outcomeOf(set, one)).join();
            if (key === 'deny,allow' || key === 'allow,deny') flips[key]++;
            if (problems.length > 0)
              throw new Error([...problems, JSON.stringify(files), JSON.stringify(one)].join('\n'));
          }
        },
      ),
      runs(50, 5_000),
    );
    t.ok(compared > 1_000, `${compared} compared`);
    t.ok(
      Object.values(flips).every((number) => number > 4),
      JSON.stringify(flips),
    );
  });
}
