// The traps of CASL 7 that its place here designs out: it finds candidates by action and type, and judges nothing.
import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import type { DecisionRequest } from '../../src/model/decision.ts';
import { asks, compiled, SMALL_DATA, SMALL_FIRM, smallFirm, type Asked } from '../helpers/policies.ts';

const allow = (id: string, more: object = {}) => ({ id, effect: 'allow', actions: 'any', resources: 'any', ...more });
const deny = (id: string, more: object = {}) => ({ ...allow(id, more), effect: 'deny' });

function decided(rules: readonly object[], asked: Asked | DecisionRequest = {}): string {
  const request = 'resource' in asked ? asked : asks(asked as Asked);
  return decide(smallFirm(rules), request as DecisionRequest).decidedBy.join(' ');
}

t.test('a condition counts, whatever the type is called by', async (t) => {
  const rules = [allow('documents', { resources: ['document'], when: { 'resource.owner': '${subject.id}' } })];
  t.equal(decided(rules), 'default-deny');
  t.equal(decided(rules, { properties: { owner: 'u-ann' } }), 'documents');
});

t.test('a deny with $or, $and, $not denies, as does one about an attribute that is not there', async (t) => {
  const open = allow('open');
  const sealed = { 'resource.sealed': true };
  for (const when of [
    { $or: [sealed] },
    { $and: [sealed] },
    { $not: { $not: sealed } },
    { $or: [{ $not: sealed }, sealed] },
  ]) {
    t.equal(decided([open, deny('shut', { when })], { properties: { sealed: true } }), 'shut');
    t.equal(decided([open, deny('shut', { when })], { properties: { sealed: undefined } }), 'attribute-missing');
    t.equal(decided([open, deny('shut', { when })], { properties: { sealed: 'true' } }), 'attribute-missing');
  }
});

t.test('$ne and $nin do not let in who left the attribute out', async (t) => {
  for (const test of [{ $ne: 'high' }, { $nin: ['high'] }]) {
    const rules = [allow('low', { when: { 'resource.level': test } })];
    t.equal(decided(rules, { properties: { level: undefined } }), 'attribute-missing');
    t.equal(decided(rules, { properties: { level: null } }), 'attribute-missing');
    t.equal(decided(rules, { properties: { level: 'low' } }), 'low');
  }
});

t.test('an absent claim is not equal to an absent property', async (t) => {
  const rules = [allow('same', { when: { 'resource.owner': '${subject.id}' } })];
  for (const id of ['', 'u-ann']) {
    for (const owner of [undefined, null, ''])
      t.not(decided(rules, { subject: { id }, properties: { owner } }), 'same');
  }
  const nobody = [allow('same', { when: { 'resource.owner': '${actor.id}' } })];
  t.equal(decided(nobody, { actor: null, properties: { owner: null } }), 'default-deny');
});

t.test('a claim or property that looks like an operator is a value of the wrong type', async (t) => {
  const rules = [
    allow('owner', { when: { 'resource.owner': '${subject.id}' } }),
    allow('level', { when: { 'resource.level': 'high' } }),
  ];
  for (const value of [{ $ne: null }, { $exists: true }, { $in: ['u-ann', 'high'] }, ['u-ann'], ['high'], [['high']]]) {
    t.equal(decided(rules, { properties: { owner: value } }), 'attribute-missing');
    t.equal(decided(rules, { properties: { level: value } }), 'attribute-missing');
  }
  t.equal(decided(rules, { properties: { owner: '{"$ne":null}' } }), 'default-deny');
});

t.test('a scalar is no list with one entry, and a list no scalar', async (t) => {
  const team = [allow('tagged', { when: { 'resource.tags': { $has: 'mine' } } })];
  t.equal(decided(team, { properties: { tags: 'mine' } }), 'attribute-missing');
  t.equal(decided(team, { properties: { tags: ['mine'] } }), 'tagged');
  t.equal(decided(team, { properties: { tags: { 0: 'mine', length: 1 } } }), 'attribute-missing');
});

t.test('a later allow does not outweigh an earlier deny', async (t) => {
  t.equal(decided([deny('shut'), allow('open')]), 'shut');
  t.equal(decided([allow('open'), deny('shut')]), 'shut');
});

t.test('nothing that a caller sends says what type it is', async (t) => {
  const rules = [allow('walls', { resources: ['wall'] }), deny('documents', { resources: ['document'] })];
  const spoof = {
    ...{ __caslSubjectType__: 'wall', type: 'wall', kind: 'wall', modelName: 'wall' },
    constructor: { name: 'wall', modelName: 'wall' },
  };
  t.equal(decided(rules, { properties: spoof }), 'documents');
  t.equal(decided(rules, { context: spoof, subject: spoof }), 'documents');
  const request = asks();
  const resource = { ...request.resource, ...JSON.parse('{"__caslSubjectType__": "wall", "modelName": "wall"}') };
  t.equal(decided(rules, { ...request, resource }), 'documents');
  const prototype = { constructor: class wall {}, __caslSubjectType__: 'wall' };
  const modelled: Record<string, unknown> = Object.assign(Object.create(prototype), request.resource.properties);
  t.equal(decided(rules, { ...request, resource: { ...request.resource, properties: modelled } }), 'documents');
  for (const type of ['constructor', '__caslSubjectType__', 'Object', 'object', '*any-type*', '__proto__', 'all'])
    t.equal(decided(rules, { type }), 'default-deny', type);
});

t.test('`manage`, `all` and `constructor` are names like others', async (t) => {
  const firm = SMALL_FIRM.replace(
    'actions: { read',
    'actions: { manage: Manage, crud: All of it, constructor: Build, read',
  ).replace('resource_types: { document', 'resource_types: { all: A set, constructor: A plan, document');
  const set = compiled({
    'firm.yaml': firm,
    'data/data.yaml': SMALL_DATA,
    'rules/rules.yaml': `version: 1
rules:
  - { id: managers, effect: allow, actions: [manage], resources: [document] }
  - { id: sets, effect: allow, actions: [read], resources: [all] }
  - { id: plans, effect: deny, actions: [constructor], resources: [constructor] }
  - { id: builders, effect: allow, actions: [constructor], resources: any }
`,
  });
  const by = (action: string, type: string) => decide(set, asks({ action, type })).decidedBy.join(' ');
  t.equal(by('manage', 'document'), 'managers');
  t.equal(by('read', 'document'), 'default-deny', 'manage is not every action');
  t.equal(by('read', 'all'), 'sets');
  t.equal(by('read', 'note'), 'default-deny', 'all is not every type');
  t.equal(by('crud', 'document'), 'default-deny');
  t.equal(by('constructor', 'constructor'), 'plans');
  t.equal(by('constructor', 'document'), 'builders');
  t.equal(by('toString', 'valueOf'), 'default-deny');
  t.equal(by('__proto__', '__proto__'), 'default-deny');
});

t.test('an unknown action or type is spoken of by `any` and `except` only', async (t) => {
  const rules = [
    deny('any-any'),
    deny('except-list', { actions: { except: ['list'] } }),
    deny('except-wall', { resources: { except: ['wall'] } }),
    deny('all-named', {
      actions: ['read', 'list', 'edit', 'export'],
      resources: ['document', 'note', 'matter', 'client', 'wall', 'report'],
    }),
    deny('named-action', { actions: ['read'] }),
    deny('named-type', { resources: ['document'] }),
  ];
  t.equal(decided(rules, { action: 'shred', type: 'scroll' }), 'any-any except-list except-wall');
  t.equal(decided(rules, { action: 'read', type: 'scroll' }), 'any-any except-list except-wall named-action');
  t.equal(decided(rules, { action: 'shred', type: 'document' }), 'any-any except-list except-wall named-type');
  t.equal(decided(rules, { action: 'list', type: 'wall' }), 'all-named any-any');
});

t.test('candidates for names nobody knows share one list, so that callers cannot fill the memory', async (t) => {
  const { ruleIndex } = smallFirm([allow('a'), deny('b', { actions: { except: ['list'] } })]);
  const list = ruleIndex.candidates('shred-1', 'scroll-1', 'internal');
  t.equal(ruleIndex.candidates('shred-2', 'scroll-2', 'internal'), list);
  t.strictSame(
    list.map(({ rule }) => rule.id),
    ['a', 'b'],
    'in file order',
  );
});
