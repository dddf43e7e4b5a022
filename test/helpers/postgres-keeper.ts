// A process of its own that keeps a test server's promise to disappear: it serves the run's shared PostgreSQL, or watches a
// private one, and clears everything away when its holder is gone, however that came about.
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findServer, openCluster, stopServer } from '../../src/io/db/cluster.ts';
import { startEmbedded } from '../../src/io/db/embedded.ts';
import { migrate } from '../../src/io/db/migrate.ts';
import { isAlive } from '../../src/io/db/processes.ts';
import { type DatabaseUrls, ROLES } from '../../src/io/db/roles.ts';
import { administer, inDatabase, publish, type SharedServer } from './shared-postgres.ts';

type CleanUp = () => Promise<void>;

const POLL_MS = 200;
const [task, folder = '', holderText] = process.argv.slice(2);
const holder = Number(holderText);

let asked = false;
process.once('SIGTERM', () => (asked = true));

const cleanUp = task === 'serve' ? await serve() : watch;
while (!asked && isAlive(holder)) await sleep(POLL_MS);
await cleanUp();
await rm(folder, { recursive: true, force: true });

async function serve(): Promise<CleanUp> {
  try {
    const given = process.env['TEST_DATABASE_URL'];
    const { server, cleanUp } = given === undefined ? await serveOwn() : await serveGiven(given);
    await publish(path.join(folder, 'server.json'), JSON.stringify(server));
    return cleanUp;
  } catch (error) {
    await publish(path.join(folder, 'failed'), error instanceof Error ? (error.stack ?? error.message) : String(error));
    return () => Promise.resolve();
  }
}

async function serveOwn(): Promise<{ server: SharedServer; cleanUp: CleanUp }> {
  const home = path.join(folder, 'postgres');
  await mkdir(home);
  // Many test files at once, each with pools of its own.
  const server = await startEmbedded({ folder: home, settings: { max_connections: '300' } });
  await migrate({ url: server.urls.owner });
  const adminUrl = inDatabase(server.superuserUrl, 'postgres');
  await protectTemplate(adminUrl, 'privity');
  return { server: { template: 'privity', adminUrl, urls: server.urls }, cleanUp: server.stop };
}

async function serveGiven(adminUrl: string): Promise<{ server: SharedServer; cleanUp: CleanUp }> {
  const template = `privity_test_${process.pid}_template`;
  const templateUrl = inDatabase(adminUrl, template);
  await administer(adminUrl, `create database ${template}`);
  const cleanUp = (): Promise<void> => administer(adminUrl, `drop database if exists ${template} with (force)`);
  try {
    await migrate({ url: templateUrl });
    // The roles have no login of their own here: the given account steps into them.
    await administer(adminUrl, `grant ${Object.values(ROLES).join(', ')} to current_user`);
    await protectTemplate(adminUrl, template);
  } catch (error) {
    await cleanUp();
    throw error;
  }
  const as = (role: string): string => {
    const url = new URL(templateUrl);
    url.searchParams.set('options', `-c role=${role}`);
    return url.href;
  };
  const urls: DatabaseUrls = {
    owner: as(ROLES.owner),
    writer: as(ROLES.writer),
    reader: as(ROLES.reader),
    sealer: as(ROLES.sealer),
  };
  return { server: { template, adminUrl, urls }, cleanUp };
}

/** A database can only be cloned while nobody is connected to it. */
async function protectTemplate(adminUrl: string, template: string): Promise<void> {
  await administer(adminUrl, `alter database ${template} with allow_connections false`);
}

async function watch(): Promise<void> {
  const cluster = await openCluster(folder);
  const server = await findServer(cluster);
  if (server !== undefined) await stopServer(server);
}
