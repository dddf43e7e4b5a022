// Runs policy test cases against a set, as authors see them: claims in, decision and reasons out. It must never judge otherwise than decide does.
import type { DecisionRequest } from '../model/decision.ts';
import type { TestCase } from '../model/rules.ts';
import { decide } from './decide.ts';
import type { PolicySet } from './policy-set.ts';
import { parseTimestamp } from './time.ts';

export interface TestResult {
  readonly id: string;
  readonly expected: 'allow' | 'deny';
  readonly actual: 'allow' | 'deny';
  readonly expected_rules: readonly string[] | null;
  readonly actual_rules: readonly string[];
  readonly expected_advice: readonly string[] | null;
  readonly actual_advice: readonly string[];
  readonly expected_obligations: readonly string[] | null;
  readonly actual_obligations: readonly string[];
  /** Paths of attributes that were absent or mistyped although required. */
  readonly missing: readonly string[];
  readonly passed: boolean;
  /** What differed, in words. */
  readonly problems: readonly string[];
}

export type TestRequest = { readonly request: DecisionRequest } | { readonly refused: string };

/** Claims become a subject as identity makes one of a verified token: roles that the firm does not know are dropped, a strange `act` refuses. */
export function requestOfTest(
  set: PolicySet,
  test: Pick<TestCase, 'now' | 'claims' | 'action' | 'resource' | 'context'>,
): TestRequest {
  const now = parseTimestamp(test.now);
  if (now === undefined) return { refused: `\`now\` is no RFC 3339 instant: ${test.now}` };
  const { sub, act, ...attributes } = test.claims;
  if (typeof sub !== 'string' || sub === '') return { refused: 'the claims have no `sub`' };
  const actor = actorOf(act, set);
  if (actor === undefined) return { refused: '`act` names no declared AI assistant' };
  if (Array.isArray(attributes['roles'])) {
    attributes['roles'] = attributes['roles'].filter(
      (role: unknown) => typeof role !== 'string' || set.roles.has(role),
    );
  }
  const { source_system: sourceSystem, approvals, ...context } = test.context ?? {};
  return {
    request: {
      subject: { id: sub, attributes },
      actor,
      action: test.action,
      resource: { type: test.resource.type, id: test.resource.id, properties: test.resource.properties ?? {} },
      context,
      sourceSystem: typeof sourceSystem === 'string' ? sourceSystem : null,
      approvals,
      now,
    },
  };
}

function actorOf(act: unknown, set: PolicySet): string | null | undefined {
  if (act === undefined) return null;
  if (typeof act !== 'object' || act === null || !('sub' in act) || typeof act.sub !== 'string') return undefined;
  return set.aiAssistants.has(act.sub) ? act.sub : undefined;
}

export function runTestCase(set: PolicySet, test: TestCase): TestResult {
  const made = requestOfTest(set, test);
  const decision = 'refused' in made ? null : decide(set, made.request);
  const actual = {
    outcome: decision?.outcome ?? 'deny',
    rules: decision?.decidedBy ?? ['token-refused'],
    advice: decision?.advice ?? [],
    obligations: decision?.obligations.map(({ id }) => id) ?? [],
  };
  const problems: string[] = [];
  if ('refused' in made) problems.push(`the token would be refused: ${made.refused}`);
  if (actual.outcome !== test.expect)
    problems.push(`expected ${test.expect}, got ${actual.outcome} by ${actual.rules.join(', ')}`);
  const left = test.missing ?? [];
  if (left.length === 0) {
    compare('decided_by', test.decided_by, actual.rules, problems);
    compare('advice', test.advice, actual.advice, problems);
    compare('obligations', test.obligations, actual.obligations, problems);
  }
  const refusalExpected =
    decision === null && test.expect === 'deny' && (left.length > 0 || sameNames(test.decided_by ?? [], actual.rules));
  return {
    id: test.id,
    expected: test.expect,
    actual: actual.outcome,
    expected_rules: test.decided_by ?? null,
    actual_rules: actual.rules,
    expected_advice: test.advice ?? null,
    actual_advice: actual.advice,
    expected_obligations: test.obligations ?? null,
    actual_obligations: actual.obligations,
    missing: decision?.missing ?? [],
    passed: problems.length === 0 || refusalExpected,
    problems: refusalExpected ? [] : problems,
  };
}

function compare(
  what: string,
  expected: readonly string[] | undefined,
  actual: readonly string[],
  problems: string[],
): void {
  if (expected === undefined || sameNames(expected, actual)) return;
  problems.push(`${what}: expected ${listed(expected)}, got ${listed(actual)}`);
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  const [left, right] = [new Set(a), new Set(b)];
  return left.size === right.size && [...left].every((name) => right.has(name));
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : [...names].sort().join(', ');
}
