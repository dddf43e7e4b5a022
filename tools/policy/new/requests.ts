// Makes requests for new test cases out of those of the firm's own tests: another person, matter or time, all else as it was. It must never
// state an attribute that the firm does not know.
import { decide } from '../../../src/core/decide.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { requestOfTest, runTestCase } from '../../../src/core/run-tests.ts';
import { parseTimestamp } from '../../../src/core/time.ts';
import type { Decision } from '../../../src/model/decision.ts';
import type { TestCase } from '../../../src/model/rules.ts';

export type Request = Pick<TestCase, 'now' | 'claims' | 'action' | 'resource' | 'context'>;

const DAY = 86_400_000;
const MOST = 600;

/** One request for each action and type at least: of tests that pass, and that leave nothing out. */
export function knownRequests(set: PolicySet, wanted: 'allow' | 'any'): readonly Request[] {
  return set.tests
    .filter(
      ({ test }) =>
        (test.missing ?? []).length === 0 &&
        test.context?.['approvals'] === undefined &&
        test.claims['act'] === undefined,
    )
    .filter(({ test }) => wanted === 'any' || test.expect === 'allow')
    .filter(({ test }) => runTestCase(set, test).passed)
    .slice(0, MOST)
    .map(({ test: { now, claims, action, resource, context } }) => ({
      now,
      claims,
      action,
      resource,
      ...(context === undefined ? {} : { context }),
    }));
}

/** Null where the token would be refused. */
export function decided(set: PolicySet, request: Request): Decision | null {
  const made = requestOfTest(set, request);
  return 'refused' in made ? null : decide(set, made.request);
}

export interface About {
  readonly person?: string;
  /** Null: of no matter. */
  readonly matter?: string | null;
  readonly client?: string;
  readonly now?: number;
}

export function asAbout(set: PolicySet, request: Request, { person, matter, client, now }: About): Request {
  let { claims, resource, now: at, context } = request;
  if (person !== undefined && person !== claims['sub']) {
    const before = claims['sub'];
    claims = claimsOf(set, claims, person);
    const properties = mapped(resource.properties, (value) => (value === before ? person : value));
    resource = { ...resource, ...(properties === undefined ? {} : { properties }) };
  }
  if (matter !== undefined || client !== undefined) {
    const clientId = client ?? (typeof matter === 'string' ? set.data.matters.get(matter)?.clientId : undefined);
    const { matter_id: _, client_id: __, ...others } = resource.properties ?? {};
    const states = (name: string): boolean => resource.properties?.[name] !== undefined;
    const properties = {
      ...(states('client_id') && clientId !== undefined ? { client_id: clientId } : {}),
      ...(states('matter_id') && typeof matter === 'string' ? { matter_id: matter } : {}),
      ...others,
    };
    const id =
      resource.type === 'matter'
        ? (matter ?? resource.id)
        : resource.type === 'client'
          ? (clientId ?? resource.id)
          : resource.id;
    resource = { ...resource, id, ...(Object.keys(properties).length === 0 ? {} : { properties }) };
  }
  if (now !== undefined) {
    const shift = now - (parseTimestamp(at) ?? now);
    const near = (value: unknown): unknown => shifted(value, at, shift);
    claims = mapped(claims, near) ?? claims;
    context = mapped(context, near);
    at = written(now);
  }
  return { now: at, claims, action: request.action, resource, ...(context === undefined ? {} : { context }) };
}

/** What the directory says of the person, and how the other one signed in. */
function claimsOf(set: PolicySet, claims: Request['claims'], person: string): Request['claims'] {
  const directory = set.data.directory.get(person);
  if (directory === undefined) return { ...claims, sub: person };
  const before = set.data.directory.get(String(claims['sub'])) ?? {};
  const signIn = Object.entries(claims).filter(
    ([name]) => name !== 'sub' && !Object.hasOwn(before, name) && name !== 'roles',
  );
  return { sub: person, ...Object.fromEntries(signIn), ...directory };
}

function mapped<T extends Readonly<Record<string, unknown>>>(
  values: T | undefined,
  change: (value: unknown) => unknown,
): T | undefined {
  if (values === undefined) return undefined;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)])) as T;
}

/** Instants close to the request move with it: a fresh sign-in stays fresh. */
function shifted(value: unknown, now: string, shift: number): unknown {
  const instant = typeof value === 'string' ? parseTimestamp(value) : undefined;
  if (instant === undefined || Math.abs(instant - (parseTimestamp(now) ?? 0)) > DAY) return value;
  return written(instant + shift);
}

export function written(instant: number): string {
  return new Date(instant).toISOString().replace('.000Z', 'Z');
}

/** Instants of the period at the hour of the request: on one of these days it is a working day. */
export function instantsWithin(request: Request, from: number, until: number): readonly number[] {
  const hour = (parseTimestamp(request.now) ?? 0) % DAY;
  const first = Math.floor(from / DAY) * DAY + hour;
  const days = Array.from({ length: 9 }, (_, day) => first + day * DAY);
  return [...days, from, from + 3_600_000].filter((one) => one >= from && one < until);
}

export interface CaseWords {
  readonly id: string;
  readonly why: string;
}

/** A test case that says of this request what the policies say now. */
export function caseOf({ id, why }: CaseWords, request: Request, decision: Decision): TestCase {
  const { decidedBy, advice, outcome } = decision;
  const { now, claims, action, resource, context } = request;
  return {
    ...{ id, why, now, claims, action, resource },
    ...(context === undefined ? {} : { context }),
    expect: outcome,
    decided_by: [...decidedBy],
    ...(advice.length === 0 ? {} : { advice: [...advice] }),
    ...(decision.obligations.length === 0 ? {} : { obligations: decision.obligations.map((one) => one.id) }),
  };
}

export function isDecidedAlike(a: Decision | null, b: Decision | null): boolean {
  return a?.outcome === b?.outcome && a?.decidedBy.toSorted().join() === b?.decidedBy.toSorted().join();
}
