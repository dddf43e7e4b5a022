// Gates only ever leave out what would be false, however many roles share a bit.
import fc from 'fast-check';
import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import { explain } from '../../src/core/explain.ts';
import { asks, compiled, SMALL_DATA, SMALL_FIRM } from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';

const ROLES = Array.from({ length: 70 }, (_, index) => `role-${index}`);
const firm = SMALL_FIRM.replace('roles: { partner', `roles: { ${ROLES.map((role) => `${role}: R, `).join('')}partner`);
const has = (role: string) => ({ 'subject.roles': { $has: role } });
const conditions: readonly object[] = [
  ...ROLES.map(has),
  { 'subject.roles': { $has_any: ['role-1', 'role-69'] } },
  { $or: [has('role-2'), has('role-40')] },
  { $or: [has('role-2'), { 'context.zone': 'office' }] },
  { $not: has('role-3') },
  { $and: [has('role-4'), has('role-35')] },
  {
    $and: [{ 'context.zone': 'office' }, { $or: [has('role-5'), { $and: [has('role-6'), { $not: has('role-7') }] }] }],
  },
  { 'subject.roles': { $has: '${context.parcel.to}' } },
  { 'subject.roles': { $has: '${resource.owner}' }, 'resource.sealed': false },
  { 'subject.roles': { $exists: false } },
];
const set = compiled({
  'firm.yaml': firm,
  'data/data.yaml': SMALL_DATA,
  'rules/rules.yaml': {
    version: 1,
    rules: conditions.map((when, index) => ({
      id: `r${index}`,
      effect: 'deny',
      actions: 'any',
      resources: 'any',
      when,
    })),
  },
});

t.test('a rule behind a gate is as true as without it', async () => {
  const roles = fc.oneof(
    { arbitrary: fc.array(fc.constantFrom(...ROLES, 'partner'), { maxLength: 4 }), weight: 6 },
    fc.constantFrom<unknown>(undefined, null, 'role-1', ['role-1', 'stranger'], ['role-1', 5], {}),
  );
  fc.assert(
    fc.property(roles, fc.constantFrom('role-2', 'role-32', 'x', 5, undefined), (held, other) => {
      const request = asks({
        subject: { roles: held },
        context: { parcel: { to: other } },
        properties: { owner: other },
      });
      const truths = explain(set, request).rules.flatMap(({ rule, truth }) =>
        truth === 'false' ? [] : [`${rule} ${truth}`],
      );
      return (
        truths.join() ===
        decide(set, request)
          .results.map(({ rule, truth }) => `${rule} ${truth}`)
          .join()
      );
    }),
    runs(1_000),
  );
});
