// Finds requests worth showing in whatever policies are loaded: tests of the folder, asked again now. It must never show one whose outcome it has not seen.
import { decide } from '../../core/decide.ts';
import type { PolicySet } from '../../core/policy-set.ts';
import { requestOfTest } from '../../core/run-tests.ts';
import { formatTimestamp, parseTimestamp } from '../../core/time.ts';
import type { CallerEntry } from '../../model/data.ts';
import type { Decision, DecisionRequest } from '../../model/decision.ts';
import type { TestCase } from '../../model/rules.ts';
import { developmentClaims, type Claims } from './claims.ts';

export interface DemoRequest {
  readonly claims: Claims;
  readonly caller: CallerEntry;
  readonly action: string;
  readonly resource: DecisionRequest['resource'];
  readonly context: DecisionRequest['context'];
  readonly decision: Decision;
  /** It comes out the same for as long as the tokens are good. */
  readonly lasts: boolean;
}

export interface Demo {
  /** Claims of somebody who may read the records of the three. */
  readonly reader: Claims | null;
  readonly allowed: DemoRequest | null;
  readonly walled: DemoRequest | null;
  readonly stepUp: DemoRequest | null;
}

const MINUTE = 60_000;
/** When else it should come out the same: sign-ins grow stale, working hours end. */
const LATER = [10 * MINUTE, 2 * 60 * MINUTE, 7 * 60 * MINUTE, 12 * 60 * MINUTE];

export function chooseDemo(set: PolicySet, callers: readonly CallerEntry[], now: number): Demo {
  const requests = set.tests.flatMap(({ test }) => askNow(set, callers, test, now) ?? []);
  const walled = best(requests, isWalled, (one) => (hidesAnAllow(one) ? 0 : 8) + (isWalledOff(one) ? 0 : 4));
  const sameMatter = (one: DemoRequest) => (one.decision.matter === walled?.decision.matter ? 0 : 1);
  const allowed = best(requests, isAllowed, sameMatter);
  const stepUp = best(requests, asksForStepUp, sameMatter);
  const shown = [allowed, walled, stepUp].flatMap((one) => one ?? []);
  return { allowed, walled, stepUp, reader: findReader(set, shown, now) };
}

export function isAllowed({ decision }: Pick<DemoRequest, 'decision'>): boolean {
  return decision.outcome === 'allow';
}

export function isWalled({ decision }: Pick<DemoRequest, 'decision'>): boolean {
  return decision.walls.length > 0;
}

export function asksForStepUp({ decision }: Pick<DemoRequest, 'decision'>): boolean {
  return decision.stepUp !== null;
}

/** Only the wall stands in the way: everybody sees what it does. */
function hidesAnAllow({ decision: { results } }: DemoRequest): boolean {
  return results.some(({ effect }) => effect === 'allow') && results.every(({ effect }) => effect !== 'deny');
}

/** Not a memo that is still to be acknowledged: a person whom the wall keeps out. */
function isWalledOff({ decision }: DemoRequest): boolean {
  return !decision.decidedBy.includes('wall-memo-acknowledgement');
}

/** The fewer points the better; of equals the first. */
function best(
  requests: readonly DemoRequest[],
  wanted: (one: DemoRequest) => boolean,
  points: (one: DemoRequest) => number,
): DemoRequest | null {
  const total = (one: DemoRequest) =>
    points(one) +
    (one.lasts ? 0 : 32) +
    (one.caller.may.includes('explain') ? 0 : 16) +
    (one.claims['user_type'] === 'internal' ? 0 : 4) +
    (one.resource.type === 'document' ? 0 : 2);
  const [first] = requests.filter(wanted).toSorted((a, b) => total(a) - total(b));
  return first ?? null;
}

/** Null when the test cannot be asked over HTTP as it stands: approvals, an assistant, a system that is not registered. */
function askNow(set: PolicySet, callers: readonly CallerEntry[], test: TestCase, now: number): DemoRequest | null {
  const { source_system: system, approvals, ...context } = test.context ?? {};
  const then = parseTimestamp(test.now);
  const caller = callerFor(callers, system);
  const hasApprovals = Array.isArray(approvals) && approvals.length > 0;
  if (caller === undefined || then === undefined || hasApprovals || test.claims['act'] !== undefined) return null;
  const shift = (namespace: string, values: Claims) => shiftTimes(set, namespace, values, now - then);
  const asked = {
    claims: shift('subject', test.claims),
    action: test.action,
    resource: {
      type: test.resource.type,
      id: test.resource.id,
      properties: shift('resource', test.resource.properties ?? {}),
    },
    context: shift('context', context),
  };
  const at = (time: number): Decision | null => {
    const made = requestOfTest(set, {
      ...asked,
      now: formatTimestamp(time),
      context: { ...asked.context, source_system: caller.source_system },
    });
    return 'refused' in made ? null : decide(set, made.request);
  };
  const decision = at(now);
  if (decision === null) return null;
  const lasts = LATER.every((later) => at(now + later)?.decidedBy.join() === decision.decidedBy.join());
  return { ...asked, caller, decision, lasts };
}

/** Somebody whom the policies let read the records of all these: from the tests of the log, or from the directory. */
function findReader(set: PolicySet, shown: readonly DemoRequest[], now: number): Claims | null {
  const ofTests = set.tests.flatMap(({ test }): Claims[] => {
    const then = parseTimestamp(test.now);
    const isReader = test.resource.type === 'decision_log' && test.expect === 'allow';
    return isReader && then !== undefined ? [shiftTimes(set, 'subject', test.claims, now - then)] : [];
  });
  const ofDirectory = [...set.data.directory.keys()].map((person) => developmentClaims(set, person, now));
  return [...ofTests, ...ofDirectory].find((claims) => claims !== null && mayReadAll(set, claims, shown, now)) ?? null;
}

/** As the door of the log asks (source system `privity`): each record is judged with its own matter and client. */
function mayReadAll(set: PolicySet, claims: Claims, shown: readonly DemoRequest[], now: number): boolean {
  const properties = shown.map(({ decision: { matter, client } }) => ({
    ...(matter === null ? {} : { matter_id: matter }),
    ...(client === null ? {} : { client_id: client }),
  }));
  return [{}, ...properties].every((place) => {
    const made = requestOfTest(set, {
      claims,
      action: 'read',
      resource: { type: 'decision_log', id: 'a-record', properties: place },
      context: { source_system: 'privity' },
      now: formatTimestamp(now),
    });
    return !('refused' in made) && decide(set, made.request).outcome === 'allow';
  });
}

/** Of those that speak for the system the one that may explain, so that the answer shows its reasons. */
function callerFor(callers: readonly CallerEntry[], system: unknown): CallerEntry | undefined {
  const fitting = callers.filter(
    ({ source_system: its, may, ai_assistant: assistant }) =>
      its === system && may.includes('authorize') && assistant === undefined,
  );
  return fitting.find(({ may }) => may.includes('explain')) ?? fitting[0];
}

/** A test has its own time; what it says of other times keeps its distance from now. */
function shiftTimes(set: PolicySet, namespace: string, values: Claims, by: number): Claims {
  const { byPath } = set.firm.dictionary;
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const isTime = byPath.get(`${namespace}.${name}`)?.type.kind === 'timestamp';
      const time = isTime && typeof value === 'string' ? parseTimestamp(value) : undefined;
      return [name, time === undefined ? value : formatTimestamp(time + by)];
    }),
  );
}
