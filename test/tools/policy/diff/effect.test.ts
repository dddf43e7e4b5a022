// Every kind of change has the verdict that it must have, with an example that shows it.
import t, { type Test } from 'tap';
import { decide } from '../../../../src/core/decide.ts';
import { requestOfTest } from '../../../../src/core/run-tests.ts';
import { effectOf, type Effect } from '../../../../tools/policy/diff/effect.ts';
import { touchedBy } from '../../../../tools/policy/diff/words.ts';
import { startSolver } from '../../../../tools/policy/smt/solver.ts';
import { compiled, smallFiles, type Files } from '../../../helpers/policies.ts';
import { isLong } from '../../../helpers/fault-run.ts';
import { outcomeOf } from './changes.ts';

const solver = await startSolver();
t.teardown(() => solver.close());

const RULES = [
  {
    id: 'no-sealed',
    effect: 'deny',
    actions: 'any',
    resources: ['content'],
    when: { 'resource.sealed': true },
    unless: { $is: 'mfa' },
    advice: ['step_up:mfa'],
  },
  {
    id: 'team',
    effect: 'allow',
    roles: ['lawyer'],
    actions: ['read', 'edit'],
    resources: ['content'],
    when: { $is: 'on_the_team' },
    obligations: ['log:copy'],
  },
  {
    id: 'clerks',
    effect: 'allow',
    roles: ['clerk'],
    actions: ['list'],
    resources: ['matter'],
    when: { $is: 'internal', now: { $during: 'office_hours' } },
  },
  { id: 'granted', effect: 'allow', actions: ['read'], resources: ['content'], when: { $is: 'granted' } },
  {
    id: 'shared',
    effect: 'allow',
    roles: ['analyst'],
    actions: ['export'],
    resources: ['note'],
    when: { 'client.id': { $in: '${data.consents.sharing}' }, 'subject.clearance': { $gte: 'mid' } },
  },
];

type Edit = (files: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;

const base = Object.fromEntries(
  Object.entries(smallFiles(RULES)).map(([name, content]) => [
    name,
    typeof content === 'string' ? content : JSON.stringify(content),
  ]),
);

function replacing(file: string, from: string, to: string): Edit {
  return (files) => {
    const text = files[file] ?? '';
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
    return { ...files, [file]: text.replaceAll(from, () => to) };
  };
}

const adding =
  (file: string, text: string): Edit =>
  (files) => ({ ...files, [file]: text });

const compare = (old: Files, now: Files, timeoutMs = 20_000): Promise<Effect> =>
  effectOf([compiled(old), compiled(now)], { solver, timeoutMs, examples: 3, onProgress: () => undefined });

const R = 'rules/rules.yaml';
const D = 'data/data.yaml';

const CASES: readonly (readonly [name: string, verdict: Effect['verdict'], edit: Edit])[] = [
  [
    'a term renamed',
    'equivalent',
    (files) => replacing(R, '"on_the_team"', '"member"')(replacing('firm.yaml', '  on_the_team:', '  member:')(files)),
  ],
  ['rules in another order', 'equivalent', adding(R, JSON.stringify({ version: 1, rules: RULES.toReversed() }))],
  [
    'De Morgan',
    'equivalent',
    replacing(
      R,
      '"when":{"resource.sealed":true},"unless":{"$is":"mfa"}',
      '"unless":{"$or":[{"$not":{"resource.sealed":true}},{"$is":"mfa"}]}',
    ),
  ],
  ['a group written out', 'equivalent', replacing(R, '"roles":["lawyer"]', '"roles":["associate","partner"]')],
  ['a role added to a rule', 'wider', replacing(R, '"roles":["lawyer"]', '"roles":["lawyer","clerk"]')],
  [
    'a role added to a group',
    'wider',
    replacing('firm.yaml', 'lawyer: [partner, associate]', 'lawyer: [partner, associate, clerk]'),
  ],
  [
    'a new role',
    'wider',
    (files) =>
      replacing(
        R,
        '"roles":["clerk"]',
        '"roles":["clerk","visitor"]',
      )(replacing('firm.yaml', 'analyst: Analyst }', 'analyst: Analyst, visitor: Visitor }')(files)),
  ],
  [
    'a new action',
    'wider',
    (files) =>
      replacing(
        R,
        '"actions":["read"]',
        '"actions":["read","shred"]',
      )(replacing('firm.yaml', 'export: Export }', 'export: Export, shred: Shred }')(files)),
  ],
  ['an action removed', 'stricter', replacing(R, '"actions":["read","edit"]', '"actions":["read"]')],
  ['a condition removed', 'wider', replacing(R, '"$is":"internal","now"', '"now"')],
  ['an allow removed', 'stricter', adding(R, JSON.stringify({ version: 1, rules: RULES.slice(0, -1) }))],
  ['a deny removed', 'wider', adding(R, JSON.stringify({ version: 1, rules: RULES.slice(1) }))],
  [
    'an allow turned into a deny',
    'stricter',
    replacing(R, '{"id":"granted","effect":"allow"', '{"id":"granted","effect":"deny"'),
  ],
  ['one role for another', 'incomparable', replacing(R, '"roles":["clerk"]', '"roles":["analyst"]')],
  [
    'a literal of a term',
    'incomparable',
    replacing('firm.yaml', 'subject.amr: { $has: mfa }', 'subject.amr: { $has: hwk }'),
  ],
  ['hours of a calendar', 'wider', replacing('firm.yaml', 'from: "07:00"', 'from: "06:00"')],
  [
    'a value of an ordered enum',
    'wider',
    replacing(
      'firm.yaml',
      'clearance: { type: enum, values: [low, mid, high]',
      'clearance: { type: enum, values: [low, mid, high, top]',
    ),
  ],
  [
    'what need no longer be stated',
    'wider',
    replacing(
      'firm.yaml',
      'sealed: { type: boolean, required_for: [{ resources: [content], actions: { except: [list] } }], optional: no }',
      'sealed: { type: boolean, optional: no }',
    ),
  ],
  ['somebody off the team', 'stricter', replacing(D, 'team: [u-ann, u-ben]', 'team: [u-ann]')],
  ['a new matter', 'wider', replacing(D, 'matters:', 'matters:\n  - { id: M-3, client_id: C-3, team: [u-eve] }')],
  [
    'a grant',
    'wider',
    replacing(
      D,
      'grants:',
      "grants:\n  - { id: G-3, granted_to: u-eve, matter_id: M-2, actions: [read], valid_until: '2026-06-01T00:00:00Z', approved_by: u-ann }",
    ),
  ],
  ['a consent', 'wider', replacing(D, 'sharing: [C-1]', 'sharing: [C-1, C-2]')],
  ['another consent', 'incomparable', replacing(D, 'sharing: [C-1]', 'sharing: [C-2]')],
  [
    'a person whose role is on file',
    'incomparable',
    adding('data/people.yaml', 'people:\n  - { id: u-ann, roles: [clerk] }\n'),
  ],
  [
    'a resource on file',
    'wider',
    adding('data/own.yaml', 'resources:\n  - { type: document, id: D-1, properties: { matter_id: M-1 } }\n'),
  ],
  ['an assistant', 'equivalent', adding('data/assist.yaml', 'assistants: { u-ben: [u-ann] }\n')],
  [
    'an exclusion wall',
    'stricter',
    adding('walls/w.yaml', 'walls:\n  - { id: W-1, kind: exclusion, matter_id: M-1, excluded_people: [u-ben] }\n'),
  ],
  [
    'an inclusion wall',
    'stricter',
    adding(
      'walls/w.yaml',
      'walls:\n  - { id: W-1, kind: inclusion, matter_id: M-1, included_people: [u-ben], acknowledged_by: [u-ben] }\n',
    ),
  ],
  [
    'opposing sides',
    'stricter',
    adding(
      'walls/w.yaml',
      'walls:\n  - { id: W-1, kind: opposing, sides: [{ people: [u-ann], matters: [M-1] }, { people: [u-ben], matters: [M-1] }] }\n',
    ),
  ],
  ['lockdown', 'stricter', adding('lockdown.yaml', 'version: 1\npeople: [u-ben]\n')],
  ['an AI assistant', 'wider', adding('data/ai.yaml', 'ai_assistants:\n  - { sub: ai-one }\n')],
  ['a comment', 'equivalent', (files) => ({ ...files, [D]: `# about matters\n${files[D] ?? ''}` })],
];

for (const [index, [name, verdict, edit]] of CASES.entries()) {
  t.test(`${name}: ${verdict}`, async (t) => {
    const now = edit(base);
    const effect = await compare(base, now);
    t.equal(effect.verdict, verdict, JSON.stringify([effect.newly_allowed, effect.newly_denied]));
    flipped(t, base, now, effect);
    if ((verdict === 'stricter' || verdict === 'wider') && (isLong || index % 6 === 0)) {
      // The other way round it is the opposite.
      const back = await compare(now, base);
      t.equal(back.verdict, verdict === 'wider' ? 'stricter' : 'wider');
    }
  });
}

function flipped(t: Test, old: Files, now: Files, { newly_allowed, newly_denied }: Effect): void {
  const sets = [compiled(old), compiled(now)];
  for (const { case: one } of newly_allowed.examples)
    t.same(
      sets.map((set) => outcomeOf(set, one)),
      ['deny', 'allow'],
    );
  for (const { case: one } of newly_denied.examples)
    t.same(
      sets.map((set) => outcomeOf(set, one)),
      ['allow', 'deny'],
    );
}

t.test('one example for each reason, as small as can be', async (t) => {
  const now = replacing(
    R,
    '"roles":["clerk"]',
    '"roles":["clerk","analyst"]',
  )(replacing(R, '"actions":["read"]', '"actions":["read","list"]')(base));
  const { newly_allowed } = await compare(base, now);
  t.same(newly_allowed.examples.map(({ cause }) => cause.id).toSorted(), ['clerks', 'granted']);
  for (const { case: one } of newly_allowed.examples) {
    const made = requestOfTest(compiled(now), one);
    t.ok(
      'request' in made && !decide(compiled(now), made.request).decidedBy.includes('attribute-missing'),
      'nothing that counts is missing',
    );
  }
});

t.test('what changed in the data is named', async (t) => {
  const effect = await compare(base, replacing(D, 'team: [u-ann, u-ben]', 'team: [u-ann]')(base));
  const [example] = effect.newly_denied.examples;
  t.equal(example?.case.claims['sub'], 'u-ben');
  t.same(example === undefined ? [] : touchedBy(example, effect.changed), ['matter M-1']);
});

t.test('the same decisions with other advice and obligations', async (t) => {
  for (const edit of [
    replacing(R, '"obligations":["log:copy"]', '"obligations":["notify:officer"]'),
    replacing('firm.yaml', 'properties: { days: 30 }', 'properties: { days: 60 }'),
    replacing(R, '"advice":["step_up:mfa"]', '"advice":["step_up:fresh"]'),
  ]) {
    const effect = await compare(base, edit(base));
    t.equal(effect.verdict, 'equivalent');
    t.equal(effect.beyond.verdict, 'possible');
    const [a, b] = effect.beyond.example?.judged ?? [];
    t.equal(a?.outcome, b?.outcome);
    t.not(a?.beyond, b?.beyond);
  }
});

t.test('an attribute of another type: each side reads it in its way', async (t) => {
  const text = replacing(
    'firm.yaml',
    'managed: { type: boolean, default: false }',
    'managed: { type: string, optional: unknown }',
  );
  const rule = {
    id: 'managed',
    effect: 'allow',
    actions: ['list'],
    resources: ['report'],
    when: { 'context.managed': true },
  };
  const old = adding(R, JSON.stringify({ version: 1, rules: [...RULES, rule] }))(base);
  const now = text(
    adding(R, JSON.stringify({ version: 1, rules: [...RULES, { ...rule, when: { 'context.managed': 'yes' } }] }))(base),
  );
  const effect = await compare(old, now);
  t.same(effect.apart, ['context.managed']);
  t.equal(effect.verdict, 'incomparable');
  t.equal(effect.newly_allowed.examples[0]?.case.context?.['managed'], 'yes');
  t.equal(effect.newly_denied.examples[0]?.case.context?.['managed'], true);
});
