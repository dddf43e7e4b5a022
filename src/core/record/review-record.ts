// What a review of an access leaves in the log, accepted or refused: a decision's members, so that it is read and replayed alike, and what
// was found. It must never take for a review what no door of reviews has recorded.
import type { RecordEntry } from '../../model/record.ts';
import { REVIEW_OUTCOMES, type ReviewOutcome } from '../../model/reviews.ts';
import type { PolicySet } from '../policy-set.ts';
import { parseTimestamp } from '../time.ts';
import { decisionEntry, type DecisionEvent } from './decision-record.ts';

export interface ReviewEvent extends Omit<DecisionEvent, 'approvalIds' | 'fields'> {
  /** Whose access it was; null where there is nothing to review. */
  readonly accessedBy: string | null;
  readonly outcome: ReviewOutcome;
  readonly reason: string;
}

/** Of the kind `approval`: a second person judges what a first one did. The record's id is the review's. */
export function reviewEntry(set: PolicySet, event: ReviewEvent): RecordEntry {
  const { accessedBy, outcome, reason, ...judged } = event;
  const entry = decisionEntry(set, { ...judged, approvalIds: [] });
  const review = { accessed_by: accessedBy, of: event.request.resource.id, outcome, reason };
  return { ...entry, kind: 'approval', body: { ...entry.body, review } };
}

/** A review that was accepted. */
export interface GivenReview {
  readonly id: string;
  /** The access that was reviewed. */
  readonly of: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly by: string;
  readonly outcome: ReviewOutcome;
  readonly reason: string;
}

/** Null for everything that is no accepted review. */
export function reviewOf(record: Readonly<Record<string, unknown>>): GivenReview | null {
  const { kind, id, review, subject } = record;
  if (kind !== 'approval' || record['outcome'] !== 'allow' || typeof id !== 'string') return null;
  const said = (name: string, from: unknown = review): string | null => {
    const value: unknown = typeof from === 'object' && from !== null ? Reflect.get(from, name) : undefined;
    return typeof value === 'string' ? value : null;
  };
  const at = parseTimestamp(String(record['at']));
  const [of, reason, by] = [said('of'), said('reason'), said('id', subject)];
  const outcome = REVIEW_OUTCOMES.find((one) => one === said('outcome'));
  if (at === undefined || of === null || reason === null || by === null || outcome === undefined) return null;
  return { id, of, at, by, outcome, reason };
}
