// A second decision engine, naive on purpose: it reads raw YAML values and judges everything anew for every request, as
// POLICIES.md says. It must never share code with src/core, which it is there to check.
import type { DecisionRequest } from '../../src/model/decision.ts';
import { all, any, holds, judged, type Judgement } from './naive-conditions.ts';
import {
  absent,
  declaration,
  isAbsent,
  isRequired,
  listOf,
  mapOf,
  member,
  mistyped,
  selects,
  someOf,
  spelledOut,
  type Raw,
  type Truth,
  type World,
} from './naive-values.ts';
import { judgeLockdown, judgeWall } from './naive-walls.ts';

export interface RawPolicies {
  readonly firm: Raw;
  readonly rules: readonly Raw[];
  readonly walls: readonly Raw[];
  readonly data: Raw;
  readonly lockdown: Raw;
}

export interface NaiveDecision {
  readonly outcome: 'allow' | 'deny';
  readonly decidedBy: readonly string[];
  readonly walls: readonly string[];
  readonly grants: readonly string[];
  readonly advice: readonly string[];
  readonly obligations: readonly string[];
  readonly missing: readonly string[];
  readonly stepUp: { readonly acr_values: string; readonly max_age: number | null } | null;
  /** Of every rule and wall rule. */
  readonly truths: ReadonlyMap<string, Truth>;
}

/** The roots of all files, joined. */
export function rawPolicies(files: readonly { readonly path: string; readonly value: unknown }[]): RawPolicies {
  const roots = (folder: string) =>
    files.filter(({ path }) => path.startsWith(folder)).map(({ value }) => mapOf(value));
  const joined = (folder: string, root: string) => roots(folder).flatMap((one) => listOf(one[root]).map(mapOf));
  const lists = ['matters', 'grants', 'people', 'services', 'resources'];
  const maps = ['assistants', 'consents'];
  const data = Object.fromEntries([
    ...lists.map((root) => [root, joined('data/', root)] as const),
    ...maps.map((root) => [root, Object.assign({}, ...roots('data/').map((one) => mapOf(one[root])))] as const),
  ]);
  const [firm = {}] = roots('firm.yaml');
  const [lockdown = {}] = roots('lockdown.yaml');
  return { firm, rules: joined('rules/', 'rules'), walls: joined('walls/', 'walls'), data, lockdown };
}

/** Header and conditions of a rule or of one of its cases; what the header does not state it does not narrow. */
function applies(world: World, header: Raw): Judgement {
  const { firm, request } = world;
  const { actions, resources, subjects, roles, when, unless } = header;
  const inScope =
    (actions === undefined || selects(firm, 'actions', actions, request.action)) &&
    (resources === undefined || selects(firm, 'resources', resources, request.resource.type));
  if (!inScope) return judged(false); // false AND anything is false
  return all([
    holds(world, subjects === undefined ? {} : { $is: subjects }, null),
    holds(world, roles === undefined ? {} : { 'subject.roles': { $has_any: spelledOut(firm, 'roles', roles) } }, null),
    holds(world, when, null),
    holds(world, unless === undefined ? {} : { $not: unless }, null),
  ]);
}

function judgeRule(world: World, rule: Raw): Judgement {
  const header = applies(world, rule);
  if (header.truth === false || rule['cases'] === undefined) return header;
  return any(listOf(rule['cases']).map((one) => all([header, applies(world, mapOf(one))])));
}

export function naiveDecide(policies: RawPolicies, request: DecisionRequest): NaiveDecision {
  const { firm, data } = policies;
  const world: World = { firm, data, request, looked: new Map() };
  const settings = mapOf(firm['walls']);
  const truths = new Map<string, Truth>();
  const walls = policies.walls.flatMap((wall) =>
    judgeWall(world, settings, wall).map(([rule, truth]) => ({ id: String(wall['id']), rule, truth })),
  );
  for (const { rule, truth } of walls)
    truths.set(rule, someOf([truth, truths.get(rule) ?? (truths.has(rule) ? undefined : false)]));
  const rules = policies.rules.map((rule) => ({ rule, id: String(rule['id']), ...judgeRule(world, rule) }));
  for (const { id, truth } of rules) truths.set(id, truth);
  const locked = judgeLockdown(world, policies.lockdown);

  const denies = rules.filter(({ rule }) => rule['effect'] === 'deny');
  const allows = rules.filter(({ rule }) => rule['effect'] === 'allow');
  const isTrue = ({ truth }: { readonly truth: Truth }) => truth === true;
  const isUnknown = ({ truth }: { readonly truth: Truth }) => truth === undefined;
  const denying = sorted([
    ...(locked === true ? ['lockdown'] : []),
    ...walls.filter(isTrue).map(({ rule }) => rule),
    ...denies.filter(isTrue).map(({ id }) => id),
  ]);
  const doubtful = locked === undefined || walls.some(isUnknown) || denies.some(isUnknown);
  const allowing = allows.filter(isTrue);
  const allowed = denying.length === 0 && !doubtful && allowing.length > 0;
  const memo = denying.includes('wall-memo-acknowledgement') ? listOf(settings['memo_advice']) : [];
  return {
    outcome: allowed ? 'allow' : 'deny',
    decidedBy:
      denying.length > 0
        ? denying
        : doubtful
          ? ['attribute-missing']
          : allowed
            ? sorted(allowing.map(({ id }) => id))
            : [allows.some(isUnknown) ? 'attribute-missing' : 'default-deny'],
    walls: sorted(walls.filter(isTrue).map(({ id }) => id)),
    grants: sorted(rules.filter(isTrue).flatMap(({ grants }) => grants)),
    advice: sorted([...memo, ...denies.filter(isTrue).flatMap(({ rule }) => listOf(rule['advice']))].map(String)),
    obligations: sorted(allowed ? allowing.flatMap(({ rule }) => listOf(rule['obligations'])).map(String) : []),
    missing: missingOf(world),
    stepUp:
      denying.length === 0 || doubtful || allows.some(isUnknown) || allowing.length === 0
        ? null
        : cure(
            firm,
            denying,
            denies.filter(isTrue).map(({ rule }) => rule),
          ),
    truths,
  };
}

/** What is required and not sent, or not of its type. */
function missingOf(world: World): string[] {
  const { firm, request } = world;
  const paths = ['subject', 'resource', 'context'].flatMap((namespace) =>
    Object.keys(mapOf(member(firm, 'attributes', namespace))).map((name) => `${namespace}.${name}`),
  );
  const builtIn = ['subject.roles', 'subject.user_type', 'context.source_system', 'context.approvals'];
  return sorted([
    ...(absent(request.subject.id) ? ['subject.id'] : []),
    ...(absent(request.resource.id) ? ['resource.id'] : []),
    ...[...builtIn, ...paths].flatMap((path) => {
      const declared = mapOf(declaration(world, path));
      const wrong = mistyped(world, path, declared);
      if (wrong.length > 0) return wrong;
      return isAbsent(world, path) && isRequired(world, path, declared) ? [path] : [];
    }),
  ]);
}

/** Only where every single deny is a rule that a step-up cures. */
function cure(firm: Raw, denying: readonly string[], denies: readonly Raw[]): NaiveDecision['stepUp'] {
  if (denies.length < denying.length) return null;
  const cures = denies.map((rule) =>
    listOf(rule['advice'])
      .map((code) => mapOf(member(firm, 'advice', String(code))))
      .filter((advice) => advice['acr_values'] !== undefined),
  );
  if (cures.some((list) => list.length === 0)) return null;
  const ages = cures.flat().flatMap(({ max_age: age }) => (typeof age === 'number' ? [age] : []));
  return {
    acr_values: sorted(cures.flat().flatMap((advice) => String(advice['acr_values']).split(' '))).join(' '),
    max_age: ages.length === 0 ? null : Math.min(...ages),
  };
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
