// Requests that show what a new rule does and where it stops, found among variations of those of the firm's own tests. It must never show one
// that is decided alike without the rule.
import { attributesIn, childrenOf, type Expr } from '../../../src/core/condition.ts';
import type { Attribute } from '../../../src/core/dictionary.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Rule } from '../../../src/core/rules.ts';
import type { Cases } from './draft.ts';
import { asAbout, caseOf, decided, isDecidedAlike, knownRequests, type Request } from './requests.ts';

const MOST_NAMES = 4;

export function ruleCases(before: PolicySet, after: PolicySet, id: string): Cases {
  const rule = after.rules.find((one) => one.id === id);
  if (rule === undefined) return { why: 'the rule was not read' };
  const applies = (request: Request): boolean => {
    const decision = decided(after, request);
    return (
      decision !== null &&
      decision.outcome === rule.effect &&
      decision.decidedBy.includes(id) &&
      decision.missing.length === 0
    );
  };
  const turns = (request: Request): boolean => decided(before, request)?.outcome !== rule.effect;
  const shown = first(variations(before, rule), applies, turns);
  if (shown === null)
    return {
      why: 'no request was found that the rule decides: give the firm a test that comes close, or write the test by hand',
    };
  const notes = turns(shown)
    ? []
    : [
        `no request was found that only this rule ${rule.effect === 'allow' ? 'allows' : 'refuses'}: others say the same`,
      ];
  const isOutside = (request: Request): boolean => {
    const decision = decided(after, request);
    return (
      decision !== null &&
      !decision.decidedBy.includes(id) &&
      decision.missing.length === 0 &&
      isDecidedAlike(decision, decided(before, request))
    );
  };
  const opposite = first(
    neighbours(after, rule, shown),
    isOutside,
    (request) => decided(after, request)?.outcome !== rule.effect,
  );
  const says = rule.effect === 'allow' ? 'allows' : 'refuses';
  const tests = [
    { id: `${id}-${says}`, why: rule.entry.title ?? `The rule ${says} it.`, request: shown },
    ...(opposite === null
      ? []
      : [{ id: `${id}-leaves-alone`, why: 'Nearly the same, and outside the rule.', request: opposite }]),
  ].flatMap(({ request, ...words }) => {
    const decision = decided(after, request);
    return decision === null ? [] : [caseOf(words, request, decision)];
  });
  if (opposite === null) notes.push('no request was found that lies just outside the rule: there is no test of that');
  return { tests, notes };
}

/** The first that fits, one that is better before others. */
function first(
  requests: Iterable<Request>,
  fits: (request: Request) => boolean,
  isBetter: (request: Request) => boolean,
): Request | null {
  let second: Request | null = null;
  for (const request of requests) {
    if (!fits(request)) continue;
    if (isBetter(request)) return request;
    second ??= request;
  }
  return second;
}

/** Known requests, then the same with what the rule asks for. */
function* variations(set: PolicySet, rule: Rule): Generator<Request> {
  const known = knownRequests(set, 'any');
  yield* known;
  const roles = rolesOf(rule);
  for (const { actions, resources, expr } of rule.branches) {
    const wished = wishesOf(expr, true);
    for (const template of known) {
      const names = actions.names.has(template.action) ? [template.action] : [...actions.names].slice(0, MOST_NAMES);
      const types = resources.names.has(template.resource.type)
        ? [template.resource.type]
        : [...resources.names].slice(0, MOST_NAMES);
      for (const action of names)
        for (const type of types)
          for (const role of roles.length === 0 ? [null] : [null, ...roles]) {
            const asked = { ...template, action, resource: { ...template.resource, type } };
            const about = role === null ? asked : { ...asked, claims: { ...asked.claims, roles: [role] } };
            yield about;
            yield wished.reduce((request, [attribute, value]) => withValue(request, attribute, value), about);
          }
    }
  }
}

function rolesOf({ branches }: Rule): readonly string[] {
  const found = new Set<string>();
  const visit = (expr: Expr): void => {
    if (expr.op === 'has_any' && expr.left.path === 'subject.roles')
      for (const role of expr.values) found.add(String(role));
    childrenOf(expr).forEach(visit);
  };
  for (const { expr } of branches) visit(expr);
  return [...found].slice(0, MOST_NAMES);
}

type Wish = readonly [attribute: Attribute, value: unknown];

/** What would make a condition true, where it says so by itself; undefined: nothing stated. */
function wishesOf(expr: Expr, wanted: boolean): readonly Wish[] {
  switch (expr.op) {
    case 'all':
      return wanted
        ? expr.args.flatMap((arg) => wishesOf(arg, true))
        : expr.args.slice(0, 1).flatMap((arg) => wishesOf(arg, false));
    case 'any':
      return wanted
        ? expr.args.slice(0, 1).flatMap((arg) => wishesOf(arg, true))
        : expr.args.flatMap((arg) => wishesOf(arg, false));
    case 'not':
      return wishesOf(expr.arg, !wanted);
    case 'term':
      return wishesOf(expr.arg, wanted);
    case 'eq':
    case 'gte':
    case 'lte':
    case 'has':
      return expr.left.attribute === null || expr.left.field !== null || expr.right.kind !== 'literal'
        ? []
        : wished(expr.left.attribute, expr.op === 'has' ? [expr.right.value] : expr.right.value, wanted);
    case 'in':
      return expr.left.attribute === null || expr.right.kind !== 'list'
        ? []
        : wished(expr.left.attribute, expr.right.values[0], wanted);
    case 'exists':
      return expr.left.attribute === null || expr.want === wanted ? [] : [[expr.left.attribute, undefined]];
    default:
      return [];
  }
}

function wished(attribute: Attribute, value: unknown, wanted: boolean): readonly Wish[] {
  if (wanted) return [[attribute, written(attribute, value)]];
  const other = othersOf(attribute, value)[0];
  return other === undefined ? [] : [[attribute, other]];
}

/** Instants are kept in milliseconds within conditions, and stated as text. */
function written({ type }: Attribute, value: unknown): unknown {
  return type.kind === 'timestamp' && typeof value === 'number' ? new Date(value).toISOString() : value;
}

function othersOf({ type }: Attribute, value: unknown): readonly unknown[] {
  if (type.kind === 'boolean') return [value !== true];
  if (type.kind === 'enum') return type.values.filter((one) => one !== value);
  if (type.kind === 'number') return typeof value === 'number' ? [value + 1, value - 1, value * 2, 0] : [];
  if (type.kind === 'list') return [[]];
  return type.kind === 'string' || type.kind === 'person' ? [`not-${String(value)}`] : [];
}

function withValue(request: Request, { namespace, name, source }: Attribute, value: unknown): Request {
  const put = (values: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> => {
    const { [name]: _, ...others } = values ?? {};
    return value === undefined ? others : { ...others, [name]: value };
  };
  if (namespace === 'subject' && name !== 'id')
    return { ...request, claims: { ...request.claims, ...put(request.claims) } };
  if (namespace === 'resource' && source === 'request')
    return { ...request, resource: { ...request.resource, properties: put(request.resource.properties) } };
  return namespace === 'context' && source === 'request' ? { ...request, context: put(request.context) } : request;
}

/** One thing differs: a fact that the rule reads, a role, the person, the action. */
function* neighbours(set: PolicySet, rule: Rule, shown: Request): Generator<Request> {
  const read = new Set<Attribute>();
  for (const { expr } of rule.branches) attributesIn(expr, read);
  for (const attribute of read) {
    const { namespace, name } = attribute;
    const values =
      namespace === 'subject' ? shown.claims : namespace === 'context' ? shown.context : shown.resource.properties;
    if (name === 'roles') continue;
    for (const other of othersOf(attribute, values?.[name])) yield withValue(shown, attribute, other);
  }
  for (const role of set.firm.names.roles.keys()) yield { ...shown, claims: { ...shown.claims, roles: [role] } };
  for (const person of set.data.directory.keys()) yield asAbout(set, shown, { person });
  for (const action of set.firm.names.actions.keys()) yield { ...shown, action };
}
