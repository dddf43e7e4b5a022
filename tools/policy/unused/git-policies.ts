// Policy sets of the past from the git repository around a folder, where the database that kept them is not at hand. It must never give the files
// of another commit than the one that the log names.
import { createHash } from 'node:crypto';
import { readTree } from '../../../src/io/policies/git.ts';
import type { StoredPolicies } from '../../../src/io/reports/stored-policies.ts';

/**
 * @param prefix of the folder in the repository; empty: the whole of it
 * @param commits by revision
 */
export function createGitPolicies(
  root: string,
  prefix: string,
  commits: () => ReadonlyMap<string, string>,
): StoredPolicies {
  // Of one commit at a time.
  let contents = new Map<string, Buffer>();
  return {
    async manifest(revision) {
      const commit = commits().get(revision);
      if (commit === undefined) return null;
      const tree = await readTree(root, commit, prefix === '' ? null : prefix).catch(() => null);
      if (tree === null) return null;
      contents = new Map();
      const files = new Map<string, string>();
      for (const { path, bytes } of tree.files) {
        const hash = createHash('sha256').update(bytes).digest('hex');
        files.set(path, hash);
        contents.set(hash, Buffer.from(bytes));
      }
      return { commit, files };
    },
    contents: (hashes) =>
      Promise.resolve(
        new Map(
          hashes.flatMap((hash) => {
            const bytes = contents.get(hash);
            return bytes === undefined ? [] : [[hash, bytes] as const];
          }),
        ),
      ),
  };
}
