// Takes requests for access to what was denied, and tells what became of them (AuthZEN access request and approval profile). The log is
// what it knows: a request is a record. It must never give access, nor say more of an approval than that there is one.
import { authorize, type AuthorizeDeps } from './authorize.ts';
import type { PolicySet } from './core/policy-set.ts';
import { canonicalize } from './core/record/canonical.ts';
import { statedAttributes } from './core/record/stated.ts';
import { isUuid } from './core/record/uuid.ts';
import { isTemplate, type AccessRequest } from './core/access-request.ts';
import { EMERGENCY_REASON, isEmergency, isOpenedBy } from './core/requestable.ts';
import { isObject, readRecorded, type JsonObject } from './core/recorded-request.ts';
import { parseTimestamp } from './core/time.ts';
import type { ApprovedThing, Approvals } from './io/log/approvals.ts';
import type { RecordReader } from './io/reports/read-record.ts';
import { PrivityError } from './model/errors.ts';
import { requestOf, type Asked, type Question } from './question.ts';
import { rolesOf } from './spend-approvals.ts';

export interface AccessRequestDeps extends AuthorizeDeps {
  readonly records: RecordReader;
  readonly given: Approvals['given'];
}

/** Times in milliseconds since 1970. */
export interface Task {
  readonly id: string;
  readonly template: AccessRequest['template'];
  readonly status: 'pending' | 'approved' | 'denied';
  readonly until: number;
  /** Of an approved one. */
  readonly approval: { readonly id: string; readonly at: number; readonly until: number } | null;
}

export interface Denial {
  readonly evaluationId: string | null;
  /** Milliseconds since 1970, as the caller says it; null where it says nothing that is a time. */
  readonly requestedUntil: number | null;
  /** Names of the action's own properties. */
  readonly actionProperties: readonly string[];
}

/** Emergencies are for now; a second person may take as long as an approval may last. */
const EMERGENCY_MS = 15 * 60_000;

/**
 * Recorded before it returns.
 * @param question as it was denied, with what is added to it
 * @throws PrivityError `denial_not_bound`, `access_not_requestable`, `denial_expired` or `cannot_record`
 */
export async function requestAccess(
  deps: AccessRequestDeps,
  set: PolicySet,
  asked: Asked,
  question: Question,
  denial: Denial,
): Promise<Task> {
  const now = deps.clock.now();
  const template = await requestableOf(deps, set, asked, question, denial, now);
  const longest = template === 'emergency' ? EMERGENCY_MS : (set.firm.approvals?.validForMs ?? 0);
  const until = Math.min(now + longest, Math.max(now, denial.requestedUntil ?? Infinity));
  const isStated = template === 'emergency' && isEmergency(set, requestOf(asked, question, now));
  const request: AccessRequest = { denial: denial.evaluationId ?? '', template, until, isStated };
  const terms = { isStranger: false, supports: [], ...question.terms, request };
  const [answered] = await authorize(deps, set, asked, [{ ...question, approvalIds: [], terms }]);
  if (answered === undefined) throw new Error('a question without an answer');
  return taskOf({ id: answered.evaluationId, at: answered.evaluatedAt, request }, null);
}

/** @throws PrivityError `unknown_task`, also for what another caller requested, or `task_expired` */
export async function readTask(deps: AccessRequestDeps, set: PolicySet, caller: string, id: string): Promise<Task> {
  const now = deps.clock.now();
  const found = await requestedBy(deps, caller, id);
  if (found === null) throw new PrivityError('unknown_task');
  if (found.request.until <= now) throw new PrivityError('task_expired');
  if (found.request.template === 'emergency') return taskOf(found, null);
  const given = await deps.given(found.thing, found.at).catch((cause: unknown) => {
    throw new PrivityError('overloaded', { detail: 'approvals cannot be read just now', retryAfterSeconds: 2, cause });
  });
  // Whoever may not approve this has approved nothing: the next one may.
  const { said } = readRecorded(set, found.record);
  const fitting = said === null ? [] : given.filter((one) => isOpenedBy(set, { ...said.request, now }, rolesOf(one)));
  const [first] = fitting;
  return taskOf(found, first === undefined ? null : { id: first.id, at: first.at, until: first.expiresAt });
}

/**
 * The question with what was requested for it: an approval to spend, or the reason of an emergency. What was requested for something
 * else, by another caller, or has ended, adds nothing.
 */
export async function withApproval(
  deps: AccessRequestDeps,
  asked: Asked,
  question: Question,
  id: string,
): Promise<Question> {
  const terms = { isStranger: false, supports: [], ...question.terms, approval: id };
  const found = await requestedBy(deps, asked.caller.id, id);
  if (found === null)
    return { ...question, terms, approvalIds: [...question.approvalIds, ...(isUuid(id) ? [id] : [])] };
  const { thing, request, reason } = found;
  const { subject = asked.subject } = question;
  const isFor =
    thing.requester === subject.id &&
    thing.action === question.action &&
    thing.resourceType === question.resource.type &&
    thing.resourceId === question.resource.id;
  const holds = request.isStated && request.until > deps.clock.now();
  if (!isFor || !holds || reason === null) return { ...question, terms };
  return { ...question, terms, context: { ...question.context, [EMERGENCY_REASON]: reason } };
}

interface Requested {
  readonly id: string;
  readonly at: number;
  readonly request: AccessRequest;
}

function taskOf({ id, at, request }: Requested, given: Task['approval']): Task {
  const { template, until, isStated } = request;
  if (template === 'approval') {
    return { id, template, until, status: given === null ? 'pending' : 'approved', approval: given };
  }
  return {
    id,
    template,
    until,
    status: isStated ? 'approved' : 'denied',
    approval: isStated ? { id, at, until } : null,
  };
}

/** What of the deny's record says that it is this question of this caller, may be requested, and still. */
async function requestableOf(
  { records }: AccessRequestDeps,
  set: PolicySet,
  { caller, subject: bearer }: Asked,
  { subject = bearer, action, resource, context }: Question,
  { evaluationId, actionProperties }: Denial,
  now: number,
): Promise<AccessRequest['template']> {
  const found = evaluationId === null ? null : await records.read(evaluationId);
  if (found === null || found.kind !== 'decision' || !found.intact) throw new PrivityError('denial_not_bound');
  const { record } = found;
  const [about, by, who] = ['resource', 'caller', 'subject'].map((name) => objectIn(record, name));
  const circumstances = Object.fromEntries(actionProperties.map((name) => [name, context[name]]));
  const isBound =
    by?.['id'] === caller.id &&
    who?.['id'] === subject.id &&
    record['action'] === action &&
    about?.['type'] === resource.type &&
    about['id'] === resource.id &&
    isSaid(objectIn(about, 'properties'), statedAttributes(set, 'resource', resource.properties, [])) &&
    isSaid(pick(objectIn(record, 'context'), actionProperties), statedAttributes(set, 'context', circumstances, []));
  if (!isBound) throw new PrivityError('denial_not_bound');
  const { template, expires_at: expiry } = objectIn(objectIn(record, 'terms'), 'requestable');
  if (!isTemplate(template)) throw new PrivityError('access_not_requestable');
  if ((parseTimestamp(String(expiry)) ?? 0) <= now) throw new PrivityError('denial_expired');
  return template;
}

/** Attributes that both policy sets record; what no rule reads is not compared. */
function isSaid(recorded: JsonObject, said: JsonObject): boolean {
  return Object.entries(recorded).every(
    ([name, value]) => !Object.hasOwn(said, name) || canonicalize(value ?? null) === canonicalize(said[name] ?? null),
  );
}

function pick(values: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.flatMap((name) => (Object.hasOwn(values, name) ? [[name, values[name]]] : [])));
}

interface Found extends Requested {
  readonly record: JsonObject;
  readonly thing: ApprovedThing;
  readonly reason: string | null;
}

async function requestedBy({ records }: AccessRequestDeps, caller: string, id: string): Promise<Found | null> {
  const found = await records.read(id);
  if (found === null || found.kind !== 'decision' || !found.intact) return null;
  const { record } = found;
  const { denial, template, until, isStated } = objectIn(objectIn(record, 'terms'), 'request');
  const end = parseTimestamp(String(until));
  if (!isTemplate(template) || end === undefined || objectIn(record, 'caller')['id'] !== caller) return null;
  const resource = objectIn(record, 'resource');
  const reason = objectIn(record, 'context')[EMERGENCY_REASON];
  return {
    id: found.id,
    record,
    at: found.at.getTime(),
    request: { denial: String(denial), template, until: end, isStated: isStated === true },
    thing: {
      requester: String(objectIn(record, 'subject')['id']),
      action: String(record['action']),
      resourceType: String(resource['type']),
      resourceId: String(resource['id']),
      matter: textIn(record, 'matter'),
      client: textIn(record, 'client'),
    },
    reason: typeof reason === 'string' ? reason : null,
  };
}

function objectIn(record: JsonObject, name: string): JsonObject {
  const value = record[name];
  return isObject(value) ? value : {};
}

function textIn(record: JsonObject, name: string): string | null {
  const value = record[name];
  return typeof value === 'string' ? value : null;
}
