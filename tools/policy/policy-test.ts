// `privity policy test` for those who write policies: also which rules the cases exercise, and whether they notice a change. It must never judge a case
// otherwise than the verb of the program.
import { isOutcomeFormat, writeOutcome } from '../../src/cli/outcomes/write.ts';
import { jsonReport, testOutcome } from '../../src/cli/policies/test-reports.ts';
import { exitCode, runTests, showTests, verb as plain, type Tested } from '../../src/cli/policy-test.ts';
import type { Shell } from '../../src/cli/shell/shell.ts';
import { UsageError, type Arguments, type Verb } from '../../src/cli/shell/verb.ts';
import type { TestCase } from '../../src/model/rules.ts';
import type { Solver } from './smt/solver.ts';
import { coverageOf, KINDS } from './cover/coverage.ts';
import { coverageOutcome } from './cover/coverage-outcome.ts';
import { coverageAsJson, missedOf, showCoverage, type Coverage } from './cover/coverage-text.ts';
import { readThresholds, type Threshold } from './cover/threshold.ts';
import { mutate, type MutateOptions } from './mutate/mutate.ts';
import { missedBy, mutationAsJson, mutationOutcome, showMutation, type Mutation } from './mutate/mutate-text.ts';

export const verb: Verb = {
  ...plain,
  about: [
    ...plain.about,
    '`--coverage` says which rules, cases of rules, parts of conditions and walls the test cases make true, false and ' +
      'unknown, and which they do not. What no request can bring about is not counted.',
    '`--mutate` changes the policies in many small ways, one at a time (a rule removed or inverted, a part of a condition ' +
      'left out or negated, a boundary moved, somebody taken off a wall), and names the changes that no case notices, each ' +
      'with a case that would. Changes that change no decision, as a solver proves, are not counted.',
  ],
  options: {
    ...plain.options,
    coverage: { help: 'say which rules, conditions and walls the cases exercise' },
    mutate: { help: 'say which changes of the policies no case notices' },
    threshold: { value: 'LIST', help: 'least per cent, such as rules=100,walls=100,mutants=95; exit code 1 below it' },
    only: { value: 'NAME', help: 'with `--mutate`: one file, rule, term or wall' },
    sample: { value: 'N', help: 'with `--mutate`: only so many changes, drawn by `--seed`' },
    seed: { value: 'S', help: 'a whole number; otherwise 1' },
  },
  examples: [
    ...plain.examples,
    { command: 'privity policy test --coverage --threshold rules=100,walls=100', does: 'what the cases exercise' },
    { command: 'privity policy test --mutate --only rules/copies.yaml', does: 'which changes no case notices' },
  ],
  async run(shell, args) {
    const asked = { coverage: args.isOn('coverage'), mutate: args.isOn('mutate') };
    const names = [...(asked.coverage ? KINDS : []), ...(asked.mutate ? ['mutants'] : [])];
    for (const option of ['only', 'sample', 'seed'])
      if (!asked.mutate && args.text(option) !== undefined)
        throw new UsageError(`\`--${option}\` belongs to \`--mutate\``, 'add `--mutate`');
    if (names.length === 0) {
      if (args.text('threshold') !== undefined)
        throw new UsageError('`--threshold` of what?', 'add `--coverage` or `--mutate`');
      return plain.run(shell, args);
    }
    const thresholds = readThresholds(args.text('threshold'), names);
    const options = mutationOptions(args);
    const tested = await runTests(shell, args);
    return withSolver(async (startSolver) => {
      const onProgress = (text: string): void => shell.progress.show(text);
      const coverage = asked.coverage ? await cover(tested, thresholds, startSolver, onProgress) : null;
      // A case that fails already notices nothing.
      const canMutate = asked.mutate && exitCode(tested.run) === 0;
      const mutation = canMutate ? await change(tested, thresholds, { ...options, startSolver, onProgress }) : null;
      shell.progress.clear();
      if (asked.mutate && options.only !== null && mutation?.tried.length === 0)
        throw new UsageError(`nothing can be changed in \`${options.only}\``, 'name a file, a rule, a term or a wall');
      await report(shell, args.text('format') ?? 'pretty', tested, coverage, mutation);
      if (asked.mutate && !canMutate) shell.err.line('no change was tried: every case must pass first');
      if (exitCode(tested.run) !== 0) return exitCode(tested.run);
      const isMissed =
        (coverage !== null && missedOf(coverage).length > 0) || (mutation !== null && missedBy(mutation).length > 0);
      return isMissed ? 1 : 0;
    });
  },
};

type Start = () => Promise<Solver>;

async function cover(
  { set, folder, run }: Tested,
  thresholds: readonly Threshold[],
  startSolver: Start,
  onProgress: (text: string) => void,
): Promise<Coverage> {
  const lockdown = folder.files.find(({ path }) => path === 'lockdown.yaml');
  const items = await coverageOf(set, testsOf(run), { lockdown, startSolver, onProgress });
  return { items, folder: folder.folder, thresholds: thresholds.filter(({ name }) => name !== 'mutants') };
}

async function change(
  { set, folder, run }: Tested,
  thresholds: readonly Threshold[],
  options: MutateOptions,
): Promise<Mutation> {
  return {
    tried: await mutate(set, folder.files, testsOf(run), options),
    folder: folder.folder,
    thresholds: thresholds.filter(({ name }) => name === 'mutants'),
    sources: new Map(run.outcomes.map(({ id, file, line }) => [id, `${file}:${line}`])),
  };
}

function testsOf(run: Tested['run']): readonly TestCase[] {
  return run.outcomes.flatMap(({ test }) => (test === null ? [] : [test]));
}

function mutationOptions(args: Arguments): Pick<MutateOptions, 'sample' | 'only'> {
  const whole = (option: string, otherwise: number | null): number | null => {
    const text = args.text(option);
    if (text === undefined) return otherwise;
    const number = Number(text);
    if (!Number.isSafeInteger(number) || number < 0 || text.trim() === '')
      throw new UsageError(`\`${text}\` is no whole number`, `write \`--${option} 100\``);
    return number;
  };
  const [size, seed] = [whole('sample', null), whole('seed', 1)];
  return { sample: size === null ? null : { size, seed: seed ?? 1 }, only: args.text('only') ?? null };
}

async function report(
  shell: Shell,
  format: string,
  tested: Tested,
  coverage: Coverage | null,
  mutation: Mutation | null,
): Promise<void> {
  const { run, folder } = tested;
  if (format === 'json') {
    const plainReport = JSON.parse(jsonReport(run)) as Record<string, unknown>;
    const more = {
      ...(coverage === null ? {} : { coverage: coverageAsJson(coverage) }),
      ...(mutation === null ? {} : { mutation: mutationAsJson(mutation) }),
    };
    shell.out.line(JSON.stringify({ ...plainReport, ...more }, null, 2));
  } else if (isOutcomeFormat(format)) {
    let outcome = testOutcome(run, folder.folder);
    if (coverage !== null) outcome = coverageOutcome(outcome, coverage);
    if (mutation !== null) outcome = mutationOutcome(outcome, mutation);
    await writeOutcome(shell, outcome, format);
  } else {
    await showTests(shell, tested, format);
    if (coverage !== null) showCoverage(shell.out, coverage);
    if (mutation !== null) showMutation(shell.out, mutation);
  }
}

/** Starts it when it is first asked for, and once. */
async function withSolver<T>(work: (start: () => Promise<Solver>) => Promise<T>): Promise<T> {
  let solver: Promise<Solver> | undefined;
  try {
    return await work(async () => {
      const { startSolver } = await import('./smt/solver.ts');
      return (solver ??= startSolver());
    });
  } finally {
    (await solver)?.close();
  }
}
