// Judges the approvals of a purge: two people, neither of them the one who requests it, each in a role that retention.yaml names and in
// good standing now. It must never believe the table of approvals without the record behind each.
import { stillCounts } from '../../core/approve.ts';
import { purgeHash } from '../../core/purge.ts';
import type { GivenApproval, PurgeableReader } from '../../io/reports/read-purgeable.ts';
import type { DecisionRequest } from '../../model/decision.ts';
import type { PurgeRequest } from '../../model/retention.ts';
import { UsageError } from '../shell/verb.ts';
import type { RetentionSet } from './purge-plan.ts';

/** What `POST /v1/approvals` is asked for. */
export const PURGE_ACTION = 'purge';
export const LOG_TYPE = 'decision_log';
const NEEDED = 2;

export interface Approved {
  readonly id: string;
  readonly by: string;
  readonly roles: readonly string[];
}

/** @throws UsageError with everything that stands against them */
export async function requireApprovals(
  reader: PurgeableReader,
  { set, retention }: RetentionSet,
  request: PurgeRequest,
  ids: readonly string[],
  now: number,
): Promise<readonly Approved[]> {
  const given = await reader.approvals(ids);
  const problems = ids
    .filter((id) => !given.some((one) => one.id === id))
    .map((id) => `${id}: there is no such approval`);
  const asked = requestOf(request, now);
  for (const one of given) {
    const { id, approver, roles } = one;
    const against = [
      ...standing(one, request, now),
      ...(roles.some((role) => retention.approvers.has(role)) ? [] : [`${approver} holds no role that may approve it`]),
      ...(stillCounts(set, asked, { by: approver, roles }) ? [] : [`${approver} has been locked or walled off since`]),
    ];
    problems.push(...against.map((why) => `${id}: ${why}`));
  }
  const people = new Set(given.map(({ approver }) => approver));
  if (people.size < NEEDED) problems.push(`it takes ${NEEDED} different people; these are ${people.size}`);
  if (problems.length > 0) throw new UsageError('it is not approved', undefined, problems);
  return given.map(({ id, approver: by, roles }) => ({ id, by, roles }));
}

function standing(one: GivenApproval, request: PurgeRequest, now: number): readonly string[] {
  const against: string[] = [];
  if (one.action !== PURGE_ACTION || one.resource_type !== LOG_TYPE) against.push('it approves something else');
  else if (one.resource_id !== purgeHash(request)) against.push('it approves another request');
  if (one.requester !== request.requester) against.push(`it was given to ${one.requester}`);
  if (one.approver === request.requester) against.push('nobody approves a request of their own');
  if (!one.proven) against.push('its record is missing or says something else');
  // What was spent on this very request goes on after a crash, also when it has expired meanwhile.
  if (one.use !== null && one.use !== request.id) against.push('it was used already');
  if (one.use === null && one.expires_at.getTime() <= now)
    against.push(`it expired at ${one.expires_at.toISOString()}`);
  return against;
}

function requestOf({ requester }: PurgeRequest, now: number): DecisionRequest {
  return {
    subject: { id: requester, attributes: {} },
    actor: null,
    action: PURGE_ACTION,
    resource: { type: LOG_TYPE, id: PURGE_ACTION, properties: {} },
    context: {},
    sourceSystem: 'privity',
    approvals: [],
    now,
  };
}
