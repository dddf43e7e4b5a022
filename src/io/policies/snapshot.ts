// What one reading of the policies gives, parsed with the memory of the reading before. It must never hold files of two moments.
import { setImmediate } from 'node:timers/promises';
import { fileFormat, fileKind, FOLDERS, TOP_FILES } from '../../core/file-kind.ts';
import { nearest } from '../../core/suggest.ts';
import type { Diagnostic, SourceFile } from '../../model/diagnostic.ts';
import { createListMemory, type ListMemory } from './list-file.ts';
import { parseBesideRequests, parseSourceFile, sha256 } from './parse.ts';
import { runInSlices } from './slices.ts';
import { START } from './text.ts';
import { createYamlThread } from './yaml-thread.ts';

/** Everything that belonged together at one moment. */
export interface PolicySnapshot {
  /** Sorted by path. */
  readonly files: readonly SourceFile[];
  /** Git commit that holds exactly these files; null when there is none. */
  readonly commit: string | null;
  /** What is wrong with the folder itself. After an error the files may be incomplete. */
  readonly problems: readonly Diagnostic[];
  /** Fingerprints of what was read; null when it could not even be seen which files there are. */
  readonly seenAs: { readonly published: string; readonly loose: string } | null;
}

/** Where policies come from. */
export interface PolicySource {
  /** Never rejects because of what is found there; that is said in `problems`. */
  read(): Promise<PolicySnapshot>;
  /** Cheap. Changes when a new set was published or, with `loose`, when any file changed. */
  fingerprint(loose: boolean): Promise<string>;
  /** Whether what has the second fingerprint was whole when it took the place of what had the first. */
  isWhole(before: string | null, now: string): boolean;
}

export interface RawFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Files of the last reading by path and content, so that a changed file alone is parsed again, and of a long list its changed blocks. */
export interface SourceCache {
  parse(files: readonly RawFile[]): Promise<readonly SourceFile[]>;
}

/** The first reading has no requests beside it and is done at one go; later ones never stall the thread. */
export function createSourceCache(): SourceCache {
  let known: ReadonlyMap<string, Known> | undefined;
  return {
    async parse(files) {
      const read = new Map<string, Known>();
      const thread = createYamlThread();
      try {
        for (const { path, bytes } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
          const before = known?.get(path);
          const memory = before?.memory ?? createListMemory();
          if (before !== undefined && (await runInSlices(areEqual(before.file.bytes, bytes)))) read.set(path, before);
          else if (known === undefined) read.set(path, { file: parseSourceFile(path, bytes, memory), memory });
          else {
            const hash = await runInSlices(sha256(bytes));
            read.set(path, { file: await parseBesideRequests({ path, bytes, hash, memory }, thread), memory });
            await setImmediate();
          }
        }
      } finally {
        await thread.close();
      }
      known = read;
      return [...read.values()].map(({ file }) => file);
    },
  };
}

const COMPARED_AT_ONCE = 4 * 1024 * 1024;

function* areEqual(left: Uint8Array, right: Uint8Array): Generator<void, boolean> {
  if (left.length !== right.length) return false;
  for (let start = 0; start < left.length; start += COMPARED_AT_ONCE) {
    const end = start + COMPARED_AT_ONCE;
    if (Buffer.compare(left.subarray(start, end), right.subarray(start, end)) !== 0) return false;
    yield;
  }
  return true;
}

interface Known {
  readonly file: SourceFile;
  readonly memory: ListMemory;
}

export function folderProblem(file: string, code: string, message: string, hint?: string): Diagnostic {
  return { severity: 'error', code, file, ...START, message, ...(hint === undefined ? {} : { hint }) };
}

/** A file or folder that looks like policy but is not read: most likely a slip that leaves a rule or a wall out. */
export function reviewStray(path: string, isFolder: boolean): Diagnostic | null {
  const [first = '', ...below] = path.split('/');
  if (first.startsWith('.')) return null;
  const said = { severity: 'finding', code: 'unused-file', file: path, ...START } as const;
  if (isFolder) {
    const near = nearest(first, FOLDERS.keys());
    return near === undefined
      ? null
      : { ...said, message: 'this folder is not read', hint: `did you mean \`${near}/\`?` };
  }
  const format = fileFormat(path);
  if (format === null || fileKind(path) !== null) return null;
  if (below.length > 0) {
    const formats = FOLDERS.get(first)?.formats.join(', ');
    return formats === undefined
      ? null
      : { ...said, message: 'this file is not read', hint: `files in ${first}/ are ${formats}` };
  }
  const near = nearest(path, TOP_FILES.keys());
  const hint =
    near === undefined
      ? `read are ${[...TOP_FILES.keys()].join(', ')} and the folders beside them`
      : `did you mean \`${near}\`?`;
  return { ...said, message: 'this file is not read', hint };
}
