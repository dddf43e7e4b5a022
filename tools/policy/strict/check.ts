// Everything that a strict check finds in a policies folder, and what of it the files accept. It must never leave one out because of another.
import { checkReviews } from '../../../src/core/access-review.ts';
import { compilePolicies } from '../../../src/core/compile.ts';
import { overdueReviews } from '../../../src/core/findings.ts';
import { compileInvariants, isInvariantsFile } from '../../../src/core/invariants.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { createReport } from '../../../src/core/report.ts';
import { isTestFile, type PoliciesFolder } from '../../../src/cli/policies/load.ts';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import { judgeAccepted, type Judged } from './accepted.ts';
import { reviewCare } from './care.ts';
import { reviewOverlaps } from './overlaps.ts';
import { reviewUnusedWords } from './unused-words.ts';
import { reviewWideAllows } from './wide-allows.ts';

export interface Checked {
  /** Null: it does not load. */
  readonly set: PolicySet | null;
  /** In order of file and line. */
  readonly findings: readonly Judged[];
}

export interface CheckOptions {
  readonly isStrict: boolean;
  /** YYYY-MM-DD */
  readonly today: string;
  readonly onProgress: (what: string) => void;
}

export function checkFolder(folder: PoliciesFolder, { isStrict, today, onProgress }: CheckOptions): Checked {
  const { files, commit, problems } = folder;
  onProgress(`compiling ${folder.folder} …`);
  const compiled = compilePolicies(files, { commit });
  const isBroken = problems.some(({ severity }) => severity === 'error');
  const loaded = isBroken ? null : compiled.set;
  // Broken tests are no reason not to look at the rules.
  const judgeable =
    loaded ??
    (isStrict
      ? compilePolicies(
          files.filter((file) => !isTestFile(file)),
          { commit },
        ).set
      : null);
  const report = createReport();
  report.add([...problems, ...compiled.diagnostics]);
  const stated = createReport();
  const invariants = judgeable === null ? [] : compileInvariants(files, judgeable.firm, stated);
  checkReviews(files, stated);
  report.add(unsaid(stated.diagnostics, report.diagnostics));
  if (judgeable === null) return { set: null, findings: notAccepted(report.diagnostics) };
  report.add(unsaid(judgeable.findings, report.diagnostics));
  report.add(overdueReviews(judgeable.rules, today));
  if (!isStrict) return { set: loaded, findings: notAccepted(report.diagnostics) };

  onProgress('looking for words that nothing uses …');
  reviewUnusedWords(judgeable, invariants, report);
  reviewWideAllows(judgeable.rules, report);
  onProgress('running the tests …');
  reviewCare(judgeable, loaded !== null, report);
  onProgress('comparing rules …');
  const told = new Set(
    report.diagnostics.flatMap(({ code, item }) => (ADDS_NOTHING.has(code) && item !== undefined ? [item] : [])),
  );
  reviewOverlaps(judgeable.firm, judgeable.rules, told, report);
  const isWhole =
    stated.diagnostics.length === 0 && files.filter(isInvariantsFile).every(({ value }) => value !== undefined);
  const judged = judgeAccepted(sorted(report.diagnostics), files, today);
  // Where a part could not be read, what it would have found cannot be known.
  const certain =
    loaded !== null && isWhole ? judged : judged.filter(({ diagnostic }) => diagnostic.code !== 'stale-acceptance');
  return { set: loaded, findings: certain.toSorted((a, b) => order(a.diagnostic, b.diagnostic)) };
}

const ADDS_NOTHING: ReadonlySet<string> = new Set(['duplicate-rule', 'redundant-rule', 'shadowed-rule']);

function notAccepted(diagnostics: readonly Diagnostic[]): readonly Judged[] {
  return sorted(diagnostics).map((diagnostic) => ({ diagnostic, accepted: null }));
}

function sorted(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.toSorted(order);
}

function order(a: Diagnostic, b: Diagnostic): number {
  return a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column;
}

/** Those of the first that the second do not hold. */
function unsaid(more: readonly Diagnostic[], said: readonly Diagnostic[]): readonly Diagnostic[] {
  const known = new Set(said.map(keyOf));
  return more.filter((one) => !known.has(keyOf(one)));
}

function keyOf({ file, line, column, code, message }: Diagnostic): string {
  return JSON.stringify([file, line, column, code, message]);
}
