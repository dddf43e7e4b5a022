// What a dry run leaves in the log where it would have answered otherwise: the question as the shadow set reads it, what that set concludes,
// and what was answered. It must never look like a decision: nobody was let in or refused by it.
import type { Decision } from '../../model/decision.ts';
import type { RecordEntry } from '../../model/record.ts';
import type { FieldDecision } from '../fields.ts';
import type { PolicySet } from '../policy-set.ts';
import { formatTimestamp } from '../time.ts';
import { decisionEntry, type DecisionEvent } from './decision-record.ts';

/** `search.kind`: like a search it asks what a set would say, and decides nothing. */
export const SHADOW_SEARCH = 'shadow';

/** Differences that have no record of their own. */
export interface LeftOut {
  readonly newly_allowed: number;
  readonly newly_denied: number;
}

export interface ShadowEvent {
  readonly id: string;
  readonly at: number;
  /** The decision that was answered, as it was recorded. */
  readonly live: DecisionEvent;
  readonly liveRevision: string;
  readonly decision: Decision;
  readonly fields: readonly FieldDecision[] | undefined;
  readonly direction: keyof LeftOut;
  /** Since the record of a difference before this one. */
  readonly leftOut: LeftOut;
}

const NOTHING: readonly string[] = [];

/** @param set the shadow set: the record is replayed with it */
export function shadowEntry(set: PolicySet, event: ShadowEvent): RecordEntry {
  const { live, decision, fields, at, id } = event;
  const { body, columns } = decisionEntry(set, { ...live, decision, fields, requestable: null });
  // Who may read the answered decision may read this, and nobody else.
  const { matter, client } = live.decision;
  const isElsewhere = decision.matter !== matter || decision.client !== client;
  return {
    kind: 'search',
    id,
    at,
    body: {
      ...body,
      client,
      decided_by: NOTHING,
      duties: NOTHING,
      grants: NOTHING,
      matter,
      obligations: NOTHING,
      outcome: null,
      read: isElsewhere ? { behind_walls: [{ client: decision.client, matter: decision.matter }] } : {},
      rules: NOTHING,
      search: {
        at: formatTimestamp(live.request.now),
        decided_by: decision.decidedBy,
        difference: event.direction,
        evaluation_id: live.id,
        grants: decision.grants,
        kind: SHADOW_SEARCH,
        left_out: { ...event.leftOut },
        live: {
          decided_by: live.decision.decidedBy,
          outcome: live.decision.outcome,
          revision: event.liveRevision,
        },
        outcome: decision.outcome,
        rules: decision.results,
        walls: decision.walls,
      },
      walls: NOTHING,
    },
    columns: {
      ...columns,
      outcome: null,
      matter_id: matter,
      client_id: client,
      decided_by: NOTHING,
      walls: NOTHING,
      grants: NOTHING,
      obligations: NOTHING,
    },
  };
}
