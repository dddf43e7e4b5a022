// A difference in the words of those who review it: who, what, to which, when, and why it is another decision. It must never leave out what was stated.
import { testLines } from '../prove/example-test.ts';
import type { Case } from '../prove/violation.ts';
import type { ChangedData } from './changed-data.ts';
import type { Effect, EffectVerdict, Example, DirectionResult } from './effect.ts';
import type { Judged } from './flips.ts';
import { valueText } from './members.ts';

export const HEADLINES: Readonly<Record<EffectVerdict, string>> = {
  equivalent: 'no request is decided otherwise',
  stricter: 'something is newly denied, nothing is newly allowed',
  wider: 'something is newly allowed, nothing is newly denied',
  incomparable: 'something is newly allowed, and something is newly denied',
  unknown: 'not settled',
};

/** `u-okafor (partner, internal)` */
export function whoOf({ claims }: Case): string {
  const roles = Array.isArray(claims['roles']) ? claims['roles'].map(String) : [];
  const kind = typeof claims['user_type'] === 'string' ? [claims['user_type']] : [];
  const act = claims['act'];
  const assistant = typeof act === 'object' && act !== null && 'sub' in act ? `, through ${String(act.sub)}` : '';
  const known = [...(roles.length === 0 ? ['no role'] : roles), ...kind].join(', ');
  return `${String(claims['sub'])} (${known})${assistant}`;
}

/** `document X-1 of M-1004` */
export function whatOf({ resource }: Case): string {
  const matter = resource.properties?.['matter_id'];
  return `${resource.type} ${resource.id}${typeof matter === 'string' ? ` of ${matter}` : ''}`;
}

const TOLD = new Set(['sub', 'roles', 'user_type', 'act', 'matter_id']);

/** Everything else that was stated. */
export function circumstancesOf({ now, claims, resource, context }: Case): readonly string[] {
  const of = (members: Readonly<Record<string, unknown>> | undefined): readonly string[] =>
    Object.entries(members ?? {}).flatMap(([name, value]) =>
      TOLD.has(name) ? [] : [`${name}: ${typeof value === 'boolean' ? (value ? 'yes' : 'no') : listed(value)}`],
    );
  return [now, ...of(claims), ...of(resource.properties), ...of(context)];
}

function listed(value: unknown): string {
  return Array.isArray(value) && value.length === 0 ? 'none' : valueText(value);
}

export function lineOf({ direction, case: one }: Example): string {
  const verb = direction === 'newly_allowed' ? 'may now' : 'may no longer';
  return `${whoOf(one)} ${verb} ${one.action} ${whatOf(one)}`;
}

/** What decided, walls by name. */
export function reasonOf({ outcome, decidedBy, walls }: Judged): string {
  return `${outcome === 'allow' ? 'allowed' : 'denied'} by ${decidedBy.join(', ')}${walls.length > 0 ? ` (${walls.join(', ')})` : ''}`;
}

export function causeOf({ cause: { kind, id } }: Example): string {
  if (kind === 'lockdown') return 'lockdown.yaml';
  return kind === 'ai_assistants' ? 'the declared AI assistants' : `${kind} ${id}`;
}

/** Changed entries of data that the request is about. */
export function touchedBy({ case: one }: Pick<Example, 'case'>, changed: ChangedData): readonly string[] {
  const { claims, resource } = one;
  const said = new Set(
    [resource.id, claims['sub'], ...Object.values(resource.properties ?? {})].filter(
      (text) => typeof text === 'string',
    ),
  );
  const of = (kind: string, ids: Iterable<string>): readonly string[] =>
    [...ids].filter((id) => said.has(id)).map((id) => `${kind} ${id}`);
  return [
    ...of('matter', changed.matters),
    ...of('person', changed.people),
    ...of('assistant', changed.assistants),
    ...[...changed.consents].flatMap(([list, clients]) => of(`consent ${list} of`, clients)),
  ];
}

/** An entry of policies/tests/, which passes under the new set. */
export function exampleTest(example: Example, index: number): readonly string[] {
  const { direction, case: one, judged, cause } = example;
  return testLines({
    id: `${direction.replace('_', '-')}-${index + 1}-${cause.id.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`,
    why: `${lineOf(example)}: ${reasonOf(judged[0])} before`,
    case: one,
    expect: judged[1].outcome,
    decidedBy: judged[1].decidedBy,
  });
}

/** What is known of one direction, in a sentence. */
export function directionText({ verdict, basis, why, examples }: DirectionResult, what: string): string {
  if (verdict === 'possible')
    return `${what}: something; ${examples.length === 1 ? 'an example follows' : `${examples.length} examples follow, one for each reason`}`;
  if (verdict === 'unknown') return `${what}: not settled. ${why ?? ''}`.trim();
  return basis === 'any'
    ? `${what}: nothing, for every request and whatever data both sides have alike`
    : `${what}: nothing with the data of these folders; other data could make a difference`;
}

export function beyondText({ beyond, verdict }: Effect): string | null {
  if (beyond.verdict === 'none') return null;
  const decisions = verdict === 'equivalent' ? 'same decisions, other' : 'where the decision stays: other';
  if (beyond.verdict === 'unknown') return 'advice and obligations: not settled';
  return `${decisions} advice or obligations`;
}

/** What was taken as it stands, and what was left open. */
export const SYMBOLIC =
  'symbolic: the token, the request, the time, and at first all data that both sides have alike; loaded: rules, words, walls, and the data that differ; examples are looked for with all data';
