// Random requests near real ones: test cases with attributes dropped, mistyped or changed, people, matters, actions,
// types and times swapped. It must never judge a request.
import fc from 'fast-check';
import type { DecisionRequest } from '../../src/model/decision.ts';

/** What may stand in for a value of any type: wrong types, near misses, and names every JavaScript object knows. */
export const HOSTILE: readonly unknown[] = [
  ...['true', 'false', '0', 'constructor', '__proto__', 'hasOwnProperty', ' ', 'Open', 'OPEN', 'mfa '],
  ...[null, '', true, false, 0, 1, -1, 101, 1e15, -0, Infinity, NaN],
  ...[[], [''], [null], [0], ['mfa', 5], [['mfa']], [{}], {}, { $ne: null }, { $exists: true }, { length: 20 }],
  ...['2026-03-10', '2O26-03-10T14:00:00Z', '2026-13-10T14:00:00Z', 1_773_151_200, 1e300, { verified: 'yes' }],
  JSON.parse('{"__proto__":{"sub":"u-okafor"},"constructor":"x"}'),
];

export interface Vocabulary {
  readonly actions: readonly string[];
  readonly types: readonly string[];
  readonly sourceSystems: readonly string[];
  readonly actors: readonly string[];
  readonly resourceIds: readonly string[];
  /** Instants at which something begins or ends. */
  readonly instants: readonly number[];
}

/** Plain names to CASL and to JavaScript objects, none of which any firm.yaml here declares. */
const STRANGERS = ['manage', 'all', 'constructor', '__proto__', 'toString', 'Read', 'shred', '?', '*any-action*'];

type Namespace = 'subject' | 'resource' | 'context';
type Members = Record<string, unknown>;

interface Draft {
  subject: { id: string; attributes: Members };
  actor: string | null;
  action: string;
  resource: { type: string; id: string; properties: Members };
  context: Members;
  sourceSystem: string | null;
  approvals: unknown;
  now: number;
}

type Mutate = (draft: Draft) => void;

/** What most rules and walls read. */
const WEIGHTY: readonly (readonly [Namespace, string])[] = [
  ...(['roles', 'user_type'] as const).map((name) => ['subject', name] as const),
  ...(['matter_id', 'client_id'] as const).map((name) => ['resource', name] as const),
];

/**
 * Requests that differ from a given one by up to `most` mutations; unchanged ones are among them.
 * @param groups each group is drawn from equally often, however many requests it has
 */
export function mutatedRequests(
  groups: readonly (readonly DecisionRequest[])[],
  words: Vocabulary,
  most = 4,
): fc.Arbitrary<DecisionRequest> {
  const bases = groups.flat();
  const base = fc.oneof(...groups.map((group) => fc.constantFrom(...group)));
  const mutation = mutationOf(bases, words, base);
  return fc.tuple(base, fc.array(mutation, { maxLength: most, size: 'max' })).map(([request, mutations]) => {
    const draft: Draft = structuredClone(request) as Draft;
    for (const mutate of mutations) mutate(draft);
    return draft;
  });
}

function mutationOf(
  bases: readonly DecisionRequest[],
  words: Vocabulary,
  base: fc.Arbitrary<DecisionRequest>,
): fc.Arbitrary<Mutate> {
  const values = valuesSeen(bases);
  const path = fc.constantFrom(...values.keys());
  const set = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<Mutate> =>
    fc.tuple(path, arbitrary).map(([[namespace, name], value]) => (draft: Draft) => {
      put(membersOf(draft, namespace), name, value);
    });
  const seen = fc.tuple(path, fc.nat()).map(([at, index]) => (draft: Draft) => {
    const known = values.get(at) ?? [];
    put(membersOf(draft, at[0]), at[1], known[index % known.length]);
  });
  const drop = fc
    .tuple(fc.constantFrom<Namespace>('subject', 'resource', 'context'), fc.nat())
    .map(([namespace, index]) => (draft: Draft) => {
      const members = membersOf(draft, namespace);
      const name = Object.keys(members)[index % Math.max(1, Object.keys(members).length)];
      if (name !== undefined) delete members[name];
    });
  const weighty = fc.tuple(fc.constantFrom(...WEIGHTY), fc.constantFrom(...HOSTILE)).map(
    ([[namespace, name], value]) =>
      (draft: Draft) =>
        put(membersOf(draft, namespace), name, value),
  );
  const one = <T>(list: readonly T[], change: (draft: Draft, value: T) => void): fc.Arbitrary<Mutate> =>
    fc.constantFrom(...list).map((value) => (draft: Draft) => change(draft, value));
  const swap = (change: (draft: Draft, other: DecisionRequest) => void): fc.Arbitrary<Mutate> =>
    base.map((other) => (draft: Draft) => change(draft, structuredClone(other)));
  return fc.oneof(
    { arbitrary: drop, weight: 5 },
    { arbitrary: seen, weight: 8 },
    { arbitrary: set(fc.constantFrom(...HOSTILE)), weight: 4 },
    { arbitrary: weighty, weight: 3 },
    swap((draft, { subject }) => (draft.subject = { id: subject.id, attributes: { ...subject.attributes } })),
    swap((draft, { subject }) => (draft.subject.id = subject.id)),
    swap((draft, { resource }) => {
      for (const name of ['matter_id', 'client_id']) put(draft.resource.properties, name, resource.properties[name]);
    }),
    swap((draft, { context }) => (draft.context = { ...context })),
    swap((draft, { approvals }) => (draft.approvals = approvals)),
    one([...words.actions, ...words.actions, ...STRANGERS], (draft, action) => (draft.action = action)),
    one([...words.types, ...words.types, ...STRANGERS], (draft, type) => (draft.resource.type = type)),
    one(words.resourceIds, (draft, id) => (draft.resource.id = id)),
    one([...words.sourceSystems, null, 'nowhere'], (draft, system) => (draft.sourceSystem = system)),
    one([null, ...words.actors], (draft, actor) => (draft.actor = actor)),
    one([[], 'none', [{ by: 5, role: 'x' }], [{}], [null], undefined], (draft, list) => (draft.approvals = list)),
    fc.tuple(fc.constantFrom(...words.instants), fc.constantFrom(-1000, -1, 0, 0.5, 1, 1000)).map(
      ([instant, shift]) =>
        (draft: Draft) =>
          (draft.now = instant + shift),
    ),
  );
}

function membersOf(draft: Draft, namespace: Namespace): Members {
  if (namespace === 'resource') return draft.resource.properties;
  return namespace === 'subject' ? draft.subject.attributes : draft.context;
}

/** As a member of its own, whatever its name. */
function put(members: Members, name: string, value: unknown): void {
  if (value === undefined) delete members[name];
  else Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Every value that some request states for an attribute, by namespace and name. */
function valuesSeen(requests: readonly DecisionRequest[]): Map<readonly [Namespace, string], unknown[]> {
  const lists = new Map<string, { at: readonly [Namespace, string]; values: Map<string, unknown> }>();
  const note = (namespace: Namespace, members: Readonly<Members>) => {
    for (const [name, value] of Object.entries(members)) {
      const key = `${namespace}.${name}`;
      const list = lists.get(key) ?? { at: [namespace, name] as const, values: new Map<string, unknown>() };
      lists.set(key, list);
      list.values.set(JSON.stringify(value), value);
    }
  };
  for (const { subject, resource, context } of requests) {
    note('subject', subject.attributes);
    note('resource', resource.properties);
    note('context', context);
  }
  return new Map([...lists.values()].map(({ at, values }) => [at, [...values.values()]]));
}
