// What a hint for a front end leaves in the log: whose it is, what was stated, how many rules it had and a hash of them. It must never hold
// the rules.
import { hash } from 'node:crypto';
import type { Caller, Subject } from '../../model/decision.ts';
import { NO_COLUMNS, type RecordEntry } from '../../model/record.ts';
import type { Ability, AbilityQuestion } from '../abilities.ts';
import type { PolicySet } from '../policy-set.ts';
import { canonicalize } from './canonical.ts';
import { ENGINE_VERSION } from './decision-record.ts';
import { statedAttributes } from './stated.ts';

export interface AbilitiesEvent {
  readonly id: string;
  readonly question: AbilityQuestion;
  readonly abilities: readonly Ability[];
  readonly subject: Subject;
  readonly caller: Caller;
  readonly requestId: string;
  /** W3C trace id, 32 hex digits. */
  readonly traceId: string | null;
  readonly durationUs: number;
}

export const ABILITY_SEARCH = 'ability';

/** Enough to tell whether the same question finds the same. */
export function abilitiesHash(abilities: readonly Ability[]): string {
  return hash('sha256', canonicalize(abilities), 'hex');
}

/** A search for what somebody may do, whatever it is done to. */
export function abilitiesEntry(set: PolicySet, event: AbilitiesEvent): RecordEntry {
  const { question, abilities, subject, caller, id, requestId } = event;
  const { actor, sourceSystem, context, now } = question;
  const { claimsHash, droppedRoles, kind, issuer, keyId, tokenId } = subject.evidence;
  const freeText: string[] = [];
  const body = {
    action: null,
    caller: { id: caller.id, own: caller.own, source_system: sourceSystem },
    client: null,
    context: statedAttributes(set, 'context', context, freeText),
    decided_by: NOTHING,
    duration_us: event.durationUs,
    free_text: freeText,
    grants: NOTHING,
    matter: null,
    obligations: NOTHING,
    outcome: null,
    policy: { commit: set.commit, engine: ENGINE_VERSION, revision: set.revision },
    request_id: requestId,
    resource: { id: null, properties: {}, type: null },
    search: { found: abilities.length, hash: abilitiesHash(abilities), kind: ABILITY_SEARCH },
    subject: {
      actor,
      attributes: statedAttributes(set, 'subject', subject.attributes, freeText),
      claims_hash: claimsHash,
      dropped_roles: [...droppedRoles],
      evidence: kind,
      id: subject.id,
      issuer,
      key_id: keyId,
      token_id: tokenId,
    },
    trace_id: event.traceId,
    walls: NOTHING,
  };
  freeText.sort();
  return {
    kind: 'search',
    id,
    at: now,
    body,
    columns: {
      ...NO_COLUMNS,
      subject_id: subject.id,
      actor_id: actor,
      caller: caller.id,
      source_system: sourceSystem,
      revision: set.revision,
      request_id: requestId,
    },
  };
}

const NOTHING: readonly string[] = [];
