// Somebody says what they found when they looked at an access afterwards: judged, recorded, told. It must never let out a review whose
// record is not committed, nor show that there is an access to those who may neither see nor review it.
import type { AuthorizeDeps } from './authorize.ts';
import { decide } from './core/decide.ts';
import { judgeReview, REVIEW_ACTION } from './core/judge-review.ts';
import type { PolicySet } from './core/policy-set.ts';
import { reviewEntry } from './core/record/review-record.ts';
import { uuidv7 } from './core/record/uuid.ts';
import type { DecisionRequest } from './model/decision.ts';
import type { ReviewOutcome } from './model/reviews.ts';
import { requestOf, type Asked } from './question.ts';

export interface ReviewToGive {
  /** The access; null where there is none that has to be reviewed. */
  readonly access: { readonly id: string; readonly subject: { readonly id: string } } | null;
  /** The id that was asked for. */
  readonly asked: string;
  /** Properties by which it is judged; every one must permit it. */
  readonly places: readonly Readonly<Record<string, string>>[];
  readonly outcome: ReviewOutcome;
  readonly reason: string;
}

/** How Privity names itself when it asks about its own log. */
const OURSELVES = 'privity';

/**
 * @returns the review, or why there is none: `refused` for those who know of the access, `nothing` for everybody else
 * @throws PrivityError cannot_record
 */
export async function giveReview(
  { recorder, clock }: Pick<AuthorizeDeps, 'recorder' | 'clock'>,
  set: PolicySet,
  asked: Asked,
  { access, asked: askedId, places, outcome, reason }: ReviewToGive,
): Promise<{ readonly id: string; readonly at: number } | 'refused' | 'nothing'> {
  const now = clock.now();
  const accessedBy = access?.subject.id ?? null;
  const requests = places.map((properties): DecisionRequest => {
    const resource = { type: 'decision_log', id: access?.id ?? askedId, properties };
    return { ...requestOf(asked, { action: REVIEW_ACTION, resource, context: {} }, now), sourceSystem: OURSELVES };
  });
  const judged = requests.map((request) => ({ request, decision: judgeReview(set, request, accessedBy) }));
  const shown = judged.find(({ decision }) => decision.outcome === 'deny') ?? judged[0];
  if (shown === undefined) throw new Error('a review that is judged by nothing');
  const { subject, caller, requestId, traceId } = asked;
  const id = uuidv7(now);
  const durationUs = Math.round((performance.now() - asked.arrivedAt) * 1000);
  const event = { id, ...shown, accessedBy, outcome, reason, subject, caller, requestId, traceId, durationUs };
  await recorder.append([reviewEntry(set, event)]);
  if (shown.decision.outcome === 'allow') return { id, at: now };
  const isKnown = requests.every((request) =>
    [request.action, 'list'].some((action) => decide(set, { ...request, action }).outcome === 'allow'),
  );
  return access !== null && isKnown ? 'refused' : 'nothing';
}
