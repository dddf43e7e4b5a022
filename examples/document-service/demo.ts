// `npm run demo:documents`: starts PostgreSQL, Privity and the document service, prints what three people see, and stops everything. It must
// never listen beyond this machine, nor leave anything running.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { DOCUMENTS } from './demo-documents.ts';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.join(HERE, '..', '..');
const PRIVITY = path.join(ROOT, 'bin', 'privity.mjs');
const TWO_HOURS_AGO = Math.floor(Date.now() / 1000) - 7_200;

const home = await mkdtemp(path.join(tmpdir(), 'privity-documents-'));
const undo: (() => Promise<unknown>)[] = [() => rm(home, { recursive: true, force: true })];
try {
  await linkClient();
  await run();
} finally {
  for (const step of undo.toReversed()) await step();
}

async function run(): Promise<void> {
  const { createClient } = await import('@privity/client');
  const { createDocuments } = await import('./documents.ts');
  const { buildService } = await import('./service.ts');

  console.log('starting PostgreSQL and Privity with development keys …');
  const url = await startPrivity();
  const pool = await openDatabase();
  const documents = createDocuments(pool);
  await documents.fill(DOCUMENTS);

  const caller = await token('--caller', 'dms');
  const privity = createClient({
    url,
    token: () => caller,
    onError: (error) => console.error(`no decision: ${String(error)}`),
  });
  const office = { network_zone: 'office', device_managed: true, country: 'DE' };
  const app = await buildService({ privity, documents, placeOf: () => office });
  await app.listen({ port: 0, host: '127.0.0.1' });
  undo.push(() => app.close());
  const service = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;

  await show(service, 'u-okafor, partner, responsible for M-1001, signed in two hours ago', {
    person: 'u-okafor',
    claims: { auth_time: TWO_HOURS_AGO },
  });
  await show(service, 'u-okafor, having signed in again', { person: 'u-okafor' });
  await show(service, 'u-park, paralegal on the team of M-1001', { person: 'u-park' });
  await show(service, 'u-voss, partner on the team of M-1001, behind an ethical wall', { person: 'u-voss' });
  await show(service, 'somebody without a token', null);
}

interface Who {
  readonly person: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

async function show(service: string, title: string, who: Who | null): Promise<void> {
  const headers: Record<string, string> = who === null ? {} : { authorization: `Bearer ${await tokenOf(who)}` };
  const get = (path: string): Promise<Response> => fetch(service + path, { headers });
  console.log(`\n${title}`);
  const { documents } = (await (await get('/documents')).json()) as {
    readonly documents: readonly { readonly id: string; readonly title: string }[];
  };
  console.log(`  list      ${documents.map(({ id, title: name }) => `${id} ${name}`).join(', ') || 'nothing'}`);
  for (const [what, path] of [
    ['read D-1', '/documents/D-1'],
    ['file D-3', '/documents/D-3/file'],
  ] as const) {
    const response = await get(path);
    const challenge = response.headers.get('www-authenticate');
    await response.body?.cancel();
    console.log(`  ${what}  ${response.status}${challenge === null ? '' : ` ${challenge}`}`);
  }
}

/** As `npm install @privity/client` would put it there. */
async function linkClient(): Promise<void> {
  const scope = path.join(HERE, 'node_modules', '@privity');
  await mkdir(scope, { recursive: true });
  await rm(path.join(scope, 'client'), { recursive: true, force: true });
  await symlink(path.join(ROOT, 'clients', 'typescript'), path.join(scope, 'client'));
}

async function startPrivity(): Promise<string> {
  const child = spawn(process.execPath, [PRIVITY, 'start', '--state', home, '--port', '0'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  undo.push(() => end(child));
  let printed = '';
  child.stdout.setEncoding('utf8');
  for await (const chunk of child.stdout) {
    printed += String(chunk);
    const url = /Privity is running.*?(http:\/\/[\w.:[\]]+\d)/.exec(printed)?.[1];
    if (url !== undefined && printed.includes('# What was recorded')) {
      child.stdout.resume();
      return url;
    }
  }
  throw new Error('Privity did not start');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGINT');
  await once(child, 'exit');
}

/** A database of the service's own, beside that of Privity. */
async function openDatabase(): Promise<pg.Pool> {
  const { port, superuser } = JSON.parse(await readFile(path.join(home, 'postgres', 'credentials.json'), 'utf8')) as {
    readonly port: number;
    readonly superuser: string;
  };
  const at = { host: '127.0.0.1', port, user: 'postgres', password: superuser };
  const admin = new pg.Client({ ...at, database: 'postgres' });
  await admin.connect();
  await admin.query('create database documents');
  await admin.end();
  const pool = new pg.Pool({ ...at, database: 'documents', max: 4 });
  undo.push(() => pool.end());
  return pool;
}

function tokenOf({ person, claims = {} }: Who): Promise<string> {
  return token('--person', person, '--caller', 'dms', '--claims', JSON.stringify(claims));
}

async function token(...args: readonly string[]): Promise<string> {
  const command = [PRIVITY, 'token', '--state', home, ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: ROOT });
  return stdout.trim();
}
