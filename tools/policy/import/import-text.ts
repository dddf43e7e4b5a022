// Says what an import found and would change, for people, programs and spreadsheets. It must never print a line of the export as it came.
import { csvCell } from '../../../src/core/reading/csv.ts';
import { formatDiagnostic } from '../../../src/core/schema-check.ts';
import type { Outcome } from '../../../src/cli/outcomes/outcome.ts';
import type { Shell } from '../../../src/cli/shell/shell.ts';
import { count, printable, table } from '../../../src/cli/shell/text.ts';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import type { Rejected } from './entries.ts';
import type { Plan } from './plan.ts';

export interface Result {
  readonly plan: Plan;
  readonly rejected: readonly Rejected[];
  /** Columns that nothing was taken from, by file. */
  readonly unread: readonly { readonly file: string; readonly columns: readonly string[] }[];
  /** Why nothing may be written; empty: it may. */
  readonly objections: readonly string[];
  /** What `policy check` would newly find. */
  readonly findings: readonly Diagnostic[];
  readonly files: readonly { readonly path: string; readonly action: 'write' | 'remove' | 'change' }[];
  readonly isWritten: boolean;
  readonly isDryRun: boolean;
}

const SHOWN = 20;

export function showResult({ out, err }: Shell, result: Result): void {
  const { plan, rejected, unread, objections, findings, files, isWritten, isDryRun } = result;
  for (const { file, line, what, why, hint } of rejected.slice(0, SHOWN)) {
    const place = `${file}:${line}${what === '' ? '' : ` ${what}`}`;
    err.line(`${err.paint('red', 'rejected')} ${printable(`${place}: ${why}${hint === null ? '' : ` — ${hint}`}`)}`);
  }
  if (rejected.length > SHOWN)
    err.line(`… and ${count(rejected.length - SHOWN, 'line')} more; \`--report FILE\` writes all of them`);
  for (const { file, columns } of unread) out.line(printable(`not read of ${file}: ${columns.join(', ')}`));
  const lists = [['people', plan.changes.people] as const, ['matters', plan.changes.matters] as const];
  const rows = lists.flatMap(([name, one]) =>
    one === null
      ? []
      : [
          [
            name,
            `${one.before} → ${one.after}`,
            `${one.added.length} added`,
            `${one.changed.length} changed`,
            `${one.removed.length} removed`,
          ],
        ],
  );
  for (const line of table(rows)) out.line(line);
  if (plan.matters !== null) out.line(`team members: ${plan.teams.joined} joined, ${plan.teams.left} left`);
  listed(
    out.line,
    'client changed',
    plan.changedClients.map(({ id, from, to }) => `${id}: ${from} → ${to}`),
  );
  listed(
    out.line,
    'no longer there',
    plan.vanished.map(({ id, teams }) => `${id}${teams === 0 ? '' : ` (was on ${count(teams, 'team')})`}`),
  );
  listed(out.line, 'matter gone', plan.changes.matters?.removed ?? []);
  for (const finding of findings.slice(0, SHOWN))
    out.line(`${out.paint('yellow', 'finding')} ${printable(formatDiagnostic(finding))}`);
  if (findings.length > SHOWN)
    out.line(`… and ${count(findings.length - SHOWN, 'finding')} more: \`privity policy check\` shows them`);
  if (objections.length > 0) {
    for (const objection of objections) err.line(`${err.paint('red', 'nothing was written')}: ${printable(objection)}`);
    return;
  }
  for (const { path, action } of files) {
    const done = { write: 'wrote', remove: 'removed', change: 'changed' }[action];
    out.line(isWritten ? `${out.paint('green', done)} ${path}` : `would ${action} ${path}`);
  }
  if (isDryRun) out.line('nothing was written: this is a dry run');
}

function listed(print: (text: string) => void, what: string, items: readonly string[]): void {
  for (const item of items.slice(0, SHOWN)) print(printable(`${what}: ${item}`));
  if (items.length > SHOWN) print(`${what}: ${items.length - SHOWN} more`);
}

export function resultAsJson({
  plan,
  rejected,
  unread,
  objections,
  findings,
  files,
  isWritten,
  isDryRun,
}: Result): string {
  const report = {
    dry_run: isDryRun,
    written: isWritten,
    objections,
    files,
    people: plan.changes.people,
    matters: plan.changes.matters,
    team_members: plan.teams,
    changed_clients: plan.changedClients,
    vanished_people: plan.vanished,
    rejected,
    unread_columns: unread,
    findings,
  };
  return JSON.stringify(report, null, 2);
}

/** For spreadsheets: no cell is taken for a formula. */
export function rejectedAsCsv(rejected: readonly Rejected[]): string {
  const rows = rejected.map(({ file, line, code, what, why, hint }) => [
    file,
    String(line),
    code,
    what,
    why,
    hint ?? '',
  ]);
  return [['file', 'line', 'code', 'what', 'why', 'hint'], ...rows]
    .map((row) => `${row.map(csvCell).join(',')}\r\n`)
    .join('');
}

const CODES: ReadonlyMap<string, string> = new Map([
  ['broken-line', 'The line is no row of the table.'],
  ['wrong-value', 'A cell holds what its attribute cannot.'],
  ['no-id', 'The line does not say whom or what it is about.'],
  ['no-client', 'A matter without a client: walls round the client would not cover it.'],
  ['duplicate', 'The same person, matter or team member stands there twice.'],
  ['unknown-person', 'A team or matter names somebody who is not known.'],
  ['unknown-matter', 'A team belongs to a matter that is not known.'],
  ['kept-by-hand', 'The entry stands in a file that the import does not own.'],
  ['import', 'The import as a whole.'],
]);

export function resultAsOutcome({ rejected, objections, plan, isWritten, isDryRun }: Result, folder: string): Outcome {
  const base = { level: 'error', column: null, accepted: null } as const;
  const isAccepted = objections.length === 0;
  const lines = rejected.map(({ file, line, code, what, why, hint }) => ({
    ...base,
    name: `${code} ${file}:${line} ${what}`.trimEnd(),
    code,
    status: 'failed' as const,
    level: isAccepted ? ('warning' as const) : ('error' as const),
    file,
    line,
    message: `${what === '' ? '' : `${what}: `}${why}`,
    details: [],
    hint,
  }));
  const whole = {
    ...base,
    name: 'import',
    code: 'import',
    status: isAccepted ? ('passed' as const) : ('failed' as const),
    file: null,
    line: null,
    message:
      objections[0] ?? (isWritten ? 'imported' : isDryRun ? 'a dry run: nothing was written' : 'nothing to write'),
    details: objections.slice(1),
    hint: null,
  };
  const sizes = [plan.changes.people, plan.changes.matters].flatMap((one) => (one === null ? [] : [one.after]));
  return {
    tool: 'import',
    subject: folder,
    revision: null,
    items: [...lines, whole],
    codes: CODES,
    summary: `${count(
      sizes.reduce((a, b) => a + b, 0),
      'entry',
      'entries',
    )}, ${count(rejected.length, 'rejected line')}`,
    markdown: [],
  };
}
