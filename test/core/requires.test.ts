// What a caller must send agrees with what the rules read, and with what a decision misses.
import fc from 'fast-check';
import t from 'tap';
import { attributesIn } from '../../src/core/condition.ts';
import { decide } from '../../src/core/decide.ts';
import { requires } from '../../src/core/requires.ts';
import { asks, requestOf, smallFirm, starterPolicies } from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';

const starter = starterPolicies();
const actions = [...starter.firm.names.actions.keys(), 'shred'];
const types = [...starter.firm.names.resourceTypes.keys(), 'scroll'];

t.test('it lists exactly what the rules for an action and a type read, and what the dictionary asks for', async (t) => {
  const inScope = (names: ReadonlySet<string>, others: boolean, name: string, known: ReadonlyMap<string, string>) =>
    known.has(name) ? names.has(name) : others;
  for (const action of actions) {
    for (const type of types) {
      const readers = new Map<string, Set<string>>();
      for (const { id, branches } of starter.rules) {
        for (const { actions: ofActions, resources, expr } of branches) {
          const { names } = starter.firm;
          if (!inScope(ofActions.names, ofActions.others, action, names.actions)) continue;
          if (!inScope(resources.names, resources.others, type, names.resourceTypes)) continue;
          for (const { path, namespace } of attributesIn(expr)) {
            // What is looked up by the matter or the client needs their ids; for those types the resource id is it.
            const needs =
              namespace === 'matter' && type !== 'matter'
                ? [path, 'resource.matter_id']
                : path === 'client.id' && type !== 'client'
                  ? [path, 'resource.client_id']
                  : [path];
            for (const one of needs) readers.set(one, (readers.get(one) ?? new Set()).add(id));
          }
        }
      }
      const listed = requires(starter, type, action);
      const carried = starter.firm.dictionary.declared.filter(({ source }) => source === 'request');
      for (const { path } of carried) {
        const found = listed.find(({ attribute }) => attribute === path);
        const expected = [...(readers.get(path) ?? [])].sort();
        if (JSON.stringify([...(found?.rules ?? [])].sort()) !== JSON.stringify(expected))
          t.fail(`${action} ${type}: ${path} is read by ${expected.join()}, not ${found?.rules.join()}`);
        if (found === undefined && expected.length > 0) t.fail(`${action} ${type}: ${path} is not listed`);
      }
      if (new Set(listed.map(({ attribute }) => attribute)).size !== listed.length) t.fail('listed twice');
    }
  }
  t.ok(types.length * actions.length > 300);
});

const bases = starter.tests.filter(({ test }) => typeof test.claims['user_type'] === 'string');

t.test(
  'whoever sends all that is required misses nothing, and whoever leaves one out misses exactly that',
  async () => {
    const { byPath } = starter.firm.dictionary;
    fc.assert(
      fc.property(
        fc.constantFrom(...bases),
        fc.constantFrom(...actions),
        fc.constantFrom(...types),
        fc.nat(),
        (base, action, type, pick) => {
          const request = requestOf(base.test);
          const userType = String(request.subject.attributes['user_type']);
          const required = requires(starter, type, action).filter(({ requiredFor }) =>
            requiredFor.some((one) => one === userType),
          );
          const sent = (left: string | null) => {
            const members = (namespace: string) =>
              Object.fromEntries(
                required
                  .filter(({ attribute }) => attribute.startsWith(`${namespace}.`) && attribute !== left)
                  .map(({ attribute }) => [attribute.slice(namespace.length + 1), valueOf(attribute)]),
              );
            return decide(starter, {
              ...request,
              sourceSystem: 'dms',
              approvals: [],
              action,
              resource: { type, id: 'X-1', properties: members('resource') },
              context: members('context'),
            }).missing.filter((path) => !path.startsWith('subject.'));
          };
          const left = required[pick % Math.max(1, required.length)]?.attribute ?? null;
          return sent(null).length === 0 && sent(left).join() === (left ?? '');
        },
      ),
      runs(500),
    );

    function valueOf(path: string): unknown {
      const type = byPath.get(path)?.type;
      if (type?.kind === 'enum') return type.values[0];
      return { boolean: false, number: 1, timestamp: '2026-03-10T14:00:00Z', list: [] }[type?.kind as string] ?? 'x';
    }
  },
);

t.test('each says for whom, what absence means otherwise, and which rules read it', async (t) => {
  const set = smallFirm(`
  - { id: a, effect: allow, actions: [look], resources: [content], when: { context.managed: true, resource.owner: u-1 } }
  - { id: b, effect: deny, actions: any, resources: any, when: { resource.owner: u-2, $is: on_the_team } }
  - { id: c, effect: deny, actions: [edit], resources: any, when: { resource.pages: 1 } }
`);
  const everybody = ['internal', 'external', 'client', 'service'];
  t.strictSame(requires(set, 'document', 'read'), [
    {
      attribute: 'resource.matter_id',
      type: 'string',
      requiredFor: everybody,
      absence: 'none',
      rules: ['b'],
    },
    {
      attribute: 'resource.client_id',
      type: 'string',
      requiredFor: everybody,
      absence: 'none',
      rules: [],
    },
    {
      attribute: 'resource.level',
      type: 'enum',
      requiredFor: everybody,
      absence: 'none',
      rules: [],
    },
    {
      attribute: 'resource.sealed',
      type: 'boolean',
      requiredFor: everybody,
      absence: 'no',
      rules: [],
    },
    {
      attribute: 'context.zone',
      type: 'enum',
      requiredFor: everybody,
      absence: null,
      rules: [],
    },
    { attribute: 'resource.owner', type: 'person', requiredFor: [], absence: 'nobody', rules: ['a', 'b'] },
    { attribute: 'context.managed', type: 'boolean', requiredFor: [], absence: 'counts as false', rules: ['a'] },
  ]);
  const names = (type: string, action: string) => requires(set, type, action).map(({ attribute }) => attribute);
  t.strictSame(names('matter', 'read'), ['resource.client_id', 'context.zone', 'resource.owner']);
  t.strictSame(names('scroll', 'edit'), ['context.zone', 'resource.matter_id', 'resource.owner', 'resource.pages']);
  t.strictSame(decide(set, asks({ type: 'scroll', action: 'edit', properties: {} })).missing, []);
});
