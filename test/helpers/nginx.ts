// Debian's nginx for tests: found, or fetched from Debian's archive into a folder of its own where CI lets it, and started with the
// repository's configuration. It must never install anything, nor outlive its test.
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { signal } from '../../src/io/db/processes.ts';
import { createAuthority } from './certificates.ts';
import type { TearsDown } from './key-endpoint.ts';
import { scratch } from './launch.ts';
import { collect, spawnPlain } from './processes.ts';

const CONFIGURATION = fileURLToPath(new URL('../../deploy/nginx/forward-auth.conf', import.meta.url));
const PLACES = ['/usr/sbin/nginx', 'nginx'];

export type Found = { readonly binary: string } | { readonly lacks: string };

/** Fetching happens in CI alone: a test on somebody's own machine does not reach for the network. */
export async function findNginx(t: TearsDown, isCi = (process.env['CI'] ?? '') !== ''): Promise<Found> {
  for (const binary of PLACES) if (await runs(binary)) return { binary };
  if (!isCi) return { lacks: 'nginx is not here: apt-get install nginx' };
  return fetchNginx(t);
}

/** Unpacked, not installed: no account, no service, nothing left behind. */
export async function fetchNginx(t: TearsDown): Promise<Found> {
  const folder = await scratch(t);
  // apt drops to an account of its own, which has to get in.
  await chmod(folder, 0o755);
  const apt = (...args: string[]) =>
    collect(spawnPlain('apt-get', ['-q', ...args], { cwd: folder })).catch((error: unknown) => ({
      code: 1,
      output: String(error),
    }));
  let fetched = await apt('download', 'nginx');
  // The archive's lists are not part of Debian's base image.
  if (fetched.code !== 0 && process.getuid?.() === 0 && (await apt('update')).code === 0)
    fetched = await apt('download', 'nginx');
  const [file] = (await readdir(folder)).filter((name) => name.endsWith('.deb'));
  if (file === undefined) return { lacks: `nginx is neither here nor to be had: ${fetched.output.trim().slice(-200)}` };
  const unpacked = await collect(spawnPlain('dpkg', ['-x', path.join(folder, file), folder]));
  const binary = path.join(folder, 'usr/sbin/nginx');
  if (unpacked.code === 0 && (await runs(binary))) return { binary };
  return { lacks: 'nginx was fetched and does not run here: a library that it needs is missing' };
}

async function runs(binary: string): Promise<boolean> {
  const found = await collect(spawnPlain(binary, ['-V'])).catch(() => null);
  return found?.code === 0 && found.output.includes('auth_request');
}

export interface Nginx {
  readonly port: number;
  readonly ca: string;
  /** What it has logged. */
  errors(): string;
}

export interface NginxOptions {
  readonly binary: string;
  /** Host and port. */
  readonly privity: string;
  readonly application: string;
  /** The proxy's own. */
  readonly token: string;
}

/** The configuration of deploy/nginx as it stands, with addresses and files of this test. */
export async function startNginx(t: TearsDown, { binary, privity, application, token }: NginxOptions): Promise<Nginx> {
  const folder = await scratch(t);
  const authority = await createAuthority('site');
  const { cert, key } = await authority.issue('matters.firm.example');
  const port = await freePort();
  const files = {
    'site.crt': cert,
    'site.key': key,
    'token.conf': `proxy_set_header Authorization "Bearer ${token}";\n`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  await mkdir(path.join(folder, 'tmp'));
  const site = filled(await readFile(CONFIGURATION, 'utf8'), {
    '127.0.0.1:8080;': `${privity};`,
    '127.0.0.1:9000;': `${application};`,
    'listen 443 ssl;': `listen 127.0.0.1:${port} ssl;`,
    'default     internet;': 'default     office;',
    '/etc/nginx/tls/site.crt': path.join(folder, 'site.crt'),
    '/etc/nginx/tls/site.key': path.join(folder, 'site.key'),
    '/etc/nginx/privity/token.conf': path.join(folder, 'token.conf'),
  });
  await writeFile(path.join(folder, 'site.conf'), site);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${path.join(folder, 'tmp', name)};`,
  );
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const main = `${user} daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr info;
events {} http { access_log off; ${temporary.join(' ')} include ${folder}/site.conf; }`;
  await writeFile(path.join(folder, 'nginx.conf'), main);

  const child = spawnPlain(binary, ['-p', folder, '-e', 'stderr', '-c', path.join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const onExit = (): void => signal(child.pid ?? 0, 'SIGTERM');
  process.once('exit', onExit);
  t.teardown(async () => {
    process.off('exit', onExit);
    child.kill('SIGTERM');
    await ended;
  });
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`nginx did not start: ${errors}`);
    await sleep(20);
  }
  return { port, ca: authority.cert, errors: () => errors };
}

/** @throws where the configuration no longer has a place that a test fills in */
function filled(text: string, places: Readonly<Record<string, string>>): string {
  for (const [place, value] of Object.entries(places)) {
    if (text.split(place).length !== 2) throw new Error(`deploy/nginx/forward-auth.conf has not one \`${place}\``);
    text = text.replace(place, value);
  }
  return text;
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
