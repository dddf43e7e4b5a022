// Conditions put together: Kleene's logic, entries of lists, terms, and what a record learns of grants.
import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import { gatherFacts } from '../../src/core/facts.ts';
import { createEntryTable } from '../../src/core/frame.ts';
import { asks, smallFirm, type Asked } from '../helpers/policies.ts';
import { checkTruths } from '../helpers/truth-tables.ts';

type When = Readonly<Record<string, unknown>>;

t.test('Kleene: false beats unknown in AND, true beats it in OR, NOT leaves it', async (t) => {
  const [yes, no, unsure] = ['{ context.zone: office }', '{ context.zone: home }', '{ resource.level: low }'];
  const rows = [
    [`{ $and: [${yes}, ${yes}] }`, 'true'],
    [`{ $and: [${yes}, ${no}] }`, 'false'],
    [`{ $and: [${yes}, ${unsure}] }`, 'unknown'],
    [`{ $and: [${unsure}, ${yes}] }`, 'unknown'],
    [`{ $and: [${no}, ${unsure}] }`, 'false'],
    [`{ $and: [${unsure}, ${no}] }`, 'false'],
    [`{ $and: [${unsure}, ${yes}, ${no}] }`, 'false'],
    [`{ $and: [${yes}, ${unsure}, ${unsure}] }`, 'unknown'],
    [`{ $or: [${yes}, ${unsure}] }`, 'true'],
    [`{ $or: [${unsure}, ${yes}] }`, 'true'],
    [`{ $or: [${no}, ${unsure}] }`, 'unknown'],
    [`{ $or: [${unsure}, ${no}] }`, 'unknown'],
    [`{ $or: [${no}, ${no}] }`, 'false'],
    [`{ $not: ${unsure} }`, 'unknown'],
    [`{ $not: { $and: [${no}, ${unsure}] } }`, 'true'],
    [`{ $and: [${yes}, { $or: [${no}, ${unsure}] }, ${yes}] }`, 'unknown'],
    [`{ $or: [${no}, { $and: [${yes}, ${unsure}] }, { $not: ${no} }] }`, 'true'],
    ['{ context.zone: office, resource.level: low, resource.sealed: true }', 'false'],
    ['{ resource.level: low, resource.sealed: { $exists: true, $ne: true } }', 'unknown'],
  ] as const;
  checkTruths(t, rows.map(([when, truth]) => `${when}\nresource.level: null -> ${truth}`).join('\n'));
});

t.test('one and the same entry satisfies the whole of $some', async (t) =>
  checkTruths(
    t,
    `
    { context.visits: { $some: { by: "\${subject.id}", count: { $gt: 2 } } } }
      -> false
      context.visits: [{ by: u-ann, count: 3 }] -> true
      context.visits: [{ by: u-ann, count: 1 }, { by: u-ben, count: 9 }] -> false
      context.visits: [{ by: u-ann, count: many }] -> unknown
      context.visits: [{ by: u-ben, count: many }] -> false
      context.visits: [{ by: u-ann, count: many }, { by: u-ann, count: 3 }] -> true
      context.visits: [{ by: 5, count: 3 }] -> unknown
      context.visits: [{ count: 3 }] -> false
      context.visits: [{ by: u-ann, count: 3 }, visit] -> unknown
      context.visits: [{ by: u-ann, count: 3 }, null] -> unknown
      context.visits: { by: u-ann, count: 3 } -> unknown
      context.visits: [{ __proto__: { by: u-ann, count: 3 } }] -> false
    { $not: { context.visits: { $some: { by: "\${subject.id}", count: { $gt: 2 } } } } }
      -> true
      context.visits: [{ by: u-ann, count: many }] -> unknown
    { context.visits: { $some: { by: { $exists: false } } } }
      context.visits: [{}] -> true
      context.visits: [{ by: u-1 }] -> false
      context.visits: [{ by: 5 }] -> unknown
    { context.visits: { $some: { by: { $none: true }, $or: [{ count: 1 }, { count: 2 }] } } }
      context.visits: [{ count: 2 }] -> true
      context.visits: [{ by: u-1, count: 2 }] -> false

    # Attributes of the request stand beside the fields of the entry, and now is the time.
    { context.visits: { $some: { at: { $lt: "\${now}" }, context.zone: office } } }
      context.visits: [{ at: '2026-03-10T13:00:00Z' }] -> true
      context.visits: [{ at: '2026-03-10T13:00:00Z' }], context.zone: home -> false
    { context.visits: { $some: { by: u-1, now: { $during: office_hours } } } }
      context.visits: [{ by: u-1 }] -> true

    # One $some within another: each sees the entries of its own list, and the outer one goes on where it was.
    { context.visits: { $some: { count: 1, data.grants: { $some: { granted_to: "\${subject.id}" } }, by: u-1 } } }
      subject.id: u-dan, context.visits: [{ by: u-1, count: 1 }] -> true
      subject.id: u-dan, context.visits: [{ by: u-2, count: 1 }] -> false
      subject.id: u-ann, context.visits: [{ by: u-1, count: 1 }] -> false
    { context.visits: { $some: { by: u-1 } }, resource.owner: u-ann }
      context.visits: [{ by: u-1 }], resource.owner: u-ann -> true
  `,
  ),
);

t.test('$some over policy data: equality narrows only by what is known', async (t) =>
  checkTruths(
    t,
    `
    { data.grants: { $some: { granted_to: "\${subject.id}" } } }
      subject.id: u-dan -> true
      subject.id: u-ann -> false
    { data.grants: { $some: { granted_to: u-dan, matter_id: "\${matter.id}" } } }
      -> true
      resource.matter_id: M-2 -> false
      resource.matter_id: null -> unknown
    { data.grants: { $some: { granted_to: u-eve, matter_id: "\${matter.id}" } } }
      resource.matter_id: null -> false
    { data.grants: { $some: { granted_to: "\${resource.owner}" } } }
      -> false
      resource.owner: u-dan -> true
      resource.owner: 5 -> unknown
    { data.grants: { $some: { granted_to: { $ne: "\${resource.owner}" } } } }
      -> true
      resource.owner: u-dan -> false
    { data.grants: { $some: { $or: [{ granted_to: u-eve }, { id: G-2 }] } } }
      -> true
    { data.grants: { $some: { reason: { $none: true }, valid_from: { $exists: false } } } }
      -> true
    { data.grants: { $some: { id: constructor } } }
      -> false
    { $not: { data.grants: { $some: { granted_to: "\${subject.id}" } } } }
      subject.id: u-dan -> false
      subject.id: u-ann -> true
  `,
  ),
);

const DAN: Asked = { subject: { id: 'u-dan' } };

t.test('entries are found by field and value alone', async (t) => {
  const entries = [
    { id: 'a', to: 'x' },
    { id: 'b', to: 'x' },
    { id: 'c', to: '__proto__' },
  ];
  const table = createEntryTable(entries);
  t.strictSame(table.find('to', 'x'), entries.slice(0, 2));
  t.strictSame(table.find('to', '__proto__'), entries.slice(2));
  t.strictSame(table.find('to', 'constructor'), []);
  t.strictSame(table.find('constructor', Object), entries, 'no own member, no secret');
});

t.test('a record names the grants that something true rests on, whatever the order of its parts', async (t) => {
  const granted = { 'data.grants': { $some: { granted_to: '${subject.id}', actions: { $has: '${action.name}' } } } };
  const [yes, no] = [{ 'context.zone': 'office' }, { 'context.zone': 'home' }];
  const grantsOf = (when: When): readonly string[] =>
    decide(smallFirm([{ id: 'r', effect: 'allow', actions: 'any', resources: 'any', when }]), asks(DAN)).grants;
  t.strictSame(grantsOf(granted), ['G-1']);
  t.strictSame(grantsOf({ $and: [granted, yes] }), ['G-1']);
  for (const parts of [
    [granted, yes],
    [yes, granted],
  ])
    t.strictSame(grantsOf({ $or: parts }), ['G-1'], 'both are true');
  for (const parts of [
    [granted, no],
    [no, granted],
  ])
    t.strictSame(grantsOf({ $or: [{ $and: parts }, yes] }), [], 'it rests on the zone alone');
  t.strictSame(grantsOf({ $or: [{ $not: granted }, yes] }), []);
  t.strictSame(grantsOf({ $and: [granted, no] }), []);
  const cases = [{ when: granted, roles: ['clerk'] }, { when: yes }];
  const set = smallFirm([{ id: 'r', effect: 'allow', actions: 'any', resources: 'any', cases }]);
  t.strictSame(decide(set, asks(DAN)).grants, [], 'the case with the grant is false');
});

t.test('a term is the same wherever and however often it is named, and is judged once', async (t) => {
  const spelledOut = { 'subject.amr': { $has: 'mfa' }, 'resource.level': 'low' };
  const rule = (id: string, when: When) => ({ id, effect: 'deny', actions: 'any', resources: 'any', when });
  const firm = { terms: { both: spelledOut, twice: { $is: ['both', 'both'] }, neither: { $not: { $is: 'both' } } } };
  const base = smallFirm([]).firm.file.value;
  const set = smallFirm(
    [
      rule('term', { $is: 'twice' }),
      rule('again', { $is: 'both' }),
      rule('not', { $is: 'neither' }),
      rule('plain', spelledOut),
    ],
    { 'firm.yaml': { ...Object(base), ...firm } },
  );
  const requests: readonly Asked[] = [
    {},
    { subject: { amr: ['mfa'] } },
    { subject: { amr: 5 } },
    { subject: { amr: ['mfa'] }, properties: { level: null } },
  ];
  for (const asked of requests) {
    const { results } = decide(set, asks(asked));
    const truth = (id: string) => results.find(({ rule: name }) => name === id)?.truth ?? 'false';
    t.equal(truth('term'), truth('plain'));
    t.equal(truth('again'), truth('plain'));
    t.equal(truth('not'), { true: 'false', false: 'true', unknown: 'unknown' }[truth('plain')]);
  }
  const { frame } = gatherFacts(set, asks());
  t.strictSame(frame.terms, [-1, -1, -1], 'a new frame knows none');
  const [first] = set.ruleIndex.candidates('read', 'document', 'internal');
  first?.test(frame);
  t.strictSame(frame.terms, [0, 0, -1], 'judged, and kept for this frame alone');
  t.strictSame(gatherFacts(set, asks()).frame.terms, [-1, -1, -1]);
});
