import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import { decideWithFields, protectedFields } from '../../src/core/fields.ts';
import { asks, compiled, smallFiles, SMALL_FIRM, starterPolicies, type Asked } from '../helpers/policies.ts';

const FIRM = SMALL_FIRM.replace('    title: {', '    field: { type: string, optional: the whole }\n    title: {');
const any = { actions: 'any', resources: 'any' };
const RULES = [
  { id: 'open', effect: 'allow', ...any, obligations: ['log:copy'] },
  {
    id: 'rate',
    effect: 'deny',
    ...any,
    when: { 'resource.field': 'rate' },
    unless: { 'subject.roles': { $has: 'clerk' } },
  },
  {
    id: 'notes',
    effect: 'deny',
    ...any,
    when: { $or: [{ 'resource.field': { $in: ['notes', 'memo'] } }, { 'resource.sealed': true }] },
  },
  { id: 'watched', effect: 'allow', ...any, when: { 'resource.field': 'rate' }, obligations: ['notify:officer'] },
];
const set = compiled(smallFiles(RULES, { 'firm.yaml': FIRM }));
const permitted = (asked: Asked) =>
  decideWithFields(set, asks(asked)).fields.flatMap(({ field, outcome }) => (outcome === 'allow' ? [field] : []));

t.test('the fields are those that rules name', async (t) => {
  t.strictSame(protectedFields(set), ['memo', 'notes', 'rate']);
  t.strictSame(protectedFields(starterPolicies()), ['billing_rate', 'privileged_notes']);
  t.strictSame(protectedFields(compiled(smallFiles([]))), []);
});

t.test('each field is decided as a request for it would be', async (t) => {
  t.strictSame(permitted({}), []);
  t.strictSame(permitted({ subject: { roles: ['clerk'] } }), ['rate']);
  for (const asked of [
    {},
    { subject: { roles: ['clerk'] } },
    { subject: { roles: null } },
    { properties: { sealed: null } },
  ]) {
    const request = asks(asked);
    for (const { field, outcome } of decideWithFields(set, request).fields) {
      const properties = { ...request.resource.properties, field };
      const alone = decide(set, { ...request, resource: { ...request.resource, properties } });
      t.ok(outcome === 'deny' || alone.outcome === 'allow', field);
    }
  }
});

t.test('whoever may not see the resource sees no field of it', async (t) => {
  const clerk = { subject: { roles: ['clerk'] } };
  t.strictSame(permitted({ ...clerk, properties: { sealed: true } }), []);
  t.strictSame(permitted({ ...clerk, properties: { sealed: null } }), []);
  t.strictSame(
    permitted({ ...clerk, properties: { field: 'notes' } }),
    [],
    'the request itself asks for what is refused',
  );
});

t.test('the obligations of every permitted field come along', async (t) => {
  const ids = (asked: Asked) => decideWithFields(set, asks(asked)).decision.obligations.map(({ id }) => id);
  t.strictSame(ids({}), ['log:copy']);
  t.strictSame(ids({ subject: { roles: ['clerk'] } }), ['log:copy', 'notify:officer']);
});
