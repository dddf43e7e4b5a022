// Conditions that can never be true, as an author reads about them; and that none is reported which a request makes true.
import fc from 'fast-check';
import t from 'tap';
import { relatedConditions, smallRequest } from '../helpers/conditions.ts';
import { naiveDecide, rawPolicies } from '../helpers/naive-decide.ts';
import { diagnosticsIn, findingsIn, SMALL_DATA, SMALL_FIRM, smallFiles, sourceFile } from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';

/** Findings about these rules, without the path they all have. */
function findings(rules: string, more: object = {}): string[] {
  return findingsIn(smallFiles(rules.slice(1), { ...more })).map((line) => line.replace('rules/rules.yaml:', ''));
}

t.test('a rule whose parts exclude each other', async (t) => {
  t.strictSame(
    findings(`
  - id: home-and-office
    effect: allow
    actions: [read]
    resources: [note]
    when:
      resource.pages: { $gt: 3 }
      $and: [{ context.zone: home }, { context.zone: office }]
`),
    [
      '9:40 home-and-office: the rule is never true: `context.zone is home` and `context.zone is office` exclude each other — change one of them; if either is meant, use `$or` or cases',
    ],
  );
});

t.test('the header, its roles and subjects count', async (t) => {
  t.strictSame(
    findings(`
  - id: strangers
    effect: allow
    subjects: [internal]
    actions: [read]
    resources: [note]
    when: { subject.user_type: { $in: [client, external] } }
  - id: not-the-roles
    effect: deny
    roles: [lawyer]
    actions: [read]
    resources: [note]
    when: { $not: { subject.roles: { $has_any: [partner, associate, clerk] } } }
  - id: other-type
    effect: deny
    actions: [read]
    resources: [note]
    when: { resource.type: document }
`),
    [
      '8:34 strangers: the rule is never true: `internal` (line 5) and `subject.user_type is one of client, external` exclude each other — change one of them; if either is meant, use `$or` or cases',
      '14:13 not-the-roles: the rule is never true: `subject.roles includes any of partner, associate` (line 11) and `not (subject.roles includes any of partner, associate, clerk)` exclude each other — change one of them; if either is meant, use `$or` or cases',
      '19:13 other-type: the rule is never true: `resource.type is document` is impossible for the actions and resources it speaks of — change it',
    ],
  );
});

t.test('a case that its rule excludes', async (t) => {
  t.strictSame(
    findings(`
  - id: levels
    effect: deny
    actions: [read]
    resources: [note]
    when: { resource.level: { $gte: mid } }
    cases:
      - when: { resource.level: { $in: [mid, high] } , resource.sealed: true }
      - when: { resource.level: low }
`),
    [
      '10:17 levels: the case is never true: `resource.level is at least mid` (line 7) and `resource.level is low` exclude each other — change one of them; if either is meant, use `$or` or cases',
    ],
  );
});

t.test('a header that excludes itself is told once, however many cases there are', async (t) => {
  t.strictSame(
    findings(`
  - id: twice
    effect: deny
    resources: [note]
    when: { resource.pages: { $gt: 5, $lt: 2 } }
    cases:
      - actions: [read]
      - actions: [list]
`),
    [
      '6:39 twice: the rule is never true: `resource.pages is higher than 5` and `resource.pages is lower than 2` exclude each other — change one of them; if either is meant, use `$or` or cases',
    ],
  );
});

t.test('an exception that covers all of its rule', async (t) => {
  t.strictSame(
    findings(`
  - id: nobody
    effect: deny
    subjects: [internal]
    actions: [read]
    resources: [note]
    when: { context.managed: false }
    unless: { subject.user_type: { $ne: service } }
`),
    [
      '9:5 nobody: the rule is never true: wherever `internal` (line 5) holds, so does its `unless` — narrow the exception',
    ],
  );
});

t.test('alternatives and exceptions that cannot hold beside the rest', async (t) => {
  t.strictSame(
    findings(`
  - id: notes
    effect: deny
    actions: [read]
    resources: [note]
    when:
      resource.level: low
      $or:
        - { resource.level: { $gt: low } }
        - { resource.owner: { $exists: false, $in: [u-ann] } }
        - resource.sealed: true
    unless: { resource.level: high }
`),
    [
      '10:31 notes: this alternative is never true: `resource.level is low` (line 8) and `resource.level is higher than low` exclude each other — change it, or remove it',
      '11:13 notes: this alternative is never true: `resource.owner is not stated` and `resource.owner is one of u-ann` exclude each other — change it, or remove it',
      '13:5 notes: this exception is never true: `resource.level is low` (line 8) and `resource.level is high` exclude each other — change it, or remove it',
    ],
  );
});

t.test('entries that no entry can be', async (t) => {
  t.strictSame(
    findings(`
  - id: visits
    effect: deny
    actions: [read]
    resources: [note]
    when:
      context.visits:
        $some:
          by: u-ann
          $or: [{ by: u-ben }, { count: 1 }]
  - id: no-visits
    effect: deny
    actions: [read]
    resources: [note]
    when: { context.visits: { $some: { by: u-ann, $not: { by: { $in: [u-ann, u-ben] } } } } }
`),
    [
      '11:19 visits: this alternative is never true: `by is u-ann` (line 10) and `by is u-ben` exclude each other — change it, or remove it',
      '16:31 no-visits: the rule is never true: `some entry of context.visits has: by is u-ann and not (by is one of u-ann, u-ben)` is impossible — change it',
    ],
  );
});

t.test('terms are looked at where they are written, once', async (t) => {
  const firm = `${SMALL_FIRM.replace(
    'terms:\n',
    `terms:
  nobody: { subject.user_type: client, $is: internal }
  rarely: { $or: [{ context.zone: home, $not: { context.zone: home } }, { context.zone: office }] }
  in_office: { $or: [{ context.zone: office }, { context.managed: true }] }
`,
  )}approvals: { approver: [internal, nobody], valid_for: PT24H }\n`;
  const line = (text: string) => firm.split('\n').findIndex((one) => one.includes(text)) + 1;
  const both = '`subject.user_type is client` and `internal` exclude each other';
  t.strictSame(
    findings(
      `
  - id: homes
    effect: deny
    subjects: [in_office]
    actions: [read]
    resources: [note]
    when: { context.zone: home }
`,
      { 'firm.yaml': firm },
    ),
    [
      `firm.yaml:${line('  nobody:')}:40 nobody: the term is never true: ${both} — change one of them; if either is meant, use \`$or\` or cases`,
      `firm.yaml:${line('  rarely:')}:19 rarely: this alternative is never true: \`context.zone is home\` and \`not (context.zone is home)\` exclude each other — change it, or remove it`,
      `firm.yaml:${line('approvals:')}:35: nobody can ever approve: \`nobody\` is impossible — change it`,
    ],
    'an alternative of a term may be idle in some of the rules that use it',
  );
});

t.test('more than two parts', async (t) => {
  t.strictSame(
    findings(`
  - id: three
    effect: deny
    actions: [read]
    resources: [note]
    when: { resource.owner: "\${subject.id}", subject.id: u-ann, $not: { resource.owner: u-ann } }
`),
    [
      '7:65 three: the rule is never true: `resource.owner is subject.id`, `subject.id is u-ann` and `not (resource.owner is u-ann)` cannot all be true — change one of them; if either is meant, use `$or` or cases',
    ],
  );
});

t.test('rules, cases and alternatives that are reported are never true', async (t) => {
  let reported = 0;
  fc.assert(
    fc.property(
      relatedConditions(4),
      fc.array(smallRequest, { minLength: 20, maxLength: 20 }),
      fc.constantFrom<unknown>('any', ['read', 'list']),
      fc.constantFrom<unknown>('any', ['content', 'matter']),
      fc.constantFrom([], ['internal'], ['mfa', 'internal']),
      ([first, second, third, fourth], requests, actions, resources, subjects) => {
        const header = { effect: 'deny', actions, resources, ...(subjects.length > 0 ? { subjects } : {}) };
        const rules = [
          { id: 'plain', ...header, when: first },
          { id: 'excepted', ...header, when: second, unless: third },
          { id: 'cases', ...header, when: first, cases: [{ when: second }, { unless: fourth }] },
          { id: 'either', ...header, when: { $or: [first, second] }, unless: { $and: [third, fourth] } },
        ];
        const files = [
          sourceFile('firm.yaml', SMALL_FIRM),
          sourceFile('data/data.yaml', SMALL_DATA),
          sourceFile('rules/rules.yaml', { version: 1, rules }),
        ];
        const dead = diagnosticsIn(files).filter(({ code }) => code === 'never-holds');
        const whole = new Set(dead.flatMap(({ item, message }) => (message.startsWith('the rule') ? item : [])));
        if (dead.filter(({ item, message }) => item === 'cases' && message.startsWith('the case')).length === 2)
          whole.add('cases');
        reported += whole.size;
        if (whole.size === 0) return;
        const raw = rawPolicies(files);
        for (const request of requests) {
          const { truths } = naiveDecide(raw, request);
          for (const id of whole)
            if (truths.get(String(id)) === true) throw new Error(`${id} is true for ${JSON.stringify(request)}`);
        }
      },
    ),
    runs(80, 6_000),
  );
  t.ok(reported > 10, `${reported} rules were reported`);
});
