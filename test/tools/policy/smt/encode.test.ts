// The encoding says of every rule what the engine says, for random conditions and requests, and calls no request impossible.
import fc from 'fast-check';
import t from 'tap';
import { decide } from '../../../../src/core/decide.ts';
import { gatherFacts } from '../../../../src/core/facts.ts';
import type { PolicySet } from '../../../../src/core/policy-set.ts';
import { FALSE, TRUE, UNKNOWN } from '../../../../src/core/truth.ts';
import type { DecisionRequest } from '../../../../src/model/decision.ts';
import { partsOf } from '../../../../tools/policy/cover/parts.ts';
import { askSolver, reckoned, type Open } from '../../../../tools/policy/cover/reach.ts';
import { createCodes } from '../../../../tools/policy/smt/codes.ts';
import { createEncoder } from '../../../../tools/policy/smt/encode.ts';
import { createJudge } from '../../../../tools/policy/smt/judge-all.ts';
import { fileLaws, nothingRefuses } from '../../../../tools/policy/smt/loaded.ts';
import { startSolver } from '../../../../tools/policy/smt/solver.ts';
import { createUniverse, type UniverseOptions } from '../../../../tools/policy/smt/universe.ts';
import { condition, smallRequest } from '../../../helpers/conditions.ts';
import { smallFirm, starterPolicies } from '../../../helpers/policies.ts';
import { runs } from '../../../helpers/runs.ts';
import { STARTER_CASES, starterRequestsByTruth } from '../../../helpers/starter-requests.ts';

type Counts = Map<string, [isFalse: number, isUnknown: number, isTrue: number]>;

/** What it takes to compare one set with its encoding. */
function comparer(set: PolicySet, options: UniverseOptions, counts: Counts) {
  const universe = createUniverse(set, createCodes(), options);
  const encoder = createEncoder(set, universe);
  const truths = set.rules.map((rule) => ({ rule, ...encoder.rule(rule) }));
  const allowed = encoder.allowed();
  const onFile = options.data === 'loaded' ? fileLaws(set, universe) : [];
  const isOpen = options.data === 'loaded' ? nothingRefuses(set, universe) : true;
  return (request: DecisionRequest): readonly string[] => {
    const { frame } = gatherFacts(set, request);
    const meaning = universe.meaningOf(frame);
    if (meaning === null) return [];
    const judge = createJudge(meaning, encoder.definitions);
    const problems = [...universe.laws, ...onFile].flatMap((law, index) =>
      judge(law) === true ? [] : [`law ${index}: ${JSON.stringify(law)}`],
    );
    const { results, outcome } = decide(set, request);
    for (const { rule, isTrue, isFalse } of truths) {
      const said = results.find((one) => one.rule === rule.id)?.truth ?? 'false';
      const [yes, no] = [judge(isTrue) === true, judge(isFalse) === true];
      const encoded = yes && no ? 'both' : yes ? 'true' : no ? 'false' : 'unknown';
      if (encoded !== said) problems.push(`${rule.id} is ${said}, encoded as ${encoded}`);
      const count = counts.get(rule.id) ?? [0, 0, 0];
      count[said === 'true' ? 2 : said === 'unknown' ? 1 : 0] += 1;
      counts.set(rule.id, count);
    }
    const isAllowed = judge(allowed) === true && judge(isOpen) === true;
    if (options.data === 'loaded' && isAllowed !== (outcome === 'allow'))
      problems.push(`${outcome}, encoded otherwise`);
    if (outcome === 'allow' && !isAllowed) problems.push('allowed, and encoded as refused');
    return problems;
  };
}

for (const data of ['any', 'loaded'] as const) {
  t.test(`random conditions, ${data} data`, async (t) => {
    const counts: Counts = new Map();
    fc.assert(
      fc.property(
        fc.array(condition, { minLength: 3, maxLength: 3 }),
        fc.array(smallRequest, { minLength: 12, maxLength: 12 }),
        (conditions, requests) => {
          const set = smallFirm(
            conditions.map((when, index) => ({
              id: `rule-${index}`,
              effect: index === 0 ? 'deny' : 'allow',
              actions: 'any',
              resources: 'any',
              when,
            })),
          );
          const compare = comparer(set, { data, entries: 4 }, counts);
          for (const request of requests) {
            const problems = compare(request);
            if (problems.length > 0)
              throw new Error([...problems, JSON.stringify(conditions), JSON.stringify(request)].join('\n'));
          }
        },
      ),
      runs(250, 10_000),
    );
    t.ok(
      [...counts.values()].every((each) => each.every((number) => number > 100)),
      JSON.stringify([...counts]),
    );
  });
}

const isLong = process.env['PRIVITY_LONG'] === '1';
/** Of each rule with each truth. */
const ENOUGH = isLong ? 100 : 1;

for (const data of ['any', 'loaded'] as const) {
  t.test(`the starter policies, ${data} data`, async (t) => {
    const set = starterPolicies();
    const counts: Counts = new Map();
    const compare = comparer(set, { data, entries: set.data.grants.entries.length + 1 }, counts);
    for (const request of STARTER_CASES) t.same(compare(request), [], `${request.subject.id} ${request.action}`);
    if (isLong) counts.clear(); // a short run has too few random ones to count them alone
    fc.assert(
      fc.property(starterRequestsByTruth(4), (request) => {
        const problems = compare(request);
        if (problems.length > 0) throw new Error(problems.join('\n'));
      }),
      runs(1_000, 100_000),
    );
    t.equal(counts.size, set.rules.length);
    const rare = set.rules.flatMap((rule) =>
      TRUTHS.flatMap((truth): Open[] => {
        const part = partsOf(set).rules.get(rule);
        return part === undefined || (counts.get(rule.id)?.[truth] ?? 0) >= ENOUGH ? [] : [{ part, truth }];
      }),
    );
    t.same(await possible(set, rare), [], `each rule at least ${ENOUGH} times false, unknown and true`);
  });
}

const TRUTHS = [FALSE, UNKNOWN, TRUE] as const;

/** What some request can bring about, as the engine's own reckoning and then the solver find. */
async function possible(set: PolicySet, rare: readonly Open[]): Promise<readonly string[]> {
  const never = reckoned(set, rare);
  const left = rare.filter((one) => !never.has(one));
  t.comment(`never, as reckoned: ${[...never].map(({ part, truth }) => `${part.of} ${truth}`).join(', ')}`);
  if (left.length === 0) return [];
  const solver = await startSolver();
  const proven = await askSolver(set, left, solver, () => undefined);
  solver.close();
  t.comment(`never, as proven: ${[...proven.keys()].map(({ part, truth }) => `${part.of} ${truth}`).join(', ')}`);
  return left.filter((one) => !proven.has(one)).map(({ part, truth }) => `${part.of} is ${truth} too rarely`);
}
