// Writes docs/configuration.md, errors.md, metrics.md and policy-findings.md from the schema of the environment and the tables of errors, metrics and
// findings. It must never say more about them than they do.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { SYNTAX } from '../src/config-values.ts';
import { isSecret, kindOf } from '../src/config.ts';
import { Environment } from '../src/environment.ts';
import { METRICS, type MetricSpec } from '../src/metrics-table.ts';
import { ERRORS } from '../src/model/errors.ts';
import { FINDINGS, type FindingSpec } from '../src/model/findings.ts';
import { LOAD_MISTAKES } from '../src/model/load-mistakes.ts';

const FOLDER = new URL('../docs/', import.meta.url);

const CONFIGURATION = `<!-- Generated from src/environment.ts by tools/generate-docs.ts; do not edit. -->

# Configuration

Everything is set in the environment, and read once, at the start. A value that cannot be right, or a name that looks like one of
these but is not, stops the start; every problem is listed. An empty value counts as not set. \`privity config\` prints what is in
force, secrets masked.

Secrets (marked *secret*) may also be given as a file: set the name with \`_FILE\` to its path.
`;

const PROBLEMS = `<!-- Generated from src/model/errors.ts by tools/generate-docs.ts; do not edit. -->

# Errors

A deny is an answer: status 200, \`"decision": false\`. Everything else that is not an answer comes as problem details (RFC 9457,
\`application/problem+json\`) with a stable \`code\`; a caller without an answer must deny. \`errors\` points (RFC 6901) at the member that
is wrong, \`request_id\` finds the request in the log.
`;

const METRICS_PAGE = `<!-- Generated from src/metrics-table.ts by tools/generate-docs.ts; do not edit. -->

# Metrics

What \`GET /metrics\` says; [monitoring.md](monitoring.md) says what to do with it. Beside these there are the usual ones of the process
(\`process_*\`: CPU, memory, files) and of its runtime (\`nodejs_*\`: event loop delay, garbage collection, heap).
`;

const FINDINGS_PAGE = `<!-- Generated from src/model/findings.ts by tools/generate-docs.ts; do not edit. -->

# What \`privity policy check\` finds

Mistakes keep the service from loading a folder: each is told with file, line, column and the nearest right spelling, and none can be
accepted; their codes stand last. All else here loads, and deserves a look. \`--fail-on\` says which levels fail a run: with \`--strict\` warnings and
errors, otherwise none of these. What is right as it is can be accepted with a reason: [policy-tools.md](policy-tools.md).
`;

const FOUND: Readonly<Record<FindingSpec['found'], string>> = {
  always: 'By every check',
  strict: 'With `--strict`',
  acceptance: 'About what is accepted, with `--strict`; cannot be accepted itself',
};

function findings(): string {
  const all = Object.entries(FINDINGS) as [string, FindingSpec][];
  const pages = (Object.entries(FOUND) as [FindingSpec['found'], string][]).reduce((page, [by, heading]) => {
    const rows = all
      .filter(([, { found }]) => found === by)
      .map(([code, { level, means, why, remedy }]) => [`\`${code}\``, level, means, why, remedy]);
    return `${page}\n## ${heading}\n${table(['Code', 'Level', 'Meaning', 'Why it matters', 'What to do'], rows)}`;
  }, FINDINGS_PAGE);
  const mistakes = Object.entries(LOAD_MISTAKES).map(([code, means]) => [`\`${code}\``, means]);
  return `${pages}\n## Mistakes that keep a folder from loading\n${table(['Code', 'Meaning'], mistakes)}`;
}

function metrics(): string {
  const rows = (Object.entries(METRICS) as [string, MetricSpec][]).map(([name, { type, help, labels }]) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  return METRICS_PAGE + table(['Name', 'Kind', 'Labels', 'Meaning'], rows);
}

function configuration(): string {
  const rows = Object.entries(Environment.properties).map(([name, schema]) => {
    const { write, words } = SYNTAX[kindOf(schema)];
    const preset: unknown = Reflect.get(schema, 'default');
    const meaning = String(Reflect.get(schema, 'description'));
    const value = words(schema) + (isSecret(schema) ? ' (*secret*)' : '');
    return [
      `\`${name}\``,
      capitalised(meaning),
      capitalised(value),
      preset === undefined ? '' : `\`${write(preset)}\``,
    ];
  });
  return CONFIGURATION + table(['Name', 'Meaning', 'Value', 'Default'], rows);
}

function errors(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, title, hint }]) => [
    String(status),
    `\`${code}\``,
    title,
    hint,
  ]);
  return PROBLEMS + table(['Status', 'Code', 'Meaning', 'What to do'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return `\n${line(head)}${line(head.map(() => '---'))}${rows.map(line).join('')}`;
}

function capitalised(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/** File names below docs/ and what must stand in them. */
export async function docsFiles(): Promise<ReadonlyMap<string, string>> {
  const config = await resolveConfig(FOLDER);
  const pretty = (text: string): Promise<string> => format(text, { ...config, parser: 'markdown' });
  return new Map([
    ['configuration.md', await pretty(configuration())],
    ['errors.md', await pretty(errors())],
    ['metrics.md', await pretty(metrics())],
    ['policy-findings.md', await pretty(findings())],
  ]);
}

/** Names of the files that are not as they must be; written unless it is only a check. */
export async function generateDocs({ check }: { readonly check: boolean }): Promise<readonly string[]> {
  const stale: string[] = [];
  await mkdir(FOLDER, { recursive: true });
  for (const [name, text] of await docsFiles()) {
    const file = new URL(name, FOLDER);
    if ((await readFile(file, 'utf8').catch(() => null)) === text) continue;
    stale.push(`docs/${name}`);
    if (!check) await writeFile(file, text);
  }
  return stale;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes('--check');
  const stale = await generateDocs({ check });
  for (const name of stale)
    console.log(check ? `${name} is not up to date: run node tools/generate-docs.ts` : `wrote ${name}`);
  if (check && stale.length > 0) process.exitCode = 1;
}
