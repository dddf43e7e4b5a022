// `privity policy test`: runs test cases against a policies folder. It must never say that all is well when a case could not be run.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { PolicySet } from '../core/policy-set.ts';
import type { SourceFile } from '../model/diagnostic.ts';
import { isOutcomeFormat, OUTCOME_FORMATS, writeOutcome } from './outcomes/write.ts';
import { isTestFile, loadSet, POLICIES_OPTION, type PoliciesFolder } from './policies/load.ts';
import { findCases, renamed, repeatedIds, runCase, type CaseOutcome, type FoundCase } from './policies/test-cases.ts';
import { showTestRun } from './policies/test-pretty.ts';
import { countOf, jsonReport, testOutcome, type TestRun } from './policies/test-reports.ts';
import type { Shell } from './shell/shell.ts';
import { type Arguments, type ExitCode, UsageError, type Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'Each case holds the claims of a person, an action, a resource, the circumstances and the time, and what must come ' +
      'out: the decision, and the rules it comes from. Without files it runs those in tests/ of the policies folder.',
    'Exit code 1: a case came out otherwise. 2: a file or case could not be read, or there was nothing to run.',
  ],
  operands: {
    usage: '[FILE…]',
    min: 0,
    max: Infinity,
    help: 'test files (root `tests:`) to run instead of those in the folder',
  },
  options: {
    policies: POLICIES_OPTION,
    format: { value: 'FORMAT', choices: ['pretty', 'json', ...OUTCOME_FORMATS], help: 'how to print the results' },
  },
  examples: [
    { command: 'privity policy test', does: 'all cases of policies/tests/' },
    {
      command: 'privity policy test new-wall.yaml --policies ../firm-policies',
      does: 'one file against another folder',
    },
    { command: 'privity policy test --format junit > results.xml', does: 'for a CI system' },
  ],
  async run(shell, args) {
    const tested = await runTests(shell, args);
    await showTests(shell, tested, args.text('format') ?? 'pretty');
    return exitCode(tested.run);
  },
};

/** The cases of one run, for verbs that look at more than whether they pass. */
export interface Tested {
  readonly set: PolicySet;
  readonly folder: PoliciesFolder;
  /** Those with the cases, under the names by which the user knows them. */
  readonly files: readonly SourceFile[];
  readonly run: TestRun;
}

export async function runTests(shell: Shell, args: Arguments): Promise<Tested> {
  const { set, folder } = await loadSet(shell, args);
  const files =
    args.operands.length > 0
      ? await readTestFiles(shell, args.operands)
      : folder.files.filter(isTestFile).map((file) => renamed(file, path.join(folder.folder, file.path)));
  const { cases, mistakes } = findCases(files);
  if (cases.length === 0 && mistakes.length === 0) {
    const where = args.operands.length > 0 ? args.operands.join(', ') : path.join(folder.folder, 'tests');
    throw new UsageError(`there is no test case in ${where}`, 'a test file has the root `tests:`');
  }
  for (const repeated of repeatedIds(cases)) shell.err.line(`privity policy test: ${repeated}; ids should differ`);
  const explainable = args.operands.length === 0;
  return { set, folder, files, run: { set, mistakes, explainable, outcomes: runAll(shell, set, cases) } };
}

export async function showTests(shell: Shell, { run, files, folder }: Tested, format: string): Promise<void> {
  if (format === 'json') shell.out.line(jsonReport(run));
  else if (isOutcomeFormat(format)) await writeOutcome(shell, testOutcome(run, folder.folder), format);
  else showTestRun(shell.out, run, files);
}

async function readTestFiles(shell: Shell, names: readonly string[]): Promise<SourceFile[]> {
  const { parseSourceFile } = await import('../io/policies/parse.ts');
  return Promise.all(
    names.map(async (name) => {
      const bytes = await readFile(path.resolve(shell.folder, name)).catch((error: NodeJS.ErrnoException) => {
        throw new UsageError(
          `\`${name}\` cannot be read`,
          error.code === 'ENOENT' ? 'there is no such file' : error.message,
        );
      });
      return renamed(parseSourceFile(parsedAs(name), bytes), name);
    }),
  );
}

/** As what the parser takes it: JSON where the name says so, otherwise YAML, which JSON is as well. */
function parsedAs(name: string): string {
  return path.extname(name) === '.json' ? 'tests/given.json' : 'tests/given.yaml';
}

/** Between two looks at the terminal. */
const STEP = 200;

function runAll(shell: Shell, set: PolicySet, cases: readonly FoundCase[]): readonly CaseOutcome[] {
  const outcomes = cases.map((found, index) => {
    if (index % STEP === 0) shell.progress.show(`${index} of ${cases.length} cases …`);
    return runCase(set, found);
  });
  shell.progress.clear();
  return outcomes;
}

export function exitCode(run: TestRun): ExitCode {
  if (run.mistakes.length > 0 || countOf(run, 'unreadable') > 0) return 2;
  return countOf(run, 'failed') > 0 ? 1 : 0;
}
