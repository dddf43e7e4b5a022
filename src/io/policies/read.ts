// Reads all policies as they were at one moment, from a folder or a git commit. It must never mix the files of two moments.
import { constants, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { commitHolding, commitNamed, readTree, resolveCommit } from './git.ts';
import { isLedTo, listFolder, markOf, publishedMark, type ListedFile, type Listing } from './listing.ts';
import { mostBytes } from './parse.ts';
import {
  createSourceCache,
  folderProblem,
  type PolicySnapshot,
  type PolicySource,
  type RawFile,
  type SourceCache,
} from './snapshot.ts';

export interface ReadOptions {
  /** Commit to report instead of asking git: for images built from a commit. */
  readonly commit?: string | null;
  /** Files parsed before; without it everything is parsed. */
  readonly cache?: SourceCache;
}

export interface CommitOptions extends ReadOptions {
  /** Folder of the policies in a bare repository. */
  readonly folder?: string;
}

const ATTEMPTS = 5;
const PAUSE_MS = 40;

/** A folder, or a link to one that a deployment swaps. */
export function folderSource(dir: string, options: ReadOptions = {}): PolicySource {
  const withCache = { ...options, cache: options.cache ?? createSourceCache() };
  return {
    read: () => readPolicyFolder(dir, withCache),
    fingerprint: async (loose) => (loose ? (await listFolder(dir)).fingerprint : publishedMark(dir)),
    isWhole: isLedTo,
  };
}

/** A branch or tag of a git repository. */
export function commitSource(repoDir: string, ref: string, options: CommitOptions = {}): PolicySource {
  const withCache = { ...options, cache: options.cache ?? createSourceCache() };
  return {
    read: () => readPolicyCommit(repoDir, ref, withCache),
    fingerprint: () => resolveCommit(repoDir, ref),
    isWhole: () => true,
  };
}

export async function readPolicyFolder(dir: string, options: ReadOptions = {}): Promise<PolicySnapshot> {
  let reason = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await sleep(PAUSE_MS * attempt);
    try {
      // Taken first: whatever is published from here on is news to a watcher.
      const published = await publishedMark(dir);
      const listing = await listFolder(dir);
      const read = await readListed(listing);
      if (read !== null && (await listFolder(dir)).fingerprint === listing.fingerprint) {
        const { files, problems } = read;
        const commit = options.commit === undefined ? await commitOf(listing.root, files) : options.commit;
        const seenAs = { published, loose: listing.fingerprint };
        return { files: await parse(files, options), commit, problems: [...listing.problems, ...problems], seenAs };
      }
      reason = 'it changes while it is read; publish a set by swapping a link, or by a commit';
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
  }
  return unseen('unreadable-folder', `the policies folder cannot be read: ${reason}`);
}

/** In an image without git, or where git may not look into somebody else's repository, the name of the folder has to do. */
async function commitOf(root: string, files: readonly RawFile[]): Promise<string | null> {
  const held = await commitHolding(root, files);
  return held === undefined ? commitNamed(root) : held;
}

export async function readPolicyCommit(
  repoDir: string,
  ref: string,
  options: CommitOptions = {},
): Promise<PolicySnapshot> {
  try {
    const commit = await resolveCommit(repoDir, ref);
    const { files, problems } = await readTree(repoDir, commit, options.folder ?? null);
    const seenAs = { published: commit, loose: commit };
    return { files: await parse(files, options), commit: options.commit ?? commit, problems, seenAs };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return unseen('unreadable-commit', `the policies cannot be read from git: ${reason}`);
  }
}

async function parse(files: readonly RawFile[], { cache = createSourceCache() }: ReadOptions) {
  return cache.parse(files);
}

function unseen(code: string, message: string): PolicySnapshot {
  return { files: [], commit: null, problems: [folderProblem('.', code, message)], seenAs: null };
}

/** Null when a file is no longer what was listed. */
async function readListed({ files }: Listing): Promise<{ files: RawFile[]; problems: Diagnostic[] } | null> {
  const result: { files: RawFile[]; problems: Diagnostic[] } = { files: [], problems: [] };
  for (const file of files) {
    const most = mostBytes(file.path);
    if (file.size > most) {
      const message = `the file is larger than ${most / 1024 / 1024} MiB`;
      result.problems.push(
        folderProblem(file.path, 'too-large', message, 'split it, or write long lists as CSV or NDJSON'),
      );
      continue;
    }
    try {
      const bytes = await readFile(file);
      if (bytes === null) return null;
      result.files.push({ path: file.path, bytes });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'EACCES' && code !== 'EPERM') {
        if (MOVED.has(code)) return null;
        throw error;
      }
      result.problems.push(
        folderProblem(file.path, 'unreadable', 'the service may not read this file', 'check its permissions'),
      );
    }
  }
  return result;
}

/** What opening says of a file that is not there any more, or no file. */
const MOVED: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENXIO']);

/** The last step must be no link and no pipe: whoever replaced the file by one meanwhile is noticed, not followed. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

async function readFile({ real, size, mark }: ListedFile): Promise<Uint8Array | null> {
  const handle = await open(real, FLAGS);
  try {
    if (markOf(await handle.stat({ bigint: true })) !== mark) return null;
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const { bytesRead } = await handle.read(bytes, at, size - at, at);
      if (bytesRead === 0) return null;
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}
