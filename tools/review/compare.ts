// Holds a review against the folder as it is now: what changed, what came, what is still there although it was revoked. It must never call a
// right gone that the folder still gives.
import type { AccessReview, ReviewedRight } from '../../src/model/access-review.ts';
import type { Reviewable } from './reviewable.ts';

export interface Compared {
  readonly review: AccessReview;
  readonly progress: readonly Progress[];
  /** Open, and the day it was due is over. */
  readonly overdue: readonly ReviewedRight[];
  /** Revoked, and still in the folder, whatever it says now. */
  readonly stillInForce: readonly Pair[];
  /** To be changed, and still as it was. */
  readonly notChanged: readonly Pair[];
  /** Decided about other words than those of now. */
  readonly changedSince: readonly Pair[];
  /** Of the same kind, and nobody was asked about them. */
  readonly cameLater: readonly Reviewable[];
  /** Not in the folder any more, and not because it was revoked. */
  readonly gone: readonly ReviewedRight[];
}

export interface Pair {
  readonly reviewed: ReviewedRight;
  readonly now: Reviewable;
}

export interface Progress {
  /** Null: nobody was proposed. */
  readonly reviewer: string | null;
  readonly rights: number;
  readonly decided: number;
  readonly overdue: number;
}

/** @param today YYYY-MM-DD */
export function compareReview(review: AccessReview, current: readonly Reviewable[], today: string): Compared {
  const now = new Map(current.map((one) => [one.id, one]));
  const isLate = today > review.due;
  const pairs = review.rights.flatMap((reviewed): readonly Pair[] => {
    const found = now.get(reviewed.id);
    return found === undefined ? [] : [{ reviewed, now: found }];
  });
  const known = new Set(review.rights.map(({ id }) => id));
  const isSame = (pair: Pair): boolean => pair.reviewed.hash === pair.now.hash;
  return {
    review,
    progress: progressOf(review.rights, isLate),
    overdue: isLate ? review.rights.filter(({ state }) => state === 'open') : [],
    stillInForce: pairs.filter(({ reviewed }) => reviewed.decision === 'revoke'),
    notChanged: pairs.filter((pair) => pair.reviewed.decision === 'change' && isSame(pair)),
    changedSince: pairs.filter((pair) => pair.reviewed.decision === 'keep' && !isSame(pair)),
    cameLater: current.filter(
      ({ id, proposedReviewer }) =>
        !known.has(id) && (review.only_reviewer === undefined || proposedReviewer === review.only_reviewer),
    ),
    gone: review.rights.filter(({ id, decision }) => !now.has(id) && decision !== 'revoke'),
  };
}

function progressOf(rights: readonly ReviewedRight[], isLate: boolean): readonly Progress[] {
  const groups = Map.groupBy(rights, ({ proposed_reviewer: reviewer }) => reviewer);
  return [...groups]
    .map(([reviewer, own]) => {
      const decided = own.filter(({ state }) => state === 'decided').length;
      return { reviewer, rights: own.length, decided, overdue: isLate ? own.length - decided : 0 };
    })
    .sort(
      (a, b) => b.rights - b.decided - (a.rights - a.decided) || ((a.reviewer ?? '') < (b.reviewer ?? '') ? -1 : 1),
    );
}
