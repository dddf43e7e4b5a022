// `privity policy prove`: what policies/invariants/ states, proven for every request or refuted by one. It must never end well where something is refuted
// or could not be settled.
import { compileInvariants, isInvariantsFile } from '../../src/core/invariants.ts';
import { createReport } from '../../src/core/report.ts';
import { isOutcomeFormat, OUTCOME_FORMATS, writeOutcome } from '../../src/cli/outcomes/write.ts';
import { showDiagnostics } from '../../src/cli/policies/diagnostics.ts';
import { isTestFile, POLICIES_OPTION, readFolder, requireSet } from '../../src/cli/policies/load.ts';
import { count } from '../../src/cli/shell/text.ts';
import { UsageError, type Verb } from '../../src/cli/shell/verb.ts';
import { proofOutcome } from './prove/proof-outcome.ts';
import { prove } from './prove/prove.ts';
import { proofsAsJson, showProofs } from './prove/proof-text.ts';
import { startSolver } from './smt/solver.ts';

const SECONDS = 20;

export const verb: Verb = {
  about: [
    'Proves every statement of policies/invariants/ with an SMT solver: not for some requests, but for all there can be, ' +
      'whatever is stated, left out or mistyped. What does not hold is shown with the smallest request that contradicts ' +
      'it, ready to be copied into policies/tests/.',
    'Symbolic are the request, the token, the time, and at first all policy data: what holds then is proven for whatever ' +
      'people, matters, grants and consents there will be. What does not is looked at again with the data of this folder. ' +
      'Walls and lockdown.yaml are always those of the folder; they can only refuse. Exit code 1 where a statement is ' +
      'refuted, or was not settled in time.',
  ],
  operands: { usage: '[DIR]', min: 0, max: 1, help: 'the policies folder, instead of `--policies`' },
  options: {
    policies: POLICIES_OPTION,
    only: { value: 'ID', help: 'one statement' },
    timeout: { value: 'SECONDS', help: `for one question to the solver; otherwise ${SECONDS}` },
    format: { value: 'FORMAT', choices: ['pretty', 'json', ...OUTCOME_FORMATS], help: 'how to print it' },
  },
  examples: [
    { command: 'privity policy prove', does: 'the folder policies/' },
    { command: 'privity policy prove --only it-never-reads-content', does: 'one statement' },
  ],
  async run(shell, args) {
    const folder = await readFolder(shell, args, args.operands[0]);
    const set = requireSet(shell, { ...folder, files: folder.files.filter((file) => !isTestFile(file)) });
    const report = createReport();
    report.add(folder.files.filter(isInvariantsFile).flatMap((file) => file.problems));
    const all = compileInvariants(folder.files, set.firm, report);
    if (report.diagnostics.some(({ severity }) => severity === 'error')) {
      showDiagnostics(shell.err, report.diagnostics, folder);
      throw new UsageError(`${folder.folder}/invariants: ${count(report.diagnostics.length, 'error')}`);
    }
    const only = args.text('only');
    const chosen = only === undefined ? all : all.filter(({ id }) => id === only);
    if (chosen.length === 0) {
      if (only !== undefined)
        throw new UsageError(`no statement is named \`${only}\``, `there are: ${all.map(({ id }) => id).join(', ')}`);
      throw new UsageError(
        `${folder.folder} states nothing to prove`,
        'statements stand in invariants/*.yaml; see docs/policy-tools.md',
      );
    }
    shell.progress.show('starting the solver …');
    const solver = await startSolver();
    try {
      const proofs = await prove(set, chosen, {
        solver,
        timeoutMs: secondsOf(args.text('timeout')) * 1_000,
        onProgress: (done, of) => shell.progress.show(`statement ${done + 1} of ${of} …`),
      });
      shell.progress.clear();
      const format = args.text('format') ?? 'pretty';
      if (isOutcomeFormat(format)) await writeOutcome(shell, proofOutcome(proofs, folder.folder, set.revision), format);
      else if (format === 'json') shell.out.line(proofsAsJson(proofs, set.revision));
      else showProofs(shell.out, proofs);
      return proofs.every(({ verdict }) => verdict === 'proven' || verdict === 'holds') ? 0 : 1;
    } finally {
      shell.progress.clear();
      solver.close();
    }
  },
};

function secondsOf(text: string | undefined): number {
  if (text === undefined) return SECONDS;
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds <= 0)
    throw new UsageError(`\`${text}\` is no number of seconds`, 'write `--timeout 60`');
  return seconds;
}
