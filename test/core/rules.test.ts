// Rules as a whole: header and cases, actions and types by name, by group, as `any` and as `except`.
import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import { RESERVED_RULES } from '../../src/core/rules.ts';
import { asks, errorsIn, smallFiles, smallFirm, type Asked } from '../helpers/policies.ts';

const any = { actions: 'any', resources: 'any' };

function decided(rules: string | readonly object[], asked: Asked = {}): string {
  return decide(smallFirm(rules), asks(asked)).decidedBy.join(' ');
}

t.test('every member of the header must hold', async (t) => {
  const rule = `
  - id: r
    effect: allow
    subjects: [internal, mfa]
    roles: [lawyer, analyst]
    actions: [look]
    resources: [content, report]
    when: { context.zone: office }
    unless: { resource.owner: u-eve }
`;
  const fits: Asked = { subject: { amr: ['mfa'] } };
  t.equal(decided(rule, fits), 'r');
  t.equal(decided(rule, { ...fits, action: 'list', type: 'report' }), 'r');
  const misfits: readonly Asked[] = [
    {},
    { subject: { amr: ['mfa'], user_type: 'client' } },
    { subject: { amr: ['mfa'], roles: ['clerk'] } },
    { ...fits, action: 'edit' },
    { ...fits, type: 'wall' },
    { ...fits, context: { zone: 'home' } },
    { ...fits, properties: { owner: 'u-eve' } },
  ];
  for (const asked of misfits) t.equal(decided(rule, asked), 'default-deny', JSON.stringify(asked));
  const doubts: readonly Asked[] = [
    { subject: { amr: 'mfa' } },
    { subject: { amr: ['mfa'], user_type: null } },
    { subject: { amr: ['mfa'], roles: null } },
    { ...fits, context: { zone: null } },
    { ...fits, properties: { owner: 5 } },
  ];
  for (const asked of doubts) t.equal(decided(rule, asked), 'attribute-missing', JSON.stringify(asked));
  t.equal(decided(rule, { subject: { amr: 'mfa' }, action: 'edit' }), 'default-deny', 'false AND unknown is false');
});

t.test('a deny in doubt applies, one that is false does not, and denies outweigh allows', async (t) => {
  const rules = [
    { id: 'yes', effect: 'allow', ...any },
    { id: 'no', effect: 'deny', ...any, when: { 'resource.sealed': true }, unless: { $is: 'mfa' } },
  ];
  t.equal(decided(rules), 'yes');
  t.equal(decided(rules, { properties: { sealed: true } }), 'no');
  t.equal(decided(rules, { properties: { sealed: null } }), 'attribute-missing');
  t.equal(decided(rules, { properties: { sealed: 'true' } }), 'attribute-missing');
  t.equal(decided(rules, { properties: { sealed: true }, subject: { amr: ['mfa'] } }), 'yes');
  t.equal(
    decided(rules, { properties: { sealed: null }, subject: { amr: ['mfa'] } }),
    'yes',
    'the exception is enough',
  );
  t.equal(decided(rules, { properties: { sealed: true }, subject: { amr: 'mfa' } }), 'attribute-missing');
  t.equal(decided([...rules].reverse(), { properties: { sealed: true } }), 'no', 'the last rule does not win');
});

t.test('what decided: true denies, then doubts, then true allows, then doubts about allows', async (t) => {
  const rule = (id: string, effect: string, level: string) => ({
    id,
    effect,
    ...any,
    when: { 'resource.level': level },
  });
  const unsure = { 'context.parcel.to': 'u-1' };
  const rules = [
    rule('b-deny', 'deny', 'high'),
    rule('a-deny', 'deny', 'high'),
    rule('b-allow', 'allow', 'low'),
    rule('a-allow', 'allow', 'low'),
    { id: 'doubtful-allow', effect: 'allow', ...any, when: unsure },
  ];
  const parcel = { context: { parcel: 5 } };
  t.equal(decided(rules, { properties: { level: 'high' }, ...parcel }), 'a-deny b-deny');
  t.equal(decided(rules, { properties: { level: 'low' }, ...parcel }), 'a-allow b-allow');
  t.equal(decided(rules, { properties: { level: 'mid' }, ...parcel }), 'attribute-missing');
  t.equal(decided(rules, { properties: { level: 'mid' } }), 'default-deny');
  t.equal(decided(rules, { properties: { level: null } }), 'attribute-missing');
  const { results } = decide(smallFirm(rules), asks({ properties: { level: 'high' }, ...parcel }));
  t.strictSame(
    results.map(({ rule: id, effect, truth, source }) => [id, effect, truth, source]),
    [
      ['b-deny', 'deny', 'true', 'rules/rules.yaml:1'],
      ['a-deny', 'deny', 'true', 'rules/rules.yaml:1'],
      ['doubtful-allow', 'allow', 'unknown', 'rules/rules.yaml:1'],
    ],
  );
});

t.test('advice comes from true denies, obligations from true allows, each once', async (t) => {
  const rules = [
    { id: 'd1', effect: 'deny', ...any, when: { 'resource.level': 'high' }, advice: ['step_up:mfa', 'advice:memo'] },
    { id: 'd2', effect: 'deny', ...any, when: { 'resource.level': 'high' }, advice: ['advice:memo'] },
    { id: 'd3', effect: 'deny', ...any, when: { 'resource.owner': 'u-ann' }, advice: ['step_up:fresh'] },
    { id: 'a1', effect: 'allow', ...any, obligations: ['notify:officer', 'log:copy'] },
    { id: 'a2', effect: 'allow', ...any, obligations: ['log:copy'] },
    { id: 'a3', effect: 'allow', ...any, when: { 'resource.pages': 9 }, obligations: ['notify:officer'] },
  ];
  const of = (asked: Asked) => {
    const { advice, obligations } = decide(smallFirm(rules), asks(asked));
    return { advice, obligations };
  };
  t.strictSame(of({}), {
    advice: [],
    obligations: [
      { id: 'log:copy', type: 'log', properties: { days: 30 }, fulfilled_by: 'caller' },
      { id: 'notify:officer', type: 'notify', properties: {}, fulfilled_by: 'privity' },
    ],
  });
  t.strictSame(of({ properties: { level: 'high' } }), { advice: ['advice:memo', 'step_up:mfa'], obligations: [] });
  t.strictSame(of({ properties: { owner: 5 } }), { advice: [], obligations: [] }, 'a deny in doubt advises nothing');
  t.strictSame(of({ properties: { owner: 'u-ann' } }), { advice: ['step_up:fresh'], obligations: [] });
});

t.test('cases narrow the header, and one of them is enough', async (t) => {
  const rule = `
  - id: r
    effect: allow
    subjects: [internal]
    resources: [content, matter]
    when: { context.zone: office }
    unless: { resource.owner: u-eve }
    cases:
      - { actions: [read], roles: [clerk] }
      - { actions: [look, edit], resources: [document], when: { $is: mfa } }
      - { actions: [list], resources: [matter], unless: { context.managed: true } }
`;
  const clerk = { subject: { roles: ['clerk'] } };
  t.equal(decided(rule, clerk), 'r');
  t.equal(decided(rule, {}), 'default-deny');
  t.equal(decided(rule, { subject: { amr: ['mfa'] }, action: 'edit' }), 'r');
  t.equal(decided(rule, { subject: { amr: ['mfa'] }, action: 'edit', type: 'note' }), 'default-deny');
  t.equal(decided(rule, { action: 'list', type: 'matter', id: 'M-1' }), 'r');
  t.equal(decided(rule, { action: 'list', type: 'matter', id: 'M-1', context: { managed: true } }), 'default-deny');
  t.equal(decided(rule, { ...clerk, context: { zone: 'home' } }), 'default-deny', 'the header holds for every case');
  t.equal(decided(rule, { ...clerk, properties: { owner: 'u-eve' } }), 'default-deny');
  t.equal(decided(rule, { subject: { roles: null } }), 'attribute-missing');
  t.equal(decided(rule, { subject: { roles: null, amr: ['mfa'] } }), 'r', 'true OR unknown is true');
});

t.test('`any` and `except` speak of names that firm.yaml does not know, lists do not', async (t) => {
  const rule = (actions: unknown, resources: unknown) => [{ id: 'r', effect: 'allow', actions, resources }];
  const strangers: Asked = { action: 'shred', type: 'scroll' };
  const strangeAction: Asked = { action: 'shred' };
  t.equal(decided(rule('any', 'any'), strangers), 'r');
  t.equal(decided(rule({ except: ['list'] }, { except: ['wall'] }), strangers), 'r');
  t.equal(decided(rule({ except: ['look'] }, 'any'), { action: 'list' }), 'default-deny');
  t.equal(decided(rule({ except: ['look'] }, 'any'), { action: 'edit' }), 'r');
  t.equal(decided(rule('any', { except: ['content'] }), { type: 'note' }), 'default-deny');
  t.equal(decided(rule('any', { except: ['content'] }), { type: 'scroll' }), 'r');
  t.equal(decided(rule(['read', 'list', 'edit', 'export'], 'any'), strangeAction), 'default-deny', 'all known actions');
  t.equal(decided(rule('any', ['content']), strangeAction), 'r');
  t.equal(decided(rule('any', ['content']), strangers), 'default-deny');
  for (const action of ['any', 'look', 'Read', 'read ', 'read,list', '?', 'except'])
    t.equal(decided(rule(['look', 'edit', 'export'], 'any'), { action }), 'default-deny', action);
});

t.test('no rule may have a name that means something in decided_by', async (t) => {
  t.equal(RESERVED_RULES.size, 14);
  for (const id of RESERVED_RULES) {
    t.strictSame(errorsIn(smallFiles(`  - { id: ${id}, effect: allow, actions: any, resources: any }\n`)), [
      `rules/rules.yaml:3:7 ${id}: \`${id}\` is a name of the engine — give the rule another id`,
    ]);
  }
});

t.test('a mistake in a header is told once, however many cases there are', async (t) => {
  const rule = `
  - id: r
    effect: allow
    subjects: [insider]
    roles: [boss]
    resources: [contents]
    when: { context.zon: office }
    cases: [{ actions: [read] }, { actions: [list] }, { actions: [edit] }]
`;
  t.strictSame(errorsIn(smallFiles(rule)), [
    'rules/rules.yaml:6:16 r: `insider` is no term that firm.yaml knows — known: internal, on_the_team, mfa, granted',
    'rules/rules.yaml:7:13 r: `boss` is no role that firm.yaml knows — known: partner, associate, clerk, analyst, lawyer',
    'rules/rules.yaml:8:17 r: `contents` is no resource type that firm.yaml knows — did you mean `content`?',
    'rules/rules.yaml:9:13 r: `context.zon` is no attribute that firm.yaml knows — did you mean `context.zone`?',
  ]);
});
