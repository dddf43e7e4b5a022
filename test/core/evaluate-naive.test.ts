// Random conditions, with every operator, against the naive engine: alone in an allow and in a deny rule, over data on file,
// walls of every kind and a lockdown.
import fc from 'fast-check';
import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import { condition, smallRequest } from '../helpers/conditions.ts';
import { naiveDecide, rawPolicies, type NaiveDecision } from '../helpers/naive-decide.ts';
import { compiled, SMALL_DATA, SMALL_FIRM, sourceFile } from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';

const FILED = `people:
  - { id: u-eve, clearance: mid, roles: [analyst] }
  - { id: u-fay, user_type: external, amr: [mfa] }
resources:
  - { type: document, id: D-1, properties: { owner: u-ben, pages: 7 } }
  - { type: note, id: D-1, properties: { matter_id: M-2, level: high } }
matters:
  - { id: M-3, client_id: C-2, team: [u-eve], properties: { level: mid, sealed: true, owner: u-eve } }
grants:
  - { id: G-3, granted_to: u-ann, matter_id: M-2, actions: [edit], valid_from: '2026-03-10T14:00:00Z', approved_by: u-ann }
assistants: { u-fay: [u-dan], u-ben: [u-dan, u-eve] }
`;
const WALLS = `walls:
  - { id: W-1, kind: exclusion, matter_id: M-1, excluded_people: [u-dan, u-cat], released_assistants: [u-fay] }
  - { id: W-2, kind: exclusion, reason: lateral, matter_id: M-2, excluded_people: [u-eve], valid_from: '2026-03-10T14:00:00Z' }
  - { id: W-3, kind: exclusion, client_id: C-2, excluded_people: [u-dan], valid_until: '2026-06-01T00:00:00Z' }
  - { id: W-4, kind: inclusion, matter_id: M-2, included_people: [u-ann, u-fay], acknowledged_by: [u-ann] }
  - { id: W-5, kind: opposing, sides: [{ people: [u-cat], matters: [M-1] }, { people: [u-fay], matters: [M-9] }] }
`;
const fixed = [
  sourceFile('firm.yaml', SMALL_FIRM),
  sourceFile('data/data.yaml', SMALL_DATA),
  sourceFile('data/filed.yaml', FILED),
];
const guards = [
  sourceFile('walls/walls.yaml', WALLS),
  sourceFile('lockdown.yaml', { version: 1, people: ['ai'], clients: [{ id: 'C-2', reason: 'test' }] }),
];

interface Pack {
  readonly set: PolicySet;
  readonly judge: (request: Parameters<typeof naiveDecide>[1]) => NaiveDecision;
}

function pack(rules: readonly object[], files = fixed): Pack {
  const all = [...files, sourceFile('rules/rules.yaml', { version: 1, rules })];
  const raw = rawPolicies(all);
  return { set: compiled(all), judge: (request) => naiveDecide(raw, request) };
}

function sameAnswer({ set, judge }: Pack, request: Parameters<typeof decide>[1]): NaiveDecision {
  const expected = judge(request);
  const actual = decide(set, request);
  const results = Object.fromEntries(actual.results.map(({ rule, truth }) => [rule, truth]));
  for (const [rule, truth] of expected.truths) {
    const word = truth === undefined ? 'unknown' : String(truth);
    if ((results[rule] ?? 'false') !== word) throw new Error(`${rule} is ${results[rule] ?? 'false'}, not ${word}`);
  }
  for (const part of ['outcome', 'decidedBy', 'walls', 'grants', 'advice', 'missing', 'stepUp'] as const) {
    const [one, other] = [JSON.stringify(actual[part]), JSON.stringify(expected[part])];
    if (one !== other) throw new Error(`${part} is ${one}, not ${other}`);
  }
  return expected;
}

t.test('a condition means the same in both engines', async (t) => {
  const seen: Record<string, Set<string>> = {};
  fc.assert(
    fc.property(
      fc.array(condition, { minLength: 4, maxLength: 4 }),
      fc.array(smallRequest, { minLength: 12, maxLength: 12 }),
      (conditions, requests) => {
        const rules = conditions.map((when, index) => ({
          id: `rule-${index}`,
          effect: index % 2 === 0 ? 'allow' : 'deny',
          actions: 'any',
          resources: 'any',
          ...(index === 3 ? { unless: when } : { when }),
        }));
        const both = pack(rules);
        for (const request of requests) {
          const { truths } = sameAnswer(both, request);
          for (const [index, when] of conditions.entries()) {
            for (const operator of JSON.stringify(when).match(/\$[a-z_]+/g) ?? ['$eq'])
              (seen[operator] ??= new Set()).add(String(truths.get(`rule-${index}`)));
          }
        }
      },
    ),
    runs(250),
  );
  const operators = ['$eq', '$ne', '$lt', '$lte', '$gt', '$gte', '$in', '$nin', '$has', '$has_any', '$some', '$exists'];
  for (const operator of [...operators, '$none', '$same', '$age', '$during', '$length', '$is', '$and', '$or', '$not'])
    t.strictSame([...(seen[operator] ?? [])].sort(), ['false', 'true', 'undefined'], operator);
});

t.test('walls, lockdown and what is on file mean the same in both engines', async (t) => {
  const both = pack(
    [
      { id: 'anybody', effect: 'allow', actions: 'any', resources: 'any' },
      {
        id: 'owners',
        effect: 'allow',
        actions: ['edit'],
        resources: ['content'],
        when: { 'resource.owner': '${subject.id}' },
      },
      {
        id: 'sealed',
        effect: 'deny',
        actions: 'any',
        resources: ['content'],
        when: { 'resource.sealed': true },
        advice: ['step_up:mfa'],
      },
      {
        id: 'thick',
        effect: 'deny',
        actions: { except: ['list'] },
        resources: { except: ['wall'] },
        when: { 'resource.pages': { $gt: 5 } },
      },
    ],
    [...fixed, ...guards],
  );
  const outcomes = new Map<string, number>();
  fc.assert(
    fc.property(smallRequest, (request) => {
      for (const name of sameAnswer(both, request).decidedBy) outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
    }),
    runs(3_000, 100_000),
  );
  t.strictSame([...outcomes.keys()].sort(), [
    ...['anybody', 'assistants-inherit-screen', 'attribute-missing', 'client-wide-exclusion', 'exclusion-wall'],
    ...['inclusion-wall', 'lateral-hire-screen', 'lockdown', 'opposing-teams', 'owners', 'sealed', 'thick'],
    'wall-memo-acknowledgement',
  ]);
});
