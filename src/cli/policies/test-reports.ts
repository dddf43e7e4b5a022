// Says how policy tests went: for machines, as JSON and as an outcome. It must never report a case that did not run as passed.
import { formatDiagnostic } from '../../core/schema-check.ts';
import type { PolicySet } from '../../core/policy-set.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Outcome, OutcomeItem } from '../outcomes/outcome.ts';
import type { CaseOutcome } from './test-cases.ts';

export interface TestRun {
  readonly set: PolicySet;
  readonly outcomes: readonly CaseOutcome[];
  /** The cases are those of the folder, where `policy explain --test` finds them. */
  readonly explainable: boolean;
  /** What kept whole files from being read. */
  readonly mistakes: readonly Diagnostic[];
}

export function countOf({ outcomes }: TestRun, status: CaseOutcome['status']): number {
  return outcomes.filter((outcome) => outcome.status === status).length;
}

/** What went wrong with one case, in words. */
export function problemsOf({ result, mistakes }: CaseOutcome): readonly string[] {
  return [...mistakes.map(formatDiagnostic), ...(result?.problems ?? [])];
}

export function jsonReport(run: TestRun): string {
  const cases = run.outcomes.map((outcome) => {
    const { id, file, line, test, result, status } = outcome;
    return {
      id,
      source: `${file}:${line}`,
      expected: result?.expected ?? null,
      actual: result?.actual ?? null,
      expected_rules: result?.expected_rules ?? null,
      actual_rules: result?.actual_rules ?? [],
      expected_advice: result?.expected_advice ?? null,
      actual_advice: result?.actual_advice ?? [],
      expected_obligations: result?.expected_obligations ?? null,
      actual_obligations: result?.actual_obligations ?? [],
      left_out: test?.missing ?? [],
      missing: result?.missing ?? [],
      passed: status === 'passed',
      problems: problemsOf(outcome),
    };
  });
  const report = {
    policy: { revision: run.set.revision, commit: run.set.commit },
    passed: countOf(run, 'passed'),
    failed: countOf(run, 'failed'),
    unreadable: countOf(run, 'unreadable'),
    errors: run.mistakes,
    cases,
  };
  return JSON.stringify(report, null, 2);
}

const CODES: ReadonlyMap<string, string> = new Map([
  ['test-failed', 'A policy test came out otherwise than it says.'],
  ['test-unreadable', 'A policy test, or a whole file of them, could not be read, so that it tests nothing.'],
]);

/** What reports for machines are made of. */
export function testOutcome(run: TestRun, subject: string): Outcome {
  const failed = countOf(run, 'failed');
  const unreadable = countOf(run, 'unreadable') + run.mistakes.length;
  return {
    tool: 'policy test',
    subject,
    revision: run.set.revision,
    items: [...run.outcomes.map(caseItem), ...run.mistakes.map(mistakeItem)],
    codes: CODES,
    summary: `${countOf(run, 'passed')} passed, ${failed} failed${unreadable === 0 ? '' : `, ${unreadable} unreadable`}`,
    markdown: [],
  };
}

function caseItem(outcome: CaseOutcome): OutcomeItem {
  const { id, file, line, status, test } = outcome;
  const [message = '', ...more] = problemsOf(outcome);
  return {
    ...PLAIN,
    name: id,
    code: status === 'unreadable' ? 'test-unreadable' : 'test-failed',
    status,
    file,
    line,
    message,
    details: [...(test?.why === undefined || status === 'passed' ? [] : [test.why]), ...more, ...reasonLines(outcome)],
  };
}

function mistakeItem(mistake: Diagnostic): OutcomeItem {
  const { file, line, column } = mistake;
  const name = `${file}:${line}:${column} is readable`;
  const message = formatDiagnostic(mistake);
  return { ...PLAIN, name, code: 'test-unreadable', status: 'unreadable', file, line, column, message, details: [] };
}

const PLAIN = { level: 'error', column: null, hint: null, accepted: null } as const;

/** `deny step-up-for-copies  rules/copies.yaml:12`: what the decision came from. */
export function reasonLines({ reasons }: CaseOutcome): string[] {
  return reasons.map(({ effect, rule, truth, source }) => {
    return `${effect} ${rule}${truth === 'unknown' ? ' (unknown)' : ''}  ${source}`;
  });
}
