// In charge of giving tests real PostgreSQL: a fresh migrated database for each test file, or a server of its own for tests that
// crash it. It must leave nothing behind, and end only servers that it started.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { openClient } from '../../src/io/db/database.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/io/db/embedded.ts';
import { migrate } from '../../src/io/db/migrate.ts';
import { isAlive, signal } from '../../src/io/db/processes.ts';
import type { DatabaseUrls } from '../../src/io/db/roles.ts';
import { administer, findSharedServer, inDatabase, startKeeper } from './shared-postgres.ts';

/** The part of tap's `t` that is needed here. */
export interface TearsDown {
  teardown(clear: () => Promise<unknown>): unknown;
}

export interface TestDatabase {
  readonly name: string;
  readonly urls: DatabaseUrls;
  /** A superuser (or whoever TEST_DATABASE_URL names), for tampering and for looking behind the scenes. */
  readonly superuserUrl: string;
}

export interface PrivatePostgres {
  /** These stay the same through kills and restarts. */
  readonly urls: DatabaseUrls;
  readonly superuserUrl: string;
  readonly folder: string;
  /** To every process of the server. After SIGKILL it returns when none is left. */
  kill(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** A shutdown that ends clients' connections: orderly, or `immediate`, after which the server recovers as from a crash. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Starts it again on the same data and port, after a kill or a stop. */
  start(): Promise<void>;
}

/** A migrated, empty database of this test file's own, gone when `t` ends. Holds partitions around today. */
export async function createDatabase(t: TearsDown): Promise<TestDatabase> {
  const server = await findSharedServer();
  const name = `test_${process.pid}_${randomBytes(6).toString('hex')}`;
  await administer(server.adminUrl, `create database ${name} template ${server.template}`);
  t.teardown(() => administer(server.adminUrl, `drop database if exists ${name} with (force)`));
  const here = (url: string): string => inDatabase(url, name);
  const { owner, writer, reader, sealer } = server.urls;
  const urls = { owner: here(owner), writer: here(writer), reader: here(reader), sealer: here(sealer) };
  return { name, urls, superuserUrl: here(server.adminUrl) };
}

/** A connection that ends with the test, through the same door as the service's. */
export async function connect(t: TearsDown, url: string): Promise<pg.Client> {
  const client = await openClient({ url, applicationName: 'privity tests', onError: () => undefined });
  t.teardown(() => client.end().catch(() => undefined));
  return client;
}

/** A folder for an embedded server, gone when `t` ends, with any server that still runs on it. */
export async function serverFolder(t: TearsDown): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-postgres-'));
  await chmod(folder, 0o711);
  // Should this process be killed, they go all the same.
  const keeper = startKeeper('watch', folder, process.pid);
  t.teardown(async () => {
    signal(keeper, 'SIGTERM');
    while (isAlive(keeper)) await sleep(25);
  });
  return folder;
}

/** A server that no other test uses, migrated unless told otherwise. */
export async function startPrivatePostgres(
  t: TearsDown,
  options: { readonly migrated?: boolean; readonly settings?: Readonly<Record<string, string>> } = {},
): Promise<PrivatePostgres> {
  const folder = await serverFolder(t);
  let server: EmbeddedServer | undefined;
  const settings = options.settings ?? {};
  const stop = async (mode: 'fast' | 'immediate' = 'fast'): Promise<void> => {
    if (server === undefined) return;
    for (const pid of processesOf(server.pid)) signal(pid, 'SIGCONT');
    if (mode === 'immediate') signal(server.pid, 'SIGQUIT');
    await server.stop();
  };
  t.teardown(stop);
  const started = await startEmbedded({ folder, settings });
  server = started;
  if (options.migrated !== false) await migrate({ url: started.urls.owner });
  return {
    urls: started.urls,
    superuserUrl: started.superuserUrl,
    folder,
    kill: async (name) => {
      if (server === undefined || !isAlive(server.pid)) return;
      const pids = processesOf(server.pid);
      // The postmaster first when it ends or halts, so that it starts no new process; last when it goes on.
      for (const pid of name === 'SIGCONT' ? pids.toReversed() : pids) signal(pid, name);
      if (name === 'SIGKILL') await server.stop();
    },
    stop,
    start: async () => {
      server = await startEmbedded({ folder, settings, port: started.port });
    },
  };
}

/** The postmaster and its children. */
function processesOf(postmaster: number): number[] {
  try {
    const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8');
    return [postmaster, ...children.split(' ').map(Number).filter(Boolean)];
  } catch {
    return [postmaster];
  }
}
