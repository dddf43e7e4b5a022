// The command line: finds the verb, hands it its arguments, turns failures into words and exit codes. It must never load a verb that was not asked for.
import { readFile } from 'node:fs/promises';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { nearest } from '../core/suggest.ts';
import { readArguments } from './shell/arguments.ts';
import { showProgramHelp, showVerbHelp } from './shell/help.ts';
import { createShell, type Shell } from './shell/shell.ts';
import { type ExitCode, UsageError, type Verb } from './shell/verb.ts';

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly verb: Verb }>;
}

const VERBS: ReadonlyMap<string, Entry> = new Map([
  [
    'start',
    { summary: 'Try Privity on this machine: own database, own issuer of tokens', load: () => import('./start.ts') },
  ],
  ['serve', { summary: 'Run the service on a database of yours', load: () => import('./serve.ts') }],
  ['seal', { summary: 'Seal the log and publish its signed checkpoints', load: () => import('./seal.ts') }],
  ['audit search', { summary: 'Find records of the log', load: () => import('./audit-search.ts') }],
  ['audit show', { summary: 'Show one record of the log in full', load: () => import('./audit-show.ts') }],
  [
    'audit export',
    { summary: 'Export records as NDJSON, CSV or OCSF events', load: () => import('./audit-export.ts') },
  ],
  [
    'audit report',
    { summary: 'Make an audit report: as text, a page to print, CSV or JSON', load: () => import('./audit-report.ts') },
  ],
  [
    'audit replay',
    { summary: 'Decide again what the log says was decided, and compare', load: () => import('./audit-replay.ts') },
  ],
  [
    'audit review',
    { summary: 'Accesses somebody has to look at, and what was found', load: () => import('./audit-review.ts') },
  ],
  ['audit purge', { summary: 'Remove payloads whose retention has ended', load: () => import('./audit-purge.ts') }],
  [
    'audit erase',
    { summary: 'Remove the payload of one person where the law demands it', load: () => import('./audit-erase.ts') },
  ],
  ['audit backup', { summary: 'Write the whole log into one encrypted file', load: () => import('./audit-backup.ts') }],
  [
    'audit restore',
    { summary: 'Restore a backup into an empty database and prove it', load: () => import('./audit-restore.ts') },
  ],
  ['migrate', { summary: 'Bring the database to the schema of this version', load: () => import('./migrate.ts') }],
  ['health', { summary: 'Ask the service that runs here whether it lives', load: () => import('./health.ts') }],
  [
    'doctor',
    { summary: 'Find what is wrong with settings, database, keys and policies', load: () => import('./doctor.ts') },
  ],
  ['config', { summary: 'Show the settings in force, secrets masked', load: () => import('./config.ts') }],
  ['token', { summary: 'Make a token of the development issuer', load: () => import('./token.ts') }],
  ['audit verify', { summary: 'Tell whether the log is as it was written', load: () => import('./audit-verify.ts') }],
  [
    'audit verification-export',
    {
      summary: 'Write what auditors need to verify the log offline',
      load: () => import('./audit-verification-export.ts'),
    },
  ],
  ['policy check', { summary: 'Find every mistake in a policies folder', load: () => import('./policy-check.ts') }],
  ['policy test', { summary: 'Run the test cases of a policies folder', load: () => import('./policy-test.ts') }],
  [
    'policy explain',
    { summary: 'Show for one request what every rule and wall makes of it', load: () => import('./policy-explain.ts') },
  ],
  [
    'policy requires',
    { summary: 'List what a caller must send for an action on a type', load: () => import('./policy-requires.ts') },
  ],
  [
    'policy matrix',
    { summary: 'Print who may do what to which, for auditors', load: () => import('./policy-matrix.ts') },
  ],
  ['policy describe', { summary: 'Say every rule in plain English', load: () => import('./policy-describe.ts') }],
]);

async function main(words: readonly string[], shell: Shell): Promise<ExitCode> {
  const asksHelp = words[0] === 'help' || words[0] === '--help' || words[0] === '-h';
  if (words[0] === '--version' || words[0] === '-V') return await showVersion(shell);
  const rest = asksHelp ? words.slice(1).filter((word) => !word.startsWith('-')) : words;
  if (rest.length === 0) return showHelp(shell, null, asksHelp);
  const found = findVerb(rest);
  if (found === null) {
    const [group = ''] = rest;
    const isGroup = [...VERBS.keys()].some((name) => name.startsWith(`${group} `));
    if (isGroup && (rest.length === 1 || rest[1] === '--help' || rest[1] === '-h')) {
      return showHelp(shell, group, asksHelp || rest.length > 1);
    }
    return explainUsage(shell, 'privity', unknownVerb(rest, isGroup), 'privity --help');
  }
  const { name, entry, after } = found;
  const { verb } = await entry.load();
  try {
    const args = asksHelp ? null : readArguments(verb, after);
    if (args !== null) return await verb.run(shell, args);
    showVerbHelp(shell.out, name, entry.summary, verb);
    return 0;
  } catch (error) {
    shell.progress.clear();
    if (error instanceof UsageError) return explainUsage(shell, `privity ${name}`, error, `privity ${name} --help`);
    shell.err.line(`privity ${name}: ${failureText(error)}`);
    return 2;
  }
}

function findVerb(words: readonly string[]): { name: string; entry: Entry; after: readonly string[] } | null {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const entry = VERBS.get(name);
    if (entry !== undefined && words.length >= length) return { name, entry, after: words.slice(length) };
  }
  return null;
}

function unknownVerb(words: readonly string[], isGroup: boolean): UsageError {
  const names = [...VERBS.keys()];
  const [first = '', second = ''] = words;
  if (first.startsWith('-')) {
    return new UsageError(`unknown option \`${first}\``, 'the command comes first: `privity <command> [options]`');
  }
  const typed = isGroup ? `${first} ${second}` : first;
  const groups = names.flatMap((name) => (name.includes(' ') ? [name.slice(0, name.indexOf(' '))] : []));
  const near =
    nearest(`${first} ${second}`, names) ??
    nearest(first, [...names, ...groups]) ??
    names.find((name) => name.endsWith(` ${first}`));
  return new UsageError(`unknown command \`${typed}\``, near === undefined ? undefined : `did you mean \`${near}\`?`);
}

function showHelp(shell: Shell, group: string | null, asked: boolean): ExitCode {
  showProgramHelp(asked ? shell.out : shell.err, VERBS, group);
  return asked ? 0 : 2;
}

async function showVersion(shell: Shell): Promise<ExitCode> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  const isRecord = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  shell.out.line(isRecord ? String(manifest.version) : 'unknown');
  return 0;
}

function explainUsage({ err }: Shell, who: string, error: UsageError, help: string): ExitCode {
  err.line(`${err.paint('bold', who)}: ${error.message}`);
  for (const detail of error.details) err.line(`  ${detail}`);
  if (error.hint !== undefined) err.line(`  ${error.hint}`);
  if (error.details.length === 0) err.line(err.paint('dim', `  \`${help}\` tells more`));
  return 2;
}

/** What the world refused is told in words; what can only be a fault of this program comes with its stack. */
function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isOurFault =
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof SyntaxError;
  if (isOurFault && !('code' in error)) return `this is a fault of Privity\n${error.stack ?? error.message}`;
  // A connection that fails on every address of a host has no message of its own.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(failureText).join('; ');
  return error.message;
}

// Beside the dependencies, where whoever could write could change the code itself; never in a shared temporary folder. Where nothing
// can be written it is simply not kept.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/privity', import.meta.url)));
process.exitCode = await main(process.argv.slice(2), createShell(process, process.cwd()));
