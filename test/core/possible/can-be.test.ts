// What is called impossible never happens: whatever truths random conditions have together for a random request, judged by
// the naive engine, is possible. And what plainly cannot be is found out.
import fc from 'fast-check';
import t from 'tap';
import { createReviewer } from '../../../src/core/findings-conditions.ts';
import { NOT_FALSE, NOT_TRUE, ONLY_FALSE, ONLY_TRUE, type Wish } from '../../../src/core/possible/can-be.ts';
import { condition, relatedConditions, smallRequest } from '../../helpers/conditions.ts';
import { naiveDecide, rawPolicies } from '../../helpers/naive-decide.ts';
import { compiled, SMALL_DATA, SMALL_FIRM, smallFirm, sourceFile } from '../../helpers/policies.ts';
import { runs } from '../../helpers/runs.ts';

const FILED = `people:
  - { id: u-eve, clearance: mid, roles: [analyst] }
resources:
  - { type: document, id: D-1, properties: { owner: u-ben, pages: 7 } }
matters:
  - { id: M-3, client_id: C-2, team: [u-eve], properties: { level: mid, sealed: true, owner: u-eve } }
`;
const files = [
  sourceFile('firm.yaml', SMALL_FIRM),
  sourceFile('data/data.yaml', SMALL_DATA),
  sourceFile('data/filed.yaml', FILED),
];

/** Sets of truths that hold the one seen. */
const SETS = new Map([
  [true, [ONLY_TRUE, NOT_FALSE]],
  [false, [ONLY_FALSE, NOT_TRUE]],
  [undefined, [NOT_TRUE, NOT_FALSE]],
]);

t.test('whatever happens is possible', async (t) => {
  const seen = { happened: 0, impossible: 0 };
  fc.assert(
    fc.property(
      fc.oneof(relatedConditions(4), fc.array(condition, { minLength: 4, maxLength: 4 })),
      fc.array(smallRequest, { minLength: 16, maxLength: 16 }),
      fc.constantFrom(0, 1),
      fc.constantFrom<unknown>('any', 'any', ['read', 'list', 'edit'], { except: ['list'] }),
      fc.constantFrom<unknown>('any', 'any', ['content', 'matter', 'client'], { except: ['matter'] }),
      (conditions, requests, which, actions, resources) => {
        const rules = conditions.map((when, index) => ({
          id: `rule-${index}`,
          effect: 'allow',
          actions,
          resources,
          when,
        }));
        const header = { id: 'header', effect: 'allow', actions, resources };
        const all = [...files, sourceFile('rules/rules.yaml', { version: 1, rules: [...rules, header] })];
        const set = compiled(all);
        const raw = rawPolicies(all);
        const { prover, sceneOf } = createReviewer(set.firm);
        const branches = set.rules.flatMap((rule) => rule.branches);
        const spoken = branches[4];
        if (spoken === undefined) throw new Error('no header');
        const scene = sceneOf(spoken);
        const exprs = branches.slice(0, 4).map(({ expr }) => expr);
        for (const request of requests) {
          const { truths } = naiveDecide(raw, request);
          if (truths.get('header') !== true) continue;
          const wishes = exprs.map((expr, index): Wish => {
            const [first = 0, second = 0] = SETS.get(truths.get(`rule-${index}`)) ?? [];
            return { expr, truths: which === 0 ? first : second };
          });
          seen.happened += 1;
          if (
            !prover.suppose(wishes, scene).canBe() ||
            !prover.suppose(wishes.slice(0, 2), scene).canBe(wishes.slice(2))
          )
            throw new Error(
              `${JSON.stringify(request)} was called impossible: ${wishes.map(({ truths: one }) => one).join()}`,
            );
        }
        for (const one of exprs) {
          const holds = prover.suppose([{ expr: one, truths: ONLY_TRUE }], scene);
          for (const other of exprs) if (!holds.canBe([{ expr: other, truths: ONLY_TRUE }])) seen.impossible += 1;
        }
      },
    ),
    runs(120, 12_000),
  );
  t.ok(seen.happened > 500, `${seen.happened} requests`);
  t.ok(seen.impossible > 100, `${seen.impossible} contradictions were found`);
});

/** Whether the prover sees that the conditions cannot hold together. */
function areExclusive(whens: readonly object[], header: object = { actions: 'any', resources: 'any' }): boolean {
  const set = smallFirm(whens.map((when, index) => ({ id: `rule-${index}`, effect: 'allow', ...header, when })));
  const { prover, sceneOf } = createReviewer(set.firm);
  const branches = set.rules.flatMap((rule) => rule.branches);
  const [first] = branches;
  if (first === undefined) throw new Error('no rule');
  return !prover
    .suppose(
      branches.map(({ expr }): Wish => ({ expr, truths: ONLY_TRUE })),
      sceneOf(first),
    )
    .canBe();
}

const content = { actions: 'any', resources: ['content'] };
const EXCLUSIVE: Readonly<Record<string, readonly [whens: readonly object[], header?: object]>> = {
  'two values': [[{ 'context.zone': 'office' }, { 'context.zone': 'home' }]],
  'a value and not that value': [[{ 'resource.owner': 'u-ann' }, { 'resource.owner': { $ne: 'u-ann' } }]],
  'no value of an enum is left': [[{ 'context.zone': { $ne: 'office' } }, { 'context.zone': { $ne: 'home' } }]],
  'both truth values refused': [[{ 'context.managed': { $ne: true } }, { 'context.managed': { $ne: false } }]],
  'lists that share nothing': [[{ 'resource.owner': { $in: ['a', 'b'] } }, { 'resource.owner': { $in: ['c', 'd'] } }]],
  'a list and its exclusion': [
    [{ 'resource.owner': { $in: ['a', 'b'] } }, { 'resource.owner': { $nin: ['b', 'a', 'c'] } }],
  ],
  'bounds of numbers': [[{ 'resource.pages': { $gt: 5 } }, { 'resource.pages': { $lt: 5 } }]],
  'bounds that leave one excluded number': [[{ 'resource.pages': { $gte: 5, $lte: 5, $ne: 5 } }]],
  'bounds of ordered values': [[{ 'resource.level': { $gt: 'mid' } }, { 'resource.level': { $lte: 'mid' } }]],
  'above the highest': [[{ 'resource.level': { $gt: 'high' } }]],
  'a bound and a value': [[{ 'resource.pages': 3 }, { 'resource.pages': { $gte: 4 } }]],
  instants: [
    [{ 'resource.filed': { $lt: '2026-01-01T00:00:00Z' } }, { 'resource.filed': { $gt: '2026-02-01T00:00:00Z' } }],
  ],
  ages: [[{ 'resource.filed': { $age: { $gt: 'P2D' } } }, { 'resource.filed': { $age: { $lte: 'PT48H' } } }]],
  'an age and the present': [
    [{ 'resource.filed': { $age: { $gte: 'P1D' } } }, { 'resource.filed': { $gt: '${now}' } }],
  ],
  'lengths without a whole number between': [[{ 'resource.title': { $length: { $gt: 3, $lt: 4 } } }]],
  'a length and a text': [
    [{ 'resource.title': { $length: { $gte: 15 } } }, { 'resource.title': { $in: ['draft', 'final'] } }],
  ],
  'not stated, yet compared': [[{ 'resource.owner': { $exists: false } }, { 'resource.owner': 'u-ann' }]],
  'not stated, yet another value than the default': [
    [{ 'resource.pages': { $exists: false } }, { 'resource.pages': { $gt: 1 } }],
  ],
  'stated, yet none': [[{ 'resource.owner': { $exists: true } }, { 'resource.owner': { $none: true } }]],
  'none, yet compared': [[{ 'resource.owner': { $none: true } }, { 'resource.owner': '${subject.id}' }]],
  'none where it is required': [[{ 'resource.matter_id': { $none: true } }], content],
  'not stated, yet a field of it': [[{ 'context.parcel': { $exists: false } }, { 'context.parcel.size': { $gt: 1 } }]],
  'none, yet a list that has something': [[{ 'resource.tags': { $none: true } }, { 'resource.tags': { $has: 'x' } }]],
  'a list that has what it has not': [
    [
      { 'subject.roles': { $has_any: ['partner', 'clerk'] } },
      { $not: { 'subject.roles': { $has: 'partner' } } },
      { $not: { 'subject.roles': { $has: 'clerk' } } },
    ],
  ],
  'a list left out that has something': [[{ 'subject.amr': { $exists: false } }, { 'subject.amr': { $has: 'mfa' } }]],
  'kinds of subjects': [[{ $is: 'internal' }, { 'subject.user_type': { $in: ['client', 'service'] } }]],
  'a term and its opposite': [[{ $is: 'granted' }, { $not: { $is: 'granted' } }]],
  'types the rule does not speak of': [[{ 'resource.type': 'matter' }], content],
  'actions the rule excepts': [[{ 'action.name': 'list' }], { actions: { except: ['look'] }, resources: 'any' }],
  'an attribute that differs from itself': [
    [{ 'matter.id': { $ne: '${matter.id}' } }, { 'matter.id': { $none: false } }],
  ],
  'two attributes, equal and not': [
    [{ 'resource.owner': '${subject.id}' }, { 'subject.id': { $ne: '${resource.owner}' } }],
  ],
  'two attributes, earlier and later': [
    [{ 'resource.filed': { $lt: '${subject.auth_time}' } }, { 'subject.auth_time': { $lte: '${resource.filed}' } }],
  ],
  'equal attributes with different values': [
    [{ 'resource.owner': '${subject.id}' }, { 'resource.owner': 'a' }, { 'subject.id': 'b' }],
  ],
  'unequal attributes with one value': [
    [{ 'resource.owner': { $ne: '${subject.id}' } }, { 'resource.owner': 'a' }, { 'subject.id': 'a' }],
  ],
  'the greater is below the lesser': [
    [
      { 'resource.pages': { $gt: '${subject.floor}' } },
      { 'resource.pages': { $lt: 3 } },
      { 'subject.floor': { $gte: 3 } },
    ],
  ],
  'levels in the wrong order': [
    [
      { 'resource.level': { $lt: '${subject.clearance}' } },
      { 'resource.level': { $gte: 'mid' } },
      { 'subject.clearance': { $lte: 'mid' } },
    ],
  ],
  'both none, yet one is stated': [
    [
      { 'resource.owner': { $same: '${actor.id}' } },
      { 'resource.owner': { $none: true } },
      { 'actor.id': { $exists: true } },
    ],
  ],
  'in a list and not in it': [
    [{ 'matter.team': { $has: '${subject.id}' } }, { 'subject.id': { $nin: '${matter.team}' } }],
  ],
  'in a list, yet nobody': [[{ 'resource.owner': { $in: '${matter.team}' } }, { 'resource.owner': { $none: true } }]],
  'during and not during': [[{ now: { $during: 'office_hours' } }, { $not: { now: { $during: 'office_hours' } } }]],
  'one entry contradicts itself': [[{ 'context.visits': { $some: { count: { $gt: 3, $lt: 2 } } } }]],
  'an entry that no entry is': [
    [
      { 'context.visits': { $some: { by: 'x', count: 2 } } },
      { $not: { 'context.visits': { $some: { count: { $gt: 1 } } } } },
    ],
  ],
  'an entry of nothing': [[{ 'context.visits': { $some: { by: 'x' } } }, { 'context.visits': { $exists: false } }]],
  'every alternative is excluded': [
    [
      { $or: [{ 'context.zone': 'office' }, { 'resource.pages': { $lt: 2 } }] },
      { 'context.zone': 'home' },
      { 'resource.pages': 2 },
    ],
  ],
  'alternatives that fit one by one, not together': [
    [
      { $or: [{ 'context.zone': 'office' }, { 'resource.pages': 1 }] },
      { $or: [{ 'context.zone': 'home' }, { 'resource.pages': 2 }] },
      { $or: [{ 'resource.pages': 3 }, { $and: [{ 'context.zone': 'office' }, { 'resource.pages': 4 }] }] },
    ],
  ],
};

t.test('what plainly cannot be is found out', async (t) => {
  for (const [name, [whens, header]] of Object.entries(EXCLUSIVE)) t.equal(areExclusive(whens, header), true, name);
});

t.test('every part of a contradiction is needed', async (t) => {
  for (const [name, [whens, header]] of Object.entries(EXCLUSIVE)) {
    if (whens.length < 2) continue;
    for (const left of whens)
      t.equal(
        areExclusive(
          whens.filter((one) => one !== left),
          header,
        ),
        false,
        `${name}, without ${JSON.stringify(left)}`,
      );
  }
});

t.test('what may be is left alone', async (t) => {
  const possible: Readonly<Record<string, readonly object[]>> = {
    'two roles': [{ 'subject.roles': { $has: 'partner' } }, { 'subject.roles': { $has: 'clerk' } }],
    'not stated, and unlike a value': [
      { 'resource.owner': { $exists: false } },
      { 'resource.owner': { $ne: 'u-ann' } },
    ],
    'not stated, with a default': [{ 'resource.pages': { $exists: false } }, { 'resource.pages': 1 }],
    'required, and not stated': [{ 'context.zone': { $exists: false } }],
    'none where some types do not require it': [{ 'resource.matter_id': { $none: true } }],
    'both none': [{ 'resource.owner': { $same: '${actor.id}' } }, { 'resource.owner': { $none: true } }],
    'two entries': [{ 'context.visits': { $some: { count: 1 } } }, { 'context.visits': { $some: { count: 2 } } }],
    'an unknown action': [{ 'action.name': { $nin: ['read', 'list', 'edit', 'export'] } }],
    'bounds that touch': [{ 'resource.pages': { $gte: 5, $lte: 5 } }],
    'short, and not within bounds that begin above it': [
      { 'resource.title': { $length: { $lte: 1 } } },
      { $not: { 'resource.title': { $length: { $lt: 3, $gt: 1 } } } },
    ],
    'one code point': [{ 'resource.title': { $length: { $gt: 0, $lt: 2 } } }],
  };
  for (const [name, whens] of Object.entries(possible)) t.equal(areExclusive(whens), false, name);
});

t.test('what would take too long counts as possible', async (t) => {
  const numbers = Array.from({ length: 14 }, (_, index) => index);
  // Fourteen lists of thirteen numbers each: every number is left out once, so nothing fits, but it takes many cases to see.
  const whens = numbers.map((index) => ({
    $or: numbers
      .filter((one) => one !== index)
      .map((one) => ({ $and: [{ 'resource.pages': one }, { 'subject.floor': { $gte: -one } }] })),
  }));
  t.equal(areExclusive(whens), false);
});
