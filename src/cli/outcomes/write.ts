// Writes an outcome in the format that was asked for. It must never lose one because a summary page could not be written.
import { appendFile, stat } from 'node:fs/promises';
import { processEnvironment } from '../../config.ts';
import { readVersion } from '../audit/version.ts';
import type { Shell } from '../shell/shell.ts';
import { printable } from '../shell/text.ts';
import { githubText } from './github.ts';
import { junitText } from './junit.ts';
import type { Outcome } from './outcome.ts';
import { sarifText } from './sarif.ts';
import { summaryPage } from './summary-page.ts';
import { tapText } from './tap.ts';

export const OUTCOME_FORMATS = ['junit', 'tap', 'sarif', 'github'] as const;
export type OutcomeFormat = (typeof OUTCOME_FORMATS)[number];

export function isOutcomeFormat(format: string): format is OutcomeFormat {
  return OUTCOME_FORMATS.some((one) => one === format);
}

/** To stdout; with `github` also the summary page of the step, where there is one. */
export async function writeOutcome(shell: Shell, outcome: Outcome, format: OutcomeFormat): Promise<void> {
  const { GITHUB_WORKSPACE: workspace, GITHUB_STEP_SUMMARY: page } = processEnvironment();
  const { folder } = shell;
  const root = workspace === undefined || workspace === '' ? folder : workspace;
  switch (format) {
    case 'junit':
      return shell.out.line(junitText(outcome));
    case 'tap':
      return shell.out.line(tapText(outcome));
    case 'sarif':
      return shell.out.line(sarifText(outcome, { folder, root, version: await readVersion() }));
    case 'github':
      shell.out.line(githubText(outcome, { folder, root }));
      if (page !== undefined && page !== '') await writeSummary(shell, outcome, page);
  }
}

/** Of a step, all its commands counted. */
const LARGEST_PAGE = 1024 * 1024;

async function writeSummary(shell: Shell, outcome: Outcome, page: string): Promise<void> {
  try {
    const { size } = await stat(page).catch(() => ({ size: 0 }));
    await appendFile(page, summaryPage(outcome, LARGEST_PAGE - size));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    shell.err.line(`the summary page could not be written: ${printable(why)}`);
  }
}
