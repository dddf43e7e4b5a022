// Random conditions over the small firm of policies.ts, with every operator, and random requests about it, in which
// everything is sometimes stated, left out or mistyped. It must never judge either.
import fc from 'fast-check';
import type { DecisionRequest } from '../../src/model/decision.ts';
import { HOSTILE } from './mutations.ts';
import { instant } from './policies.ts';

type Condition = Record<string, unknown>;

const IDS = ['u-ann', 'u-ben', 'u-dan', 'M-1', 'M-2', 'C-1', 'C-2', 'tax', 'x'] as const;
const INSTANTS = ['2026-03-10T14:00:00Z', '2026-03-10T13:30:00Z', '2026-03-08T09:00:00+02:00', '2026-06-01T00:00:00Z'];
const DURATIONS = ['PT0S', 'PT30M', 'P1D', 'P2W'];
const LEVELS = ['low', 'mid', 'high'];

interface Kind {
  readonly paths: readonly string[];
  readonly literals: readonly unknown[];
  readonly ordered: boolean;
}

const text: Kind = {
  paths: [
    ...['resource.matter_id', 'resource.client_id', 'resource.owner', 'resource.title', 'subject.id', 'actor.id'],
    ...['resource.id', 'matter.id', 'client.id', 'matter.client_id', 'matter.practice_group', 'context.parcel.to'],
    ...['matter.responsible_attorney', 'matter.proposing_partner'],
  ],
  literals: IDS,
  ordered: false,
};
const KINDS: readonly Kind[] = [
  text,
  { paths: ['subject.clearance', 'resource.level'], literals: LEVELS, ordered: true },
  { paths: ['context.zone'], literals: ['office', 'home'], ordered: false },
  { paths: ['subject.user_type'], literals: ['internal', 'external', 'client', 'service'], ordered: false },
  { paths: ['context.source_system'], literals: ['dms', 'portal'], ordered: false },
  { paths: ['action.name'], literals: ['read', 'list', 'edit', 'export'], ordered: false },
  { paths: ['resource.type'], literals: ['document', 'note', 'matter', 'client', 'wall'], ordered: false },
  { paths: ['resource.sealed', 'context.managed', 'matter.registered'], literals: [true, false], ordered: false },
  { paths: ['subject.floor', 'resource.pages', 'context.parcel.size'], literals: [0, 1, 2.5, -3], ordered: true },
  {
    paths: ['subject.auth_time', 'resource.filed', 'now', 'context.parcel.sent'],
    literals: INSTANTS,
    ordered: true,
  },
  { paths: ['resource.term'], literals: DURATIONS, ordered: true },
];
const LISTS: readonly Kind[] = [
  { paths: ['subject.roles'], literals: ['partner', 'associate', 'clerk'], ordered: false },
  {
    paths: ['subject.amr', 'resource.tags', 'matter.team', 'data.consents.sharing'],
    literals: [...IDS, 'mfa'],
    ordered: false,
  },
];
const ENTRIES = ['context.visits', 'data.grants', 'context.approvals'] as const;
const FIELDS: Readonly<Record<(typeof ENTRIES)[number], readonly (readonly [field: string, like: string])[]>> = {
  'context.visits': [['by', 'subject.id'], ['at', 'now'], ['count', 'resource.pages']], // prettier-ignore
  'data.grants': [['granted_to', 'subject.id'], ['matter_id', 'matter.id'], ['valid_until', 'now'], ['valid_from', 'now']], // prettier-ignore
  'context.approvals': [['by', 'subject.id']],
};

const oneOf = <T>(list: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...list);
const some = <T>(list: readonly T[]): fc.Arbitrary<T[]> => fc.uniqueArray(oneOf(list), { minLength: 1, maxLength: 3 });
const reference = (paths: readonly string[]): fc.Arbitrary<string> => oneOf(paths).map((path) => `\${${path}}`);
const ORDERS = ['$lt', '$lte', '$gt', '$gte'] as const;

/** What may stand behind an attribute of this kind. */
function comparison(kind: Kind): fc.Arbitrary<unknown> {
  const operand = fc.oneof(oneOf(kind.literals), reference(kind.paths));
  const as = (operator: string, of: fc.Arbitrary<unknown>) => of.map((value) => ({ [operator]: value }));
  const always = [
    operand,
    as('$eq', operand),
    as('$ne', operand),
    as('$in', some(kind.literals)),
    as('$nin', some(kind.literals)),
    as('$same', reference(kind.paths)),
    as('$exists', fc.boolean()),
    as('$none', fc.boolean()),
  ];
  return kind.ordered ? fc.oneof(...always, ...ORDERS.map((order) => as(order, operand))) : fc.oneof(...always);
}

function bounds(limits: readonly unknown[]): fc.Arbitrary<Condition> {
  return fc.dictionary(oneOf(ORDERS), oneOf(limits), { minKeys: 1, maxKeys: 2 });
}

const leaf: fc.Arbitrary<Condition> = fc.oneof(
  ...KINDS.map((kind) => fc.tuple(oneOf(kind.paths), comparison(kind)).map(([path, value]) => ({ [path]: value }))),
  ...LISTS.map((kind) => {
    const operators = fc.oneof(
      fc.oneof(oneOf(kind.literals), reference(text.paths)).map((value) => ({ $has: value })),
      some(kind.literals).map((values) => ({ $has_any: values })),
      fc.boolean().map((value) => ({ $exists: value })),
      fc.boolean().map((value) => ({ $none: value })),
    );
    return fc.tuple(oneOf(kind.paths), operators).map(([path, value]) => ({ [path]: value }));
  }),
  fc
    .tuple(oneOf(text.paths), oneOf(['$in', '$nin']), reference(LISTS[1]?.paths ?? []))
    .map(([path, operator, list]) => ({ [path]: { [operator]: list } })),
  fc
    .tuple(oneOf(['subject.auth_time', 'resource.filed', 'context.parcel.sent']), bounds(DURATIONS))
    .map(([path, limits]) => ({ [path]: { $age: limits } })),
  oneOf(['now', 'resource.filed', 'subject.auth_time']).map((path) => ({ [path]: { $during: 'office_hours' } })),
  bounds([0, 1, 3]).map((limits) => ({ 'resource.title': { $length: limits } })),
  fc
    .tuple(oneOf(['context.parcel', ...ENTRIES]), oneOf(['$exists', '$none']), fc.boolean())
    .map(([path, operator, want]) => ({ [path]: { [operator]: want } })),
  oneOf(['internal', 'on_the_team', 'mfa', 'granted']).map((term) => ({ $is: term })),
);

/** One condition on the bare fields of an entry, now and then with attributes of the request beside them. */
function entryCondition(list: (typeof ENTRIES)[number]): fc.Arbitrary<Condition> {
  const field = oneOf(FIELDS[list]).chain(([name, like]) => {
    const kind = KINDS.find(({ paths }) => paths.includes(like)) ?? text;
    return comparison(kind).map((value): Condition => ({ [name]: value }));
  });
  const single = fc.oneof({ arbitrary: field, weight: 4 }, { arbitrary: leaf, weight: 1 });
  const negated = single.map((inner): Condition => ({ $not: inner }));
  const either = fc.array(single, { minLength: 2, maxLength: 2 }).map((inner): Condition => ({ $or: inner }));
  return fc
    .array(fc.oneof(single, negated, either), { minLength: 1, maxLength: 3 })
    .map((parts) => Object.assign({}, ...parts) as Condition);
}

const someEntry: fc.Arbitrary<Condition> = oneOf(ENTRIES).chain((list) =>
  entryCondition(list).map((inner) => ({ [list]: { $some: inner } })),
);

export const condition: fc.Arbitrary<Condition> = fc.letrec<{ node: Condition }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { arbitrary: leaf, weight: 5 },
    { arbitrary: someEntry, weight: 2 },
    { arbitrary: fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map(($and) => ({ $and })), weight: 1 },
    { arbitrary: fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map(($or) => ({ $or })), weight: 2 },
    { arbitrary: tie('node').map(($not) => ({ $not })), weight: 2 },
  ),
})).node;

/** Conditions over the same few comparisons: they often contradict, imply or repeat each other. */
export function relatedConditions(count: number): fc.Arbitrary<Condition[]> {
  const few = (kind: Kind) =>
    fc.uniqueArray(oneOf(kind.paths), { minLength: 1, maxLength: 2 }).chain((paths) => {
      const alike = fc.tuple(oneOf(paths), comparison({ ...kind, paths })).map(([path, value]) => ({ [path]: value }));
      return fc.array(fc.oneof({ arbitrary: alike, weight: 5 }, { arbitrary: leaf, weight: 1 }), {
        minLength: 2,
        maxLength: 3,
      });
    });
  const entries = oneOf(ENTRIES).chain((list) => {
    const presence = fc
      .tuple(oneOf(['$exists', '$none']), fc.boolean())
      .map(([operator, want]) => ({ [list]: { [operator]: want } }));
    const matching = entryCondition(list).map((inner) => ({ [list]: { $some: inner } }));
    return fc.array(fc.oneof(presence, { arbitrary: matching, weight: 3 }), { minLength: 2, maxLength: 4 });
  });
  const pool = fc.oneof(
    { arbitrary: fc.tuple(oneOf(KINDS).chain(few), oneOf(KINDS).chain(few)).map((both) => both.flat()), weight: 3 },
    { arbitrary: entries, weight: 1 },
    { arbitrary: fc.array(fc.oneof(leaf, someEntry), { minLength: 2, maxLength: 3 }), weight: 1 },
  );
  return pool.chain((leaves) => fc.array(treeOf(oneOf(leaves)), { minLength: count, maxLength: count }));
}

function treeOf(part: fc.Arbitrary<Condition>): fc.Arbitrary<Condition> {
  return fc.letrec<{ node: Condition }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      { arbitrary: part, weight: 4 },
      { arbitrary: fc.array(tie('node'), { minLength: 2, maxLength: 3 }).map(($and) => ({ $and })), weight: 3 },
      { arbitrary: fc.array(tie('node'), { minLength: 2, maxLength: 3 }).map(($or) => ({ $or })), weight: 2 },
      { arbitrary: tie('node').map(($not) => ({ $not })), weight: 2 },
    ),
  })).node;
}

/** Mostly what the dictionary asks for, now and then nothing or nonsense. */
function perhaps(arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { arbitrary, weight: 8 },
    { arbitrary: fc.constant(undefined), weight: 3 },
    { arbitrary: oneOf(HOSTILE), weight: 1 },
  );
}

function members(model: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<Record<string, unknown>> {
  const parts = Object.fromEntries(Object.entries(model).map(([name, arbitrary]) => [name, perhaps(arbitrary)]));
  return fc
    .record(parts)
    .map((stated) => Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined)));
}

const ids = oneOf(IDS);
const instants = oneOf(INSTANTS);
const visit = members({ by: ids, at: instants, count: oneOf([0, 1, 2.5]) });

export const smallRequest: fc.Arbitrary<DecisionRequest> = fc.record({
  subject: fc.record({
    id: oneOf(['u-ann', 'u-ben', 'u-cat', 'u-dan', 'u-eve', 'u-fay']),
    attributes: members({
      roles: some(['partner', 'associate', 'clerk', 'analyst']),
      user_type: oneOf(['internal', 'internal', 'external', 'client', 'service']),
      clearance: oneOf(LEVELS),
      amr: some(['pwd', 'mfa']),
      auth_time: fc.oneof(instants, oneOf([1_773_150_000, 1_773_151_200])),
      floor: oneOf([0, 1, 2.5]),
    }),
  }),
  actor: oneOf([null, null, 'ai', 'u-ann']),
  action: oneOf(['read', 'list', 'edit', 'export', 'shred']),
  resource: fc.record({
    type: oneOf(['document', 'note', 'matter', 'client', 'wall', 'report', 'scroll']),
    id: oneOf(['D-1', 'M-1', 'M-2', 'M-9', 'C-1', 'C-2', '']),
    properties: members({
      matter_id: oneOf(['M-1', 'M-2', 'M-9']),
      client_id: oneOf(['C-1', 'C-2']),
      level: oneOf(LEVELS),
      sealed: fc.boolean(),
      owner: ids,
      tags: some([...IDS, 'mfa']),
      filed: instants,
      term: oneOf(DURATIONS),
      pages: oneOf([0, 1, 2.5]),
      title: oneOf(['a', 'ab', 'abc', '😀', 'e\u0301']),
    }),
  }),
  context: members({
    zone: oneOf(['office', 'home']),
    managed: fc.boolean(),
    parcel: members({ size: oneOf([0, 1, 2.5]), to: ids, sent: instants }),
    visits: fc.array(visit, { maxLength: 3 }),
  }),
  sourceSystem: oneOf(['dms', 'portal', null]),
  approvals: perhaps(fc.array(members({ by: ids, role: oneOf(['partner', 'analyst', 'nobody']) }), { maxLength: 2 })),
  now: fc.tuple(instants, oneOf([-1, 0, 1, 86_400_000])).map(([text, shift]) => instant(text) + shift),
});
