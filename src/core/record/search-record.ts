// What a search for subjects, resources or actions leaves in the log: what was asked, how many results there were, and a hash by which the
// same search can be told from another. It must never hold the results, nor stand for less than what left.
import type { Caller, Subject } from '../../model/decision.ts';
import { NO_COLUMNS, type RecordEntry } from '../../model/record.ts';
import { resultsHash, type EntityPage, type EntityQuestion, type Sought } from '../entity-search.ts';
import type { PolicySet } from '../policy-set.ts';
import { noteReading } from '../reading/reading-places.ts';
import { ENGINE_VERSION } from './decision-record.ts';
import { statedAttributes } from './stated.ts';

export interface SearchEvent {
  readonly id: string;
  readonly question: EntityQuestion;
  readonly page: EntityPage;
  readonly after: string | null;
  readonly limit: number;
  /** Null in a search for subjects. */
  readonly subject: Subject | null;
  readonly caller: Caller;
  readonly requestId: string;
  /** W3C trace id, 32 hex digits. */
  readonly traceId: string | null;
  readonly durationUs: number;
}

export function searchEntry(set: PolicySet, event: SearchEvent): RecordEntry {
  const { question, page, caller, subject } = event;
  const { sought } = question;
  const freeText: string[] = [];
  const resource = resourceOf(sought);
  const action = sought.kind === 'action' ? null : sought.action;
  const note = noteReading(set);
  if (sought.kind === 'resource') for (const { matter, client } of page.results) note.add(matter, client);
  const body = {
    action,
    caller: { id: caller.id, own: caller.own, source_system: question.sourceSystem },
    client: page.client,
    context: statedAttributes(set, 'context', question.context, freeText),
    decided_by: NOTHING,
    duration_us: event.durationUs,
    free_text: freeText,
    grants: NOTHING,
    matter: page.matter,
    obligations: NOTHING,
    outcome: null,
    policy: { commit: set.commit, engine: ENGINE_VERSION, revision: set.revision },
    read: note.members(),
    request_id: event.requestId,
    resource: {
      id: resource.id,
      properties: statedAttributes(set, 'resource', resource.properties, freeText),
      type: resource.type,
    },
    search: {
      after: event.after,
      found: page.results.length,
      hash: resultsHash(page.results),
      is_complete: page.next === null,
      is_known: question.isKnown,
      kind: sought.kind,
      limit: event.limit,
      supports: question.supports,
      type: sought.kind === 'action' ? null : sought.type,
    },
    subject: {
      actor: question.actor,
      attributes: statedAttributes(set, 'subject', subject?.attributes ?? saidOfAll(sought), freeText),
      claims_hash: subject?.evidence.claimsHash ?? null,
      dropped_roles: subject?.evidence.droppedRoles.slice() ?? NOTHING,
      evidence: subject?.evidence.kind ?? 'vouched',
      id: subject?.id ?? null,
      issuer: subject?.evidence.issuer ?? null,
      key_id: subject?.evidence.keyId ?? null,
      token_id: subject?.evidence.tokenId ?? null,
    },
    trace_id: event.traceId,
    walls: NOTHING,
  };
  freeText.sort();
  return {
    kind: 'search',
    id: event.id,
    at: question.now,
    body,
    columns: {
      ...NO_COLUMNS,
      subject_id: subject?.id ?? null,
      actor_id: question.actor,
      caller: caller.id,
      source_system: question.sourceSystem,
      action,
      resource_type: resource.type,
      resource_id: resource.id,
      matter_id: page.matter,
      client_id: page.client,
      revision: set.revision,
      request_id: event.requestId,
    },
  };
}

const NOTHING: readonly string[] = [];

function resourceOf(sought: Sought) {
  const { kind } = sought;
  return kind === 'resource' ? { type: sought.type, id: null, properties: sought.properties } : sought.resource;
}

function saidOfAll(sought: Sought): Readonly<Record<string, unknown>> {
  return sought.kind === 'subject' ? sought.properties : {};
}
