// Says how policy tests went, for people: what differed, and which rules the decision came from. It must never hide a case that did not pass.
import type { SourceFile } from '../../model/diagnostic.ts';
import type { Output } from '../shell/shell.ts';
import { count, printable, wrap } from '../shell/text.ts';
import { showDiagnostics } from './diagnostics.ts';
import type { CaseOutcome } from './test-cases.ts';
import { countOf, reasonLines, type TestRun } from './test-reports.ts';

export function showTestRun(out: Output, run: TestRun, files: readonly SourceFile[]): void {
  const shown = { folder: '', files };
  for (const [file, outcomes] of Map.groupBy(run.outcomes, (outcome) => outcome.file)) {
    const bad = outcomes.filter(({ status }) => status !== 'passed').length;
    const mark = bad === 0 ? out.paint('green', '✓') : out.paint('red', '✗');
    out.line(`${mark} ${file}  ${count(outcomes.length, 'case')}${bad === 0 ? '' : `, ${bad} not as expected`}`);
  }
  showDiagnostics(out, run.mistakes, shown);
  for (const outcome of run.outcomes) {
    if (outcome.status === 'passed') continue;
    out.line();
    const id = out.paint('bold', printable(outcome.id));
    out.line(`${out.paint('red', '✗')} ${id}  ${out.paint('dim', `${outcome.file}:${outcome.line}`)}`);
    if (outcome.status === 'unreadable') showDiagnostics(out, outcome.mistakes, shown);
    else showDifference(out, outcome, run);
  }
  out.line();
  out.line(totals(out, run));
}

function showDifference(out: Output, outcome: CaseOutcome, { set, explainable }: TestRun): void {
  const { result, test } = outcome;
  if (result === null || test === null) return;
  for (const line of wrap(printable(test.why ?? ''), out.columns - 2)) if (line !== '') out.line(`  ${line}`);
  for (const problem of result.problems) out.line(`  ${out.paint('yellow', printable(problem))}`);
  const expected = new Set(test.decided_by ?? []);
  const reasons = reasonLines(outcome);
  if (reasons.length > 0) out.line('  rules and walls that applied:');
  for (const reason of reasons) out.line(`    ${reason}`);
  // A rule that was expected and did not apply is where to look first.
  for (const rule of set.rules) {
    const isSilent = expected.has(rule.id) && !outcome.reasons.some((reason) => reason.rule === rule.id);
    if (isSilent) out.line(`    ${out.paint('dim', `did not apply: ${rule.effect} ${rule.id}  ${rule.source}`)}`);
  }
  if (result.missing.length > 0) out.line(`  missing or of the wrong type: ${result.missing.join(', ')}`);
  const undeclared = undeclaredNames(outcome, set.firm.dictionary.byPath);
  if (undeclared.length > 0) out.line(`  unknown to firm.yaml, so ignored: ${undeclared.map(printable).join(', ')}`);
  if (explainable) {
    out.line(out.paint('dim', `  \`privity policy explain --test ${printable(outcome.id)}\` shows every condition`));
  }
}

/** Names of a case that no attribute has: mostly misspelt. */
function undeclaredNames({ test }: CaseOutcome, declared: ReadonlyMap<string, unknown>): string[] {
  const { sub: _sub, act: _act, ...claims } = test?.claims ?? {};
  const values = { subject: claims, resource: test?.resource.properties ?? {}, context: test?.context ?? {} };
  return Object.entries(values)
    .flatMap(([namespace, members]) => Object.keys(members).map((name) => `${namespace}.${name}`))
    .filter((path) => !declared.has(path));
}

function totals(out: Output, run: TestRun): string {
  const passed = countOf(run, 'passed');
  const failed = countOf(run, 'failed');
  const unreadable = countOf(run, 'unreadable') + run.mistakes.length;
  const parts = [
    out.paint(passed > 0 ? 'green' : 'dim', `${passed} passed`),
    ...(failed > 0 ? [out.paint('red', `${failed} failed`)] : ['0 failed']),
    ...(unreadable > 0 ? [out.paint('red', `${unreadable} unreadable`)] : []),
  ];
  return `${parts.join(', ')}  ${out.paint('dim', run.set.revision.slice(0, 19))}`;
}
