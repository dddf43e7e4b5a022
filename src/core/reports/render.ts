// Turns a report into what people asked for: a table for spreadsheets or a page to print. It must never leave a section out.
import type { AuditReport, ReportFormat } from '../../model/audit-report.ts';
import { reportCsv } from './render-csv.ts';
import { reportHtml } from './render-html.ts';

export const REPORT_TYPES: Readonly<Record<ReportFormat, string>> = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=absent',
  html: 'text/html; charset=utf-8',
};

export function renderReport(report: AuditReport, format: 'csv' | 'html'): string {
  return format === 'csv' ? reportCsv(report) : reportHtml(report);
}

export function reportFileName(name: string, format: ReportFormat): string {
  return `privity-${name}.${format}`;
}
