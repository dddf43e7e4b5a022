// Writes found records as CSV (RFC 4180) that a spreadsheet can open without running anything. It must never put out a cell that begins
// like a formula.
import type { FoundRecord, View } from '../../model/search.ts';

type Cell = (row: FoundRecord) => string | null | readonly string[] | undefined;

const REPORT: readonly (readonly [string, Cell])[] = [
  ['at', (row) => row.at],
  ['id', (row) => row.id],
  ['outcome', (row) => row.outcome],
  ['subject', (row) => row.subject.id],
  ['actor', (row) => row.subject.actor],
  ['source_system', (row) => row.source_system],
  ['action', (row) => row.action],
  ['resource_type', (row) => row.resource.type],
  ['resource_id', (row) => row.resource.id],
  ['matter', (row) => row.matter],
  ['client', (row) => row.client],
];

const LOG: readonly (readonly [string, Cell])[] = [
  ...REPORT,
  ['kind', (row) => row.kind],
  ['caller', (row) => row.caller],
  ['decided_by', (row) => row.decided_by],
  ['walls', (row) => row.walls],
  ['grants', (row) => row.grants],
  ['obligations', (row) => row.obligations],
  ['revision', (row) => row.revision],
  ['request_id', (row) => row.request_id],
];

const LINE_END = '\r\n';

export const CSV_COLUMNS: Readonly<Record<View, readonly string[]>> = {
  log: LOG.map(([name]) => name),
  access_report: REPORT.map(([name]) => name),
};

export function csvHead(view: View): string {
  return CSV_COLUMNS[view].map(csvCell).join(',') + LINE_END;
}

export function csvLine(view: View, row: FoundRecord): string {
  const columns = view === 'log' ? LOG : REPORT;
  let line = '';
  for (const [index, [, cell]] of columns.entries()) {
    const value = cell(row);
    const text = typeof value === 'string' ? value : (value?.join(' ') ?? '');
    line += (index === 0 ? '' : ',') + csvCell(text);
  }
  return line + LINE_END;
}

/** What spreadsheets take for the beginning of a formula, or skip before one: also in full width (OWASP, CSV Injection). */
const LIKE_A_FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]|^\s+[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]/u;

export function csvCell(text: string): string {
  const safe = LIKE_A_FORMULA.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
