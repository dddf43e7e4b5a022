// The command line without its verbs: finds the one that was asked for, hands it its arguments, turns failures into words and exit codes. It must
// never load a verb that was not asked for.
import { readFile } from 'node:fs/promises';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { nearest } from '../core/suggest.ts';
import { readArguments } from './shell/arguments.ts';
import { showProgramHelp, showVerbHelp } from './shell/help.ts';
import { createShell, type Shell } from './shell/shell.ts';
import { type ExitCode, UsageError, type Verb } from './shell/verb.ts';

export interface VerbEntry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly verb: Verb }>;
}

export type Verbs = ReadonlyMap<string, VerbEntry>;

/**
 * Runs the command that the process was started with.
 * @param elsewhere verbs that are not part of this program, and where they are
 */
export async function runProgram(verbs: Verbs, elsewhere: ReadonlyMap<string, string> = new Map()): Promise<void> {
  // Beside the dependencies, where whoever could write could change the code itself; never in a shared temporary folder. Where nothing
  // can be written it is simply not kept.
  enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/privity', import.meta.url)));
  process.exitCode = await run({ verbs, elsewhere }, process.argv.slice(2), createShell(process, process.cwd()));
}

interface Program {
  readonly verbs: Verbs;
  readonly elsewhere: ReadonlyMap<string, string>;
}

async function run(program: Program, words: readonly string[], shell: Shell): Promise<ExitCode> {
  const { verbs } = program;
  const asksHelp = words[0] === 'help' || words[0] === '--help' || words[0] === '-h';
  if (words[0] === '--version' || words[0] === '-V') return await showVersion(shell);
  const rest = asksHelp ? words.slice(1).filter((word) => !word.startsWith('-')) : words;
  if (rest.length === 0) return showHelp(shell, verbs, null, asksHelp);
  const found = findVerb(verbs, rest);
  if (found === null) {
    const [group = ''] = rest;
    const isGroup = [...verbs.keys()].some((name) => name.startsWith(`${group} `));
    if (isGroup && (rest.length === 1 || rest[1] === '--help' || rest[1] === '-h')) {
      return showHelp(shell, verbs, group, asksHelp || rest.length > 1);
    }
    return explainUsage(shell, 'privity', unknownVerb(program, rest, isGroup), 'privity --help');
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

function findVerb(
  verbs: Verbs,
  words: readonly string[],
): { name: string; entry: VerbEntry; after: readonly string[] } | null {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const entry = verbs.get(name);
    if (entry !== undefined && words.length >= length) return { name, entry, after: words.slice(length) };
  }
  return null;
}

function unknownVerb({ verbs, elsewhere }: Program, words: readonly string[], isGroup: boolean): UsageError {
  const names = [...verbs.keys()];
  const [first = '', second = ''] = words;
  for (const name of [`${first} ${second}`, first]) {
    const place = elsewhere.get(name);
    if (place !== undefined) return new UsageError(`\`privity ${name}\` is not part of this program`, place);
  }
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

function showHelp(shell: Shell, verbs: Verbs, group: string | null, asked: boolean): ExitCode {
  showProgramHelp(asked ? shell.out : shell.err, verbs, group);
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
