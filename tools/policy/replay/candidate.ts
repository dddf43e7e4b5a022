// Loads the set that somebody thinks of putting in force, from a folder or a git revision. It must never hand on a set that lacks a part.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { isTestFile, readFolder, requireSet, type PoliciesFolder } from '../../../src/cli/policies/load.ts';
import { readSettings } from '../../../src/cli/shell/settings.ts';
import type { Shell } from '../../../src/cli/shell/shell.ts';
import { type Arguments, UsageError } from '../../../src/cli/shell/verb.ts';
import { isInvariantsFile } from '../../../src/core/invariants.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { readPolicyCommit } from '../../../src/io/policies/read.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';

export interface Candidate {
  /** As the user named it. */
  readonly name: string;
  /** Where its files are to be found by whoever reads about them, as the user would name it. */
  readonly folder: string;
  /** Absolute: in a repository, if there is one. */
  readonly place: string;
  /** Without tests and invariants. */
  readonly files: readonly SourceFile[];
  readonly set: PolicySet;
}

/** @throws UsageError after it has shown what is wrong */
export async function loadCandidate(shell: Shell, args: Arguments): Promise<Candidate> {
  const own = readSettings().POLICIES_DIR;
  const name = args.text('policies') ?? own;
  const place = path.resolve(shell.folder, name);
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const read = isFolder ? await readFolder(shell, args) : await readRevision(shell, name, own);
  const files = read.files.filter((file) => !isTestFile(file) && !isInvariantsFile(file));
  const set = requireSet(shell, { ...read, files });
  const folder = isFolder ? name : own;
  return { name, folder, place: path.resolve(shell.folder, folder), files, set };
}

async function readRevision(shell: Shell, revision: string, folder: string): Promise<PoliciesFolder> {
  shell.progress.show(`reading ${revision} …`);
  const { files, commit, problems } = await readPolicyCommit(path.resolve(shell.folder, folder), revision);
  shell.progress.clear();
  if (files.length === 0) {
    throw new UsageError(
      `\`${revision}\` is neither a folder nor a git revision of ${folder}`,
      'name the candidate with `--policies`: a folder, or a branch, tag or commit of the repository that the policies are in',
      problems.map(({ message }) => message),
    );
  }
  return { folder: revision, files, commit, problems };
}
