// What must hold of every decision, whatever the request: properties over the starter policies and requests near their cases.
import fc from 'fast-check';
import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import { isRequired } from '../../src/core/dictionary.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import { RESERVED_RULES } from '../../src/core/rules.ts';
import type { WallEntry } from '../../src/model/data.ts';
import type { Decision, DecisionRequest } from '../../src/model/decision.ts';
import type { SourceFile } from '../../src/model/diagnostic.ts';
import { condition, smallRequest } from '../helpers/conditions.ts';
import { HOSTILE } from '../helpers/mutations.ts';
import {
  compiled,
  smallFirm,
  sourceFile,
  starterFiles,
  starterPolicies,
  visible,
  withWalls,
} from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';
import { starterRequests } from '../helpers/starter-requests.ts';

const set = starterPolicies();
const ANYTHING = { actions: 'any', resources: 'any' };

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The value with members of maps and entries of lists in another order, lists of other lists' names left alone. */
function shuffled(value: unknown, ordered: ReadonlySet<string>, random: () => number, name = ''): unknown {
  const mix = <T>(list: readonly T[]): T[] =>
    list
      .map((one) => [random(), one] as const)
      .sort(([a], [b]) => a - b)
      .map(([, one]) => one);
  if (Array.isArray(value)) {
    const entries = value.map((one: unknown) => shuffled(one, ordered, random));
    return ordered.has(name) ? entries : mix(entries);
  }
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, one]) => [key, shuffled(one, ordered, random, key)] as const);
  return Object.fromEntries(mix(members));
}

t.test('the order of files, rules, cases, conditions, walls and data has no effect', async (t) => {
  const meant = new Set(['sides', 'values']);
  const inAnotherOrder = (seed: number): PolicySet => {
    let state = seed;
    const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const files = starterFiles().map((file): SourceFile => {
      const [folder = ''] = file.path.split('/');
      if (!['rules', 'walls', 'data'].includes(folder)) return file;
      return sourceFile(`${folder}/${Math.trunc(random() * 1e9)}.yaml`, shuffled(file.value, meant, random));
    });
    return compiled(files.sort(() => random() - 0.5));
  };
  const sets = [1, 2, 3].map(inAnotherOrder);
  const unordered = (decision: Decision): unknown => ({
    ...decision,
    results: decision.results.map(({ rule, effect, truth }) => `${rule} ${effect} ${truth}`).sort(),
  });
  t.not(sets[0]?.rules.map(({ id }) => id).join(), set.rules.map(({ id }) => id).join());
  fc.assert(
    fc.property(starterRequests(), (request) => {
      const expected = unordered(decide(set, request));
      return sets.every((other) => same(unordered(decide(other, request)), expected));
    }),
    runs(1_500),
  );
});

t.test('a wall turns every allow of that person on that matter into a deny, and shows nothing of itself', async (t) => {
  const allowed = { any: 0 };
  fc.assert(
    fc.property(starterRequests(1), fc.nat(5), (request, kind) => {
      const before = decide(set, request);
      const { id } = request.subject;
      const { matter } = before;
      if (matter === null) return true;
      const from = { valid_from: new Date(Math.floor(request.now)).toISOString() };
      const client = set.data.matters.get(matter)?.clientId ?? before.client;
      const walls: readonly Omit<WallEntry, 'id'>[] = [
        { kind: 'exclusion', matter_id: matter, excluded_people: [id], ...from },
        { kind: 'exclusion', matter_id: matter, reason: 'lateral', excluded_people: [id, 'u-x'] },
        {
          kind: 'exclusion',
          ...(client === null ? { matter_id: matter } : { client_id: client }),
          excluded_people: [id],
        },
        { kind: 'exclusion', matter_id: matter, excluded_people: ['u-assisted'] },
        {
          kind: 'opposing',
          sides: [
            { people: ['u-x'], matters: [matter] },
            { people: [id], matters: [] },
          ],
        },
        { kind: 'inclusion', matter_id: matter, included_people: ['u-x'] },
      ];
      const assistants = new Map([...set.walls.assistants, [id, ['u-assisted']]]);
      const assisting = { ...set, walls: { ...set.walls, assistants } };
      const after = decide(withWalls(assisting, [{ id: 'W-NEW', kind: 'inclusion', ...walls[kind] }]), request);
      const hidden = {
        advice: before.outcome === 'allow' ? [] : before.advice,
        missing: before.missing,
        stepUp: null,
        obligations: [],
      };
      const refused = after.outcome === 'deny' && same(visible(after), hidden);
      if (walls[kind]?.kind === 'inclusion' && !after.walls.includes('W-NEW')) {
        // Inclusion covers neither the keeping of walls nor what those who check conflicts may list; or that is in doubt.
        const spared = request.resource.type === 'wall' || request.action === 'list';
        return spared && (same(after, before) || refused);
      }
      if (before.outcome === 'allow') allowed.any += 1;
      return refused && after.walls.includes('W-NEW');
    }),
    runs(1_500),
  );
  t.ok(allowed.any > 100, `${allowed.any} had been allowed`);
});

t.test('an allow never outweighs a deny', async (t) => {
  const open = { effect: 'allow', ...ANYTHING };
  const doors = [
    { id: 'open-door', ...open },
    { id: 'open-matter', ...open, when: { 'matter.registered': true } },
  ];
  const opened = compiled([...starterFiles(), sourceFile('rules/doors.yaml', { version: 1, rules: doors })]);
  let refused = 0;
  fc.assert(
    fc.property(starterRequests(), (request) => {
      const [before, after] = [decide(set, request), decide(opened, request)];
      if (before.results.every(({ effect }) => effect === 'allow')) return after.outcome === 'allow';
      refused += 1;
      return after.outcome === 'deny' && same([after.decidedBy, after.advice], [before.decidedBy, before.advice]);
    }),
    runs(1_500),
  );
  t.ok(refused > 300, `${refused} were refused by a wall or a deny`);

  fc.assert(
    fc.property(fc.array(condition, { minLength: 2, maxLength: 4 }), smallRequest, ([when, ...others], request) => {
      const deny = { id: 'deny', effect: 'deny', ...ANYTHING, when };
      const allows = others.map((one, index) => ({ id: `allow-${index}`, ...open, when: one }));
      if (decide(smallFirm([deny]), request).results.length === 0) return true;
      return decide(smallFirm([allows[0] ?? {}, deny, ...allows.slice(1), ...doors]), request).outcome === 'deny';
    }),
    runs(80),
  );
});

type Members = Readonly<Record<string, unknown>>;

/** The request with one attribute given another value, or, for undefined, without it. */
function changed(request: DecisionRequest, path: string, value: unknown): DecisionRequest {
  const [namespace, name = ''] = path.split('.');
  const put = (members: Members): Members => {
    const rest = Object.fromEntries(Object.entries(members).filter(([key]) => key !== name));
    return value === undefined ? rest : { ...rest, [name]: value };
  };
  const { subject, resource, context } = request;
  if (namespace === 'context') return { ...request, context: put(context) };
  if (namespace === 'resource') return { ...request, resource: { ...resource, properties: put(resource.properties) } };
  return { ...request, subject: { ...subject, attributes: put(subject.attributes) } };
}

t.test(
  'leaving out a required attribute, or sending any of the wrong type, never turns a deny into an allow',
  async (t) => {
    const { declared } = set.firm.dictionary;
    const tried = { removed: 0, mistyped: 0 };
    fc.assert(
      fc.property(starterRequests(2), fc.constantFrom(...HOSTILE), (request, hostile) => {
        const before = decide(set, request);
        if (before.outcome === 'allow') return true;
        const userType = request.subject.attributes['user_type'];
        for (const { path, presence, read } of declared) {
          const { type } = request.resource;
          const required = isRequired(
            presence,
            type,
            request.action,
            typeof userType === 'string' ? userType : undefined,
          );
          if (required) {
            tried.removed += 1;
            if (decide(set, changed(request, path, undefined)).outcome === 'allow') throw new Error(`without ${path}`);
          }
          if (typeof read(hostile) !== 'symbol' || hostile === null || hostile === '') continue;
          tried.mistyped += 1;
          if (decide(set, changed(request, path, hostile)).outcome === 'allow') throw new Error(`with a wrong ${path}`);
        }
        return true;
      }),
      runs(400, 20_000),
    );
    t.ok(tried.removed > 1_000 && tried.mistyped > 1_000, JSON.stringify(tried));
  },
);

t.test('the same inputs get the same answer, whatever was asked in between', async () => {
  const again = compiled(starterFiles().map(({ path, bytes }) => sourceFile(path, new TextDecoder().decode(bytes))));
  fc.assert(
    fc.property(starterRequests(), starterRequests(), (request, other) => {
      const first = decide(set, request);
      decide(set, other);
      const backwards = {
        ...request,
        context: Object.fromEntries(Object.entries(request.context).reverse()),
        resource: {
          ...request.resource,
          properties: Object.fromEntries(Object.entries(request.resource.properties).reverse()),
        },
      };
      return [
        decide(set, request),
        decide(set, structuredClone(request)),
        decide(again, request),
        decide(set, backwards),
      ].every((answer) => same(answer, first));
    }),
    runs(1_000),
  );
});

t.test('a decision is whole: what decided it, what it names and what it gives fit together', async (t) => {
  const seen = new Set<string>();
  const effects = new Map(set.rules.map(({ id, effect }) => [id, effect]));
  fc.assert(
    fc.property(starterRequests(), (request) => {
      const { outcome, decidedBy, results, walls, grants, obligations, advice, missing, stepUp } = decide(set, request);
      const of = (effect: string, truth: string) =>
        results.filter((one) => one.effect === effect && one.truth === truth).map(({ rule }) => rule);
      const trueDenies = [...of('wall', 'true'), ...of('deny', 'true')].sort();
      const doubts = [...of('wall', 'unknown'), ...of('deny', 'unknown')];
      const expected =
        trueDenies.length > 0
          ? trueDenies
          : doubts.length > 0
            ? ['attribute-missing']
            : of('allow', 'true').length > 0
              ? of('allow', 'true').sort()
              : [of('allow', 'unknown').length > 0 ? 'attribute-missing' : 'default-deny'];
      seen.add(decidedBy[0] ?? '');
      for (const list of [decidedBy, walls, grants, advice, missing]) {
        if (!same(list, [...new Set(list)].sort())) throw new Error(`not sorted, or not once each: ${list.join()}`);
      }
      if (!same(decidedBy, expected)) throw new Error(`${decidedBy.join()} is not ${expected.join()}`);
      if ((outcome === 'allow') !== decidedBy.every((id) => effects.get(id) === 'allow')) throw new Error(outcome);
      if (outcome === 'allow' ? advice.length > 0 || stepUp !== null : obligations.length > 0)
        throw new Error('too much');
      if (walls.length > 0 !== of('wall', 'true').length > 0) throw new Error(`walls ${walls.join()}`);
      if (doubts.length > 0 && missing.length === 0) throw new Error('a doubt about nothing');
    }),
    runs(3_000, 100_000),
  );
  t.ok(seen.size > 40, [...seen].join());
  t.equal(
    [...effects.keys()].some((id) => RESERVED_RULES.has(id)),
    false,
  );
});

t.test('a wall, a lockdown, an unknown matter and a default deny look the same to whoever asks', async (t) => {
  let denied = 0;
  fc.assert(
    fc.property(starterRequests(2, 'default-deny'), (request) => {
      const plain = decide(set, request);
      if (plain.decidedBy[0] !== 'default-deny') return true;
      denied += 1;
      const { id } = request.subject;
      const locked = { ...set, lockdown: { ...set.lockdown, people: new Set([id]) } };
      const wall: WallEntry = {
        id: 'W-NEW',
        kind: 'exclusion',
        client_id: plain.client ?? 'C-0',
        excluded_people: [id],
      };
      const strange = changed(request, 'resource.matter_id', 'M-NOWHERE');
      const unknown = decide(set, typeof request.resource.properties['matter_id'] === 'string' ? strange : request);
      const others = [decide(locked, request), decide(withWalls(set, [wall]), request)];
      // An unknown matter may change what other rules say; where it does not, it shows nothing of itself.
      if (unknown.decidedBy.every((name) => name === 'unknown-matter' || name === 'default-deny')) others.push(unknown);
      return others.every((other) => other.outcome === 'deny' && same(visible(other), visible(plain)));
    }),
    runs(500),
  );
  t.ok(denied > 200, `${denied} default denies`);
});
