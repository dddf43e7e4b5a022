// What coverage says was exercised is what explanations say of the same requests; what it calls impossible no request brings about; and each thing
// that a wall does is shown by the case that shows it, and by no other.
import fc from 'fast-check';
import t from 'tap';
import { gatherFacts } from '../../../../src/core/facts.ts';
import { explain } from '../../../../src/core/explain.ts';
import { FALSE, TRUE, UNKNOWN, type Truth } from '../../../../src/core/truth.ts';
import { exerciseRules } from '../../../../tools/policy/cover/exercise.ts';
import { partsOf } from '../../../../tools/policy/cover/parts.ts';
import { askSolver, reckoned, type Open } from '../../../../tools/policy/cover/reach.ts';
import { lockdownParts, wallPartsOf } from '../../../../tools/policy/cover/wall-parts.ts';
import { startSolver } from '../../../../tools/policy/smt/solver.ts';
import { condition, smallRequest } from '../../../helpers/conditions.ts';
import { asks, smallFirm, starterPolicies, type Asked } from '../../../helpers/policies.ts';
import { runs } from '../../../helpers/runs.ts';
import { STARTER_CASES } from '../../../helpers/starter-requests.ts';

const WORDS = { [FALSE]: 'false', [UNKNOWN]: 'unknown', [TRUE]: 'true' } as const;
const TRUTHS: readonly Truth[] = [FALSE, UNKNOWN, TRUE];
const exercise = (request: (typeof STARTER_CASES)[number], set = starterPolicies()) => ({
  test: { id: 'x', now: '', claims: {}, action: '', resource: { type: '', id: '' }, expect: 'deny' as const },
  request,
  frame: gatherFacts(set, request).frame,
});

t.test('rules are exercised as explanations say', async (t) => {
  const set = starterPolicies();
  for (const request of STARTER_CASES.filter((_, index) => index % 25 === 0)) {
    const seen = exerciseRules(set, [exercise(request)]);
    const explained = new Map(explain(set, request).rules.map((one) => [one.rule, one]));
    for (const rule of set.rules) {
      const one = explained.get(rule.id);
      const expected = one?.outOfScope === null ? one.truth : 'nothing';
      const said = TRUTHS.filter((truth) => ((seen.get(rule) ?? 0) & (1 << truth)) !== 0).map((truth) => WORDS[truth]);
      t.equal(said.join() || 'nothing', expected, rule.id);
    }
  }
});

t.test('what is called impossible is not brought about by any request', async (t) => {
  const solver = await startSolver();
  t.teardown(() => solver.close());
  let [never, proven] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.array(condition, { minLength: 2, maxLength: 2 }),
      fc.array(smallRequest, { minLength: 150, maxLength: 150 }),
      async (conditions, requests) => {
        const rules = conditions.map((when, index) => ({ id: `r-${index}`, effect: 'deny', actions: ['read'], resources: ['document'], when })); // prettier-ignore
        const set = smallFirm(rules);
        const seen = exerciseRules(set, requests.filter(({ subject }) => subject.id !== '').map((one) => exercise(one, set))); // prettier-ignore
        const { rules: ofRules, conditions: ofParts } = partsOf(set);
        const parts = [...ofRules, ...ofParts].map(([key, part]) => ({ key, part }));
        const open = parts.flatMap(({ part }): Open[] => TRUTHS.map((truth) => ({ part, truth })));
        const impossible = reckoned(set, open);
        const byProof = await askSolver(set, open, solver, () => undefined);
        never += impossible.size;
        proven += byProof.size;
        for (const one of [...impossible, ...byProof.keys()]) {
          const key = parts.find(({ part }) => part === one.part)?.key;
          if (((seen.get(key) ?? 0) & (1 << one.truth)) !== 0)
            throw new Error(`${one.part.text} was ${WORDS[one.truth]}: ${JSON.stringify(conditions)}`);
        }
      },
    ),
    runs(4, 400),
  );
  t.ok(never > 0 && proven > 0, `${never} reckoned, ${proven} proven`);
});

t.test('what walls do is shown by the case that shows it', async (t) => {
  const set = smallFirm([], {
    'data/assistants.yaml': { assistants: { 'u-fay': ['u-ann'], 'u-gil': ['u-ann'], 'u-hal': ['u-eve'] } },
    'walls/walls.yaml': {
      walls: [
        {
          id: 'W-1',
          kind: 'exclusion',
          matter_id: 'M-1',
          excluded_people: ['u-ann'],
          released_assistants: ['u-gil', 'u-hal'],
          valid_from: '2026-01-01T00:00:00Z',
          valid_until: '2026-06-01T00:00:00Z',
        },
        { id: 'W-2', kind: 'inclusion', matter_id: 'M-2', included_people: ['u-ben', 'u-cat'], acknowledged_by: ['u-ben', 'u-dan'] }, // prettier-ignore
        { id: 'W-3', kind: 'opposing', sides: [{ people: ['u-ann'], matters: ['M-1'] }, { people: ['u-eve'], matters: ['M-2'] }] }, // prettier-ignore
      ],
    },
  });
  const parts = wallPartsOf(set);
  const shownBy = (id: string, asked: Asked): readonly string[] => {
    const { frame } = gatherFacts(set, asks(asked));
    return parts.flatMap(({ wall, effects }) =>
      wall.id === id ? effects.flatMap(({ text, isShownBy }) => (isShownBy(frame) ? [text] : [])) : [],
    );
  };
  const by = (id: string, more: Asked = {}): Asked => ({ subject: { id }, ...more });
  const on2 = { properties: { matter_id: 'M-2', client_id: 'C-2' } };
  t.same(shownBy('W-1', by('u-ann')), ['u-ann is excluded']);
  t.same(shownBy('W-1', by('u-fay')), ['u-fay, who assists u-ann, inherits it']);
  t.same(shownBy('W-1', by('u-gil')), ['u-gil, who assists u-ann, is released']);
  t.same(shownBy('W-1', by('u-ann', { now: '2025-12-31T23:59:59Z' })), ['not yet in force']);
  t.same(shownBy('W-1', by('u-ann', { now: '2026-06-01T00:00:00Z' })), ['no longer in force']);
  t.same(shownBy('W-1', by('u-ann', on2)), []);
  t.same(shownBy('W-1', by('u-eve')), []);
  t.same(shownBy('W-2', by('u-ben', on2)), ['u-ben is included', 'u-ben has acknowledged the memo']);
  t.same(shownBy('W-2', by('u-cat', on2)), [
    'u-cat is included',
    'somebody included, without acknowledgement, is kept out',
  ]);
  t.same(shownBy('W-2', by('u-fay', on2)), ['somebody not included is kept out']);
  const checker = { subject: { id: 'u-fay', roles: ['analyst'] }, type: 'matter', id: 'M-2', action: 'list' };
  t.same(shownBy('W-2', checker), ['a conflict checker still sees that it exists']);
  t.same(shownBy('W-3', by('u-ann', on2)), ['u-ann is kept from the other side']);
  t.same(shownBy('W-3', by('u-ann')), []);
  t.same(
    parts.flatMap(({ wall, idle }) => idle.map(({ text, why }) => `${wall.id}: ${text}; ${why}`)),
    [
      'W-1: u-hal is released; u-hal assists nobody whom the wall excludes',
      'W-2: u-dan has acknowledged the memo; u-dan is not included',
    ],
  );
  const truths = parts.map(({ truthFor }) => truthFor(gatherFacts(set, asks(by('u-ann'))).frame));
  t.same(truths, [TRUE, null, FALSE]);
});

t.test('entries of the lockdown are shown each by itself; callers and tokens by no case', async (t) => {
  const lockdown = { people: ['u-ann'], matters: ['M-1'], clients: ['C-1'], callers: [], tokens: ['t-1'] };
  const set = smallFirm([], { 'lockdown.yaml': { version: 1, ...lockdown } });
  const shown = (asked: Asked): readonly string[] => {
    const { frame } = gatherFacts(set, asks(asked));
    return lockdownParts(set).flatMap(({ id, isShownBy }) => (isShownBy?.(frame) === true ? [id] : []));
  };
  t.same(shown({ subject: { id: 'u-ann' }, properties: { matter_id: 'M-2', client_id: 'C-2' } }), ['u-ann']);
  t.same(shown({ subject: { id: 'u-ben' } }), ['M-1', 'C-1']);
  t.same(shown({ subject: { id: 'u-ben' }, properties: { matter_id: 'M-2', client_id: 'C-2' } }), []);
  t.same(
    lockdownParts(set).flatMap(({ id, isShownBy }) => (isShownBy === null ? [id] : [])),
    ['t-1'],
  );
});
