// Rules as rows and as sentences: nothing that a rule says may be left out of either.
import t from 'tap';
import { describeRule, describeTerms, rolesOf } from '../../src/core/describe-policy.ts';
import { matrixRows } from '../../src/core/matrix.ts';
import { smallFirm, starterPolicies } from '../helpers/policies.ts';

const set = smallFirm(`
  - { id: notes, title: Notes, effect: allow, roles: [lawyer], subjects: [internal], actions: [look], resources: [note], when: { resource.sealed: false } }
  - id: wide
    effect: deny
    actions: { except: [read, list] }
    resources: any
    note: " careful "
    when: { $or: [{ subject.roles: { $has: clerk } }, { context.zone: home }] }
    advice: ['step_up:mfa', 'alert:officer']
  - id: cases
    effect: allow
    roles: [partner, clerk]
    resources: { except: [content, wall] }
    obligations: ['log:copy']
    cases: [{ actions: [read], roles: [clerk, analyst] }, { actions: any, when: { subject.roles: { $has: partner } } }]
`);

t.test('a rule in words: who, what, to what, when, and what follows', async (t) => {
  const described = set.rules.map((rule) => describeRule(set, rule));
  t.strictSame(described, [
    {
      ...{ id: 'notes', title: 'Notes', effect: 'allow', source: 'rules/rules.yaml:4', note: null, afterwards: [] },
      cases: [
        {
          who: 'Partner or Associate',
          actions: 'read and list',
          resources: 'note',
          when: ['internal', 'resource.sealed is false'],
        },
      ],
    },
    {
      ...{ id: 'wide', title: 'wide', effect: 'deny', source: 'rules/rules.yaml:5', note: 'careful' },
      cases: [
        {
          who: 'anyone',
          actions: 'any action except read and list',
          resources: 'anything',
          when: ['subject.roles includes clerk or context.zone is home'],
        },
      ],
      afterwards: ['advice step_up:mfa: Sign in again.', 'advice alert:officer'],
    },
    {
      ...{ id: 'cases', title: 'cases', effect: 'allow', source: 'rules/rules.yaml:12', note: null },
      cases: [
        {
          who: 'Partner or Clerk',
          actions: 'read',
          resources: 'anything except document, note and wall',
          when: ['subject.roles includes any of clerk, analyst'],
        },
        {
          who: 'Partner',
          actions: 'any action',
          resources: 'anything except document, note and wall',
          when: ['subject.roles includes any of partner, clerk'],
        },
      ],
      afterwards: ['obligation log:copy: Log it.'],
    },
  ]);
  t.match(describeTerms(set)[1], { name: 'on the team', meaning: 'matter.team includes subject.id' });
});

t.test('a row for each role, action and type, with every condition', async (t) => {
  const rows = matrixRows(set);
  const of = (id: string) => rows.filter(({ rule }) => rule === id);
  t.strictSame(
    of('notes').map(({ role, action, resourceType, conditions }) => [role, action, resourceType, conditions]),
    ['read', 'list'].flatMap((action) =>
      ['partner', 'associate'].map((role) => [
        role,
        action,
        'note',
        ['internal', `subject.roles includes any of partner, associate`, 'resource.sealed is false'],
      ]),
    ),
  );
  t.strictSame([...new Set(of('wide').map(({ role }) => role))], [null], 'a role in an alternative is no gate');
  t.equal(of('wide').length, 2 * 6, 'two actions, six types');
  t.equal(of('cases').length, 2 * 3 + 4 * 3, 'partners and clerks read three types, partners do everything to them');
  t.equal(rows.length, of('notes').length + of('wide').length + of('cases').length);
});

t.test('the starter policies: every rule has a row, and every row the conditions of its rule', async (t) => {
  const starter = starterPolicies();
  const rows = matrixRows(starter);
  t.strictSame(
    starter.rules.filter(({ id }) => rows.every(({ rule }) => rule !== id)).map(({ id }) => id),
    [],
  );
  for (const { id, branches } of starter.rules) {
    const conditional = branches.every(({ expr }) => expr.op !== 'all' || expr.args.length > 0);
    if (rows.some(({ rule, conditions }) => rule === id && conditions.length === 0) === conditional) t.fail(id);
  }
  t.ok(rows.length > 1_000);
});

t.test('roles count only where one of them is needed whatever else holds', async (t) => {
  const roles = (when: object) => {
    const [rule] = smallFirm([{ id: 'r', effect: 'allow', actions: 'any', resources: 'any', when }]).rules;
    const found = rule?.branches[0] === undefined ? null : rolesOf(rule.branches[0].expr);
    return found === null ? null : [...found];
  };
  const has = (role: string) => ({ 'subject.roles': { $has: role } });
  t.strictSame(roles(has('clerk')), ['clerk']);
  t.strictSame(roles({ $and: [has('clerk'), { 'subject.roles': { $has_any: ['clerk', 'partner'] } }] }), ['clerk']);
  t.strictSame(
    roles({ $and: [{ 'subject.roles': { $has_any: ['clerk', 'analyst'] } }, has('partner')] }),
    ['partner'],
    'who holds two roles passes both; the other stays a condition',
  );
  t.equal(roles({ $or: [has('clerk'), has('partner')] }), null);
  t.equal(roles({ $not: has('clerk') }), null);
  t.equal(roles({ 'subject.roles': { $has: '${resource.owner}' } }), null);
  t.equal(roles({ $is: 'internal' }), null);
});
