// `privity policy check`: every mistake and every finding of a policies folder. It must never call a folder good that the service would refuse.
import { checkReviews } from '../core/access-review.ts';
import { overdueReviews } from '../core/findings.ts';
import { compileInvariants } from '../core/invariants.ts';
import type { PolicySet } from '../core/policy-set.ts';
import { createReport } from '../core/report.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { showDiagnostics } from './policies/diagnostics.ts';
import { compileFolder, POLICIES_OPTION, readFolder, type PoliciesFolder } from './policies/load.ts';
import type { Output } from './shell/shell.ts';
import { count } from './shell/text.ts';
import type { Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'Reads the folder as the service does and lists everything that is wrong with it at once, each with file, line, ' +
      'column, and the nearest right spelling. Errors keep the service from loading the folder (exit code 1). ' +
      'Findings are worth a look (rules that can never be true or change nothing, grants without an end, walled people ' +
      'on a team, overdue reviews) and exit with 0.',
  ],
  operands: { usage: '[DIR]', min: 0, max: 1, help: 'the policies folder, instead of `--policies`' },
  options: {
    policies: POLICIES_OPTION,
    format: { value: 'FORMAT', choices: ['pretty', 'json'], help: 'how to print it' },
  },
  examples: [
    { command: 'privity policy check', does: 'the folder policies/' },
    { command: 'privity policy check ../firm-policies --format json', does: 'another one, for a program' },
  ],
  async run(shell, args) {
    const folder = await readFolder(shell, args, args.operands[0]);
    const { set, diagnostics: compiled } = compileFolder(shell, folder);
    const today = new Date(shell.now()).toISOString().slice(0, 10);
    const stated = createReport();
    if (set !== null) compileInvariants(folder.files, set.firm, stated);
    checkReviews(folder.files, stated);
    const diagnostics = [...compiled, ...stated.diagnostics, ...overdueReviews(set?.rules ?? [], today)];
    const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
    if (args.text('format') === 'json') shell.out.line(jsonReport(folder, set, diagnostics, errors));
    else {
      showDiagnostics(shell.out, diagnostics, folder);
      shell.out.line(summary(shell.out, folder, set, errors, diagnostics.length - errors));
    }
    return errors > 0 || set === null ? 1 : 0;
  },
};

function summary(out: Output, folder: PoliciesFolder, set: PolicySet | null, errors: number, findings: number): string {
  const counts = `${count(errors, 'error')}, ${count(findings, 'finding')}`;
  if (set === null) return `${out.paint('red', 'refused')}  ${folder.folder}: ${counts}`;
  const verdict = errors > 0 ? out.paint('red', 'to mend') : out.paint('green', 'good');
  return `${verdict}  ${folder.folder}: ${contentsLine(set)}; ${counts}; ${set.revision.slice(0, 19)}`;
}

/** `81 rules, 12 walls, …` */
export function contentsLine(set: PolicySet): string {
  return Object.entries(contentsOf(set))
    .map(([name, number]) => count(number, SINGULAR[name] ?? name, name))
    .join(', ');
}

const SINGULAR: Readonly<Record<string, string>> = {
  rules: 'rule',
  walls: 'wall',
  matters: 'matter',
  grants: 'grant',
  people: 'person',
  callers: 'caller',
  issuers: 'issuer',
  tests: 'test',
};

export function contentsOf(set: PolicySet): Readonly<Record<string, number>> {
  return {
    rules: set.rules.length,
    walls: set.walls.all.length,
    matters: set.data.matters.size,
    grants: set.data.grants.entries.length,
    people: set.data.people.size,
    issuers: set.issuers.length,
    callers: set.callers.length,
    tests: set.tests.length,
  };
}

function jsonReport(
  folder: PoliciesFolder,
  set: PolicySet | null,
  diagnostics: readonly Diagnostic[],
  errors: number,
): string {
  const report = {
    policies: folder.folder,
    loads: set !== null,
    revision: set?.revision ?? null,
    commit: folder.commit,
    errors,
    findings: diagnostics.length - errors,
    contains: set === null ? null : contentsOf(set),
    diagnostics,
  };
  return JSON.stringify(report, null, 2);
}
