// Looks for a test that would notice a change: one of those there are, with a single thing in it changed. It must never propose one whose decision is
// the same.
import { childrenOf, refsOf, type Expr } from '../../../src/core/condition.ts';
import { decide } from '../../../src/core/decide.ts';
import type { Attribute } from '../../../src/core/dictionary.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Rule } from '../../../src/core/rules.ts';
import type { Decision, DecisionRequest } from '../../../src/model/decision.ts';
import type { TestCase } from '../../../src/model/rules.ts';
import { isConcerned, type Known } from './kill.ts';
import type { Made } from './mutants.ts';

export interface NearCase {
  readonly test: TestCase;
  /** What to change in it, in words; empty: nothing, it should say what comes out. */
  readonly change: string;
  /** What comes out of it without the change of the rules. */
  readonly expect: Decision;
}

interface Change {
  readonly words: string;
  readonly request: DecisionRequest;
}

/**
 * The first that is found; null: none is that near.
 * @param most requests that are tried
 */
export function nearCase(set: PolicySet, made: Made, cases: readonly Known[], most: number): NearCase | null {
  let left = most;
  const attributes = readBy(made);
  for (const isWide of [false, true])
    for (const { test, request } of cases) {
      if (!isWide && made.rules !== null && !isConcerned(set, made, request)) continue;
      for (const { words, request: changed } of changesOf(set, request, attributes, isWide)) {
        if (made.rules !== null && !isConcerned(set, made, changed)) continue;
        if (left-- === 0) return null;
        const expect = decide(set, changed);
        if (isSame(expect, decide(made.set, changed))) continue;
        return { test, change: words, expect };
      }
    }
  return null;
}

function isSame(a: Decision, b: Decision): boolean {
  const plain = ({ outcome, decidedBy, advice, obligations }: Decision): string =>
    JSON.stringify([outcome, decidedBy, advice, obligations]);
  return plain(a) === plain(b);
}

interface Read {
  readonly attribute: Attribute;
  readonly values: Set<unknown>;
}

/** Attributes that the changed rules read, with the values they are compared with. */
function readBy({ rules }: Made): readonly Read[] {
  const found = new Map<Attribute, Set<unknown>>();
  const visit = (expr: Expr): void => {
    for (const { attribute, field } of refsOf(expr)) {
      if (attribute === null || field !== null) continue;
      const values = found.get(attribute) ?? new Set();
      found.set(attribute, values);
      if ('right' in expr && 'kind' in expr.right && expr.right.kind === 'literal') values.add(expr.right.value);
      if ('right' in expr && 'kind' in expr.right && expr.right.kind === 'list')
        for (const value of expr.right.values) values.add(value);
      if (expr.op === 'has_any') for (const value of expr.values) values.add(value);
    }
    childrenOf(expr).forEach(visit);
  };
  const changed: readonly (Rule | null)[] = (rules ?? []).flat();
  for (const rule of changed) for (const { expr } of rule?.branches ?? []) visit(expr);
  return [...found].map(([attribute, values]) => ({ attribute, values }));
}

const SOMETHING_ELSE = { mistyped: true };

function* changesOf(
  set: PolicySet,
  request: DecisionRequest,
  attributes: readonly Read[],
  isWide: boolean,
): Generator<Change> {
  yield { words: '', request };
  for (const action of set.firm.names.actions.keys())
    if (action !== request.action) yield { words: `the action \`${action}\``, request: { ...request, action } };
  for (const read of attributes) {
    const { attribute } = read;
    const { namespace, name, path } = attribute;
    if (namespace !== 'subject' && namespace !== 'resource' && namespace !== 'context') continue;
    const members: Readonly<Record<string, unknown>> =
      namespace === 'subject'
        ? request.subject.attributes
        : namespace === 'resource'
          ? request.resource.properties
          : request.context;
    const changed = (more: Readonly<Record<string, unknown>>): DecisionRequest =>
      namespace === 'subject'
        ? { ...request, subject: { ...request.subject, attributes: more } }
        : namespace === 'resource'
          ? { ...request, resource: { ...request.resource, properties: more } }
          : { ...request, context: more };
    for (const value of valuesFor(read, request))
      if (members[name] !== value)
        yield { words: `\`${path}: ${shown(value)}\``, request: changed({ ...members, [name]: value }) };
    if (!Object.hasOwn(members, name)) continue;
    const rest = Object.fromEntries(Object.entries(members).filter(([other]) => other !== name));
    yield { words: `\`${path}\` left out`, request: changed(rest) };
    yield { words: `\`${path}\` of the wrong type`, request: changed({ ...members, [name]: SOMETHING_ELSE }) };
  }
  if (!isWide) return;
  for (const id of peopleOf(set))
    if (id !== request.subject.id)
      yield { words: `\`sub: ${id}\``, request: { ...request, subject: { ...request.subject, id } } };
  for (const type of set.firm.names.resourceTypes.keys())
    if (type !== request.resource.type)
      yield { words: `the type \`${type}\``, request: { ...request, resource: { ...request.resource, type } } };
}

function valuesFor({ attribute: { type }, values }: Read, { subject }: DecisionRequest): readonly unknown[] {
  switch (type.kind) {
    case 'boolean':
      return [true, false];
    case 'enum':
      return type.values;
    case 'person':
      return [subject.id, ...values];
    case 'number':
      return [...values].flatMap((value) => (typeof value === 'number' ? [value, value + 1, value - 1] : []));
    case 'list': {
      const items = type.items.kind === 'enum' ? type.items.values : [...values];
      return [[], ...items.map((one) => [one])];
    }
    case 'string':
      return [...values];
    default:
      return [];
  }
}

function peopleOf({ data }: PolicySet): Iterable<string> {
  return data.people.keys();
}

function shown(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
}
