// Says what a check found: for people, as JSON, and as the outcome that other formats are made of. It must never leave out a finding, nor
// whose reason accepted it.
import path from 'node:path';
import { contentsLine, contentsOf } from '../../../src/cli/policy-check.ts';
import { fails } from '../../../src/cli/outcomes/judge.ts';
import type { Level, Outcome, OutcomeItem } from '../../../src/cli/outcomes/outcome.ts';
import { showDiagnostics } from '../../../src/cli/policies/diagnostics.ts';
import type { PoliciesFolder } from '../../../src/cli/policies/load.ts';
import type { Output, Style } from '../../../src/cli/shell/shell.ts';
import { count, printable } from '../../../src/cli/shell/text.ts';
import { formatDiagnostic } from '../../../src/core/schema-check.ts';
import { sourceOf } from '../../../src/core/report.ts';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import { FINDINGS, isFindingCode } from '../../../src/model/findings.ts';
import { meaningOfMistake } from '../../../src/model/load-mistakes.ts';
import type { Judged } from './accepted.ts';
import type { Checked } from './check.ts';

export interface CheckRun {
  readonly folder: PoliciesFolder;
  readonly checked: Checked;
  readonly isStrict: boolean;
  readonly failsOn: Level;
}

const STYLES = { error: 'red', warning: 'yellow', note: 'cyan' } as const satisfies Record<Level, Style>;
const STOPS_A_LOAD = 'It keeps the service from loading the folder, and cannot be accepted.';

export function showCheck(out: Output, run: CheckRun): void {
  const { folder, checked } = run;
  for (const { diagnostic, accepted } of checked.findings) {
    if (accepted !== null) continue;
    if (diagnostic.severity === 'error') {
      showDiagnostics(out, [diagnostic], folder);
      continue;
    }
    const level = levelOf(diagnostic);
    const place = { ...diagnostic, file: path.join(folder.folder, diagnostic.file) };
    out.line(`${out.paint(STYLES[level], level)} ${printable(formatDiagnostic(place))} [${diagnostic.code}]`);
    const why = whyOf(diagnostic);
    if (why !== null) out.line(out.paint('dim', `  ${why}`));
  }
  const { items } = checkOutcome(run);
  const isGood = !items.some((item) => fails(item, { failsOn: run.failsOn })) && checked.set !== null;
  const verdict = isGood ? out.paint('green', 'good') : out.paint('red', checked.set === null ? 'refused' : 'to mend');
  const revision = checked.set === null ? '' : `; ${checked.set.revision.slice(0, 19)}`;
  out.line(`${verdict}  ${folder.folder}: ${summaryOf(run)}${revision}`);
}

export function checkAsJson(run: CheckRun): string {
  const { folder, checked, isStrict, failsOn } = run;
  const { items } = checkOutcome(run);
  const report = {
    policies: folder.folder,
    strict: isStrict,
    fail_on: failsOn,
    passed: checked.set !== null && !items.some((item) => fails(item, { failsOn })),
    loads: checked.set !== null,
    revision: checked.set?.revision ?? null,
    commit: folder.commit,
    ...countsOf(checked.findings),
    contains: checked.set === null ? null : contentsOf(checked.set),
    findings: checked.findings.map(({ diagnostic, accepted }) => {
      const { code, file, line, column, item = null, message, hint = null } = diagnostic;
      return {
        level: levelOf(diagnostic),
        code,
        file,
        line,
        column,
        item,
        message,
        why: whyOf(diagnostic),
        hint,
        accepted:
          accepted === null
            ? null
            : {
                reason: accepted.entry.reason,
                until: accepted.entry.until ?? null,
                source: sourceOf(accepted.place),
              },
      };
    }),
  };
  return JSON.stringify(report, null, 2);
}

export function checkOutcome(run: CheckRun): Outcome {
  const { folder, checked, failsOn } = run;
  const names = new Map<string, number>();
  const found = checked.findings.map((judged) => itemOf(judged, folder.folder, names));
  const touched = new Set(checked.findings.flatMap((one) => (one.accepted === null ? [one.diagnostic.file] : [])));
  const clean = folder.files
    .map((file) => file.path)
    .filter((file) => !touched.has(file))
    .map((file) => cleanItem(path.join(folder.folder, file)));
  return {
    tool: 'policy check',
    subject: folder.folder,
    revision: checked.set?.revision ?? null,
    items: [...found, ...clean],
    failsOn,
    codes: new Map(checked.findings.map(({ diagnostic: { code } }) => [code, meaningOf(code)])),
    summary: summaryOf(run),
    markdown: [],
  };
}

function itemOf({ diagnostic, accepted }: Judged, folder: string, names: Map<string, number>): OutcomeItem {
  const { code, line, column, item, message, hint } = diagnostic;
  const file = path.join(folder, diagnostic.file);
  const name = `${code}${item === undefined ? '' : ` ${item}`} (${file}:${line}:${column})`;
  const times = (names.get(name) ?? 0) + 1;
  names.set(name, times);
  const why = whyOf(diagnostic);
  return {
    name: times === 1 ? name : `${name} #${times}`,
    code,
    status: 'failed',
    level: levelOf(diagnostic),
    file,
    line,
    column,
    message: `${item === undefined ? '' : `${item}: `}${message}`,
    details: why === null ? [] : [why],
    hint: hint ?? null,
    accepted: accepted?.entry.reason ?? null,
  };
}

function cleanItem(file: string): OutcomeItem {
  const nothing = { line: null, column: null, details: [], hint: null, accepted: null } as const;
  return {
    name: file,
    code: 'checked',
    status: 'passed',
    level: 'note',
    file,
    message: 'nothing is found',
    ...nothing,
  };
}

export function levelOf({ severity, code }: Diagnostic): Level {
  if (severity === 'error') return 'error';
  return isFindingCode(code) ? FINDINGS[code].level : 'warning';
}

function whyOf({ severity, code }: Diagnostic): string | null {
  return severity === 'finding' && isFindingCode(code) ? FINDINGS[code].why : null;
}

function meaningOf(code: string): string {
  if (isFindingCode(code)) return FINDINGS[code].means;
  const mistake = meaningOfMistake(code);
  return mistake === null ? STOPS_A_LOAD : `${mistake} ${STOPS_A_LOAD}`;
}

function countsOf(findings: readonly Judged[]): Readonly<Record<'errors' | 'warnings' | 'notes' | 'accepted', number>> {
  const open = findings.filter(({ accepted }) => accepted === null).map(({ diagnostic }) => levelOf(diagnostic));
  const number = (level: Level): number => open.filter((one) => one === level).length;
  return {
    errors: number('error'),
    warnings: number('warning'),
    notes: number('note'),
    accepted: findings.length - open.length,
  };
}

function summaryOf({ checked: { set, findings } }: CheckRun): string {
  const { errors, warnings, notes, accepted } = countsOf(findings);
  const counts = [count(errors, 'error'), count(warnings, 'warning'), count(notes, 'note')];
  const all = `${counts.join(', ')}${accepted === 0 ? '' : `, ${accepted} accepted with a reason`}`;
  return set === null ? `does not load: ${all}` : `${contentsLine(set)}; ${all}`;
}
