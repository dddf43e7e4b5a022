// Lays an audit report out for a terminal. It must never leave a note out, nor let what a report says act on the terminal.
import { headOf } from '../../core/reports/render-head.ts';
import type { AuditReport, ReportChart, ReportSection } from '../../model/audit-report.ts';
import type { Output } from '../shell/shell.ts';
import { definitions, printable, table, wrap } from '../shell/text.ts';

/** More are in the other forms. */
const ROWS = 100;
const BAR = 30;
const WIDEST = 140;

export function reportLines(out: Output, report: AuditReport): string[] {
  const width = Math.min(out.columns, WIDEST);
  const pairs = (list: readonly (readonly [string, string])[]): string[] =>
    definitions(
      list.map(([label, value]) => [printable(label), printable(value)]),
      width,
    );
  const words = (text: string): string[] => wrap(printable(text), width - 2).map((line) => `  ${line}`);
  return [
    out.paint('bold', printable(report.title)),
    ...pairs(headOf(report)),
    ...report.notes.flatMap((note) => ['', ...words(note)]),
    ...report.sections.flatMap((section) => ['', ...sectionLines(out, section, { pairs, words })]),
  ];
}

interface Layout {
  pairs(list: readonly (readonly [string, string])[]): string[];
  words(text: string): string[];
}

function sectionLines(
  out: Output,
  { heading, note, facts = [], chart, table: found, signature }: ReportSection,
  { pairs, words }: Layout,
): string[] {
  return [
    out.paint('bold', printable(heading)),
    ...(note === undefined ? [] : words(note)),
    ...pairs(facts.map(({ label, value }) => [label, value])),
    ...(chart?.kind === 'bars' && found === undefined ? barLines(chart) : []),
    ...(chart?.kind === 'timeline' ? timelineLines(chart) : []),
    ...(found === undefined ? [] : tableLines(found).map((line) => fitted(out, line))),
    ...(signature === undefined ? [] : [...words(signature), '', '  ______________________________']),
  ];
}

/** A terminal shows the beginning of each line; a pipe gets all of it. */
function fitted({ isTerminal, columns }: Output, line: string): string {
  return isTerminal && line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
}

function tableLines({ columns, rows }: NonNullable<ReportSection['table']>): string[] {
  if (rows.length === 0) return ['  nothing'];
  const shown = rows
    .slice(0, ROWS)
    .map((cells) =>
      cells.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US') : printable(cell ?? ''))),
    );
  const more = rows.length - shown.length;
  return [
    ...table([columns.map(({ label }) => label.toUpperCase()), ...shown], '  '),
    ...(more > 0
      ? [`  and ${more.toLocaleString('en-US')} more: \`--format html\`, \`csv\` or \`json\` list them`]
      : []),
  ];
}

function barLines(chart: ReportChart): string[] {
  const most = Math.max(1, ...chart.points.map(({ values }) => sum(values)));
  const rows = chart.points.slice(0, ROWS).map(({ label, values }) => {
    const bar = '█'.repeat(Math.round((sum(values) / most) * BAR));
    return [printable(label), bar, sum(values).toLocaleString('en-US')];
  });
  return rows.length === 0 ? ['  nothing'] : table(rows, '  ');
}

const STEPS = ' ▁▂▃▄▅▆▇█';

/** One line: a letter for each stretch of time. */
function timelineLines({ points, unit }: ReportChart): string[] {
  const size = Math.max(1, Math.ceil(points.length / 100));
  const totals: number[] = [];
  for (let start = 0; start < points.length; start += size) {
    totals.push(points.slice(start, start + size).reduce((all, { values }) => all + sum(values), 0));
  }
  const most = Math.max(1, ...totals);
  const line = totals.map((one) =>
    STEPS.charAt(one === 0 ? 0 : Math.max(1, Math.round((one / most) * (STEPS.length - 1)))),
  );
  const [first, last] = [points[0]?.label ?? '', points.at(-1)?.label ?? ''];
  return [`  ${first} |${line.join('')}| ${last}, at most ${most.toLocaleString('en-US')} ${printable(unit)}`];
}

function sum(values: readonly number[]): number {
  return values.reduce((all, one) => all + one, 0);
}
