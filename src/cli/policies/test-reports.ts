// Says how policy tests went: for machines in JSON, JUnit XML and TAP 14. It must never report a case that did not run as passed.
import { formatDiagnostic } from '../../core/schema-check.ts';
import type { PolicySet } from '../../core/policy-set.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
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

/** The dialect that CI systems read: failures are wrong decisions, errors are cases nobody could read. */
export function junitReport(run: TestRun): string {
  const total = `tests="${run.outcomes.length}" failures="${countOf(run, 'failed')}" errors="${countOf(run, 'unreadable') + run.mistakes.length}"`;
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites name="privity policy test" ${total}>`];
  for (const [file, outcomes] of Map.groupBy(run.outcomes, (outcome) => outcome.file)) {
    const failures = outcomes.filter(({ status }) => status === 'failed').length;
    const errors = outcomes.filter(({ status }) => status === 'unreadable').length;
    lines.push(
      `  <testsuite name="${xml(file)}" tests="${outcomes.length}" failures="${failures}" errors="${errors}">`,
    );
    for (const outcome of outcomes) lines.push(...junitCase(outcome));
    lines.push('  </testsuite>');
  }
  for (const mistake of run.mistakes) {
    const text = xml(formatDiagnostic(mistake));
    lines.push(`  <testsuite name="${xml(mistake.file)}" tests="1" failures="0" errors="1">`);
    lines.push(`    <testcase classname="${xml(mistake.file)}" name="readable"><error message="${text}"/></testcase>`);
    lines.push('  </testsuite>');
  }
  return [...lines, '</testsuites>'].join('\n');
}

function junitCase(outcome: CaseOutcome): string[] {
  const { id, file, line, status } = outcome;
  const open = `    <testcase classname="${xml(file)}" name="${xml(id)}" file="${xml(file)}" line="${line}"`;
  if (status === 'passed') return [`${open}/>`];
  const [first = '', ...rest] = problemsOf(outcome);
  const kind = status === 'failed' ? 'failure' : 'error';
  const details = [...rest, ...reasonLines(outcome)].map(xml).join('\n');
  return [`${open}>`, `      <${kind} message="${xml(first)}">${details}</${kind}>`, '    </testcase>'];
}

/** https://testanything.org/tap-version-14-specification.html */
export function tapReport(run: TestRun): string {
  const lines = ['TAP version 14', `1..${run.outcomes.length + run.mistakes.length}`];
  let number = 0;
  for (const outcome of run.outcomes) {
    const name = outcome.id.replaceAll(/[\\#]/g, '\\$&').replaceAll(/\s/g, ' ');
    lines.push(`${outcome.status === 'passed' ? 'ok' : 'not ok'} ${++number} - ${name}`);
    if (outcome.status === 'passed') continue;
    const details = {
      at: `${outcome.file}:${outcome.line}`,
      problems: problemsOf(outcome),
      applied: reasonLines(outcome),
    };
    lines.push(
      '  ---',
      ...Object.entries(details).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`),
      '  ...',
    );
  }
  for (const mistake of run.mistakes) {
    lines.push(`not ok ${++number} - ${mistake.file}`);
    lines.push('  ---', `  problems: ${JSON.stringify([formatDiagnostic(mistake)])}`, '  ...');
  }
  return lines.join('\n');
}

/** `deny step-up-for-copies  rules/copies.yaml:12`: what the decision came from. */
export function reasonLines({ reasons }: CaseOutcome): string[] {
  return reasons.map(({ effect, rule, truth, source }) => {
    return `${effect} ${rule}${truth === 'unknown' ? ' (unknown)' : ''}  ${source}`;
  });
}

function xml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
}
