// In charge of finding the one throw-away PostgreSQL of a test run, and of having it started by whoever comes first. Test files
// run in processes of their own, in parallel; what they share is a folder named after the process that runs them all.
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openClient } from '../../src/io/db/database.ts';
import { isAlive, signal } from '../../src/io/db/processes.ts';
import type { DatabaseUrls } from '../../src/io/db/roles.ts';
import { spawnNode } from './processes.ts';

/** Where the migrated template is; every URL names it, and `createDatabase` puts the clone's name in its place. */
export interface SharedServer {
  readonly template: string;
  readonly adminUrl: string;
  readonly urls: DatabaseUrls;
}

const KEEPER = fileURLToPath(new URL('postgres-keeper.ts', import.meta.url));
const POLL_MS = 25;
const START_LIMIT_MS = 120_000;

/** The process for whose life the server is kept: tap's runner, or this one when a test file is run on its own. */
export function holderOfThisRun(): number {
  return process.env['TAP_CHILD_ID'] === undefined ? process.pid : process.ppid;
}

export function sharedFolder(holder: number): string {
  return path.join(tmpdir(), `privity-test-${holder}`);
}

/** The server of this run; started when this is the first test file that needs it. */
export async function findSharedServer(): Promise<SharedServer> {
  const holder = holderOfThisRun();
  const folder = sharedFolder(holder);
  const deadline = Date.now() + START_LIMIT_MS;
  await startOnce(folder, holder);
  while (Date.now() < deadline) {
    const ready = await readText(path.join(folder, 'server.json'));
    if (ready !== undefined) return JSON.parse(ready) as SharedServer;
    const failure = await readText(path.join(folder, 'failed'));
    if (failure !== undefined) throw new Error(`the tests' PostgreSQL did not start: ${failure}`);
    await sleep(POLL_MS);
  }
  throw new Error(`the tests' PostgreSQL did not start within ${START_LIMIT_MS / 1000} s; see ${folder}`);
}

async function startOnce(folder: string, holder: number): Promise<void> {
  for (;;) {
    try {
      await mkdir(folder, { mode: 0o700 });
      break;
    } catch (error) {
      const keeper = Number(await readText(path.join(folder, 'keeper')));
      if (!(keeper > 0) || isAlive(keeper)) return; // starting, or running
      if (!(error instanceof Error)) throw error;
      await rm(folder, { recursive: true, force: true }); // left by a run whose process number has come round again
    }
  }
  // The account that PostgreSQL runs under has to get through; it finds nothing it could list.
  await chmod(folder, 0o711);
  const pid = startKeeper('serve', folder, holder);
  await publish(path.join(folder, 'keeper'), String(pid));
}

/** Starts the process that outlives this one and clears up when `holder` is gone. */
export function startKeeper(task: 'serve' | 'watch', folder: string, holder: number): number {
  const log = openSync(path.join(folder, 'keeper.log'), 'a', 0o600);
  try {
    const stdio = ['ignore', log, log] as const;
    const keeper = spawnNode([KEEPER, task, folder, String(holder)], { detached: true, stdio: [...stdio] });
    keeper.unref();
    if (keeper.pid === undefined) throw new Error('the keeper of the tests’ PostgreSQL does not start');
    return keeper.pid;
  } finally {
    closeSync(log);
  }
}

/** Ends the run's server and waits until nothing is left of it. */
export async function stopSharedServer(holder: number): Promise<void> {
  const folder = sharedFolder(holder);
  const keeper = Number(await readText(path.join(folder, 'keeper')));
  if (!(keeper > 0)) return;
  signal(keeper, 'SIGTERM');
  while (isAlive(keeper)) await sleep(POLL_MS);
}

export async function administer(adminUrl: string, statement: string): Promise<void> {
  const client = await openClient({ url: adminUrl, applicationName: 'privity tests', onError: () => undefined });
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

export function inDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

/** Writes a file that others wait for, whole or not at all. */
export async function publish(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
