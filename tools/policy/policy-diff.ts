// `privity policy diff`: what a change of policies says, and whom it lets in or shuts out. It must never end well where `--fail-on` says otherwise.
import path from 'node:path';
import type { Outcome } from '../../src/cli/outcomes/outcome.ts';
import { isOutcomeFormat, OUTCOME_FORMATS, writeOutcome } from '../../src/cli/outcomes/write.ts';
import { showDiagnostics } from '../../src/cli/policies/diagnostics.ts';
import { POLICIES_OPTION } from '../../src/cli/policies/load.ts';
import type { Shell } from '../../src/cli/shell/shell.ts';
import { count } from '../../src/cli/shell/text.ts';
import { UsageError, type Verb } from '../../src/cli/shell/verb.ts';
import { comparisonAsJson } from './diff/as-json.ts';
import { comparisonOutcome, fails, type FailOn } from './diff/as-outcome.ts';
import { changesBetween } from './diff/changes.ts';
import { effectOf } from './diff/effect.ts';
import { showComparison, type Comparison } from './diff/show.ts';
import { readSides, type LoadedSide } from './diff/sides.ts';
import { startSolver } from './smt/solver.ts';

const SECONDS = 20;
const EXAMPLES = 5;
const FAIL_ON: readonly FailOn[] = ['wider', 'any', 'never'];

export const verb: Verb = {
  about: [
    'Compares two policies folders, or revisions of them in git, which are read without being checked out. First in plain ' +
      'English: rules, walls, words and data that were added, removed or changed; what was only moved, reordered or ' +
      'commented is no change. Then in effect, for every request there can be: equivalent, stricter, wider or ' +
      'incomparable, with requests whose decisions flip, as small as they could be made, confirmed by the engine under ' +
      'both sets, and ready to be copied into policies/tests/.',
    'With one argument the working folder is compared with it; with none, with HEAD. What the solver does not settle in ' +
      'time is said to be unknown.',
  ],
  operands: {
    usage: '[OLD [NEW]]',
    min: 0,
    max: 2,
    help: 'folders, or revisions such as `main`, `HEAD~1`, `origin/main:policies`',
  },
  options: {
    policies: POLICIES_OPTION,
    'fail-on': {
      value: 'CHANGE',
      choices: FAIL_ON,
      help: 'exit code 1 if it is wider, or any change; otherwise never',
    },
    examples: { value: 'NUMBER', help: `most examples in each direction; otherwise ${EXAMPLES}` },
    timeout: { value: 'SECONDS', help: `for one question to the solver; otherwise ${SECONDS}` },
    format: { value: 'FORMAT', choices: ['pretty', 'json', ...OUTCOME_FORMATS], help: 'how to print it' },
  },
  examples: [
    { command: 'privity policy diff', does: 'what the working folder changes' },
    { command: 'privity policy diff origin/main HEAD --fail-on wider', does: 'a pull request, in CI' },
    { command: 'privity policy diff main:policies candidate/policies', does: 'a revision and a folder' },
  ],
  async run(shell, args) {
    const [old = 'HEAD', now = null] = args.operands;
    const examples = positive(args.text('examples'), EXAMPLES, 'examples');
    const seconds = positive(args.text('timeout'), SECONDS, 'timeout');
    const format = args.text('format') ?? 'pretty';
    const sides = await readSides(shell, { old, now, policies: args.text('policies') });
    const [before, after] = sides;
    if (before.set === null || after.set === null) return refuse(shell, sides, format);
    shell.progress.show('comparing …');
    const changes = changesBetween({ files: before.files, set: before.set }, { files: after.files, set: after.set });
    shell.progress.show('starting the solver …');
    const solver = await startSolver();
    try {
      const effect = await effectOf([before.set, after.set], {
        ...{ solver, timeoutMs: seconds * 1_000, examples },
        onProgress: (text) => shell.progress.show(text),
      });
      shell.progress.clear();
      const comparison: Comparison = {
        old: { name: before.folder, revision: before.set.revision, commit: before.commit },
        now: { name: after.folder, revision: after.set.revision, commit: after.commit },
        changes,
        effect,
      };
      const failOn = FAIL_ON.find((one) => one === args.text('fail-on')) ?? 'never';
      if (format === 'json') shell.out.line(comparisonAsJson(comparison));
      else if (isOutcomeFormat(format)) {
        const where = { folder: after.place, set: after.set };
        await writeOutcome(shell, comparisonOutcome(comparison, failOn, where), format);
      } else showComparison(shell.out, comparison);
      return fails(effect, failOn) ? 1 : 0;
    } finally {
      shell.progress.clear();
      solver.close();
    }
  },
};

/** All mistakes of both sides at once. */
async function refuse(shell: Shell, sides: readonly LoadedSide[], format: string): Promise<2> {
  const broken = sides.filter(({ set }) => set === null);
  for (const side of broken) showDiagnostics(shell.err, side.errors, side);
  if (isOutcomeFormat(format)) await writeOutcome(shell, unreadable(broken), format);
  const [first] = broken;
  throw new UsageError(
    broken.map(({ folder, errors }) => `${folder} does not load: ${count(errors.length, 'error')}`).join('; '),
    first === undefined ? undefined : 'nothing was compared; mend the errors first',
  );
}

function unreadable(broken: readonly LoadedSide[]): Outcome {
  const items = broken.flatMap(({ folder, place, errors }) =>
    errors.map(({ file, line, column, code, message, hint }): Outcome['items'][number] => ({
      name: `${code} ${folder}/${file}:${line}:${column}`,
      ...{ code, status: 'unreadable', level: 'error', message, details: [], hint: hint ?? null, accepted: null },
      ...(place === null ? { file: null, line: null, column: null } : { file: path.join(place, file), line, column }),
    })),
  );
  return {
    ...{ tool: 'policy diff', subject: broken.map(({ folder }) => folder).join(', '), revision: null, items },
    codes: new Map(items.map(({ code }) => [code, 'A mistake that keeps policies from being loaded.'])),
    summary: `not compared: ${count(items.length, 'error')}`,
    markdown: [],
  };
}

function positive(text: string | undefined, otherwise: number, option: string): number {
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (!Number.isFinite(number) || number <= 0 || (option === 'examples' && !Number.isInteger(number)))
    throw new UsageError(
      `\`${text}\` is no number of ${option === 'timeout' ? 'seconds' : option}`,
      `write \`--${option} ${otherwise}\``,
    );
  return number;
}
