// A server that the embedded one would never be: on a small disk, with calls that fail, without fsync, or a standby. It must run on a
// folder that `serverFolder` or `startPrivatePostgres` looks after, and says why where this machine cannot do what is asked.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCluster, stopServer } from '../../src/io/db/cluster.ts';
import { openClient } from '../../src/io/db/database.ts';
import { processIdentity } from '../../src/io/db/processes.ts';
import { spawnPlain } from './processes.ts';
import type { TearsDown } from './postgres.ts';

export interface BareOptions {
  /** Its folder `data` holds the cluster; no other server runs on it. */
  readonly folder: string;
  /** As a superuser; names the port it listens on. */
  readonly superuserUrl: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface BareServer {
  readonly pid: number;
  /** Settles when it has ended, by whatever cause. */
  readonly exited: Promise<void>;
  /** Once it has recovered from a crash, or given that up: whether it answers. */
  isBack(): Promise<boolean>;
  stop(): Promise<void>;
}

/** Resolves when it answers. */
export async function startBare(t: TearsDown, options: BareOptions): Promise<BareServer> {
  const { folder, superuserUrl, settings = {}, environment = {} } = options;
  const cluster = await openCluster(folder);
  const own = {
    listen_addresses: '127.0.0.1',
    port: new URL(superuserUrl).port,
    unix_socket_directories: '',
    jit: 'off',
  };
  const flags = Object.entries({ ...own, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const { file, args, ...account } = cluster.command('postgres', ['-D', cluster.dataFolder, ...flags]);
  const log = openSync(cluster.logFile, 'a', 0o600);
  // `env` turns into the server: what it is given here reaches no other program.
  const assignments = Object.entries({ LC_ALL: 'C', TZ: 'UTC', ...environment }).map(
    ([name, value]) => `${name}=${value}`,
  );
  const stdio = ['ignore', log, log] as const;
  const child = spawn('env', ['-i', ...assignments, file, ...args], {
    ...account,
    cwd: '/',
    detached: true,
    stdio: [...stdio],
  });
  closeSync(log);
  const pid = child.pid ?? 0;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const stop = async (): Promise<void> => {
    if (isRunning()) await stopServer(pid);
    await exited;
  };
  const isBack = async (): Promise<boolean> => {
    while (isRunning()) {
      if (await answers(superuserUrl)) return true;
      await sleep(50);
    }
    return false;
  };
  t.teardown(stop);
  if (!(await isBack())) throw new Error(`the server does not start; see ${cluster.logFile}`);
  return { pid, exited, isBack, stop };
}

async function answers(url: string): Promise<boolean> {
  const none = (): void => undefined;
  try {
    const client = await openClient({ url, applicationName: 'privity tests', connectTimeoutMs: 1_000, onError: none });
    await client.end();
    return true;
  } catch {
    return false;
  }
}

/** A streaming standby, from a copy of the folder of a primary that does not run; it starts once that does again. */
export async function copyForStandby(primary: { readonly folder: string }, folder: string): Promise<void> {
  const data = path.join(folder, 'data');
  const signal = path.join(data, 'standby.signal');
  execFileSync('cp', ['-a', path.join(primary.folder, 'data'), data]);
  await writeFile(signal, '');
  execFileSync('chown', ['--reference', path.join(data, 'PG_VERSION'), signal]);
}

/** The same server's URL under a port that is free. */
export async function onFreePort(url: string): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  const changed = new URL(url);
  changed.port = String(typeof address === 'object' && address !== null ? address.port : 0);
  return changed.href;
}

/** Why nothing can be mounted here; null if it can. */
export function cannotMount(): string | null {
  if (process.platform !== 'linux') return 'small file systems are mounted on Linux only';
  try {
    const probe = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', probe], { stdio: 'pipe' });
    execFileSync('umount', [probe]);
    execFileSync('rmdir', [probe]);
    return null;
  } catch {
    return 'no right to mount a file system (root with CAP_SYS_ADMIN)';
  }
}

/**
 * Moves a folder of a server that does not run onto a file system of its own of that size. It goes with `t`, or with this process
 * should that be killed.
 */
export async function putOnSmallDisk(t: TearsDown, folder: string, megabytes: number): Promise<void> {
  const disk = await mkdtemp(path.join(tmpdir(), 'privity-small-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', disk]);
  const self = processIdentity(process.pid)?.split(' ')[1] ?? '';
  const watch = `while [ "$(sed 's/.*) //' /proc/$0/stat 2>/dev/null | cut -d' ' -f20)" = "$1" ]; do sleep 1; done
    umount -l "$2" 2>/dev/null; rmdir "$2" 2>/dev/null`;
  spawnPlain('sh', ['-c', watch, String(process.pid), self, disk], { detached: true, stdio: 'ignore' }).unref();
  t.teardown(async () => {
    execFileSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true, force: true });
  });
  execFileSync('chmod', ['711', disk]);
  execFileSync('mv', [folder, path.join(disk, 'folder')]);
  execFileSync('ln', ['-s', path.join(disk, 'folder'), folder]);
}

/** What the disk of a folder still holds goes into one file, until `free` is called. */
export function fillDisk(folder: string): { free(): void } {
  const file = path.join(folder, 'ballast');
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=4096'], { stdio: 'pipe' });
  } catch {
    // No space left on the device: that is the point.
  }
  return { free: () => rmSync(file, { force: true }) };
}

/** Why no shim can be built here; null if it can. */
export function cannotCompile(): string | null {
  if (process.platform !== 'linux') return 'calls of the server are made to fail on Linux only';
  try {
    execFileSync('cc', ['--version'], { stdio: 'pipe' });
    return null;
  } catch {
    return 'no C compiler (`cc`)';
  }
}

/** fsync(2) and fdatasync(2) fail while a file is there, as they do on a disk that has gone bad. */
const SHIM = `
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static int is_bad(void) {
  const char *file = getenv("DISK_IS_BAD_WHILE");
  return file != NULL && access(file, F_OK) == 0;
}
int fsync(int fd) {
  if (is_bad()) { errno = EIO; return -1; }
  return syscall(SYS_fsync, fd);
}
int fdatasync(int fd) {
  if (is_bad()) { errno = EIO; return -1; }
  return syscall(SYS_fdatasync, fd);
}
`;

export interface BadDisk {
  readonly environment: Readonly<Record<string, string>>;
  spoil(): Promise<void>;
  mend(): void;
}

/** For a server whose fsync fails at will; `folder` is one it may enter. */
export async function buildBadDisk(folder: string): Promise<BadDisk> {
  const source = path.join(folder, 'bad-disk.c');
  const library = path.join(folder, 'bad-disk.so');
  const flag = path.join(folder, 'disk-is-bad');
  await writeFile(source, SHIM);
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source]);
  execFileSync('chmod', ['755', library]);
  return {
    environment: { LD_PRELOAD: library, DISK_IS_BAD_WHILE: flag },
    spoil: () => writeFile(flag, ''),
    mend: () => rmSync(flag, { force: true }),
  };
}
