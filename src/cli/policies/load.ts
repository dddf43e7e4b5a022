// Loads the policies folder that a verb works on. It must never hand on a set that lacks a part.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { compilePolicies, type CompileResult } from '../../core/compile.ts';
import type { PolicySet } from '../../core/policy-set.ts';
import type { Diagnostic, SourceFile } from '../../model/diagnostic.ts';
import { readSettings } from '../shell/settings.ts';
import type { Shell } from '../shell/shell.ts';
import { count } from '../shell/text.ts';
import { type Arguments, type OptionSpec, UsageError } from '../shell/verb.ts';
import { showDiagnostics } from './diagnostics.ts';

export const POLICIES_OPTION: OptionSpec = {
  value: 'DIR',
  help: 'the policies folder; otherwise POLICIES_DIR, or policies/',
};

const NAME_ANOTHER = 'name another with `--policies DIR`';

export interface PoliciesFolder {
  /** As the user named it. */
  readonly folder: string;
  readonly files: readonly SourceFile[];
  readonly commit: string | null;
  /** What is wrong with the folder itself. */
  readonly problems: readonly Diagnostic[];
}

export async function readFolder(shell: Shell, args: Arguments, operand?: string): Promise<PoliciesFolder> {
  const option = args.text('policies');
  if (option !== undefined && operand !== undefined) {
    throw new UsageError('the folder is given twice', 'give it as an argument, or with `--policies`');
  }
  const folder = option ?? operand ?? readSettings().POLICIES_DIR;
  const absolute = path.resolve(shell.folder, folder);
  if (!(await isFolder(absolute))) throw new UsageError(`there is no folder \`${folder}\``, NAME_ANOTHER);
  const { readPolicyFolder } = await import('../../io/policies/read.ts');
  shell.progress.show(`reading ${folder} …`);
  const { files, commit, problems } = await readPolicyFolder(absolute);
  shell.progress.clear();
  if (files.length === 0 && problems.length > 0) {
    const why = problems.map(({ message }) => message).join('; ');
    throw new UsageError(`\`${folder}\`: ${why}`, NAME_ANOTHER);
  }
  return { folder, files, commit, problems };
}

async function isFolder(place: string): Promise<boolean> {
  return stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

export function compileFolder(shell: Shell, { files, commit, problems, folder }: PoliciesFolder): CompileResult {
  shell.progress.show(`compiling ${folder} …`);
  const { set, diagnostics } = compilePolicies(files, { commit });
  shell.progress.clear();
  const broken = problems.some(({ severity }) => severity === 'error');
  return { set: broken ? null : set, diagnostics: [...problems, ...diagnostics] };
}

/** Tests are left out: their mistakes are no reason not to answer a question about the rules. */
export async function loadSet(
  shell: Shell,
  args: Arguments,
): Promise<{ readonly set: PolicySet; readonly folder: PoliciesFolder }> {
  const folder = await readFolder(shell, args);
  return { set: requireSet(shell, { ...folder, files: folder.files.filter((file) => !isTestFile(file)) }), folder };
}

/** @throws UsageError after it has shown what is wrong */
export function requireSet(shell: Shell, folder: PoliciesFolder): PolicySet {
  const { set, diagnostics } = compileFolder(shell, folder);
  if (set !== null) return set;
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  showDiagnostics(shell.err, errors, folder);
  throw new UsageError(
    `${folder.folder} does not load: ${count(errors.length, 'error')}`,
    `\`privity policy check ${folder.folder}\` shows everything`,
  );
}

export function isTestFile({ path: file }: { readonly path: string }): boolean {
  return file.startsWith('tests/');
}
