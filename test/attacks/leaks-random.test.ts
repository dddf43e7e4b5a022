// P7 for many random people, matters and questions of the example firm: what a wall answers is what a default deny answers, and the
// work done to find it is the same; taking the wall away shows nothing but what the other rules say.
import fc from 'fast-check';
import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import { indexWalls, WALL_RULES } from '../../src/core/walls.ts';
import { answerOf } from '../../src/http/answer.ts';
import type { DecisionRequest } from '../../src/model/decision.ts';
import { compiled, starterFiles, starterPolicies } from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';
import { starterRequests } from '../helpers/starter-requests.ts';

type Json = Readonly<Record<string, unknown>>;

const set = starterPolicies();
const { assistants, conflictCheckers, memoAdvice } = set.walls;
const NO_WALLS = { ...set, walls: indexWalls([], { assistants, conflictCheckers, memoAdvice }) };
/** What is left when nothing is ever allowed and no wall stands: every deny of this is a default deny. */
const NOTHING_ALLOWED = {
  ...compiled(
    starterFiles()
      .filter(({ path }) => !path.startsWith('tests/'))
      .map((file) => {
        if (!file.path.startsWith('rules/')) return file;
        const { rules, ...rest } = file.value as { rules: readonly Json[] };
        return { ...file, value: { ...rest, rules: rules.filter(({ effect }) => effect === 'deny') } };
      })
      .filter(({ value }) => (value as { rules?: readonly unknown[] }).rules?.length !== 0),
  ),
  revision: set.revision,
  walls: NO_WALLS.walls,
};
const RULES: ReadonlySet<string> = new Set(WALL_RULES);
const STRANGER = { id: 'search', sourceSystem: 'search', rights: new Set<never>(), aiAssistant: null, own: true };

function shown(policies: typeof set, request: DecisionRequest): string {
  const decision = decide(policies, request);
  return JSON.stringify(answerOf(set, STRANGER, { evaluationId: '', evaluatedAt: 0, decision, fields: [] }));
}

t.test('a wall says what the other rules say, and not a word more or less', async (t) => {
  const seen = { walled: 0, alone: 0, allowed: 0 };
  fc.assert(
    fc.property(starterRequests(3), (request) => {
      const walled = decide(set, request);
      const wallsOf = walled.results.filter(({ effect }) => effect === 'wall');
      if (wallsOf.length === 0) return;
      seen.walled += 1;
      const without = decide(NO_WALLS, request);
      const rest = walled.results.filter(({ effect }) => effect !== 'wall');
      // Every other rule was judged all the same: no early exit, by which time would tell.
      if (JSON.stringify(rest) !== JSON.stringify(without.results)) throw new Error('a rule was skipped');
      if (walled.outcome !== 'deny') throw new Error('a wall that lets somebody in');
      if (JSON.stringify(walled.missing) !== JSON.stringify(without.missing)) throw new Error('missing');
      // The one exception of P7: who is let in by the wall is reminded of its memo.
      if (wallsOf.some(({ rule }) => rule === 'wall-memo-acknowledgement')) return;
      if (shown(set, request) !== shown(NOTHING_ALLOWED, request)) throw new Error('not like a default deny');
      if (walled.decidedBy.every((name) => RULES.has(name))) seen.alone += 1;
      if (without.outcome === 'allow') {
        seen.allowed += 1;
        if (walled.advice.length > 0 || walled.stepUp !== null || walled.obligations.length > 0)
          throw new Error('advice');
      }
    }),
    runs(3_000, 200_000),
  );
  t.ok(seen.walled > 300 && seen.alone > 50 && seen.allowed > 20, JSON.stringify(seen));
});
