// What a request becomes before it is judged: typed values, what is on file in their place, and what follows from both.
import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import { gatherFacts } from '../../src/core/facts.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import { NONE, UNKNOWN_VALUE } from '../../src/core/truth.ts';
import { asks, smallFirm, type Asked } from '../helpers/policies.ts';

const FILED = `
people:
  - { id: u-eve, clearance: low, amr: [mfa], auth_time: '2026-03-10T13:00:00Z' }
  - { id: u-fay, user_type: external, roles: [] }
  - { id: constructor, clearance: mid }
resources:
  - { type: document, id: D-7, properties: { matter_id: M-2, client_id: C-2, level: high, owner: u-ben } }
  - { type: note, id: D-1, properties: { owner: u-ben } }
  - { type: document, id: __proto__, properties: { owner: u-pro } }
matters:
  - { id: M-3, client_id: C-3, properties: { level: mid, owner: u-cat, sealed: true } }
  - { id: __proto__, client_id: C-4, team: [u-pro] }
`;
const set = smallFirm([], { 'data/filed.yaml': FILED });

/** Values by path, with null for a known none and `?` for unknown. */
function facts(asked: Asked, ...paths: readonly string[]): unknown[] {
  return valuesIn(set, asked, paths);
}

function valuesIn(of: PolicySet, asked: Asked, paths: readonly string[]): unknown[] {
  const { frame } = gatherFacts(of, asks(asked));
  return paths.map((path) => {
    const attribute = of.firm.dictionary.byPath.get(path);
    const value: unknown = attribute === undefined ? 'undeclared' : frame.slots[attribute.slot];
    return value === NONE ? null : value === UNKNOWN_VALUE ? '?' : value;
  });
}

t.test('the matter and the client of a request', async (t) => {
  const ids = (asked: Asked) => facts(asked, 'matter.id', 'client.id');
  t.strictSame(ids({}), ['M-1', 'C-1']);
  t.strictSame(ids({ type: 'matter', id: 'M-2' }), ['M-2', 'C-1'], 'a matter is its own, whatever is said of it');
  t.strictSame(ids({ type: 'client', id: 'C-2' }), ['M-1', 'C-2']);
  t.strictSame(ids({ type: 'matter', id: 'M-2', properties: { matter_id: 5, client_id: null } }), ['M-2', '?']);
  t.strictSame(ids({ properties: { matter_id: null, client_id: '' } }), ['?', '?'], 'required of documents');
  t.strictSame(ids({ type: 'report', properties: { matter_id: null, client_id: '' } }), [null, null], 'not of reports');
  t.strictSame(ids({ type: 'report', properties: { matter_id: 5, client_id: ['C-1'] } }), ['?', '?']);
  t.strictSame(ids({ type: 'matter', id: '' }), ['?', 'C-1'], 'an empty id is no id');
  const { matter, client } = decide(set, asks({ type: 'report', properties: { matter_id: null, client_id: 5 } }));
  t.strictSame([matter, client], [null, null]);
});

t.test('what the file says of the matter', async (t) => {
  const paths = ['registered', 'client_id', 'practice_group', 'responsible_attorney', 'proposing_partner', 'team'];
  const of = (asked: Asked) => facts(asked, ...paths.map((name) => `matter.${name}`));
  t.strictSame(of({}), [true, 'C-1', 'tax', 'u-ann', null, ['u-ann', 'u-ben']]);
  t.strictSame(of({ properties: { matter_id: 'M-2' } }), [true, 'C-2', null, null, 'u-cat', []]);
  t.strictSame(of({ properties: { matter_id: 'M-9' } }), [false, null, null, null, null, []]);
  t.strictSame(of({ type: 'report', properties: { matter_id: null } }), [false, null, null, null, null, []]);
  t.strictSame(of({ properties: { matter_id: null } }), ['?', '?', '?', '?', '?', '?']);
  t.strictSame(of({ properties: { matter_id: 5 } }), ['?', '?', '?', '?', '?', '?']);
  for (const matter_id of ['constructor', 'toString', 'm-1'])
    t.strictSame(of({ properties: { matter_id } }), [false, null, null, null, null, []], matter_id);
  t.strictSame(of({ properties: { matter_id: '__proto__' } })[5], ['u-pro']);
  const claimed = { team: ['u-eve'], responsible_attorney: 'u-eve', registered: true, 'matter.team': ['u-eve'] };
  t.strictSame(of({ properties: { ...claimed, matter_id: 'M-9' }, context: { matter: claimed } })[5], []);
});

t.test('what is on file about a person outranks the token', async (t) => {
  const paths = ['subject.clearance', 'subject.amr', 'subject.auth_time', 'subject.roles'];
  const eve = { id: 'u-eve', clearance: 'high', amr: [], auth_time: 5, roles: ['clerk'] };
  t.strictSame(facts({ subject: eve }, ...paths), ['low', ['mfa'], Date.UTC(2026, 2, 10, 13), ['clerk']]);
  t.strictSame(facts({ subject: { ...eve, id: 'u-dan' } }, ...paths), ['high', [], 5000, ['clerk']]);
  t.strictSame(facts({ subject: { id: 'u-fay' } }, 'subject.roles', 'subject.user_type'), [[], 'external']);
  const { onFile } = decide(set, asks({ subject: { id: 'u-fay' } }));
  t.strictSame(onFile, ['subject.roles', 'subject.user_type']);
  t.strictSame(facts({ subject: { id: 'constructor' } }, ...paths)[0], 'mid');
  t.strictSame(facts({ subject: { id: 'toString' } }, ...paths)[0], 'high');
});

t.test('what is on file about a resource outranks the request, and its own entry that of its matter', async (t) => {
  const paths = ['resource.matter_id', 'matter.id', 'client.id', 'resource.level', 'resource.owner', 'resource.sealed'];
  t.strictSame(facts({ id: 'D-7', properties: { owner: 'u-ann' } }, ...paths), [
    'M-2',
    'M-2',
    'C-2',
    'high',
    'u-ben',
    false,
  ]);
  t.strictSame(facts({ type: 'note', id: 'D-7' }, ...paths), ['M-1', 'M-1', 'C-1', 'low', null, false], 'another type');
  const m3 = { matter_id: 'M-3', level: 'low', owner: 'u-ann', sealed: false };
  t.strictSame(facts({ properties: m3 }, ...paths), ['M-3', 'M-3', 'C-1', 'mid', 'u-cat', true]);
  t.strictSame(facts({ type: 'note', properties: m3 }, ...paths), ['M-3', 'M-3', 'C-1', 'mid', 'u-ben', true]);
  t.strictSame(facts({ type: 'matter', id: 'M-3' }, ...paths), ['M-1', 'M-3', 'C-1', 'mid', 'u-cat', true]);
  t.strictSame(facts({ id: '__proto__' }, 'resource.owner'), ['u-pro']);
  const noted = decide(set, asks({ type: 'note', properties: m3 }));
  t.strictSame(noted.onFile, ['resource.level', 'resource.owner', 'resource.sealed']);
  t.strictSame(noted.missing, []);
});

t.test('values on file are there, also where the request left them out or mistyped them', async (t) => {
  const rule = { effect: 'allow', actions: 'any', resources: 'any' };
  const rules = [
    { id: 'there', ...rule, when: { 'resource.sealed': { $exists: true } } },
    { id: 'true', ...rule, when: { 'resource.sealed': true } },
  ];
  const filed = smallFirm(rules, { 'data/filed.yaml': FILED });
  for (const sealed of [undefined, null, 'no', 5]) {
    const { decidedBy, missing } = decide(filed, asks({ properties: { matter_id: 'M-3', sealed } }));
    t.strictSame(decidedBy, ['there', 'true']);
    // What a caller should have sent does not depend on what is on file: no file shows (P7).
    t.strictSame(missing, ['resource.sealed']);
    t.strictSame(decide(filed, asks({ properties: { sealed } })).missing, ['resource.sealed']);
  }
});

t.test('the kind of subject decides what is required, and the file knows it better than the token', async (t) => {
  const of = (subject: Asked['subject']) => decide(set, asks({ subject: { ...subject, clearance: null } })).missing;
  t.strictSame(of({ user_type: 'internal' }), ['subject.clearance']);
  t.strictSame(of({ user_type: 'external' }), []);
  t.strictSame(of({ user_type: 'internal', id: 'u-fay' }), []);
  t.strictSame(of({ user_type: 'alien', id: 'u-fay' }), ['subject.user_type']);
  t.strictSame(of({ user_type: 'alien' }), ['subject.clearance', 'subject.user_type']);
});

t.test('the source system and approvals come from nowhere else', async (t) => {
  const rules = [
    { id: 'portal', effect: 'allow', actions: 'any', resources: 'any', when: { 'context.source_system': 'portal' } },
    {
      ...{ id: 'approved', effect: 'allow', actions: 'any', resources: 'any' },
      when: { 'context.approvals': { $some: { by: { $ne: '${subject.id}' }, role: 'partner' } } },
    },
  ];
  const firm = smallFirm(rules);
  const approvals = [{ by: 'u-ben', role: 'partner' }];
  const claimed = { source_system: 'portal', approvals };
  t.strictSame(decide(firm, asks({ context: claimed, properties: claimed, subject: claimed })).decidedBy, [
    'default-deny',
  ]);
  t.strictSame(decide(firm, asks({ sourceSystem: 'portal' })).decidedBy, ['portal']);
  t.strictSame(decide(firm, asks({ approvals })).decidedBy, ['approved']);
  t.strictSame(decide(firm, asks({ approvals: [{ by: 'u-ann', role: 'partner' }] })).decidedBy, ['default-deny']);
  for (const wrong of ['all', [null], [{ by: 'u-ben', role: 5 }]])
    t.strictSame(decide(firm, asks({ approvals: wrong })).decidedBy, ['attribute-missing']);
  t.strictSame(decide(firm, asks({ sourceSystem: 'elsewhere' })).decidedBy, ['attribute-missing']);
});

t.test('members with names that every object knows change nothing', async (t) => {
  const hostile: unknown = JSON.parse(
    '{"__proto__": {"level": "high", "owner": "u-ann"}, "constructor": {"prototype": {"owner": "u-ann"}}, "hasOwnProperty": 1, "toString": 1}',
  );
  const paths = ['resource.level', 'resource.owner', 'subject.amr', 'context.managed', 'context.zone'];
  const plain = facts({}, ...paths);
  const members = (rest: object) => Object.assign(JSON.parse(JSON.stringify(hostile)), rest);
  const request = asks();
  const polluted = {
    ...request,
    subject: { id: 'u-ann', attributes: members(request.subject.attributes) },
    resource: { ...request.resource, properties: members(request.resource.properties) },
    context: members(request.context),
  };
  const { frame } = gatherFacts(set, polluted);
  const values = paths.map((path) => frame.slots[set.firm.dictionary.byPath.get(path)?.slot ?? -1]);
  t.strictSame(
    values.map((value) => (value === NONE ? null : value)),
    plain,
  );
  t.equal(Reflect.get({}, 'owner'), undefined, 'no object learned anything');
  const bare = { ...request, context: Object.assign(Object.create(null), { zone: 'office' }) };
  t.strictSame(decide(set, bare), decide(set, request), 'objects without prototype are as good');
});

t.test('no length of a list, and no number of members, is too much', async (t) => {
  const many = 200_000;
  const rules = [
    { id: 'mfa', effect: 'allow', actions: 'any', resources: 'any', when: { $is: 'mfa' } },
    {
      id: 'big',
      effect: 'deny',
      actions: 'any',
      resources: 'any',
      when: { 'context.visits': { $some: { count: -1 } } },
    },
  ];
  const amr = [...Array.from({ length: many }, (_, index) => `method-${index}`), 'mfa'];
  const visits = Array.from({ length: many }, (_, count) => ({ count }));
  const extras = Object.fromEntries(Array.from({ length: many }, (_, index) => [`extra-${index}`, index]));
  const firm = smallFirm(rules);
  t.strictSame(decide(firm, asks({ subject: { amr }, context: { visits, ...extras } })).decidedBy, ['mfa']);
  const wrong = decide(firm, asks({ subject: { amr: [...amr, 5] }, context: { visits: [...visits, { count: 'x' }] } }));
  t.strictSame([wrong.decidedBy, wrong.missing], [['attribute-missing'], ['context.visits', 'subject.amr']]);
});

t.test('a frame is made anew for each request and shares nothing that one could write to', async (t) => {
  const first = gatherFacts(set, asks({ subject: { id: 'u-eve' }, actor: 'ai', properties: { owner: 'u-1' } }));
  const second = gatherFacts(set, asks({ properties: {} }));
  const third = gatherFacts(set, asks({ properties: {} }));
  t.not(first.frame.slots, second.frame.slots);
  t.not(first.frame.terms, second.frame.terms);
  t.not(first.frame.absent, second.frame.absent);
  t.not(first.frame.matched, second.frame.matched);
  t.strictSame(second, third, 'nothing of the first is left');
});

t.test('a firm need not know matters or clients', async (t) => {
  const firm = `version: 1
roles: { clerk: Clerk }
actions: { read: Read }
resource_types: { page: Page, matter: Matter }
source_systems: [dms]
attributes: {}
`;
  const rules = [
    { id: 'r', effect: 'allow', actions: 'any', resources: 'any', when: { 'matter.id': { $none: true } } },
  ];
  const plain = smallFirm(rules, { 'firm.yaml': firm, 'data/data.yaml': 'matters: [{ id: M-1, client_id: C-1 }]' });
  t.strictSame(valuesIn(plain, {}, ['matter.id', 'client.id', 'matter.registered']), [null, null, false]);
  t.strictSame(valuesIn(plain, { type: 'matter', id: 'M-1' }, ['matter.id', 'matter.registered']), ['M-1', true]);
  t.strictSame(decide(plain, asks({ subject: { roles: ['clerk'] } })).decidedBy, ['r']);
});
