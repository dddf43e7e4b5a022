// `privity audit report`: asks the service for an audit report and writes it down. It must never leave behind a file that looks whole and
// is not, nor pass a report off as complete that is not.
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { REPORTS, REPORTS_BY_NAME } from '../core/reports/catalogue.ts';
import { renderReport } from '../core/reports/render.ts';
import type { ReportDefinition } from '../core/reports/report.ts';
import { ruleOnADate } from '../core/reports/rule-on-a-date.ts';
import { nearest } from '../core/suggest.ts';
import { REPORT_FORMATS, ReportQuery, type AuditReport } from '../model/audit-report.ts';
import { VIEWS } from '../model/search.ts';
import { API_ABOUT, API_OPTIONS, ApiProblem, openApi, type Query } from './audit/api-client.ts';
import { reportLines } from './audit/report-text.ts';
import { addHistory } from './audit/rule-history.ts';
import type { Shell } from './shell/shell.ts';
import { type Arguments, type OptionSpec, UsageError, type Verb } from './shell/verb.ts';

const TEXT = 'text';
/** A report may go through a million records; the service gives up its connection after five minutes. */
const ANSWER_MS = 290_000;
const TIMES: ReadonlySet<string> = new Set(['from', 'to']);

const PARAMS = Object.entries(ReportQuery.properties).filter(([name]) => name !== 'format' && name !== 'view');

export const verb: Verb = {
  about: [
    'Asks for a report and shows it. `--format html` gives a page to print, `csv` a table for a spreadsheet, `json` everything for ' +
      'programs. With `--out` it goes into a file.',
    API_ABOUT,
  ],
  choices: {
    heading: 'Reports:',
    rows: REPORTS.map(({ name, about, params }) => [name, `${about} Takes ${words(params)}`]),
  },
  operands: { usage: 'REPORT', min: 1, max: 1, help: REPORTS.map(({ name }) => name).join(', ') },
  options: {
    ...Object.fromEntries(PARAMS.map(([name, schema]) => [optionOf(name), optionSpec(name, describedAs(schema))])),
    view: { value: 'VIEW', choices: VIEWS, help: '`access_report` for the responsible attorney of a matter' },
    format: { value: 'FORMAT', choices: [TEXT, ...REPORT_FORMATS], help: 'otherwise text, for this terminal' },
    out: { value: 'FILE', help: 'where to write; otherwise standard output' },
    repository: {
      value: 'DIR',
      help: 'of rule-on-a-date: a clone of the policies repository, to add who wrote and approved the rule',
    },
    ...API_OPTIONS,
  },
  examples: [
    { command: 'privity audit report matter-access --matter M-1001', does: 'who can reach a matter, and who did' },
    {
      command: 'privity audit report screen-certificate --wall W-EX-1 --format html --out W-EX-1.html',
      does: 'a certificate to print and sign',
    },
    {
      command: 'privity audit report blast-radius --account u-lind --from 2026-03-01 --to 2026-03-08',
      does: 'what an account touched in a week',
    },
  ],
  async run(shell, args) {
    const [name = ''] = args.operands;
    const definition = REPORTS_BY_NAME.get(name);
    if (definition === undefined) throw unknownReport(name);
    const query = queryOf(definition, args);
    const format = args.text('format') ?? TEXT;
    const out = args.text('out');
    const file = out === undefined ? null : path.resolve(shell.folder, out);
    if (file !== null && (await exists(file))) throw new UsageError(`\`${out}\` is there already`, 'name another file');
    const repository = repositoryOf(definition, args);
    const api = await openApi(shell, args, ANSWER_MS);
    shell.progress.show('the report is being made …');
    try {
      const wanted = format === TEXT || repository !== undefined ? 'json' : format;
      const response = await api.get(`/v1/reports/${name}`, { ...query, format: wanted });
      const body = await response.text();
      const report = wanted === format ? null : (JSON.parse(body) as AuditReport);
      const told =
        report === null || repository === undefined ? report : await addHistory(report, repository, shell.folder);
      shell.progress.clear();
      const text = told === null ? body : textOf(shell, told, format);
      if (file === null) await shell.pipe(once(text));
      else await writeWhole(file, text);
      return 0;
    } catch (error) {
      shell.progress.clear();
      if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
      shell.err.line(
        'nothing is here for you: reports are for those whom policy lets read the log, or this matter’s access report',
      );
      return 1;
    }
  },
};

function repositoryOf({ name }: ReportDefinition, args: Arguments): string | undefined {
  const repository = args.text('repository');
  if (repository === undefined || name === ruleOnADate.name) return repository;
  throw new UsageError(`\`--repository\` means nothing to the report \`${name}\``, `it is for \`${ruleOnADate.name}\``);
}

function textOf(shell: Shell, report: AuditReport, format: string): string {
  if (format === 'csv' || format === 'html') return renderReport(report, format);
  return `${format === TEXT ? reportLines(shell.out, report).join('\n') : JSON.stringify(report, null, 2)}\n`;
}

function words(params: ReportDefinition['params']): string {
  return Object.entries(params)
    .map(([name, use]) => (use === 'required' ? `--${optionOf(name)}` : `[--${optionOf(name)}]`))
    .join(' ');
}

function describedAs(schema: object): string | undefined {
  return 'description' in schema && typeof schema.description === 'string' ? schema.description : undefined;
}

function optionOf(name: string): string {
  return name.replaceAll('_', '-');
}

function optionSpec(name: string, description: string | undefined): OptionSpec {
  const value = TIMES.has(name) ? 'TIME' : name === 'date' ? 'DAY' : name === 'month' ? 'MONTH' : 'ID';
  const times: Readonly<Record<string, string>> = {
    from: 'not before: 2026-03-10, or 2026-03-10T14:00:00Z',
    to: 'before',
  };
  return { value, help: times[name] ?? description ?? name };
}

/** What the report does not know is refused here, with its name; the rest is judged by the service. */
function queryOf({ name, params, views }: ReportDefinition, args: Arguments): Query {
  const query: Record<string, string | undefined> = { view: args.text('view') };
  if (query['view'] !== undefined && !views.some((one) => one === query['view'])) {
    throw new UsageError(`\`--view ${query['view']}\` means nothing to the report \`${name}\``);
  }
  for (const [param] of PARAMS) {
    const use = Object.entries(params).find(([one]) => one === param)?.[1];
    const option = optionOf(param);
    const value = args.text(option);
    if (value !== undefined && use === undefined) {
      throw new UsageError(`\`--${option}\` means nothing to the report \`${name}\``, `it takes ${words(params)}`);
    }
    if (value === undefined && use === 'required') {
      throw new UsageError(`the report \`${name}\` needs \`--${option}\``, `it takes ${words(params)}`);
    }
    query[param] = TIMES.has(param) ? instantOf(value) : value;
  }
  return query;
}

/** A day stands for its beginning, in UTC. */
function instantOf(text: string | undefined): string | undefined {
  return text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text;
}

function unknownReport(name: string): UsageError {
  const names = REPORTS.map((one) => one.name);
  const near = nearest(name, names);
  return new UsageError(
    `there is no report \`${name}\``,
    near === undefined ? `there are ${names.join(', ')}` : `did you mean \`${near}\`?`,
  );
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function writeWhole(file: string, text: string): Promise<void> {
  const part = `${file}.part`;
  await writeFile(part, text, { flag: 'wx', mode: 0o600 });
  try {
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function* once(text: string): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(text);
}
