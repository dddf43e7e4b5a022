// For random changes no request contradicts the verdict, and every example is decided otherwise by each set.
import fc from 'fast-check';
import t from 'tap';
import type { PolicySet } from '../../../../src/core/policy-set.ts';
import { effectOf, type Effect } from '../../../../tools/policy/diff/effect.ts';
import { judgedByBoth } from '../../../../tools/policy/diff/flips.ts';
import { startSolver } from '../../../../tools/policy/smt/solver.ts';
import { condition, relatedConditions, smallRequest } from '../../../helpers/conditions.ts';
import { starterRequests } from '../../../helpers/starter-requests.ts';
import { compiled } from '../../../helpers/policies.ts';
import { runs } from '../../../helpers/runs.ts';
import { caseFrom, changedSmallFirms, changedStarter, outcomeOf } from './changes.ts';

const solver = await startSolver();
t.teardown(() => solver.close());

const verdicts = new Map<string, number>();

async function check(
  sets: readonly [PolicySet, PolicySet],
  requests: Parameters<typeof caseFrom>[0][],
): Promise<Effect> {
  const effect = await effectOf(sets, { solver, timeoutMs: 20_000, examples: 3, onProgress: () => undefined });
  verdicts.set(effect.verdict, (verdicts.get(effect.verdict) ?? 0) + 1);
  for (const direction of ['newly_allowed', 'newly_denied'] as const) {
    const { verdict, examples } = effect[direction];
    const wanted = direction === 'newly_allowed' ? 'deny,allow' : 'allow,deny';
    if ((verdict === 'possible') !== examples.length > 0)
      throw new Error(`${verdict} with ${examples.length} examples`);
    for (const { case: one } of examples) {
      const said = sets.map((set) => outcomeOf(set, one)).join();
      if (said !== wanted) throw new Error(`${direction}, and the engine says ${said}: ${JSON.stringify(one)}`);
    }
    if (verdict !== 'impossible') continue;
    for (const one of requests.map(caseFrom))
      if (sets.map((set) => outcomeOf(set, one)).join() === wanted)
        throw new Error(`nothing is ${direction}, it says: ${JSON.stringify(one)}`);
  }
  if (effect.beyond.verdict === 'none')
    for (const one of requests.map(caseFrom)) {
      const [before, after] = judgedByBoth(sets, one);
      if (before.outcome === after.outcome && before.beyond !== after.beyond)
        throw new Error(`no other advice or obligations, it says: ${JSON.stringify(one)}`);
    }
  return effect;
}

t.test('small firms: words, rules, walls and data', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        changedSmallFirms(fc.array(condition, { minLength: 3, maxLength: 3 })),
        changedSmallFirms(relatedConditions(3)),
      ),
      fc.array(smallRequest, { minLength: 150, maxLength: 150 }),
      async ({ sets, files }, requests) => {
        try {
          await check(sets, requests);
        } catch (error) {
          throw new Error(`${String(error)}\n${JSON.stringify(files)}`, { cause: error });
        }
      },
    ),
    { ...runs(14, 1_500), endOnFailure: true },
  );
});

t.test('the starter pack: rules', async () => {
  await fc.assert(
    fc.asyncProperty(
      changedStarter,
      fc.array(starterRequests(4), { minLength: 100, maxLength: 100 }),
      async (change, requests) => {
        try {
          await check([compiled(change.old), compiled(change.now)], requests);
        } catch (error) {
          throw new Error(`${String(error)}\n${change.what}`, { cause: error });
        }
      },
    ),
    { ...runs(3, 300), endOnFailure: true },
  );
});

t.test('all verdicts came up', async (t) => {
  t.comment(JSON.stringify([...verdicts]));
  for (const one of ['equivalent', 'stricter', 'wider', 'incomparable']) t.ok((verdicts.get(one) ?? 0) > 0, one);
  const unknown = verdicts.get('unknown') ?? 0;
  const all = [...verdicts.values()].reduce((sum, number) => sum + number, 0);
  t.ok(unknown <= all / 20, `${unknown} of ${all} not settled`);
});
