// Rules that change nothing beside others, as an author reads about them; and that none is reported which decides a request.
import fc from 'fast-check';
import t from 'tap';
import { createCompileCache } from '../../src/core/compile-cache.ts';
import { compilePolicies } from '../../src/core/compile.ts';
import { relatedConditions, smallRequest } from '../helpers/conditions.ts';
import { naiveDecide, rawPolicies } from '../helpers/naive-decide.ts';
import {
  diagnosticsIn,
  findingsIn,
  SMALL_DATA,
  SMALL_FIRM,
  smallFiles,
  sourceFile,
  sourceFiles,
} from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';

/** Findings about these rules, without the path they all have. */
function findings(rules: string): string[] {
  return findingsIn(smallFiles(rules.slice(1))).map((line) => line.replace(/^rules\/rules\.yaml:/, ''));
}

t.test('the same rule twice', async (t) => {
  t.strictSame(
    findings(`
  - id: sealed
    effect: deny
    actions: [edit, read]
    resources: [document, note]
    when: { resource.sealed: true, resource.pages: { $gte: 3 } }
  - id: sealed-again
    effect: deny
    actions: [read, edit]
    resources: [content]
    when: { $not: { resource.pages: { $lt: 3 } }, $and: [{ resource.sealed: { $in: [true] } }] }
`),
    ['8:5 sealed-again: the rule says the same as `sealed` (rules/rules.yaml:3) — keep one of them'],
  );
});

t.test('a rule that another of the same effect covers', async (t) => {
  t.strictSame(
    findings(`
  - id: partners-of-the-team
    effect: allow
    subjects: [internal]
    roles: [partner]
    actions: [read]
    resources: [document]
    when: { $is: on_the_team, resource.level: low }
  - id: lawyers-of-the-team
    effect: allow
    roles: [lawyer]
    actions: [look]
    resources: [content]
    when: { matter.team: { $has: "\${subject.id}" }, resource.level: { $lte: mid } }
  - id: high-and-sealed
    effect: deny
    actions: [read]
    resources: [note]
    when: { resource.level: high, resource.sealed: true }
  - id: high
    effect: deny
    actions: any
    resources: [content]
    cases:
      - when: { resource.level: { $gt: mid } }
      - when: { resource.pages: { $gt: 100 } }
`),
    [
      '3:5 partners-of-the-team: the rule adds nothing: whatever it allows, `lawyers-of-the-team` (rules/rules.yaml:10) allows as well — remove it, or narrow the other one',
      '16:5 high-and-sealed: the rule adds nothing: whatever it refuses, `high` (rules/rules.yaml:21) refuses as well — remove it, or narrow the other one',
    ],
  );
});

t.test('several cases of one rule may cover another together', async (t) => {
  t.strictSame(
    findings(`
  - id: both
    effect: allow
    actions: [list]
    resources: [wall]
    when: { context.managed: { $in: [true, false] }, resource.pages: { $gt: 2 } }
  - id: either
    effect: allow
    actions: [list]
    resources: any
    cases:
      - when: { context.managed: true, resource.pages: { $gt: 1 } }
      - when: { context.managed: false, resource.pages: { $gt: 2 } }
`),
    [
      '3:5 both: the rule adds nothing: whatever it allows, `either` (rules/rules.yaml:8) allows as well — remove it, or narrow the other one',
    ],
  );
});

t.test('what a rule asks for or advises is not lost', async (t) => {
  t.strictSame(
    findings(`
  - id: logged
    effect: allow
    actions: [read]
    resources: [note]
    when: { resource.level: low }
    obligations: ['log:copy']
  - id: unlogged
    effect: allow
    actions: [read]
    resources: [note]
    when: { resource.level: { $ne: high } }
  - id: hopeless
    effect: deny
    actions: [edit]
    resources: [note]
    when: { resource.level: high }
  - id: curable
    effect: deny
    actions: [edit]
    resources: [note]
    when: { resource.level: { $gte: mid } }
    advice: ['step_up:mfa']
  - id: with-a-memo
    effect: deny
    actions: [edit]
    resources: [note]
    when: { resource.level: high, resource.sealed: true }
    advice: ['advice:memo']
`),
    [],
    'what is refused for good cannot be covered by what a step-up cures',
  );
});

t.test('an allow that a deny always beats', async (t) => {
  t.strictSame(
    findings(`
  - id: clerks-read-notes
    effect: allow
    subjects: [internal]
    roles: [clerk]
    actions: [read]
    resources: [note]
    when: { resource.level: low }
  - id: no-clerks
    effect: deny
    roles: [clerk, analyst]
    actions: { except: [list] }
    resources: [content]
  - id: owners
    effect: allow
    actions: [edit]
    resources: [note]
    cases:
      - when: { resource.owner: "\${subject.id}", resource.sealed: true }
      - when: { resource.owner: "\${subject.id}", resource.pages: 1 }
  - id: sealed
    effect: deny
    actions: [edit]
    resources: any
    when: { resource.sealed: { $ne: false } }
`),
    [
      '3:5 clerks-read-notes: the rule can never let anybody in: whatever it allows, `no-clerks` (rules/rules.yaml:10) refuses — remove it, or make an exception in the deny with `unless`',
      '20:9 owners: the case can never let anybody in: whatever it allows, `sealed` (rules/rules.yaml:22) refuses — remove it, or make an exception in the deny with `unless`',
    ],
  );
});

t.test('a case that other cases cover', async (t) => {
  t.strictSame(
    findings(`
  - id: floors
    effect: allow
    actions: [read]
    resources: [note]
    cases:
      - when: { subject.floor: 3 }
      - { roles: [partner], when: { subject.floor: { $gte: 3 } } }
      - when: { subject.floor: { $gte: 2 } }
      - when: { subject.floor: { $gte: 2 } }
`),
    ['8:9', '9:9', '11:9'].map(
      (place) =>
        `${place} floors: the case adds nothing: other cases of the rule cover it — remove it, or narrow the others`,
    ),
  );
});

t.test('rules that merely touch are left alone', async (t) => {
  t.strictSame(
    findings(`
  - id: low
    effect: allow
    actions: [read]
    resources: [note]
    when: { resource.level: { $lte: mid } }
  - id: mid
    effect: allow
    actions: [read, list]
    resources: [note]
    when: { resource.level: { $gte: mid } }
  - id: no-high
    effect: deny
    actions: [read]
    resources: [note]
    when: { resource.level: high }
  - id: known-or-not
    effect: deny
    actions: [read]
    resources: [note]
    when: { $or: [{ resource.level: high }, { $not: { resource.level: high } }], resource.owner: u-ann }
`),
    [],
  );
});

t.test('the review is done anew when a rule or a word has changed, and only then', async (t) => {
  const rule = (when: object) => [{ id: 'one', effect: 'allow', actions: ['read'], resources: ['note'], when }];
  const dead = sourceFiles(smallFiles(rule({ 'resource.pages': { $gt: 2, $lt: 1 } })));
  const alive = sourceFiles(smallFiles(rule({ 'resource.pages': { $gt: 0, $lt: 1 } })));
  const cache = createCompileCache();
  const codes = (files: typeof dead) =>
    compilePolicies(files, { commit: null, cache }).diagnostics.map(({ code }) => code);
  t.strictSame(codes(dead), ['never-holds']);
  const first = cache.review;
  t.strictSame(codes(dead), ['never-holds']);
  t.equal(cache.review, first);
  t.strictSame(codes([...dead, sourceFile('data/more.yaml', { matters: [] })]), ['never-holds']);
  t.equal(cache.review, first, 'data changes nothing about rules');
  t.strictSame(codes(alive), []);
  t.not(cache.review, first);
  const words = SMALL_FIRM.replace('pages: { type: number', 'pages: { type: duration').replace(
    'default: 1',
    'default: P1D',
  );
  const other = sourceFiles({
    ...smallFiles(rule({ 'resource.pages': { $gt: 'P1D', $lt: 'PT24H' } })),
    'firm.yaml': words,
  });
  t.strictSame(codes(other), ['never-holds']);
});

t.test('what is reported decides nothing', async (t) => {
  const seen: Record<string, number> = {};
  const selector = fc.constantFrom<unknown>('any', 'any', ['read', 'list'], ['read']);
  fc.assert(
    fc.property(
      relatedConditions(4),
      fc.array(fc.record({ effect: fc.constantFrom('allow', 'deny'), actions: selector }), {
        minLength: 4,
        maxLength: 4,
      }),
      fc.array(smallRequest, { minLength: 20, maxLength: 20 }),
      (conditions, headers, requests) => {
        const rules = headers.map((header, index) => ({
          id: `rule-${index}`,
          ...header,
          resources: 'any',
          ...(index === 3 ? { cases: conditions.slice(2).map((when) => ({ when })) } : { when: conditions[index] }),
        }));
        const files = [
          sourceFile('firm.yaml', SMALL_FIRM),
          sourceFile('data/data.yaml', SMALL_DATA),
          sourceFile('rules/rules.yaml', { version: 1, rules }),
        ];
        const found = diagnosticsIn(files).flatMap(({ code, item = '', message }) => {
          const other = /`(rule-\d)` \(/.exec(message)?.[1];
          return other !== undefined && message.startsWith('the rule') ? [{ code, item, other }] : [];
        });
        if (found.length === 0) return;
        const raw = rawPolicies(files);
        for (const request of requests) {
          const { truths } = naiveDecide(raw, request);
          for (const { code, item, other } of found) {
            const [own, theirs] = [truths.get(item), truths.get(other)];
            const holds =
              code === 'shadowed-rule'
                ? own !== true || theirs !== false
                : rank(own) <= rank(theirs) && (code === 'redundant-rule' || own === theirs);
            if (!holds)
              throw new Error(`${code}: ${item} is ${own}, ${other} is ${theirs} for ${JSON.stringify(request)}`);
          }
        }
        for (const { code } of found) seen[code] = (seen[code] ?? 0) + 1;
      },
    ),
    runs(150, 10_000),
  );
  for (const code of ['redundant-rule', 'duplicate-rule', 'shadowed-rule'])
    t.ok((seen[code] ?? 0) > 2, `${code}: ${seen[code]}`);
});

function rank(truth: boolean | undefined): number {
  return truth === true ? 2 : truth === undefined ? 1 : 0;
}
