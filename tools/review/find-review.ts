// Finds the review that a verb is about, in a folder whose reviews are all as they should be. It must never go on with one that is not.
import { checkReviews, isReviewFile, type LoadedReview } from '../../src/core/access-review.ts';
import { createReport } from '../../src/core/report.ts';
import { nearest } from '../../src/core/suggest.ts';
import { showDiagnostics } from '../../src/cli/policies/diagnostics.ts';
import type { PoliciesFolder } from '../../src/cli/policies/load.ts';
import type { Shell } from '../../src/cli/shell/shell.ts';
import { count } from '../../src/cli/shell/text.ts';
import { UsageError } from '../../src/cli/shell/verb.ts';

export function findReview(shell: Shell, folder: PoliciesFolder, id: string): LoadedReview {
  const report = createReport();
  const reviews = checkReviews(folder.files, report);
  const found = reviews.find(({ review }) => review.id === id);
  // Mistakes of other reviews are for `policy check`; what names this one is not used while anything is wrong.
  if (found !== undefined) return found;
  if (report.diagnostics.length > 0) {
    showDiagnostics(shell.err, report.diagnostics, folder);
    throw new UsageError(
      `no review \`${id}\` is as it should be: ${count(report.diagnostics.length, 'error')} in reviews/`,
    );
  }
  const ids = reviews.map(({ review }) => review.id);
  const near = nearest(id, ids);
  const known = ids.length === 0 ? 'none was started; see `privity review start`' : `there are ${ids.join(', ')}`;
  throw new UsageError(`there is no review \`${id}\``, near === undefined ? known : `did you mean \`${near}\`?`);
}

export function reviewFiles({ files }: PoliciesFolder): PoliciesFolder['files'] {
  return files.filter(isReviewFile);
}
