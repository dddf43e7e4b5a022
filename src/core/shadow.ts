// Decides what was decided once more under a shadow set, and says whether the answer would have been another. It must never change what was
// decided, nor call the same what differs in a single field.
import type { Decision } from '../model/decision.ts';
import { decide } from './decide.ts';
import { decideWithFields, type FieldDecision } from './fields.ts';
import type { PolicySet } from './policy-set.ts';
import type { DecisionEvent } from './record/decision-record.ts';
import { underTerms } from './terms.ts';

export interface Shadowed {
  readonly decision: Decision;
  /** Undefined unless they were asked for. */
  readonly fields: readonly FieldDecision[] | undefined;
  /** Null: the answer would have been the same. */
  readonly difference: 'newly_allowed' | 'newly_denied' | null;
}

type Question = Pick<DecisionEvent, 'request' | 'decision' | 'fields' | 'terms'>;

export function decideInShadow(set: PolicySet, live: Question): Shadowed {
  const { decision: decided, fields } =
    live.fields === undefined
      ? { decision: decide(set, live.request), fields: undefined }
      : decideWithFields(set, live.request);
  const decision = live.terms == null ? decided : underTerms(decided, live.terms);
  if (decision.outcome !== live.decision.outcome) return { decision, fields, difference: directionOf(decision) };
  const was = new Map(live.fields?.map(({ field, outcome }) => [field, outcome] as const));
  const changed = fields?.filter(({ field, outcome }) => was.has(field) && was.get(field) !== outcome) ?? [];
  // Where some fields open and others close, what opens weighs more.
  const [first] = changed.toSorted((a, b) => (a.outcome < b.outcome ? -1 : 1));
  return { decision, fields, difference: first === undefined ? null : directionOf(first) };
}

function directionOf({ outcome }: Pick<Decision, 'outcome'>): 'newly_allowed' | 'newly_denied' {
  return outcome === 'allow' ? 'newly_allowed' : 'newly_denied';
}
