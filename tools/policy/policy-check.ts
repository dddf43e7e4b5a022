// `privity policy check` in a checkout: what the service's own check says, and with --strict also what is legitimate but careless. It must
// never pass a folder that the service would refuse, nor one that the plain check would not.
import type { Level } from '../../src/cli/outcomes/outcome.ts';
import { fails } from '../../src/cli/outcomes/judge.ts';
import { isOutcomeFormat, OUTCOME_FORMATS, writeOutcome } from '../../src/cli/outcomes/write.ts';
import { readFolder } from '../../src/cli/policies/load.ts';
import { verb as plain } from '../../src/cli/policy-check.ts';
import type { Verb } from '../../src/cli/shell/verb.ts';
import { checkFolder } from './strict/check.ts';
import { checkAsJson, checkOutcome, showCheck, type CheckRun } from './strict/report.ts';

const LEVELS = ['error', 'warning', 'note'] as const satisfies readonly Level[];

export const verb: Verb = {
  about: [
    ...plain.about,
    'With `--strict` it also finds what is legitimate but careless: rules that overlap, wildcards, rights without a ' +
      'matter, client or time, words that nothing uses, rules without owner, review date or test. What is right as it is ' +
      'can be accepted in the file with a reason (`accept:`). docs/policy-findings.md explains every finding. Exit code 1 ' +
      'where anything at or above `--fail-on` is not accepted.',
  ],
  ...(plain.operands === undefined ? {} : { operands: plain.operands }),
  options: {
    ...plain.options,
    strict: { help: 'find what is careless as well' },
    'fail-on': {
      value: 'LEVEL',
      choices: LEVELS,
      help: 'the least that fails; otherwise warning with `--strict`, error without',
    },
    format: { value: 'FORMAT', choices: ['pretty', 'json', ...OUTCOME_FORMATS], help: 'how to print it' },
  },
  examples: [
    ...plain.examples,
    { command: 'privity policy check --strict', does: 'everything that deserves a look' },
    { command: 'privity policy check --strict --format sarif > check.sarif', does: 'for code scanning' },
  ],
  async run(shell, args) {
    const format = args.text('format') ?? 'pretty';
    const isStrict = args.isOn('strict');
    const failsOn = LEVELS.find((level) => level === args.text('fail-on')) ?? (isStrict ? 'warning' : 'error');
    if (!isStrict && failsOn === 'error' && !isOutcomeFormat(format)) return plain.run(shell, args);
    const folder = await readFolder(shell, args, args.operands[0]);
    const checked = checkFolder(folder, {
      isStrict,
      today: new Date(shell.now()).toISOString().slice(0, 10),
      onProgress: (what) => shell.progress.show(what),
    });
    shell.progress.clear();
    const run: CheckRun = { folder, checked, isStrict, failsOn };
    const outcome = checkOutcome(run);
    if (isOutcomeFormat(format)) await writeOutcome(shell, outcome, format);
    else if (format === 'json') shell.out.line(checkAsJson(run));
    else showCheck(shell.out, run);
    return checked.set === null || outcome.items.some((item) => fails(item, outcome)) ? 1 : 0;
  },
};
