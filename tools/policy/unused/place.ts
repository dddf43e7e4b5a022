// Finds out where a patch of a policies folder is applied: at the top of the git work tree that holds it. It must never run git.
import { stat } from 'node:fs/promises';
import path from 'node:path';

export interface PatchPlace {
  /** Absolute; where `git apply` is run. */
  readonly root: string;
  /** From there to the folder, with forward slashes; empty: it is the folder itself. */
  readonly prefix: string;
}

export async function patchPlace(folder: string): Promise<PatchPlace> {
  for (let at = folder; ; at = path.dirname(at)) {
    // A folder, or in a linked work tree a file.
    if (await exists(path.join(at, '.git'))) {
      return { root: at, prefix: path.relative(at, folder).split(path.sep).join('/') };
    }
    if (path.dirname(at) === at) return { root: path.dirname(folder), prefix: path.basename(folder) };
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
