// A search finds what asking about each candidate alone finds: for the starter policies and their people, and for random rules over
// matters, teams, grants and resources on file. What an index rules out is never what would be allowed.
import fc from 'fast-check';
import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import { findEntities, type EntityQuestion } from '../../src/core/entity-search.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import { reachable } from '../../src/core/search-bounds.ts';
import { underTerms } from '../../src/core/terms.ts';
import { runAtOnce } from '../../src/io/policies/slices.ts';
import { condition, smallRequest } from '../helpers/conditions.ts';
import { compiled, instant, smallFirm, SMALL_FIRM, sourceFile, starterFiles } from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';

type Wanted = Omit<EntityQuestion, 'sought'> & {
  readonly sought: Extract<EntityQuestion['sought'], { readonly kind: 'resource' }>;
};

function knownOf({ data }: PolicySet, type: string): readonly string[] {
  const declared = [...data.resources.keys()].flatMap((key) =>
    key.startsWith(`${type}\u0000`) ? [key.slice(type.length + 1)] : [],
  );
  return [...new Set([...(type === 'matter' ? data.matters.keys() : []), ...declared])].sort();
}

/** The slow way: each candidate alone. */
function askedOneByOne(set: PolicySet, { sought, supports, ...about }: Wanted): readonly string[] {
  const { type, properties, subject, action } = sought;
  return knownOf(set, type).filter((id) => {
    const decision = decide(set, { ...about, subject, action, resource: { type, id, properties }, approvals: [] });
    return underTerms(decision, { isStranger: false, supports }).outcome === 'allow';
  });
}

const found = (set: PolicySet, question: Wanted): readonly string[] =>
  runAtOnce(findEntities(set, question, null, 10_000)).results.map(({ id }) => id);

/** The starter policies, but that the client of a matter need not be said: a search has no word for one that differs from matter to matter. */
function searchedPolicies(): PolicySet {
  const files = starterFiles().map((file) => {
    if (file.path !== 'firm.yaml') return file;
    const text = JSON.stringify(file.value).replace(
      '"resources":["matter_material","access_report","matter","conflict_report"]',
      '"resources":["matter_material","access_report","conflict_report"]',
    );
    return sourceFile('firm.yaml', text);
  });
  return compiled(files);
}

t.test('starter policies: every person, action and type', (t) => {
  const set = searchedPolicies();
  let [total, all] = [0, 0];
  for (const [id, attributes] of set.data.directory) {
    for (const action of set.firm.names.actions.keys()) {
      for (const type of ['matter', 'client', 'document']) {
        const subject = { id, attributes: { ...attributes, amr: ['mfa'], auth_time: '2026-03-10T13:50:00Z' } };
        const context = { network_zone: 'office', device_managed: true };
        const sought = { kind: 'resource', type, properties: {}, subject, action } as const;
        const about = { actor: null, sourceSystem: 'dms', context, supports: [], isKnown: true };
        const question = { ...about, now: instant('2026-03-10T14:00:00Z'), sought };
        const expected = askedOneByOne(set, question);
        if (expected.join() !== found(set, question).join()) t.fail(`${id} ${action} ${type}`);
        total += expected.length;
        all += 1;
      }
    }
  }
  t.ok(total > 100, `${total} results of ${all} searches`);
  t.end();
});

const PEOPLE = ['u-ann', 'u-ben', 'u-cat', 'u-dan', 'u-eve', 'u-fay'];
const pick = (list: readonly string[], index: number): string => list[index % list.length] ?? '';
const DATA = {
  matters: Array.from({ length: 30 }, (_, index) => ({
    id: `M-${index + 1}`,
    client_id: `C-${index % 4}`,
    ...(index % 3 === 0 ? {} : { practice_group: pick(['tax', 'ip'], index) }),
    ...(index % 5 === 0 ? {} : { responsible_attorney: pick(PEOPLE, index) }),
    ...(index % 7 === 0 ? { proposing_partner: pick(PEOPLE, index + 2) } : {}),
    team: [pick(PEOPLE, index), pick(PEOPLE, index * 5 + 1)],
    ...(index % 6 === 0 ? { properties: { level: 'mid', owner: pick(PEOPLE, index + 3), sealed: false } } : {}),
  })),
  resources: [
    {
      type: 'document',
      id: 'D-1',
      properties: { owner: 'u-ben', level: 'low', matter_id: 'M-1', client_id: 'C-0', sealed: false },
    },
    { type: 'document', id: 'D-2', properties: { level: 'high', matter_id: 'M-2', client_id: 'C-1', sealed: true } },
    { type: 'matter', id: 'M-1', properties: { title: 'ab', client_id: 'C-0' } },
    { type: 'matter', id: 'M-77', properties: { owner: 'u-ann', client_id: 'C-2' } },
  ],
  grants: Array.from({ length: 12 }, (_, index) => ({
    id: `G-${index + 1}`,
    granted_to: pick(PEOPLE, index),
    matter_id: `M-${(index * 3) % 33}`,
    actions: [pick(['read', 'list', 'edit'], index)],
    valid_until: '2026-06-01T00:00:00Z',
    approved_by: 'u-ann',
  })),
  assistants: { 'u-fay': ['u-dan'] },
  people: [{ id: 'u-eve', clearance: 'mid', roles: ['analyst'] }],
};
const WALLS = {
  walls: [
    { id: 'W-1', kind: 'exclusion', matter_id: 'M-3', excluded_people: ['u-dan', 'u-cat'] },
    { id: 'W-2', kind: 'exclusion', client_id: 'C-2', excluded_people: ['u-ann'] },
    { id: 'W-3', kind: 'inclusion', matter_id: 'M-6', included_people: ['u-ben'], acknowledged_by: ['u-ben'] },
  ],
};

const rules = fc.array(fc.tuple(condition, condition), { minLength: 1, maxLength: 3 }).map((pairs) =>
  pairs.map(([when, other], index) => ({
    id: `rule-${index}`,
    effect: 'allow',
    actions: 'any',
    resources: 'any',
    when: { $and: [when, other] },
  })),
);
const LIKELY = [
  { id: 'team', effect: 'allow', actions: ['read'], resources: 'any', when: { $is: 'on_the_team' } },
  { id: 'granted', effect: 'allow', actions: ['list'], resources: 'any', when: { $is: 'granted' } },
  {
    id: 'leads',
    effect: 'allow',
    actions: ['edit'],
    resources: 'any',
    when: { $or: [{ 'matter.responsible_attorney': '${subject.id}' }, { 'matter.client_id': { $in: ['C-3'] } }] },
    unless: { 'matter.practice_group': 'ip' },
  },
  { id: 'never', effect: 'deny', actions: 'any', resources: 'any', when: { 'resource.sealed': true } },
];

t.test('random rules, with walls and what is on file', (t) => {
  const files = { 'firm.yaml': SMALL_FIRM, 'data/data.yaml': DATA, 'walls/walls.yaml': WALLS };
  let [results, bounded] = [0, 0];
  fc.assert(
    fc.property(
      rules,
      fc.boolean(),
      fc.array(smallRequest, { minLength: 8, maxLength: 8 }),
      (random, likely, asked) => {
        const all = likely ? [...LIKELY, ...random.slice(0, 1)] : random;
        const set = compiled({ ...files, 'rules/rules.yaml': { version: 1, rules: all } });
        for (const { subject, action, resource, context, actor, sourceSystem, now } of asked) {
          for (const type of ['matter', 'document']) {
            const { matter_id: _matter, ...properties } = resource.properties;
            const sought = { kind: 'resource', type, properties, subject, action } as const;
            const about = {
              actor,
              sourceSystem: sourceSystem ?? '',
              context,
              supports: ['custom'],
              now,
              isKnown: true,
            };
            const question = { ...about, sought };
            const expected = askedOneByOne(set, question);
            if (expected.join() !== found(set, question).join()) return false;
            const request = { ...about, subject, action, resource: { type, id: '*', properties }, approvals: [] };
            if (reachable(set, request) !== null) bounded += 1;
            results += expected.length;
          }
        }
        return true;
      },
    ),
    runs(60, 3_000),
  );
  t.ok(results > 200, `${results} results`);
  t.ok(bounded > 200, `${bounded} searches were bounded`);
  t.end();
});

t.test('what is ruled out, and what is not', (t) => {
  const files = { 'data/data.yaml': DATA };
  const reach = (when: unknown, action = 'read') => {
    const set = smallFirm([{ id: 'one', effect: 'allow', actions: 'any', resources: ['matter'], when }], files);
    const subject = { id: 'u-ann', attributes: { roles: ['partner'], user_type: 'internal', clearance: 'low' } };
    const request = {
      subject,
      action,
      resource: { type: 'matter', id: '*', properties: {} },
      context: {},
      approvals: [],
    };
    const bound = reachable(set, {
      ...request,
      actor: null,
      sourceSystem: 'dms',
      now: instant('2026-03-10T14:00:00Z'),
    });
    return bound === null ? null : bound.size;
  };
  t.equal(reach({ 'matter.responsible_attorney': '${subject.id}' }), 4);
  t.equal(reach({ 'subject.clearance': 'low' }), null, 'true of all');
  t.equal(reach({ 'subject.clearance': 'high' }), 0, 'true of none');
  t.equal(reach({ 'resource.sealed': true }), null);
  t.equal(reach({ 'resource.sealed': true, 'matter.responsible_attorney': '${subject.id}' }), 4);
  t.equal(reach({ $or: [{ 'resource.id': 'M-4' }, { 'matter.responsible_attorney': '${subject.id}' }] }), 5);
  t.equal(reach({ $not: { 'matter.responsible_attorney': '${subject.id}' } }), null);
  t.equal(reach({ $not: { $not: { 'matter.responsible_attorney': '${subject.id}' } } }), 4);
  t.ok((reach({ $is: 'granted' }) ?? 99) <= 2);
  t.ok((reach({ $is: 'on_the_team' }) ?? 99) < 30);
  t.end();
});
