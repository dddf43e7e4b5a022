// In charge of the PostgreSQL that Privity brings along for trying it out and for its tests: made once, kept, safe to kill. It must
// never be reachable from another machine, run without fsync, or share its folder between two services.
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import {
  type Cluster,
  findServer,
  initialise,
  isInitialised,
  openCluster,
  startServer,
  stopServer,
} from './cluster.ts';
import { openClient } from './database.ts';
import { processIdentity, signal } from './processes.ts';
import { createRoles, type DatabaseUrls, ROLES, type RoleName } from './roles.ts';

export interface EmbeddedOptions {
  /** Holds the data folder, the credentials file (0600) and the server's log; made where missing. */
  readonly folder: string;
  /** Otherwise the port of the last time if it is free, or any free one. */
  readonly port?: number;
  /** More server settings, for example `{ max_connections: '300' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedServer {
  /** The database `privity` for each role; not migrated yet. */
  readonly urls: DatabaseUrls;
  readonly superuserUrl: string;
  readonly port: number;
  /** The postmaster. */
  readonly pid: number;
  /** Settles when the server has ended, by whatever cause. */
  readonly exited: Promise<void>;
  /** Ends the server and gives the folder back. Safe to call again, and after a kill. */
  stop(): Promise<void>;
}

type Supervised = Pick<EmbeddedServer, 'pid' | 'exited' | 'stop'>;

const Credentials = Type.Object({
  port: Type.Integer(),
  superuser: Type.String(),
  roles: Type.Object({ owner: Type.String(), writer: Type.String(), reader: Type.String(), sealer: Type.String() }),
});
type Credentials = Static<typeof Credentials>;

const DATABASE = 'privity';
const SUPERUSER = 'postgres';
const HOST = '127.0.0.1';
const ROLE_NAMES = ['owner', 'writer', 'reader', 'sealer'] as const satisfies readonly RoleName[];

/** Starts the server on its folder, which it makes the first time, with the roles and the empty database. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const cluster = await openCluster(options.folder);
  const release = await holdFolder(cluster);
  try {
    const credentials = await prepareCredentials(cluster, options.port);
    await initialise(cluster, SUPERUSER, credentials.superuser);
    const child = await startServer(cluster, {
      jit: 'off', // compiling costs more than these short queries take
      ...options.settings,
      listen_addresses: HOST,
      port: String(credentials.port),
      unix_socket_directories: '',
      fsync: 'on',
    });
    const server = superviseServer(child, release);
    try {
      await provision(credentials);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return { ...server, ...urlsOf(credentials), port: credentials.port };
  } catch (error) {
    await release();
    throw error;
  }
}

function superviseServer(child: ChildProcess, release: () => Promise<void>): Supervised {
  const pid = child.pid ?? 0;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // The server neither keeps this process alive nor outlives it, unless this process is killed: then the next start ends it.
  child.unref();
  const onExit = (): void => signal(pid, 'SIGINT');
  process.once('exit', onExit);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.ref();
      await stopServer(pid);
      await exited;
    }
    process.off('exit', onExit);
    await release();
  };
  return { pid, exited, stop };
}

/** One service at a time: takes the folder over from a service that was killed, with the server it left running. */
async function holdFolder(cluster: Cluster): Promise<() => Promise<void>> {
  const file = path.join(path.dirname(cluster.dataFolder), 'holder');
  const mine = processIdentity(process.pid) ?? String(process.pid);
  for (;;) {
    try {
      await writeFile(file, mine, { flag: 'wx' });
      break;
    } catch (error) {
      const holder = await readFile(file, 'utf8').catch(() => undefined);
      if (holder === undefined) throw error;
      const pid = Number.parseInt(holder, 10);
      if (holder === mine || processIdentity(pid) === holder) {
        throw new Error(`process ${pid} uses the database in \`${cluster.dataFolder}\`; stop it first`, {
          cause: error,
        });
      }
      await rm(file, { force: true });
    }
  }
  const left = await findServer(cluster);
  if (left !== undefined) await stopServer(left);
  return () => rm(file, { force: true });
}

/** Passwords are made once, here, and known only to this file and the server. */
async function prepareCredentials(cluster: Cluster, port: number | undefined): Promise<Credentials> {
  const file = path.join(path.dirname(cluster.dataFolder), 'credentials.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const kept = text === undefined ? undefined : parseCredentials(text, file);
  if (kept === undefined && isInitialised(cluster)) {
    throw new Error(`\`${file}\` is missing; restore it, or remove \`${cluster.dataFolder}\` with all data`);
  }
  const password = (): string => randomBytes(24).toString('base64url');
  const credentials: Credentials = {
    superuser: kept?.superuser ?? password(),
    roles: kept?.roles ?? { owner: password(), writer: password(), reader: password(), sealer: password() },
    port: port ?? (kept !== undefined && (await isFree(kept.port)) ? kept.port : await freePort()),
  };
  await writeFile(`${file}.new`, JSON.stringify(credentials), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return credentials;
}

function parseCredentials(text: string, file: string): Credentials {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (!Value.Check(Credentials, parsed)) {
    throw new Error(`\`${file}\` is damaged; restore it, or remove its folder with all data`);
  }
  return parsed;
}

async function provision(credentials: Credentials): Promise<void> {
  const client = await openClient({
    url: urlOf(credentials, SUPERUSER, credentials.superuser, 'postgres'),
    applicationName: 'privity embedded',
    onError: () => undefined,
  });
  try {
    await createRoles(client);
    const { rows } = await client.query<{ rolname: string }>(
      'select rolname from pg_roles where rolname = any($1) and not rolcanlogin',
      [Object.values(ROLES)],
    );
    const waiting = new Set(rows.map((row) => row.rolname));
    for (const name of ROLE_NAMES.filter((role) => waiting.has(ROLES[role]))) {
      const password = client.escapeLiteral(credentials.roles[name]);
      await client.query(`alter role ${ROLES[name]} login password ${password}`);
    }
    const found = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`create database ${DATABASE} owner ${ROLES.owner}`);
  } finally {
    await client.end();
  }
}

function urlsOf(credentials: Credentials): { urls: DatabaseUrls; superuserUrl: string } {
  const of = (role: RoleName): string => urlOf(credentials, ROLES[role], credentials.roles[role], DATABASE);
  return {
    urls: { owner: of('owner'), writer: of('writer'), reader: of('reader'), sealer: of('sealer') },
    superuserUrl: urlOf(credentials, SUPERUSER, credentials.superuser, DATABASE),
  };
}

function urlOf(credentials: Credentials, user: string, password: string, database: string): string {
  return `postgres://${user}:${password}@${HOST}:${credentials.port}/${database}`;
}

async function freePort(): Promise<number> {
  const port = await listenOnce(0);
  if (port === undefined) throw new Error(`no free port on ${HOST}`);
  return port;
}

async function isFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined;
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen(port, HOST, () => {
      const address = probe.address();
      probe.close(() => resolve(address !== null && typeof address === 'object' ? address.port : undefined));
    });
  });
}
