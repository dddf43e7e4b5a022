// Asks the running app for audit reports in all their forms. It must never go around the door.
import { parse } from 'csv-parse/sync';
import type { AuditReport, ReportFormat } from '../../src/model/audit-report.ts';
import type { TestApp } from './app.ts';

export interface ReportAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export async function askReport(
  rig: TestApp,
  person: string,
  name: string,
  query: Readonly<Record<string, string>> = {},
  format: ReportFormat = 'json',
): Promise<ReportAnswer> {
  const response = await rig.inject({
    method: 'GET',
    url: `/v1/reports/${name}?${new URLSearchParams({ ...query, format }).toString()}`,
    headers: { authorization: `Bearer ${rig.personToken(person, { azp: 'privity-log-review' })}` },
  });
  return { status: response.statusCode, headers: response.headers, text: response.body };
}

export async function reportFor(
  rig: TestApp,
  person: string,
  name: string,
  query: Readonly<Record<string, string>> = {},
): Promise<AuditReport> {
  const { status, text } = await askReport(rig, person, name, query);
  if (status !== 200)
    throw new Error(
      `${name} for ${person}: ${status} ${text} ${JSON.stringify(rig.log.filter(({ level }) => level === 'error').at(-1))}`,
    );
  return JSON.parse(text) as AuditReport;
}

/** Rows of the section's table as objects by column name. */
export function tableOf(report: AuditReport, heading: string | RegExp): readonly Readonly<Record<string, unknown>>[] {
  const { table } = sectionOf(report, heading);
  if (table === undefined) throw new Error(`no table under ${String(heading)}`);
  return table.rows.map((row) => Object.fromEntries(table.columns.map(({ name }, index) => [name, row[index]])));
}

export function factsOf(report: AuditReport, heading: string | RegExp): Readonly<Record<string, string>> {
  return Object.fromEntries((sectionOf(report, heading).facts ?? []).map(({ label, value }) => [label, value]));
}

export function sectionOf(report: AuditReport, heading: string | RegExp): AuditReport['sections'][number] {
  const found = report.sections.find((one) =>
    typeof heading === 'string' ? one.heading === heading : heading.test(one.heading),
  );
  if (found === undefined)
    throw new Error(`no section ${String(heading)} in ${report.sections.map((one) => one.heading).join(', ')}`);
  return found;
}

/** Without what differs between any two readings. */
export function plain({ generated_at: _at, generated_for: _reader, rows: _rows, ...report }: AuditReport) {
  return report;
}

export interface Forms {
  readonly csv: readonly (readonly string[])[];
  readonly html: string;
}

/** The report as CSV and as a page, both checked for what every report must keep to. */
export async function otherForms(
  rig: TestApp,
  person: string,
  name: string,
  query: Readonly<Record<string, string>> = {},
): Promise<Forms> {
  const [csv, html] = [
    await askReport(rig, person, name, query, 'csv'),
    await askReport(rig, person, name, query, 'html'),
  ];
  for (const { status, text } of [csv, html]) if (status !== 200) throw new Error(`${name}: ${status} ${text}`);
  const cells = parse(csv.text, { relax_column_count: true, skip_empty_lines: true }) as string[][];
  const formula = cells.flat().find((cell) => /^[=+@\t\r]|^-(?![\d.]+$)/.test(cell));
  if (formula !== undefined) throw new Error(`a cell like a formula: ${formula}`);
  // Escaped text may say anything: only tags count.
  const outside =
    /<\/?(?:script|link|iframe|img|object|embed|base|form)\b|<[a-z][^<>]*\s(?:src|href|on\w+)\s*=|url\(|@import/i.exec(
      html.text,
    );
  if (outside !== null) throw new Error(`the page reaches out: ${outside[0]}`);
  if (!String(html.headers['content-security-policy']).startsWith("default-src 'none'"))
    throw new Error('no policy for the page');
  return { csv: cells, html: html.text };
}
