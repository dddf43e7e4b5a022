// `privity review report`: how far a review has got, what was decided, and what became of it. It must never end well where a revoked right is
// still in force.
import { isTestFile, POLICIES_OPTION, readFolder, requireSet } from '../../src/cli/policies/load.ts';
import type { Output } from '../../src/cli/shell/shell.ts';
import { printable, table } from '../../src/cli/shell/text.ts';
import type { Verb } from '../../src/cli/shell/verb.ts';
import { compareReview, type Compared, type Pair } from './compare.ts';
import { findReview } from './find-review.ts';
import { csvOf, markdownOf, sectionsOf, summaryLines } from './report-text.ts';
import { reviewableRights, type Reviewable } from './reviewable.ts';

const MOST = 40;

export const verb: Verb = {
  about: [
    'Says for each reviewer how much is decided, what is overdue, what was decided, and holds it against the folder as it is now: ' +
      'rights that changed after their review, rights that came after its start, and revoked rights that are still there.',
    'Exit code 1: a revoked right is still in force.',
  ],
  operands: { usage: 'REVIEW', min: 1, max: 1, help: 'id of the review' },
  options: {
    policies: POLICIES_OPTION,
    format: { value: 'FORMAT', choices: ['pretty', 'json', 'markdown', 'csv'], help: 'how to print it' },
  },
  examples: [
    { command: 'privity review report 2026-q4-grants', does: 'how far it has got' },
    { command: 'privity review report 2026-q4-grants --format markdown > review.md', does: 'for auditors' },
  ],
  async run(shell, args) {
    const folder = await readFolder(shell, args);
    const { review } = findReview(shell, folder, args.operands[0] ?? '');
    const files = folder.files.filter((file) => !isTestFile(file));
    const set = requireSet(shell, { ...folder, files });
    const today = new Date(shell.now()).toISOString().slice(0, 10);
    const compared = compareReview(review, reviewableRights(set, files, review.scope), today);
    const format = args.text('format') ?? 'pretty';
    if (format === 'json') shell.out.line(jsonOf(compared, set.revision));
    else if (format === 'markdown') shell.out.write(markdownOf(compared));
    else if (format === 'csv') shell.out.write(csvOf(compared));
    else show(shell.out, compared);
    return compared.stillInForce.length > 0 ? 1 : 0;
  },
};

function show(out: Output, compared: Compared): void {
  for (const line of summaryLines(compared)) out.line(printable(line));
  for (const { heading, note, columns, rows } of sectionsOf(compared)) {
    out.line();
    out.line(`${out.paint('bold', heading)}  ${out.paint('dim', note)}`);
    const cells = [columns.map((one) => one.toUpperCase()), ...rows.slice(0, MOST).map((row) => row.map(printable))];
    for (const line of table(cells, '  ')) out.line(line);
    if (rows.length > MOST) out.line(`  … and ${rows.length - MOST} more: \`--format csv\` has all of them`);
  }
}

function jsonOf(compared: Compared, revision: string): string {
  const pairs = (list: readonly Pair[]) =>
    list.map(({ reviewed, now }) => ({
      id: reviewed.id,
      holder: reviewed.holder,
      reviewer: reviewed.reviewer,
      right: now.right,
      source: now.source,
    }));
  const { review, progress, overdue, stillInForce, notChanged, changedSince, cameLater, gone } = compared;
  const report = {
    review,
    compared_with: revision,
    progress,
    overdue: overdue.map(({ id }) => id),
    revoked_still_in_force: pairs(stillInForce),
    to_be_changed: pairs(notChanged),
    changed_after_review: pairs(changedSince),
    came_after_start: cameLater.map((one: Reviewable) => ({
      id: one.id,
      holder: one.holder,
      right: one.right,
      source: one.source,
    })),
    gone: gone.map(({ id }) => id),
  };
  return JSON.stringify(report, null, 2);
}
