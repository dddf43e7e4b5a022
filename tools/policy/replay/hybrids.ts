// Candidate sets with the data of a time: what of a change comes from rules, and what from data that has changed since. It must never take
// for the data of a time what is not known to be it.
import { createCompileCache } from '../../../src/core/compile-cache.ts';
import { compileInSteps, revisionOf } from '../../../src/core/compile.ts';
import { LOCKDOWN_PATH } from '../../../src/core/file-kind.ts';
import { readPolicyCommit } from '../../../src/io/policies/read.ts';
import { runAtOnce } from '../../../src/io/policies/slices.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import type { PastPolicies } from '../../../src/past-policies.ts';
import { createJudge, type Judge } from './judge.ts';

/** The data files of a set that decided; null where they are not to be had. */
export type PastData = (revision: string, commit: string | null) => Promise<readonly SourceFile[] | null>;

export interface Hybrids {
  /** Judges by the candidate's rules and the data of that revision; null where that is not to be had, or does not go together. */
  judgeOf(revision: string, commit: string | null): Promise<Judge | null>;
}

const DATA = 'data/';
/** Records of one revision mostly follow each other. */
const MOST_KEPT = 3;

/** What was on file: data, and the lockdown, which comes and goes with emergencies. Walls and words of the firm are rules. */
export function isData({ path }: { readonly path: string }): boolean {
  return path.startsWith(DATA) || path === LOCKDOWN_PATH;
}

export function dataInDatabase(past: PastPolicies): PastData {
  return async (revision) => {
    const data = await past.sources(revision, DATA);
    const lockdown = await past.sources(revision, LOCKDOWN_PATH);
    return data === null || lockdown === null ? null : [...data, ...lockdown];
  };
}

/** Of sets that were loaded from commits of this repository. */
export function dataInGit(folder: string): PastData {
  return async (revision, commit) => {
    if (commit === null) return null;
    const { files, problems } = await readPolicyCommit(folder, commit);
    if (problems.some(({ severity }) => severity === 'error') || revisionOf(files) !== revision) return null;
    return files.filter(isData);
  };
}

export function createHybrids(candidate: readonly SourceFile[], judge: Judge, pastData: PastData): Hybrids {
  const rules = candidate.filter((file) => !isData(file));
  const own = candidate.filter(isData);
  const cache = createCompileCache();
  // The one used last comes last.
  const kept = new Map<string, Promise<Judge | null>>();

  async function load(revision: string, commit: string | null): Promise<Judge | null> {
    const data = await pastData(revision, commit);
    if (data === null) return null;
    if (isSame(data, own)) return judge;
    const { set } = runAtOnce(compileInSteps([...rules, ...data], { commit: null, cache }));
    return set === null ? null : createJudge(set);
  }

  return {
    judgeOf(revision, commit) {
      const found = kept.get(revision) ?? load(revision, commit);
      kept.delete(revision);
      kept.set(revision, found);
      for (const oldest of kept.keys()) {
        if (kept.size <= MOST_KEPT) break;
        kept.delete(oldest);
      }
      return found;
    },
  };
}

function isSame(data: readonly SourceFile[], own: readonly SourceFile[]): boolean {
  const hashes = new Map(own.map(({ path, hash }) => [path, hash]));
  return data.length === own.length && data.every(({ path, hash }) => hashes.get(path) === hash);
}
