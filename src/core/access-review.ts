// Checks files of reviews/: evidence of who looked at which right. It must never let a decision stand without who, when and why, nor one about
// somebody's own right.
import { ReviewFile, type AccessReview, type ReviewedRight } from '../model/access-review.ts';
import type { SourceFile } from '../model/diagnostic.ts';
import { at, sourceOf, type Place, type Report } from './report.ts';
import { checkFile } from './schema-check.ts';
import { parseTimestamp } from './time.ts';

export interface LoadedReview {
  readonly review: AccessReview;
  readonly file: SourceFile;
}

export function isReviewFile({ path }: Pick<SourceFile, 'path'>): boolean {
  return path.startsWith('reviews/');
}

/** Those that are as they should be; everything else is said in the report. */
export function checkReviews(files: readonly SourceFile[], report: Report): readonly LoadedReview[] {
  const seen = new Map<string, string>();
  return files.filter(isReviewFile).flatMap((file): readonly LoadedReview[] => {
    const problems = checkFile(file, ReviewFile);
    report.add(problems);
    if (problems.length > 0) return [];
    const { review } = file.value as ReviewFile;
    const place = { file, path: ['review'], item: review.id };
    const before = report.diagnostics.length;
    const earlier = seen.get(review.id);
    if (earlier === undefined) seen.set(review.id, sourceOf(place));
    else
      report.error(
        at(place, 'id'),
        'duplicate-id',
        `there is already a review \`${review.id}\` at ${earlier}`,
        'give one of them another id',
      );
    checkTimes(review, place, report);
    checkRights(review, place, report);
    return report.diagnostics.length > before ? [] : [{ review, file }];
  });
}

function checkTimes({ started_at, closed_at, closed_by, window }: AccessReview, place: Place, report: Report): void {
  const times = {
    started_at,
    closed_at,
    'window.from': window?.from,
    'window.to': window?.to,
    'window.judged_from': window?.judged_from,
  };
  for (const [name, time] of Object.entries(times)) {
    if (time !== undefined) checkTime(time, at(place, ...name.split('.')), report);
  }
  if ((closed_at === undefined) !== (closed_by === undefined)) {
    report.error(
      at(place, closed_at === undefined ? 'closed_by' : 'closed_at'),
      'review-closed',
      'a closed review says when, and by whom',
      'close it with `privity review record --close`',
    );
  }
}

function checkRights({ rights, closed_at }: AccessReview, place: Place, report: Report): void {
  const seen = new Map<string, string>();
  for (const [index, right] of rights.entries()) {
    const here = { ...at(place, 'rights', index), item: right.id };
    const earlier = seen.get(right.id);
    if (earlier === undefined) seen.set(right.id, sourceOf(here));
    else
      report.error(
        at(here, 'id'),
        'duplicate-id',
        `the right \`${right.id}\` is there already, at ${earlier}`,
        'remove one of them',
      );
    if (right.last_used !== null) checkTime(right.last_used, at(here, 'last_used'), report);
    if (right.state === 'decided') checkDecision(right, here, report);
    else {
      const stray = (['reviewer', 'reviewed_at', 'decision', 'reason'] as const).find(
        (name) => right[name] !== undefined,
      );
      if (stray !== undefined)
        report.error(
          at(here, stray),
          'review-open',
          `a right that is open has no ${stray.replace('_', ' ')}`,
          'decide it with `privity review record`',
        );
      if (closed_at !== undefined)
        report.error(
          at(here, 'state'),
          'review-open',
          'the review is closed, and this right is open',
          'a review is closed when everything is decided',
        );
    }
  }
}

function checkDecision(right: ReviewedRight, place: Place, report: Report): void {
  const { reviewer, reviewed_at: reviewedAt, decision, reason, holder } = right;
  if (reviewer === undefined || reviewedAt === undefined || decision === undefined) {
    report.error(
      place,
      'review-incomplete',
      'a decision says who, when and what',
      'decide it with `privity review record`',
    );
    return;
  }
  checkTime(reviewedAt, at(place, 'reviewed_at'), report);
  if (reviewer === holder)
    report.error(
      at(place, 'reviewer'),
      'own-right',
      `\`${reviewer}\` has this right, and cannot review it`,
      'let somebody else review it',
    );
  if (reason === undefined && needsReason(right, decision)) {
    report.error(at(place, 'decision'), 'review-reason', reasonWords(decision), 'add a `reason`');
  }
}

/** Taking away and changing is explained, and so is keeping what nobody used. */
export function needsReason({ uses }: Pick<ReviewedRight, 'uses'>, decision: string): boolean {
  return decision !== 'keep' || uses === 0;
}

export function reasonWords(decision: string): string {
  return decision === 'keep' ? 'nobody used this right: keeping it needs a reason' : `\`${decision}\` needs a reason`;
}

function checkTime(text: string, place: Place, report: Report): void {
  if (parseTimestamp(text) === undefined)
    report.error(place, 'wrong-type', `\`${text}\` is no RFC 3339 instant`, 'such as 2026-03-01T00:00:00Z');
}
