// What a list filter leaves in the log: what was asked, of which columns, and a hash by which the filter can be told from another. It must
// never hold the filter itself, which names matters.
import type { Caller, Subject } from '../../model/decision.ts';
import { NO_COLUMNS, type RecordEntry } from '../../model/record.ts';
import { gatherFacts } from '../facts.ts';
import type { Filter, FilterForm, FilterQuestion } from '../filter/filter.ts';
import type { PolicySet } from '../policy-set.ts';
import { formatTimestamp } from '../time.ts';
import { ENGINE_VERSION } from './decision-record.ts';
import { statedAttributes } from './stated.ts';

export interface FilterEvent {
  readonly id: string;
  readonly question: FilterQuestion;
  readonly form: FilterForm;
  /** Null: it could not be put in that form, so nothing left. */
  readonly filter: Filter | null;
  /** Milliseconds since 1970, tokens counted. */
  readonly expiresAt: number;
  readonly subject: Subject;
  readonly caller: Caller;
  readonly requestId: string;
  /** W3C trace id, 32 hex digits. */
  readonly traceId: string | null;
  readonly durationUs: number;
}

const NOTHING: readonly string[] = [];

/** The matter and client of every row, where they are the same; null where rows differ in them, or nobody said. */
export function placeOfFilter(set: PolicySet, question: FilterQuestion) {
  const resource = { ...question.resource, id: '' };
  const { matter, client } = gatherFacts(set, { ...question, approvals: [], resource });
  return { matter, client };
}

export function filterEntry(set: PolicySet, event: FilterEvent): RecordEntry {
  const { question, form, filter, caller, subject } = event;
  const { evidence } = subject;
  const freeText: string[] = [];
  const { matter, client } = placeOfFilter(set, question);
  const body = {
    action: question.action,
    caller: { id: caller.id, own: caller.own, source_system: question.sourceSystem },
    client,
    context: statedAttributes(set, 'context', question.context, freeText),
    decided_by: NOTHING,
    duration_us: event.durationUs,
    filter: {
      columns: form.mapping.columns,
      conditions: filter?.conditions ?? null,
      expires_at: filter === null ? null : formatTimestamp(event.expiresAt),
      first_parameter: form.firstParameter,
      hash: filter?.hash ?? null,
      kind: filter?.kind ?? null,
      matters: form.matters === null ? null : { ...form.matters, columns: form.mapping.matters ?? {} },
      target: form.target,
    },
    free_text: freeText,
    grants: NOTHING,
    matter,
    obligations: NOTHING,
    outcome: null,
    policy: { commit: set.commit, engine: ENGINE_VERSION, revision: set.revision },
    request_id: event.requestId,
    resource: {
      id: null,
      properties: statedAttributes(set, 'resource', question.resource.properties, freeText),
      type: question.resource.type,
    },
    subject: {
      actor: question.actor,
      attributes: statedAttributes(set, 'subject', subject.attributes, freeText),
      claims_hash: evidence.claimsHash,
      dropped_roles: evidence.droppedRoles.slice(),
      evidence: evidence.kind,
      id: subject.id,
      issuer: evidence.issuer,
      key_id: evidence.keyId,
      token_id: evidence.tokenId,
    },
    trace_id: event.traceId,
    walls: NOTHING,
  };
  freeText.sort();
  return {
    kind: 'filter',
    id: event.id,
    at: question.now,
    body,
    columns: {
      ...NO_COLUMNS,
      subject_id: subject.id,
      actor_id: question.actor,
      caller: caller.id,
      source_system: question.sourceSystem,
      action: question.action,
      resource_type: question.resource.type,
      matter_id: matter,
      client_id: client,
      revision: set.revision,
      request_id: event.requestId,
    },
  };
}
