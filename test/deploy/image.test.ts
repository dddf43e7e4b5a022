// The image, as far as it can be had without a container engine: the Dockerfile's own copies and commands, and then the service from that
// folder alone, as nobody, who can write nothing, with the entry point, environment and health check of the image.
import { chmod, chown, copyFile, cp, readdir, readFile, stat } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { migrate } from '../../src/io/db/migrate.ts';
import { document, OFFICE } from '../helpers/app.ts';
import { startKeyEndpoint } from '../helpers/key-endpoint.ts';
import { connect, createDatabase } from '../helpers/postgres.ts';
import { collect, spawnPlain } from '../helpers/processes.ts';
import { until } from '../helpers/recorder.ts';
import { startService, type Program, type Service } from '../helpers/service.ts';
import { createFirm, type ServiceFirm } from '../helpers/service-firm.ts';
import { startReceiver } from '../helpers/webhook.ts';
import { buildImage, instructionsOf, ROOT } from './dockerfile.ts';
import { lacks } from './lacks.ts';

type Json = Readonly<Record<string, unknown>>;

const WATCH = fileURLToPath(new URL('watch-connections.mjs', import.meta.url));
const NOBODY = process.getuid?.() === 0 ? { account: { uid: 65534, gid: 65534 } } : {};

const image = await buildImage(t);
const node = path.join(image.root, 'node');
await copyFile(process.execPath, node);
await cp(WATCH, path.join(image.root, 'watch-connections.mjs'));
for (const place of [path.dirname(image.root), image.root]) await chmod(place, 0o755);
const database = await createDatabase(t);
await migrate({ url: database.urls.owner });
const keys = await startKeyEndpoint(t);
const webhook = await startReceiver(t);
const firm = await createFirm(t);
const policies = await publishKeys(firm);

/** The issuer's keys come from an endpoint, as they do in a firm. */
async function publishKeys({ dir, variant, writerKeyFile }: ServiceFirm): Promise<string> {
  const { keys: list } = JSON.parse(await readFile(path.join(dir, 'keys', 'test.json'), 'utf8')) as { keys: Json[] };
  keys.publish(...list);
  const issuers = await readFile(path.join(dir, 'issuers.yaml'), 'utf8');
  const made = await variant({
    'issuers.yaml': issuers.replaceAll('{ file: keys/test.json }', `{ url: '${keys.url}' }`),
  });
  await chmod(path.dirname(made), 0o755);
  // A key that others may read is refused.
  if (process.getuid?.() === 0) await chown(writerKeyFile, 65534, 65534);
  return made;
}

/** As the image says, with its root being the folder. */
function programOf(words: readonly string[], flags: readonly string[] = []): Program {
  const [, ...rest] = words.map((word) => (word.startsWith('/app/') ? path.join(image.root, word) : word));
  return { file: node, args: [...flags, ...rest], ...NOBODY };
}

async function start(program: Program, port: number): Promise<Service> {
  const environment = {
    ...image.environment,
    HOME: '/nonexistent',
    PORT: String(port),
    POLICIES_DIR: policies,
    WEBHOOK_URL: webhook.url,
    WEBHOOK_SECRET: 'known to the firm and the receiver',
  };
  return startService(t, { urls: database.urls, firm, environment, program });
}

async function freePort(): Promise<number> {
  const probe = net.createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** An emergency access: allowed, with duties for the webhook. */
async function ask(url: string): Promise<Json> {
  const response = await fetch(`${url}/v1/authorize`, {
    method: 'POST',
    headers: { authorization: `Bearer ${firm.callerToken('dms')}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      subject_token: firm.subjectToken('dms', 'u-quinn'),
      action: { name: 'read' },
      resource: document('D-1'),
      context: { ...OFFICE, break_glass_reason: 'Hearing at nine' },
    }),
  });
  return (await response.json()) as Json;
}

t.test('the image holds what runs, and nothing else', async (t) => {
  const { root } = image;
  t.strictSame((await readdir(path.join(root, 'app'))).toSorted(), [
    'bin',
    'migrations',
    'node_modules',
    'openapi.yaml',
    'package.json',
    'schemas',
    'src',
  ]);
  const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Readonly<
    Record<string, object>
  >;
  const installed = new Set(await readdir(path.join(root, 'app', 'node_modules')));
  for (const name of Object.keys(manifest['dependencies'] ?? {})) t.ok(installed.has(name.split('/')[0] ?? ''), name);
  const lock = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  const unwanted = Object.entries(lock.packages).filter(
    ([, { dev, optional, devOptional }]) => dev ?? optional ?? devOptional,
  );
  t.ok(unwanted.length > 100);
  const there: string[] = [];
  for (const [name] of unwanted) if (await stat(path.join(root, 'app', name)).catch(() => null)) there.push(name);
  t.strictSame(there, [], 'nothing for development, and no embedded PostgreSQL');
  t.match(image.user, /^[1-9]\d*:[1-9]\d*$/, 'a number, not root');
  t.equal(image.stopSignal, 'SIGTERM');
  t.match(image.labels, 'org.opencontainers.image.revision');
});

t.test('its base is pinned, and the build installs without running foreign scripts', async (t) => {
  const instructions = instructionsOf(readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8'));
  t.match(
    instructions.find(({ word }) => word === 'ARG')?.rest,
    /^NODE_IMAGE=node:\d+\.\d+\.\d+-\w+-slim(@sha256:[0-9a-f]{64})?$/,
  );
  for (const { rest } of instructions.filter(({ word }) => word === 'FROM')) t.match(rest, /^\$\{NODE_IMAGE\}/);
  for (const { rest } of instructions.filter(({ word }) => word === 'RUN')) {
    t.match(
      rest,
      /^(?:npm ci --omit=dev --omit=optional --ignore-scripts |install -d -o 10001 -g 10001 -m 0700 [/\w ]+$)/,
    );
  }
});

t.test('as nobody, without the right to write or to start programs, it does all it is for', async (t) => {
  const port = await freePort();
  const program = programOf(
    [...image.entrypoint, ...image.command],
    ['--import', path.join(image.root, 'watch-connections.mjs')],
  );
  const service = await start(program, port);
  t.match(await service.readiness(), { status: 200, degraded: [] });
  const answer = await ask(service.url);
  t.match(answer, { decision: true });
  await until('the webhook has the duties', () => webhook.arrived.length > 0);
  const reader = await connect(t, database.urls.reader);
  const { rows } = await reader.query(`select outcome from decisions where kind = 'decision'`);
  t.strictSame(rows, [{ outcome: 'allow' }]);

  const check = programOf(image.healthcheck);
  const environment = { ...image.environment, PORT: String(port) };
  const health = (): ReturnType<typeof collect> =>
    collect(spawnPlain(check.file, check.args, { env: environment, ...check.account }));
  t.match(await health(), { code: 0, output: '{"status":"ok"}' });

  service.signal('SIGTERM');
  t.match(await service.ended, { code: 0 }, 'it ends in order when the engine says so');
  t.match(await health(), { code: 1, output: /does not answer/ });

  const seen = [...service.words().matchAll(/^WATCHED (.*)$/gm)].map(([, json = '']) => JSON.parse(json) as Json);
  t.ok(seen.some(({ address }) => address === 'watching'));
  const places = seen
    .filter(({ address }) => address !== 'watching')
    .map(({ address, port: to }) => `${String(address)}:${String(to)}`);
  t.strictSame(
    [...new Set(places)].toSorted(),
    [database.urls.writer, keys.url, webhook.url].map((url) => new URL(url).host).toSorted(),
    'it connects to Postgres, the key endpoint and the webhook, and nowhere else',
  );
  const words = service.words().replaceAll(/^WATCHED .*\n/gm, '');
  t.equal(words, '', 'it says nothing beside its log');
});

t.test('what the entry point takes away is really away', async (t) => {
  const flags = image.entrypoint.slice(1, -1);
  const attempt = async (code: string): Promise<string> =>
    (await collect(spawnPlain(node, [...flags, '-e', code]))).output;
  t.match(await attempt(`fs.writeFileSync('/tmp/privity-was-here', '')`), /ERR_ACCESS_DENIED/);
  t.match(await attempt(`child_process.execFileSync('id')`), /ERR_ACCESS_DENIED/);
  t.match(await attempt(`console.log('nothing else')`), /^nothing else\n$/);
});

t.test(
  'the system calls say the same: nothing is opened for writing, nobody else is called',
  { skip: await lacks('strace', ['-f', '-e', 'trace=none', 'true'], 'strace is not here, or may not trace') },
  async (t) => {
    const port = await freePort();
    const { file, args } = programOf([...image.entrypoint, ...image.command]);
    const asNobody = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
    const calls = 'trace=%file,connect,ftruncate,execve';
    const output = path.join(image.root, 'calls');
    const traced = ['-D', '-f', '--seccomp-bpf', '-qq', ...asNobody, '-o', output, '-e', calls, file, ...args];
    const service = await start({ file: 'strace', args: traced }, port);
    t.match(await ask(service.url), { decision: true });
    await until('the webhook has the duties', () => webhook.arrived.length > 1);
    service.signal('SIGTERM');
    await service.ended;
    const lines = (await readFile(output, 'utf8')).split('\n');
    const done = lines.filter((line) => !/ = -1 E| resumed>|^WATCHED/.test(line));
    t.ok(done.length > 100, 'the calls were seen');
    const changing =
      /\b(?:mkdir|rmdir|unlink|rename|link|symlink|chmod|chown|truncate|mknod|utime|mount)\w*\(|O_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)/;
    t.strictSame(
      done.filter((line) => changing.test(line) && !/"\/dev\/(?:null|tty)"/.test(line)),
      [],
    );
    t.equal(done.filter((line) => /\bexecve\(/.test(line)).length, 1, 'no other program is started');
    const called = lines.flatMap((line) => {
      const [, to, address] = /connect\(.*htons\((\d+)\).*"([\d.:a-f]+)"/.exec(line) ?? [];
      return to === undefined ? [] : [`${address}:${to}`];
    });
    t.strictSame(
      [...new Set(called)].toSorted(),
      [database.urls.writer, keys.url, webhook.url].map((url) => new URL(url).host).toSorted(),
    );
  },
);
