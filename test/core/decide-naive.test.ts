// `decide` against a second, naive engine that shares no code with it: on requests near every test case of the starter
// policies, each rule and wall true, false and, where it reads anything, unknown.
import fc from 'fast-check';
import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import { WALL_RULES } from '../../src/core/walls.ts';
import type { Decision, DecisionRequest } from '../../src/model/decision.ts';
import { naiveDecide, rawPolicies, type NaiveDecision } from '../helpers/naive-decide.ts';
import { starterFiles, starterPolicies } from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';
import { STARTER_CASES, starterRequests } from '../helpers/starter-requests.ts';

const RUNS = runs(5_000, 200_000);
/** More of the cases that a rule decides, where chance has not put it in doubt yet. */
const MORE = runs(1_500);

const set = starterPolicies();
const raw = rawPolicies(starterFiles());
/** The parts on which both engines must agree. */
function comparable({ outcome, decidedBy, walls, grants, advice, missing, stepUp }: Decision | NaiveDecision): object {
  return { outcome, decidedBy, walls, grants, advice, missing, stepUp };
}

function disagreement(request: DecisionRequest, ours: Decision, theirs: NaiveDecision): string | null {
  const results = Object.fromEntries(ours.results.map(({ rule, truth }) => [rule, truth]));
  const expected = Object.fromEntries(
    [...theirs.truths].flatMap(([rule, truth]) =>
      truth === false ? [] : [[rule, truth === true ? 'true' : 'unknown']],
    ),
  );
  const left = { ...comparable(ours), obligations: ours.obligations.map(({ id }) => id), results };
  const right = { ...comparable(theirs), obligations: theirs.obligations, results: expected };
  const [one, other] = [left, right].map((side) => JSON.stringify(side, sortKeys));
  return one === other ? null : `${JSON.stringify(request)}\n decide: ${one}\n naive:  ${other}`;
}

function sortKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

t.test('both engines give every test case the same answer', async (t) => {
  for (const [index, base] of STARTER_CASES.entries()) {
    const difference = disagreement(base, decide(set, base), naiveDecide(raw, base));
    if (difference !== null) t.fail(`${set.tests[index]?.test.id}: ${difference}`);
  }
  t.ok(STARTER_CASES.length > 300);
});

t.test('both engines agree on mutated test cases, in which every rule is true, false and unknown', async (t) => {
  const seen = new Map<string, Set<string>>();
  const note = ({ truths }: NaiveDecision) => {
    for (const rule of WALL_RULES)
      truthsOf(rule).add(String(truths.get(rule) ?? (truths.has(rule) ? undefined : false)));
    for (const [rule, truth] of truths) truthsOf(rule).add(String(truth));
  };
  const truthsOf = (rule: string): Set<string> => {
    const truths = seen.get(rule) ?? new Set<string>();
    seen.set(rule, truths);
    return truths;
  };
  const outcomes = { allow: 0, deny: 0 };
  const agreeOn = (requests: ReturnType<typeof starterRequests>) =>
    fc.property(requests, (request) => {
      const theirs = naiveDecide(raw, request);
      note(theirs);
      outcomes[theirs.outcome] += 1;
      const difference = disagreement(request, decide(set, request), theirs);
      if (difference !== null) throw new Error(difference);
    });
  fc.assert(agreeOn(starterRequests()), RUNS);
  t.ok(outcomes.allow > RUNS.numRuns / 10, `${outcomes.allow} of ${RUNS.numRuns} were allowed`);

  const names = [...WALL_RULES, ...set.rules.map(({ id }) => id)];
  t.strictSame([...seen.keys()].sort(), names.toSorted());
  for (const truth of ['true', 'false']) {
    t.strictSame(
      names.filter((name) => !seen.get(name)?.has(truth)),
      [],
      `every rule was ${truth} at least once`,
    );
  }
  // These name only actions, types and whether an AI assistant acts, of which nothing is ever in doubt.
  const never = ['append-only-log', 'ai-read-only'];
  for (const name of names) {
    if (never.includes(name) || seen.get(name)?.has('undefined') === true) continue;
    fc.assert(agreeOn(starterRequests(4, name)), MORE);
  }
  t.strictSame(
    names.filter((name) => !seen.get(name)?.has('undefined')),
    never,
    'every other rule was unknown at least once',
  );
});
