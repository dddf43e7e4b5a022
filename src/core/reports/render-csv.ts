// Writes a report as one CSV (RFC 4180): its sections one after the other, each with its heading. It must never put out a cell that a
// spreadsheet would take for a formula.
import type { AuditReport, ReportCell, ReportSection } from '../../model/audit-report.ts';
import { csvCell } from '../reading/csv.ts';
import { headOf } from './render-head.ts';

const LINE_END = '\r\n';

export function reportCsv(report: AuditReport): string {
  const lines = [
    row(['report', report.title]),
    row(['about', report.about]),
    ...headOf(report).map((pair) => row(pair)),
    ...report.notes.map((note) => row(['note', note])),
    ...report.sections.flatMap(sectionLines),
  ];
  return lines.join('');
}

function sectionLines({ heading, note, facts, text, chart, table, signature }: ReportSection): string[] {
  const lines = ['', LINE_END, row(['section', heading])];
  if (note !== undefined) lines.push(row(['note', note]));
  for (const { label, value } of facts ?? []) lines.push(row([label, value]));
  for (const line of text?.split('\n') ?? []) lines.push(row(['text', line]));
  if (chart !== undefined) {
    lines.push(row(['chart', chart.label]), row([chart.unit, ...chart.series]));
    for (const { label, values } of chart.points) lines.push(row([label, ...values]));
  }
  if (table !== undefined) {
    lines.push(row(table.columns.map(({ name }) => name)));
    for (const cells of table.rows) lines.push(row(cells));
  }
  if (signature !== undefined) lines.push(row(['to be signed', signature]));
  return lines;
}

function row(cells: readonly ReportCell[]): string {
  return cells.map((cell) => (typeof cell === 'number' ? String(cell) : csvCell(cell ?? ''))).join(',') + LINE_END;
}
