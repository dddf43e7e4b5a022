// Compiles policy sets of the past from what the database kept of them. It must never give a set that is not the one its revision names.
import { createCompileCache } from './core/compile-cache.ts';
import { compileInSteps } from './core/compile.ts';
import type { PolicySet } from './core/policy-set.ts';
import { formatDiagnostic } from './core/schema-check.ts';
import { parseBesideRequests } from './io/policies/parse.ts';
import { createListMemory } from './io/policies/list-file.ts';
import { runInSlices } from './io/policies/slices.ts';
import { createYamlThread } from './io/policies/yaml-thread.ts';
import type { StoredManifest, StoredPolicies } from './io/reports/stored-policies.ts';
import type { SourceFile } from './model/diagnostic.ts';

export type PastSet =
  | { readonly set: PolicySet }
  /** `altered`: something is kept under the revision, and it is not what decided. */
  | { readonly set: null; readonly problem: string; readonly altered: boolean };

export interface PastPolicies {
  at(revision: string): Promise<PastSet>;
  /** The files of a set below a folder such as `walls/`, parsed; null where they were not kept. */
  sources(revision: string, folder: string): Promise<readonly SourceFile[] | null>;
}

/** Records of one revision mostly follow each other; several services may have had different ones at a time. */
const MOST_KEPT = 4;
const MOST_SOURCES = 500;

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

  /** Parsed beside requests, for a service that answers meanwhile. A path: its content is gone or was changed. */
  async function read(
    manifest: StoredManifest,
    folder: string,
    known: (key: string) => SourceFile | undefined,
  ): Promise<ReadonlyMap<string, SourceFile> | string> {
    const entries = [...manifest.files]
      .filter(([path]) => path.startsWith(folder))
      .map(([path, hash]) => ({ path, hash, key: `${path}\u0000${hash}` }));
    const unknown = entries.filter(({ key }) => known(key) === undefined);
    const contents = await stored.contents([...new Set(unknown.map(({ hash }) => hash))]);
    const files = new Map<string, SourceFile>();
    const thread = createYamlThread();
    try {
      for (const { path, hash, key } of entries) {
        const bytes = contents.get(hash);
        const file =
          known(key) ??
          (bytes === undefined ? undefined : await parseBesideRequests(ownFile(path, bytes, hash), thread));
        if (file === undefined) return path;
        files.set(key, file);
      }
    } finally {
      await thread.close();
    }
    return files;
  }

  async function load(revision: string): Promise<Kept> {
    const manifest = await stored.manifest(revision);
    if (manifest === null) return failed(`policy set ${revision}: it was not kept`, false);
    const files = await read(manifest, '', parsed);
    if (typeof files === 'string') return failed(`policy set ${revision}: ${files} is gone or was changed`, true);
    const steps = compileInSteps([...files.values()], { commit: manifest.commit, cache });
    const { set, diagnostics } = await runInSlices(steps);
    if (set === null) {
      const error = diagnostics.find(({ severity }) => severity === 'error');
      const why = error === undefined ? '' : `: ${formatDiagnostic(error)}`;
      return failed(`policy set ${revision}: this version cannot load it${why}`, false);
    }
    if (set.revision !== revision) return failed(`policy set ${revision}: what was kept is ${set.revision}`, true);
    return { past: { set }, files };
  }

  /** Of all sets that were asked for: sets of one folder mostly share their files. */
  const sources = new Map<string, SourceFile>();

  return {
    async sources(revision, folder) {
      const manifest = await stored.manifest(revision);
      if (manifest === null) return null;
      const files = await read(manifest, folder, (key) => sources.get(key));
      if (typeof files === 'string') return null;
      for (const [key, file] of files) {
        sources.delete(key);
        sources.set(key, file);
      }
      for (const oldest of sources.keys()) {
        if (sources.size <= MOST_SOURCES) break;
        sources.delete(oldest);
      }
      return [...files.values()];
    },
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

/** Nothing is remembered: files of other sets are as likely to come next. */
function ownFile(path: string, bytes: Uint8Array, hash: string) {
  return { path, bytes, hash, memory: createListMemory() };
}

function failed(problem: string, altered: boolean): Kept {
  return { past: { set: null, problem, altered }, files: new Map() };
}
