import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import { isRequired, SLOT, type Presence } from '../../src/core/dictionary.ts';
import { asks, errorsIn, smallFiles, smallFirm, SMALL_FIRM, starterPolicies, type Asked } from '../helpers/policies.ts';

const set = smallFirm([]);
const presence = (path: string): Presence => set.firm.dictionary.byPath.get(path)?.presence ?? { kind: 'required' };

t.test('required_for: members of an entry are joined by AND, and user types count as met while unknown', async (t) => {
  const rows: readonly (readonly [
    path: string,
    type: string,
    action: string,
    userType: string | undefined,
    boolean,
  ])[] = [
    ['resource.matter_id', 'document', 'read', 'internal', true],
    ['resource.matter_id', 'note', 'shred', 'service', true],
    ['resource.matter_id', 'matter', 'read', 'internal', false],
    ['resource.matter_id', 'scroll', 'read', 'internal', false],
    ['resource.sealed', 'document', 'read', 'internal', true],
    ['resource.sealed', 'document', 'list', 'internal', false],
    ['resource.sealed', 'document', 'shred', 'internal', true],
    ['resource.sealed', 'report', 'read', 'internal', false],
    ['subject.clearance', 'report', 'read', 'internal', true],
    ['subject.clearance', 'report', 'read', 'external', false],
    ['subject.clearance', 'report', 'read', undefined, true],
    ['context.zone', 'scroll', 'shred', 'service', true],
    ['resource.owner', 'document', 'read', 'internal', false],
    ['context.managed', 'document', 'read', 'internal', false],
  ];
  for (const [path, type, action, userType, expected] of rows)
    t.equal(isRequired(presence(path), type, action, userType), expected, `${path} ${action} ${type} ${userType}`);
});

t.test('required_for: entries are joined by OR', async (t) => {
  const two: Presence = {
    kind: 'required_for',
    meaning: null,
    entries: [
      { resources: new Set(['a']), actions: new Set(['x']), exceptActions: null, userTypes: null },
      { resources: null, actions: null, exceptActions: new Set(['x']), userTypes: new Set(['client']) },
    ],
  };
  t.equal(isRequired(two, 'a', 'x', 'internal'), true);
  t.equal(isRequired(two, 'a', 'y', 'internal'), false);
  t.equal(isRequired(two, 'b', 'y', 'client'), true);
  t.equal(isRequired(two, 'b', 'x', 'client'), false);
  t.equal(isRequired(two, 'b', 'y', undefined), true);
});

t.test('missing names what is required and absent, or mistyped, in part or in whole', async (t) => {
  const missing = (asked: Asked) => decide(set, asks(asked)).missing;
  t.strictSame(missing({}), []);
  t.strictSame(missing({ subject: { clearance: null, roles: undefined, user_type: '' } }), [
    'subject.clearance',
    'subject.roles',
    'subject.user_type',
  ]);
  t.strictSame(missing({ subject: { user_type: 'alien', clearance: undefined } }), [
    'subject.clearance',
    'subject.user_type',
  ]);
  t.strictSame(missing({ subject: { user_type: 'client', clearance: undefined } }), []);
  t.strictSame(missing({ properties: { owner: 5, tags: ['a', 5], sealed: 'false', pages: Infinity } }), [
    'resource.owner',
    'resource.pages',
    'resource.sealed',
    'resource.tags',
  ]);
  t.strictSame(missing({ context: { zone: null, parcel: { size: '5', to: 'u-1', sent: 5 } } }), [
    'context.parcel.sent',
    'context.parcel.size',
    'context.zone',
  ]);
  t.strictSame(missing({ context: { visits: [{ count: 1 }, { count: 'one', at: 'now' }] } }), ['context.visits']);
  t.strictSame(missing({ context: { visits: [{}, 'visit'] } }), ['context.visits']);
  t.strictSame(missing({ sourceSystem: null, approvals: [{ by: 5 }] }), ['context.approvals', 'context.source_system']);
  t.strictSame(missing({ sourceSystem: 'elsewhere', approvals: 'yes' }), [
    'context.approvals',
    'context.source_system',
  ]);
  t.strictSame(missing({ id: '', subject: { id: '' } }), ['resource.id', 'subject.id']);
  t.strictSame(missing({ properties: { undeclared: 5, constructor: 5 }, context: { approvals: 5 } }), []);
  t.strictSame(missing({ type: 'scroll', action: 'shred', properties: { matter_id: undefined } }), []);
});

t.test('the slots that walls and facts use are those of the built-in attributes', async (t) => {
  const paths = {
    ...{ subjectId: 'subject.id', roles: 'subject.roles', userType: 'subject.user_type', actorId: 'actor.id' },
    ...{ actionName: 'action.name', resourceType: 'resource.type', resourceId: 'resource.id' },
    ...{ sourceSystem: 'context.source_system', approvals: 'context.approvals', matterId: 'matter.id' },
    ...{ matterRegistered: 'matter.registered', matterClient: 'matter.client_id', now: 'now', clientId: 'client.id' },
    ...{ matterPracticeGroup: 'matter.practice_group', matterResponsible: 'matter.responsible_attorney' },
    ...{ matterProposing: 'matter.proposing_partner', matterTeam: 'matter.team', grants: 'data.grants' },
    ...{ services: 'data.services' },
  };
  const { byPath, attributes } = set.firm.dictionary;
  for (const [name, slot] of Object.entries(SLOT))
    t.equal(byPath.get(paths[name as keyof typeof paths])?.slot, slot, name);
  t.strictSame(
    attributes.map(({ slot }) => slot),
    [...attributes.keys()],
  );
});

t.test('every attribute says what its absence means, exactly once', async (t) => {
  const problems = (attribute: string) =>
    errorsIn(
      smallFiles([], { 'firm.yaml': SMALL_FIRM.replace('  resource:\n', `  resource:\n    odd: ${attribute}\n`) }),
    );
  const presenceProblem =
    'firm.yaml:18:5: `resource.odd` must say what its absence means: exactly one of required, required_for, optional or default' +
    ' — write `optional: what absence means, in words` when absence is harmless';
  t.strictSame(problems('{ type: string }'), [presenceProblem]);
  t.strictSame(problems('{ type: string, required: true, default: x }'), [presenceProblem]);
  t.strictSame(problems('{ type: string, required: true, optional: nothing }'), [presenceProblem]);
  t.strictSame(problems('{ type: string, default: x, optional: nothing }'), [presenceProblem]);
  t.strictSame(problems('{ type: string, default: 5 }'), [
    'firm.yaml:18:26: the default of `resource.odd` must be string',
  ]);
  t.strictSame(problems(`{ type: string, default: '' }`), [
    'firm.yaml:18:26: the default of `resource.odd` must be string',
  ]);
  t.strictSame(problems('{ type: boolean, default: false }'), []);
  t.strictSame(problems('{ type: string, required_for: [{ actions: [read] }], optional: nothing }'), []);
});

t.test('a name means one attribute, or one field, and nothing else', async (t) => {
  const told = (text: string) =>
    errorsIn(
      smallFiles([], {
        'firm.yaml': SMALL_FIRM.replace('  context:\n', `  context:\n    ${text}: { type: string, optional: x }\n`),
      }),
    );
  t.strictSame(told('parcel.to'), ['firm.yaml:29:5: an attribute cannot be named `parcel.to` — choose another name']);
  t.strictSame(told('constructor'), [
    'firm.yaml:29:5: an attribute cannot be named `constructor` — choose another name',
  ]);
  t.strictSame(told('approvals'), [
    'firm.yaml:29:5: `context.approvals` is built in and cannot be declared — remove the entry',
  ]);
  t.strictSame(told('source_system').length, 1);
});

t.test('the starter dictionary asks exactly for what the firm asks for', async (t) => {
  const { declared } = starterPolicies().firm.dictionary;
  const asked = (type: string, action: string, userType: string) =>
    declared
      .filter(({ presence: one }) => isRequired(one, type, action, userType))
      .map(({ path }) => path)
      .sort();
  const always = ['subject.roles', 'subject.user_type'];
  const staff = [...always, 'context.network_zone', 'subject.contract_type', 'subject.employee_status'];
  const ofContent = ['client_id', 'confidentiality', 'matter_id', 'matter_status'].map((name) => `resource.${name}`);
  const ofPapers = ['privileged', 'work_product', 'work_product_internal'].map((name) => `resource.${name}`);
  t.strictSame(asked('policy', 'read', 'service'), always);
  t.strictSame(asked('policy', 'read', 'client'), ['context.network_zone', ...always]);
  t.strictSame(asked('policy', 'approve', 'internal'), [...staff, 'resource.author'].sort());
  t.strictSame(asked('document', 'list', 'internal'), [...staff, ...ofContent, ...ofPapers].sort());
  t.strictSame(
    asked('document', 'read', 'service'),
    [...always, ...ofContent, ...ofPapers, 'resource.phi', 'resource.export_controlled'].sort(),
  );
  t.strictSame(asked('wall', 'edit', 'internal'), [...staff, 'resource.named_people'].sort());
  t.strictSame(
    asked('invoice', 'export', 'external'),
    [
      ...[...always, ...ofContent, 'context.network_zone', 'context.bulk_count', 'context.recent_downloads'],
      ...['resource.pii', 'resource.data_region'],
    ].sort(),
  );
});
