// Lists what a policies folder holds, links resolved, with marks that change whenever a file does. It must never follow a link out of the folder.
import { createHash } from 'node:crypto';
import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir, readlink, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { fileKind, FOLDERS } from '../../core/file-kind.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { folderProblem, reviewStray } from './snapshot.ts';

export interface ListedFile {
  readonly path: string;
  /** Absolute, free of links. */
  readonly real: string;
  readonly size: number;
  /** Changes when the file is written, replaced or moved. */
  readonly mark: string;
}

export interface Listing {
  readonly root: string;
  readonly files: readonly ListedFile[];
  readonly problems: readonly Diagnostic[];
  /** Equal for two listings only if nothing changed between them. */
  readonly fingerprint: string;
}

const DEEPEST_FOLDER = 8;
const MOST_FILES = 10_000;
const MOST_LINKS = 40;

/** Rejects when the folder itself cannot be listed. */
export async function listFolder(dir: string): Promise<Listing> {
  const root = await realpath(dir);
  const files: ListedFile[] = [];
  const problems: Diagnostic[] = [];
  const links: Links = new Map();

  const walk = async (folder: string, prefix: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.')) continue;
      const path = `${prefix}${entry.name}`;
      if (!matters(path, entry)) {
        const stray = reviewStray(path, entry.isDirectory());
        if (stray !== null) problems.push(stray);
        continue;
      }
      const found = await follow(root, folder, entry.name, links);
      if (typeof found === 'string') problems.push(folderProblem(path, found, LINK_PROBLEMS[found]));
      else if (found.stats.isDirectory() && isFolderPath(path)) {
        if (depth < DEEPEST_FOLDER) await walk(found.real, `${path}/`, depth + 1);
        else problems.push(folderProblem(path, 'too-deep', 'folders are nested too deeply here'));
      } else if (!found.stats.isFile()) {
        problems.push(folderProblem(path, 'not-a-file', 'this is no file'));
      } else if (fileKind(path) !== null) {
        if (files.length === MOST_FILES) throw new Error(`it holds more than ${MOST_FILES} files`);
        files.push({ path, real: found.real, size: Number(found.stats.size), mark: markOf(found.stats) });
      }
    }
  };
  await walk(root, '', 0);
  const marks = files.map(({ path, real, mark }) => [path, real, mark]);
  const said = problems.map(({ file, code }) => [file, code]);
  return { root, files, problems, fingerprint: digest([root, marks, [...links], said]) };
}

/** Which folder it is and where the links at its top lead: what a deployment swaps (a link, the folder, Kubernetes' `..data`). */
export async function publishedMark(dir: string): Promise<string> {
  const root = await realpath(dir);
  const { dev, ino } = await lstat(root, { bigint: true });
  const links = (await readdir(root, { withFileTypes: true }))
    .filter((entry) => entry.isSymbolicLink() && (entry.name === '..data' || !entry.name.startsWith('.')))
    .map(({ name }) => name)
    .toSorted();
  const targets = links.map(async (name) => [name, await readlink(join(root, name)).catch(() => null)]);
  return JSON.stringify([root, `${dev} ${ino}`, await Promise.all(targets)]);
}

/**
 * Whether what is published now was led to by a link: then it was whole before. A folder that stands where another stood, or
 * none, may still be filled.
 */
export function isLedTo(before: string | null, now: string): boolean {
  const [rootBefore, folderBefore] = partsOf(before);
  const [root, folder] = partsOf(now);
  return root !== undefined && rootBefore !== undefined && (root !== rootBefore || folder === folderBefore);
}

function partsOf(mark: string | null): readonly unknown[] {
  const parts: unknown = mark?.startsWith('[') === true ? JSON.parse(mark) : [];
  return Array.isArray(parts) ? parts : [];
}

/** Marks of every link that was followed. Each is read once: a link swapped meanwhile cannot lead to two places. */
type Links = Map<string, { readonly target: string; readonly mark: string } | null>;

const LINK_PROBLEMS = {
  'link-outside': 'this link leaves the policies folder',
  'link-nowhere': 'this leads nowhere',
} as const;

async function follow(root: string, folder: string, name: string, links: Links) {
  try {
    const real = await resolve(folder, name, links);
    if (real === null) return 'link-nowhere';
    if (!real.startsWith(`${root}${sep}`)) return 'link-outside';
    return { real, stats: await lstat(real, { bigint: true }) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'link-nowhere';
    throw error;
  }
}

/** Follows links step by step, as the kernel does; null when they lead in a circle. */
async function resolve(folder: string, name: string, links: Links): Promise<string | null> {
  let here = folder;
  let steps = [name];
  for (let followed = 0; steps.length > 0;) {
    const [step = '', ...rest] = steps;
    steps = rest;
    if (step === '' || step === '.') continue;
    if (step === '..') {
      here = dirname(here);
      continue;
    }
    const next = join(here, step);
    const link = links.has(next) ? links.get(next) : await readLink(next, links);
    if (link === null || link === undefined) {
      here = next;
      continue;
    }
    if (++followed > MOST_LINKS) return null;
    steps = [...link.target.split(sep), ...steps];
    if (link.target.startsWith(sep)) here = sep;
  }
  return here;
}

async function readLink(path: string, links: Links) {
  const stats = await lstat(path, { bigint: true });
  if (!stats.isSymbolicLink()) return null;
  const link = { target: await readlink(path), mark: markOf(stats) };
  links.set(path, link);
  return link;
}

/** A name that is, or may lead to, a policy file. */
function matters(path: string, entry: Dirent): boolean {
  if (entry.isDirectory()) return isFolderPath(path);
  return fileKind(path) !== null || (entry.isSymbolicLink() && isFolderPath(path) && !path.includes('.'));
}

function isFolderPath(path: string): boolean {
  return FOLDERS.has(path.split('/', 1)[0] ?? '');
}

export function markOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
