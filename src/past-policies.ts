// Compiles policy sets of the past from what the database kept of them. It must never give a set that is not the one its revision names.
import { createCompileCache } from './core/compile-cache.ts';
import { compilePolicies } from './core/compile.ts';
import type { PolicySet } from './core/policy-set.ts';
import { formatDiagnostic } from './core/schema-check.ts';
import { parseSourceFile } from './io/policies/parse.ts';
import type { StoredPolicies } from './io/reports/stored-policies.ts';
import type { SourceFile } from './model/diagnostic.ts';

export type PastSet =
  | { readonly set: PolicySet }
  /** `altered`: something is kept under the revision, and it is not what decided. */
  | { readonly set: null; readonly problem: string; readonly altered: boolean };

export interface PastPolicies {
  at(revision: string): Promise<PastSet>;
}

/** Records of one revision mostly follow each other; several services may have had different ones at a time. */
const MOST_KEPT = 4;

interface Kept {
  readonly past: PastSet;
  readonly files: ReadonlyMap<string, SourceFile>;
}

export function createPastPolicies(stored: StoredPolicies): PastPolicies {
  const cache = createCompileCache();
  // The one used last comes last.
  const kept = new Map<string, Kept>();

  /** Files that a set has in common with one that is kept are neither read nor compiled again. */
  function parsed(key: string): SourceFile | undefined {
    for (const { files } of kept.values()) {
      const file = files.get(key);
      if (file !== undefined) return file;
    }
    return undefined;
  }

  async function load(revision: string): Promise<Kept> {
    const manifest = await stored.manifest(revision);
    if (manifest === null) return failed(`policy set ${revision}: it was not kept`, false);
    const entries = [...manifest.files].map(([path, hash]) => ({ path, hash, key: `${path}\u0000${hash}` }));
    const unknown = entries.filter(({ key }) => parsed(key) === undefined);
    const contents = await stored.contents([...new Set(unknown.map(({ hash }) => hash))]);
    const files = new Map<string, SourceFile>();
    for (const { path, hash, key } of entries) {
      const bytes = contents.get(hash);
      const file = parsed(key) ?? (bytes === undefined ? undefined : parseSourceFile(path, bytes));
      if (file === undefined) return failed(`policy set ${revision}: ${path} is gone or was changed`, true);
      files.set(key, file);
    }
    const { set, diagnostics } = compilePolicies([...files.values()], { commit: manifest.commit, cache });
    if (set === null) {
      const error = diagnostics.find(({ severity }) => severity === 'error');
      const why = error === undefined ? '' : `: ${formatDiagnostic(error)}`;
      return failed(`policy set ${revision}: this version cannot load it${why}`, false);
    }
    if (set.revision !== revision) return failed(`policy set ${revision}: what was kept is ${set.revision}`, true);
    return { past: { set }, files };
  }

  return {
    async at(revision) {
      const found = kept.get(revision) ?? (await load(revision));
      kept.delete(revision);
      kept.set(revision, found);
      for (const oldest of kept.keys()) {
        if (kept.size <= MOST_KEPT) break;
        kept.delete(oldest);
      }
      return found.past;
    },
  };
}

function failed(problem: string, altered: boolean): Kept {
  return { past: { set: null, problem, altered }, files: new Map() };
}
