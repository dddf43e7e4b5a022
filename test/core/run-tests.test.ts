// Policy test cases: what an author writes becomes a request as identity would make it, and what differs is told in words.
import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import { requestOfTest, runTestCase } from '../../src/core/run-tests.ts';
import type { TestCase } from '../../src/model/rules.ts';
import { requestOf, smallFirm, starterPolicies } from '../helpers/policies.ts';

const set = smallFirm(
  `
  - { id: notes, effect: allow, actions: [read], resources: [note], roles: [clerk], obligations: ['log:copy'] }
  - { id: home, effect: deny, actions: any, resources: any, when: { context.zone: home }, advice: ['step_up:mfa'] }
`,
  { 'data/ai.yaml': 'ai_assistants: [{ sub: ai }]' },
);

const CASE: TestCase = {
  id: 't-1',
  now: '2026-03-10T14:00:00Z',
  claims: { sub: 'u-1', roles: ['clerk', 'boss'], user_type: 'internal', clearance: 'low' },
  action: 'read',
  resource: {
    type: 'note',
    id: 'N-1',
    properties: { matter_id: 'M-1', client_id: 'C-1', level: 'low', sealed: false },
  },
  context: { zone: 'office', source_system: 'dms' },
  expect: 'allow',
};
const run = (more: Partial<TestCase>) => runTestCase(set, { ...CASE, ...more });
const withClaims = (claims: object) => requestOfTest(set, { ...CASE, claims: { ...CASE.claims, ...claims } });

t.test('every case of the starter policies passes', async (t) => {
  const starter = starterPolicies();
  const failed = starter.tests.map(({ test }) => runTestCase(starter, test)).filter(({ passed }) => !passed);
  t.strictSame(failed, []);
});

t.test('claims become the subject that identity would make of them', async (t) => {
  const made = requestOfTest(set, { ...CASE, context: { ...CASE.context, approvals: [{ by: 'u-2', role: 'clerk' }] } });
  t.strictSame(made, {
    request: {
      subject: { id: 'u-1', attributes: { roles: ['clerk'], user_type: 'internal', clearance: 'low' } },
      actor: null,
      action: 'read',
      resource: CASE.resource,
      context: { zone: 'office' },
      sourceSystem: 'dms',
      approvals: [{ by: 'u-2', role: 'clerk' }],
      now: Date.UTC(2026, 2, 10, 14),
    },
  });
  t.match(withClaims({ act: { sub: 'ai', act: { sub: 'other' } } }), { request: { actor: 'ai' } });
  t.match(withClaims({ roles: ['clerk', 5] }), { request: { subject: { attributes: { roles: ['clerk', 5] } } } });
  t.match(withClaims({ roles: 'clerk' }), { request: { subject: { attributes: { roles: 'clerk' } } } });
  t.strictSame(CASE.claims['roles'], ['clerk', 'boss'], 'the case itself is not changed');
});

t.test('a token that identity would refuse is refused', async (t) => {
  for (const act of [null, '', 'ai', ['ai'], {}, { sub: null }, { sub: 5 }, { sub: 'svc-other' }, { sub: ['ai'] }])
    t.strictSame(withClaims({ act }), { refused: '`act` names no declared AI assistant' }, JSON.stringify(act));
  for (const sub of [undefined, null, '', 5, ['u-1']])
    t.strictSame(withClaims({ sub }), { refused: 'the claims have no `sub`' }, JSON.stringify(sub));
  t.strictSame(requestOfTest(set, { ...CASE, now: '2026-03-10' }), {
    refused: '`now` is no RFC 3339 instant: 2026-03-10',
  });
});

t.test('a result says what was expected and what came', async (t) => {
  t.strictSame(run({ decided_by: ['notes'], advice: [], obligations: ['log:copy'] }), {
    ...{ id: 't-1', expected: 'allow', actual: 'allow', expected_rules: ['notes'], actual_rules: ['notes'] },
    ...{ expected_advice: [], actual_advice: [], expected_obligations: ['log:copy'], actual_obligations: ['log:copy'] },
    ...{ missing: [], passed: true, problems: [] },
  });
  t.strictSame(run({}).passed, true, 'what is not stated is not compared');
  t.strictSame(run({ decided_by: ['notes', 'notes'] }).passed, true, 'nor how often');
  const wrong = run({
    context: { zone: 'home', source_system: 'dms' },
    decided_by: ['notes'],
    advice: [],
    obligations: ['log:copy'],
  });
  t.equal(wrong.passed, false);
  t.strictSame(wrong.problems, [
    'expected allow, got deny by home',
    'decided_by: expected notes, got home',
    'advice: expected nothing, got step_up:mfa',
    'obligations: expected log:copy, got nothing',
  ]);
  t.strictSame(run({ expect: 'deny' }).problems, ['expected deny, got allow by notes']);
});

t.test('where an attribute is left out on purpose only the decision counts', async (t) => {
  const properties = { ...CASE.resource.properties, level: undefined };
  const asked = { resource: { ...CASE.resource, properties }, expect: 'allow' as const };
  t.strictSame(run({ ...asked, decided_by: ['other'], missing: ['level'] }).passed, true);
  t.strictSame(run({ ...asked, decided_by: ['other'] }).problems, ['decided_by: expected other, got notes']);
  t.strictSame(run({ ...asked, expect: 'deny', missing: ['level'] }).passed, false);
  t.strictSame(run(asked).missing, ['resource.level']);
});

t.test('a refusal counts as the deny that was expected', async (t) => {
  const claims = { ...CASE.claims, act: { sub: 'svc-other' } };
  t.strictSame(run({ claims, expect: 'deny', decided_by: ['token-refused'] }).passed, true);
  t.strictSame(run({ claims, expect: 'deny', missing: ['act'] }).passed, true);
  t.strictSame(run({ claims, expect: 'deny' }).problems, [
    'the token would be refused: `act` names no declared AI assistant',
  ]);
  t.strictSame(run({ claims, expect: 'deny', decided_by: ['home'] }).passed, false);
  t.strictSame(run({ claims }).problems, [
    'the token would be refused: `act` names no declared AI assistant',
    'expected allow, got deny by token-refused',
  ]);
});

t.test('it judges as decide does', async (t) => {
  for (const { test } of starterPolicies().tests.slice(0, 50)) {
    const { outcome, decidedBy, advice } = decide(starterPolicies(), requestOf(test));
    const result = runTestCase(starterPolicies(), test);
    t.strictSame([result.actual, result.actual_rules, result.actual_advice], [outcome, decidedBy, advice]);
  }
});
