// What a decision leaves in the log: enough to replay it and to answer who, what, why and by which rules (RECORD.md). It must never hold tokens, names, titles or undeclared attributes.
import type { Caller, Decision, DecisionRequest, Subject } from '../../model/decision.ts';
import type { RecordEntry } from '../../model/record.ts';
import type { FieldDecision } from '../fields.ts';
import type { PolicySet } from '../policy-set.ts';
import { REQUESTABLE_MS, type Template } from '../access-request.ts';
import type { Terms } from '../terms.ts';
import { formatTimestamp } from '../time.ts';
import { statedAttributes } from './stated.ts';

/** Raised whenever a change of the engine could change a decision: a replay then names both. */
export const ENGINE_VERSION = '1';

export interface DecisionEvent {
  readonly id: string;
  readonly request: DecisionRequest;
  readonly decision: Decision;
  readonly subject: Subject;
  readonly caller: Caller;
  readonly requestId: string;
  /** W3C trace id, 32 hex digits. */
  readonly traceId: string | null;
  /** Approvals that were spent on this request, whether or not they still counted. */
  readonly approvalIds: readonly string[];
  /** Where the request was decided for every protected field as well. */
  readonly fields?: readonly FieldDecision[] | undefined;
  /** Where the question was asked in AuthZEN's words. */
  readonly terms?: Terms | undefined;
  /** What the answer says may be requested. */
  readonly requestable?: Template | null | undefined;
  /** From the arrival of the request to the decision, in microseconds. */
  readonly durationUs: number;
}

export function decisionEntry(set: PolicySet, event: DecisionEvent): RecordEntry {
  const { decision, request, subject, caller } = event;
  const freeText: string[] = [];
  const attributes = statedAttributes(set, 'subject', request.subject.attributes, freeText);
  const properties = statedAttributes(set, 'resource', request.resource.properties, freeText);
  const context = statedAttributes(set, 'context', request.context, freeText);
  const { obligations, duties } = dutiesOf(set, decision);
  // Members in the order of canonical JSON, here and below, for then the bytes are written without sorting.
  const body = {
    action: request.action,
    advice: decision.advice,
    approvals: { ids: event.approvalIds, proven: request.approvals },
    caller: { id: caller.id, own: caller.own, source_system: request.sourceSystem },
    client: decision.client,
    context,
    decided_by: decision.decidedBy,
    duration_us: event.durationUs,
    duties,
    free_text: freeText.sort(),
    grants: decision.grants,
    matter: decision.matter,
    missing: decision.missing,
    obligations,
    on_file: decision.onFile,
    outcome: decision.outcome,
    policy: { commit: set.commit, engine: ENGINE_VERSION, revision: set.revision },
    request_id: event.requestId,
    resource: { id: request.resource.id, properties, type: request.resource.type },
    rules: decision.results,
    subject: {
      actor: request.actor,
      attributes,
      claims_hash: subject.evidence.claimsHash,
      dropped_roles: subject.evidence.droppedRoles.slice(), // of a frozen token: see stated.ts
      evidence: subject.evidence.kind,
      id: subject.id,
      issuer: subject.evidence.issuer,
      key_id: subject.evidence.keyId,
      token_id: subject.evidence.tokenId,
    },
    trace_id: event.traceId,
    walls: decision.walls,
  };
  return {
    kind: 'decision',
    id: event.id,
    at: request.now,
    body: event.fields === undefined && event.terms === undefined ? body : { ...body, ...moreOf(event) },
    columns: {
      outcome: decision.outcome,
      subject_id: subject.id,
      actor_id: request.actor,
      caller: caller.id,
      source_system: request.sourceSystem,
      action: request.action,
      resource_type: request.resource.type,
      resource_id: request.resource.id,
      matter_id: decision.matter,
      client_id: decision.client,
      decided_by: decision.decidedBy,
      walls: decision.walls,
      grants: decision.grants,
      obligations,
      revision: set.revision,
      request_id: event.requestId,
    },
  };
}

const NO_CODES: readonly string[] = [];

interface Duties {
  /** Everything that has to be done, alerts included: what queries for duties look at. */
  readonly obligations: readonly string[];
  /** Those that Privity does. */
  readonly duties: readonly string[];
}

/** Alerts are advice that nobody but Privity can follow, so they are duties like the obligations of an allow. */
function dutiesOf({ firm }: PolicySet, { obligations, advice }: Decision): Duties {
  if (obligations.length === 0 && advice.length === 0) return { obligations: NO_CODES, duties: NO_CODES };
  const alerts = advice.filter((code) => firm.advice.get(code)?.fulfilled_by === 'privity');
  const ours = obligations.filter((one) => one.fulfilled_by === 'privity').map(({ id }) => id);
  return { obligations: [...obligations.map(({ id }) => id), ...alerts], duties: [...ours, ...alerts] };
}

function moreOf({ fields, terms, requestable, request }: DecisionEvent): Readonly<Record<string, unknown>> {
  return {
    ...(fields === undefined ? {} : { fields: fields.map(fieldResult) }),
    ...(terms === undefined ? {} : { terms: termsOf(terms, requestable ?? null, request.now) }),
  };
}

/** What replay reads (recorded-request.ts), and what a request for access is bound to (access-requests.ts). */
function termsOf(
  { isStranger, supports, request, approval, isUnrouted }: Terms,
  requestable: Template | null,
  now: number,
) {
  const expiresAt = requestable === null ? null : formatTimestamp(now + REQUESTABLE_MS);
  return {
    ...(approval === undefined ? {} : { approval }),
    ...(request === undefined ? {} : { request: { ...request, until: formatTimestamp(request.until) } }),
    ...(requestable === null ? {} : { requestable: { expires_at: expiresAt, template: requestable } }),
    stranger: isStranger,
    supports,
    ...(isUnrouted === undefined ? {} : { unrouted: true }),
  };
}

function fieldResult({ field, outcome, decidedBy }: FieldDecision) {
  return { decided_by: decidedBy, field, outcome };
}
