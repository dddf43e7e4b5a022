// Asks the git binary for commits and what is in them. It must never write to a repository, nor fail a load because there is none.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { fileKind } from '../../core/file-kind.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { mostBytes } from './parse.ts';
import { folderProblem, reviewStray, type RawFile } from './snapshot.ts';

const TIMEOUT_MS = 30_000;

interface TreeEntry {
  readonly mode: string;
  readonly oid: string;
  readonly size: number;
  readonly path: string;
}

/** The full id of the commit that a branch, tag or id names. Rejects when there is none. */
export async function resolveCommit(repoDir: string, ref: string): Promise<string> {
  const answer = await git(repoDir, ['rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`]);
  const commit = answer.toString('utf8').trim();
  if (!/^[0-9a-f]{40,64}$/u.test(commit)) throw new Error(`\`${ref}\` names no commit`);
  return commit;
}

/** Policy files of a commit: those below `repoDir` if it is a folder of a work tree, or below `folder` of a bare repository. */
export async function readTree(repoDir: string, commit: string, folder: string | null) {
  const problems: Diagnostic[] = [];
  const wanted: TreeEntry[] = [];
  for (const entry of await listTree(repoDir, commit, folder)) {
    if (fileKind(entry.path) === null) {
      const stray = reviewStray(entry.path, false);
      if (stray !== null) problems.push(stray);
    } else if (!entry.mode.startsWith('100')) {
      problems.push(folderProblem(entry.path, 'not-a-file', 'links and submodules are not read from a commit'));
    } else if (entry.size > mostBytes(entry.path)) {
      const message = `the file is larger than ${mostBytes(entry.path) / 1024 / 1024} MiB`;
      problems.push(folderProblem(entry.path, 'too-large', message));
    } else wanted.push(entry);
  }
  const blobs = await readBlobs(repoDir, wanted);
  const files: readonly RawFile[] = wanted.map(({ path }, index) => ({ path, bytes: blobs[index] ?? Buffer.alloc(0) }));
  return { files, problems };
}

/** The commit checked out around a folder, if it holds exactly these files; null when it does not, undefined when git cannot tell. */
export async function commitHolding(dir: string, files: readonly RawFile[]): Promise<string | null | undefined> {
  try {
    const commit = await resolveCommit(dir, 'HEAD');
    const tree = (await listTree(dir, commit, null)).filter(({ path }) => fileKind(path) !== null);
    const oids = new Map(tree.map(({ path, oid }) => [path, oid]));
    if (files.length !== tree.length) return null;
    for (const { path, bytes } of files) {
      const oid = oids.get(path);
      if (oid === undefined || oid !== blobId(bytes, oid.length)) return null;
      await setImmediate();
    }
    return commit;
  } catch {
    return undefined;
  }
}

/** The commit that git-sync says it has checked out: it names the folder of each commit by its id. Null for any other folder. */
export function commitNamed(dir: string): string | null {
  return /[/\\]\.worktrees[/\\]([0-9a-f]{40}(?:[0-9a-f]{24})?)(?:[/\\]|$)/.exec(dir)?.[1] ?? null;
}

/** Git names content by this hash; repositories use SHA-1 (40 digits) or SHA-256. */
function blobId(bytes: Uint8Array, digits: number): string {
  return createHash(digits === 40 ? 'sha1' : 'sha256')
    .update(`blob ${bytes.length}\u0000`)
    .update(bytes)
    .digest('hex');
}

async function listTree(repoDir: string, commit: string, folder: string | null): Promise<readonly TreeEntry[]> {
  const tree = folder === null ? [commit] : ['--full-tree', `${commit}:${folder}`];
  const answer = await git(repoDir, ['ls-tree', '-r', '-z', '-l', ...tree]);
  return answer
    .toString('utf8')
    .split('\u0000')
    .flatMap((line) => {
      const [, mode = '', oid = '', size = '', path = ''] = /^(\d+) \w+ ([0-9a-f]+) +(\d+|-)\t(.+)$/su.exec(line) ?? [];
      return path === '' ? [] : [{ mode, oid, size: Number(size), path }];
    });
}

/** `git cat-file --batch` answers each id with `<id> blob <size>`, a newline, the bytes, a newline. */
async function readBlobs(repoDir: string, entries: readonly TreeEntry[]): Promise<readonly Uint8Array[]> {
  const answer = await git(repoDir, ['cat-file', '--batch'], entries.map(({ oid }) => `${oid}\n`).join(''));
  let at = 0;
  return entries.map(({ oid }) => {
    const newline = answer.indexOf(0x0a, at);
    const [id, type, size] = answer.toString('latin1', at, newline).split(' ');
    if (id !== oid || type !== 'blob') throw new Error(`git has no blob ${oid}`);
    const start = newline + 1;
    at = start + Number(size) + 1;
    return new Uint8Array(answer.subarray(start, at - 1));
  });
}

export function git(dir: string, args: readonly string[], input = ''): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['--no-optional-locks', '-C', dir, ...args], { timeout: TIMEOUT_MS, stdio: 'pipe' });
    const out: Buffer[] = [];
    const said: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out));
      else reject(new Error(Buffer.concat(said).toString('utf8').trim().split('\n')[0] ?? 'git failed'));
    });
    // A git that ends early closes its input; its exit code says why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
