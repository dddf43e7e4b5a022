// What a decision leaves in the log: enough to replay it and to answer who, what, why and by which rules (RECORD.md). It must never hold tokens, names, titles or undeclared attributes.
import type { Caller, Decision, DecisionRequest, Subject } from '../../model/decision.ts';
import type { RecordEntry } from '../../model/record.ts';
import type { PolicySet } from '../policy-set.ts';
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
  /** Proven approvals that were spent on this request. */
  readonly approvalIds: readonly string[];
  /** From the arrival of the request to the decision, in microseconds. */
  readonly durationUs: number;
}

export function decisionEntry(set: PolicySet, event: DecisionEvent): RecordEntry {
  const { decision, request, subject, caller } = event;
  const freeText: string[] = [];
  const attributes = statedAttributes(set, 'subject', request.subject.attributes, freeText);
  const properties = statedAttributes(set, 'resource', request.resource.properties, freeText);
  const context = statedAttributes(set, 'context', request.context, freeText);
  const obligations = decision.obligations.map(({ id }) => id);
  return {
    kind: 'decision',
    id: event.id,
    at: request.now,
    body: {
      outcome: decision.outcome,
      decided_by: decision.decidedBy,
      rules: decision.results.map(({ rule, effect, truth, source }) => ({ rule, effect, truth, source })),
      walls: decision.walls,
      grants: decision.grants,
      obligations,
      advice: decision.advice,
      missing: decision.missing,
      subject: {
        id: subject.id,
        actor: request.actor,
        evidence: subject.evidence.kind,
        issuer: subject.evidence.issuer,
        token_id: subject.evidence.tokenId,
        key_id: subject.evidence.keyId,
        claims_hash: subject.evidence.claimsHash,
        dropped_roles: subject.evidence.droppedRoles,
        attributes,
      },
      caller: { id: caller.id, source_system: request.sourceSystem, own: caller.own },
      action: request.action,
      resource: { type: request.resource.type, id: request.resource.id, properties },
      context,
      approvals: { ids: event.approvalIds, proven: request.approvals },
      matter: decision.matter,
      client: decision.client,
      on_file: decision.onFile,
      free_text: freeText.sort(),
      policy: { revision: set.revision, commit: set.commit, engine: ENGINE_VERSION },
      request_id: event.requestId,
      trace_id: event.traceId,
      duration_us: event.durationUs,
    },
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
