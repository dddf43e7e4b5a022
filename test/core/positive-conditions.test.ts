// What a front end's operators can say of a condition: exactly that, or nothing; and never by an operator that absence makes true.
import t from 'tap';
import { abilitiesOf, type Ability } from '../../src/core/abilities.ts';
import { smallFirm } from '../helpers/policies.ts';

type Json = Readonly<Record<string, unknown>>;

const ANN = { user_type: 'internal', roles: ['partner'], clearance: 'mid', amr: ['mfa'] };

interface Who {
  readonly id?: string;
  readonly deny?: Json;
}

/** Of `read` on a document, for rules that permit it under each of these. */
function clausesOf(when: readonly Json[], { id = 'u-ann', deny }: Who = {}): readonly Ability['conditions'][] {
  const rule = { title: 'A rule', actions: ['read'], resources: ['document'] };
  const allows = when.map((one, index) => ({ ...rule, id: `allow-${String(index)}`, effect: 'allow', when: one }));
  const denies = deny === undefined ? [] : [{ ...rule, id: 'deny', effect: 'deny', ...deny }];
  const subject = { id, attributes: ANN };
  const question = { subject, actor: null, context: { managed: true }, sourceSystem: 'dms', now: 0 };
  return abilitiesOf(smallFirm([...allows, ...denies]), question)
    .filter(({ action, resourceType }) => action === 'read' && resourceType === 'document')
    .map(({ conditions }) => conditions);
}

const STATED = { $exists: true, $ne: null };
const SAID: readonly (readonly [when: Json, expected: readonly Json[]])[] = [
  [{ 'resource.title': 'x' }, [{ title: { $eq: 'x' } }]],
  [{ 'resource.sealed': false }, [{ sealed: { $eq: false } }]],
  [{ 'resource.sealed': { $ne: true } }, [{ sealed: { $eq: false } }]],
  [{ $not: { 'resource.sealed': true } }, [{ sealed: { $eq: false } }]],
  [{ 'resource.level': { $in: ['low', 'mid'] } }, [{ level: { $in: ['low', 'mid'] } }]],
  [{ 'resource.level': { $ne: 'mid' } }, [{ level: { $in: ['low', 'high'] } }]],
  [{ 'resource.level': { $lt: 'high' } }, [{ level: { $in: ['low', 'mid'] } }]],
  [{ 'resource.level': { $gte: 'mid' } }, [{ level: { $in: ['mid', 'high'] } }]],
  [{ $not: { 'resource.level': { $lte: 'low' } } }, [{ level: { $in: ['mid', 'high'] } }]],
  [{ 'resource.level': { $lte: '${subject.clearance}' } }, [{ level: { $in: ['low', 'mid'] } }]],
  [{ 'resource.pages': { $lte: 10 } }, [{ pages: { ...STATED, $lte: 10 } }]],
  [{ $not: { 'resource.pages': { $lte: 10 } } }, [{ pages: { ...STATED, $gt: 10 } }]],
  [{ 'resource.owner': '${subject.id}' }, [{ owner: { $eq: 'u-ann' } }]],
  [{ 'resource.tags': { $has: 'urgent' } }, [{ tags: { $in: ['urgent'] } }]],
  [{ 'resource.client_id': { $in: ['C-1'] } }, [{ client_id: { $eq: 'C-1' } }]],
  [{ 'client.id': 'C-1' }, [{ client_id: { $eq: 'C-1' } }]],
  [{ $is: 'on_the_team' }, [{ 'matter.team': { $in: ['u-ann'] } }]],
  [{ 'matter.practice_group': 'tax' }, [{ 'matter.practice_group': { $eq: 'tax' } }]],
  [{ $is: ['on_the_team', 'mfa'], 'context.managed': true }, [{ 'matter.team': { $in: ['u-ann'] } }]],
  [
    { $or: [{ 'resource.title': 'x' }, { 'resource.owner': '${subject.id}' }] },
    [{ title: { $eq: 'x' } }, { owner: { $eq: 'u-ann' } }],
  ],
  [{ 'resource.level': { $gte: 'mid' }, $not: { 'resource.level': 'high' } }, [{ level: { $in: ['mid'] } }]],
  [{ $is: ['internal', 'mfa'] }, [{}]],
];
const UNSAID: Readonly<Record<string, Json>> = {
  'known to be none': { 'resource.title': { $none: true } },
  'not stated': { 'resource.title': { $exists: false } },
  'any text but one': { 'resource.title': { $ne: 'x' } },
  'two attributes of the resource': { 'resource.owner': '${matter.responsible_attorney}' },
  'an instant': { 'resource.filed': { $lt: '${now}' } },
  'a matter': { 'resource.matter_id': 'M-1' },
  'the matter, by its own id': { 'matter.id': 'M-1' },
  'a circumstance that nobody stated': { 'context.zone': 'office' },
  'what is not so': { $is: 'internal', 'subject.clearance': 'high' },
  'what contradicts itself': { $and: [{ 'resource.sealed': true }, { 'resource.sealed': false }] },
};

t.test('what they say', async (t) => {
  for (const [when, expected] of SAID) {
    const found = clausesOf([when]);
    t.strictSame(found, expected, JSON.stringify(when));
  }
});

t.test('what they cannot say stays hidden', async (t) => {
  for (const [name, when] of Object.entries(UNSAID)) t.strictSame(clausesOf([when]), [], name);
});

t.test('a grant shows the button whatever the matter', async (t) => {
  t.strictSame(clausesOf([{ $is: 'granted' }], { id: 'u-dan' }), [{}]);
  t.strictSame(clausesOf([{ $is: 'granted' }]), [], 'none was given');
});

t.test('refusals', async (t) => {
  const allow = [{ 'resource.title': 'x' }];
  const shown = [{ title: { $eq: 'x' } }];
  t.strictSame(clausesOf(allow, { deny: { when: { $is: 'mfa' } } }), [], 'certain');
  t.strictSame(clausesOf(allow, { deny: { when: { 'resource.sealed': true } } }), shown, 'depends on the resource');
  t.strictSame(
    clausesOf(allow, { deny: { when: { 'context.zone': 'home' } } }),
    shown,
    'depends on what is not stated',
  );
  const curable = { when: { $is: 'mfa' }, advice: ['advice:memo'] };
  t.strictSame(clausesOf(allow, { deny: curable }), shown, 'tells the person what to do');
  const alert = { when: { $is: 'mfa' }, advice: ['alert:officer'] };
  t.strictSame(clausesOf(allow, { deny: alert }), [], 'tells the person nothing');
});
