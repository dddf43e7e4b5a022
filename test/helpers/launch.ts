// Ways to start the service short of something: disk, files it may open, memory, a reader of its log, the right time. It must never
// change what is started, only what it is started in.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { KeyTimes } from '../../src/io/identity/key-set.ts';
import type { FetchLimits } from '../../src/io/identity/key-source.ts';
import type { RecorderLimits } from '../../src/io/log/recorder.ts';
import type { TearsDown } from './postgres.ts';
import type { Program } from './service.ts';

const run = promisify(execFile);
const ENTRY = fileURLToPath(new URL('service-with-limits.ts', import.meta.url));

export interface Launch {
  readonly limits?: Partial<RecorderLimits>;
  /** How often, and how long, keys of issuers are fetched. */
  readonly keyTimes?: Partial<KeyTimes & FetchLimits>;
  /** Options of Node. */
  readonly flags?: readonly string[];
  /** What starts Node, such as `prlimit --nofile=64`. */
  readonly by?: readonly string[];
  /** Shell words that end in `exec "$@"` with its output led elsewhere. */
  readonly shell?: string;
}

export function launch({ limits = {}, keyTimes = {}, flags = [], by = [], shell }: Launch): Program {
  const words = [...by, process.execPath, ...flags, ENTRY, JSON.stringify({ limits, keyTimes })];
  const [file = '', ...args] = shell === undefined ? words : ['sh', '-c', shell, 'sh', ...words];
  return { file, args };
}

/** The log is a file, which is read on from there. */
export const logToFile = (file: string): string =>
  `: > '${file}'; tail --pid=$$ -n +1 -f '${file}' & exec "$@" >> '${file}'`;

export interface LogReader {
  readonly shell: string;
  pid(): Promise<number>;
}

/** The log goes through a pipe to a reader of its own. */
export async function logReader(t: TearsDown): Promise<LogReader> {
  const dir = await scratch(t);
  const [pipe, pid] = [path.join(dir, 'pipe'), path.join(dir, 'pid')];
  return {
    shell: `mkfifo '${pipe}'; cat '${pipe}' & echo $! > '${pid}'; exec "$@" > '${pipe}'`,
    pid: async () => Number(await readFile(pid, 'utf8')),
  };
}

export async function scratch(t: TearsDown): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'privity-faults-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A file system of its own, in memory. */
export async function smallFileSystem(t: TearsDown, size: string): Promise<string> {
  const dir = await scratch(t);
  await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'privity-test', dir]);
  t.teardown(async () => void (await run('umount', ['-l', dir])));
  return dir;
}

/** Why there can be no such file system here; false when there can. */
export async function cannotMount(): Promise<string | false> {
  const dir = await mkdtemp(path.join(tmpdir(), 'privity-mount-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'privity-test', dir]);
    await run('umount', ['-l', dir]);
    return false;
  } catch {
    return 'no file system may be mounted here (needs root and mount)';
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Whether a program of the base system is there. */
export function has(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((dir) => existsSync(path.join(dir, program)));
}
