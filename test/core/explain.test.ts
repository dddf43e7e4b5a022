// An explanation says what the decision says, part by part.
import fc from 'fast-check';
import t from 'tap';
import { childrenOf, type Expr } from '../../src/core/condition.ts';
import { decide } from '../../src/core/decide.ts';
import { explain, type ExplainedPart, type ExplainedRule } from '../../src/core/explain.ts';
import { WALL_RULES } from '../../src/core/walls.ts';
import { condition, smallRequest } from '../helpers/conditions.ts';
import { asks, requestOf, smallFirm, starterPolicies, type Asked } from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';

const ORDER = ['false', 'unknown', 'true'];
const least = (truths: readonly string[]) => ORDER[Math.min(2, ...truths.map((truth) => ORDER.indexOf(truth)))];
const most = (truths: readonly string[]) => ORDER[Math.max(0, ...truths.map((truth) => ORDER.indexOf(truth)))];

/** Whether the truth of each part follows from those of its own parts, down to single comparisons. */
function follows(expr: Expr, part: ExplainedPart): boolean {
  const children = expr.op === 'some' ? [] : childrenOf(expr);
  const truths = part.parts.map(({ truth }) => truth);
  const expected = {
    all: least(truths),
    any: most(truths),
    not: { true: 'false', false: 'true', unknown: 'unknown' }[truths[0] ?? 'unknown'],
    term: truths[0],
  }[expr.op as string];
  return (
    children.length === part.parts.length &&
    (expected === undefined || expected === part.truth) &&
    children.every((child, index) => follows(child, part.parts[index] ?? part))
  );
}

t.test('the truth of every part is that of its evaluation', async () => {
  fc.assert(
    fc.property(fc.array(condition, { minLength: 3, maxLength: 3 }), smallRequest, (conditions, request) => {
      const set = smallFirm(
        conditions.map((when, index) => ({ id: `r${index}`, effect: 'deny', actions: 'any', resources: 'any', when })),
      );
      const { rules, decision } = explain(set, request);
      const { results } = decide(set, request);
      return rules.every(({ rule, truth, conditions: [part, ...others] }, index) => {
        const expr = set.rules[index]?.branches[0]?.expr;
        const judged = results.find(({ rule: id }) => id === rule)?.truth ?? 'false';
        if (expr === undefined || part === undefined || others.length > 0) return false;
        return judged === truth && part.truth === truth && follows(expr, part) && decision.outcome === 'deny';
      });
    }),
    runs(150),
  );
});

t.test('it explains every rule and wall of every test case, with the decision unchanged', async (t) => {
  const set = starterPolicies();
  for (const { test } of set.tests) {
    const request = requestOf(test);
    const { decision, rules, walls } = explain(set, request);
    const told = [...rules, ...walls]
      .flatMap(({ rule, truth }) => (truth === 'false' ? [] : [`${rule} ${truth}`]))
      .sort();
    const judged = decision.results.map(({ rule, truth }) => `${rule} ${truth}`).sort();
    const sound =
      JSON.stringify(decision) === JSON.stringify(decide(set, request)) &&
      JSON.stringify(told) === JSON.stringify(judged) &&
      rules.length === set.rules.length &&
      walls.length === WALL_RULES.length &&
      rules.every(({ truth, conditions }) => truth === most(conditions.map((part) => part.truth)));
    if (!sound) t.fail(test.id);
  }
  t.ok(set.tests.length > 300);
});

const RULES = `
  - id: notes
    effect: allow
    subjects: [internal]
    roles: [partner]
    actions: [read]
    resources: [note]
    when: { resource.owner: "\${subject.id}", resource.filed: { $lt: "\${now}" }, context.parcel.to: u-1 }
  - id: grants
    effect: allow
    actions: [look]
    resources: any
    when: { $is: granted }
    cases: [{ resources: [document] }, { resources: [note], when: { client.id: { $in: "\${data.consents.sharing}" } } }]
`;

function ruleOf(asked: Asked, id: string): ExplainedRule | undefined {
  return explain(smallFirm(RULES), asks(asked)).rules.find(({ rule }) => rule === id);
}

/** Text, truth and values of a part and all below it. */
function lines({ text, truth, values, parts }: ExplainedPart): string[] {
  const read = values.map(({ path, value }) => `${path} = ${value}`).join(', ');
  return [`${text}: ${truth}${read === '' ? '' : ` (${read})`}`, ...parts.flatMap(lines).map((line) => `  ${line}`)];
}

t.test('each part says what it asks, whether it holds, and what it read', async (t) => {
  const asked = { type: 'note', properties: { owner: 'u-ann', filed: 5 }, context: { parcel: { to: 'u-1' } } };
  t.strictSame(ruleOf(asked, 'notes')?.conditions.flatMap(lines), [
    'internal and subject.roles includes partner and (resource.owner is subject.id and resource.filed is earlier than now and context.parcel.to is u-1): unknown',
    '  internal: true',
    '    subject.user_type is internal: true (subject.user_type = "internal")',
    '  subject.roles includes partner: true (subject.roles = ["partner"])',
    '  resource.owner is subject.id and resource.filed is earlier than now and context.parcel.to is u-1: unknown',
    '    resource.owner is subject.id: true (resource.owner = "u-ann", subject.id = "u-ann")',
    '    resource.filed is earlier than now: unknown (resource.filed = unknown, now = 2026-03-10T14:00:00.000Z)',
    '    context.parcel.to is u-1: true (context.parcel.to = "u-1")',
  ]);
  t.strictSame(
    ruleOf({ type: 'note', subject: { roles: null, user_type: null } }, 'notes')
      ?.conditions.flatMap(lines)
      .slice(1),
    [
      '  internal: unknown',
      '    subject.user_type is internal: unknown (subject.user_type = missing)',
      '  subject.roles includes partner: unknown (subject.roles = missing)',
      '  resource.owner is subject.id and resource.filed is earlier than now and context.parcel.to is u-1: false',
      '    resource.owner is subject.id: false (resource.owner = not stated, subject.id = "u-ann")',
      '    resource.filed is earlier than now: false (resource.filed = not stated, now = 2026-03-10T14:00:00.000Z)',
      '    context.parcel.to is u-1: false (context.parcel.to = not stated)',
    ],
  );
});

t.test('lists on file are not told, and cases are told each for itself', async (t) => {
  const grants = ruleOf({ type: 'note', subject: { id: 'u-dan' } }, 'grants');
  t.strictSame(grants?.conditions.flatMap(lines), [
    'granted and client.id is in data.consents.sharing: true',
    '  granted: true',
    '    some entry of data.grants has: granted_to is subject.id and matter_id is matter.id: true (data.grants = policy data)',
    '  client.id is in data.consents.sharing: true (client.id = "C-1", data.consents.sharing = a list of 1)',
  ]);
  t.equal(ruleOf({ type: 'document' }, 'grants')?.conditions.length, 1);
  t.strictSame(ruleOf({ type: 'matter' }, 'grants')?.conditions, []);
  t.equal(ruleOf({ type: 'matter' }, 'grants')?.outOfScope, 'it does not speak of read on the type matter');
  t.equal(ruleOf({ type: 'note', action: 'edit' }, 'grants')?.outOfScope, 'it does not speak of the action edit');
  t.equal(ruleOf({ type: 'note', action: 'shred' }, 'notes')?.outOfScope, 'it does not speak of the action shred');
  t.equal(ruleOf({ type: 'scroll' }, 'notes')?.outOfScope, 'it does not speak of read on the type scroll');
});

t.test('walls are told with their place', async (t) => {
  const set = smallFirm([], {
    'walls/walls.yaml': `walls:
  - { id: W-1, kind: exclusion, matter_id: M-1, excluded_people: [u-ann] }
  - { id: W-2, kind: inclusion, matter_id: M-1, included_people: [u-ann] }
`,
  });
  const told = explain(set, asks()).walls;
  t.strictSame(
    told.map(({ rule, truth, source }) => [rule, truth, source]),
    WALL_RULES.map((rule) =>
      rule === 'exclusion-wall'
        ? [rule, 'true', 'walls/walls.yaml:2']
        : rule === 'wall-memo-acknowledgement'
          ? [rule, 'true', 'walls/walls.yaml:3']
          : [rule, 'false', ''],
    ),
  );
  t.strictSame(told[0]?.conditions, [
    { text: 'exclusion wall W-1 (walls/walls.yaml:2)', truth: 'true', values: [], parts: [] },
  ]);
  t.equal(told[4]?.outOfScope, 'no active wall of this kind concerns the person and the matter');
  t.equal(explain(set, asks({ properties: { matter_id: null } })).walls[0]?.truth, 'unknown');
});

t.test('no value can make an explanation fail', async (t) => {
  const rules = [
    {
      ...{ id: 'r', effect: 'allow', actions: 'any', resources: 'any' },
      when: {
        'subject.auth_time': { $lt: '${now}' },
        'resource.filed': { $during: 'office_hours' },
        'resource.term': 'P1D',
      },
    },
  ];
  const set = smallFirm(rules);
  for (const auth_time of [1e300, 8.64e12, -8.64e12, 1e15, '9999-12-31T23:59:59-23:59', '0000-01-01T00:00:00+23:59']) {
    const asked = asks({ subject: { auth_time }, properties: { filed: auth_time, term: auth_time } });
    t.equal(explain(set, asked).rules.length, 1, String(auth_time));
  }
});
