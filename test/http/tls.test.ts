// TLS over real connections: the files may be replaced at any time, by any means; half a pair and a broken one change nothing but what
// the service says of itself.
import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import type pino from 'pino';
import { buildApp } from '../../src/app.ts';
import { openTls, type Tls } from '../../src/http/tls.ts';
import { createLog } from '../../src/log.ts';
import { startApp } from '../helpers/app.ts';
import { createAuthority, type Issued } from '../helpers/certificates.ts';
import { until } from '../helpers/recorder.ts';

type Json = Readonly<Record<string, unknown>>;

const EVERY_MS = 20;
const authority = await createAuthority('Servers of the test');
const [first, second, third] = [
  await authority.issue('first'),
  await authority.issue('second'),
  await authority.issue('third'),
];

interface Rig {
  readonly folder: string;
  readonly tls: Tls;
  readonly log: readonly Json[];
  readonly port: number;
  write(pair: Partial<Pick<Issued, 'cert' | 'key'>>): Promise<void>;
  /** Common name of the certificate that a new connection is shown. */
  shown(): Promise<string | undefined>;
}

/** A server of the two files, without the rest of the service. */
async function start(t: Test, pair: Issued = first): Promise<Rig> {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-tls-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const write = async ({ cert, key }: Partial<Pick<Issued, 'cert' | 'key'>>): Promise<void> => {
    if (cert !== undefined) await writeFile(path.join(folder, 'cert.pem'), cert);
    if (key !== undefined) await writeFile(path.join(folder, 'key.pem'), key);
  };
  await write(pair);
  return { ...(await serve(t, folder)), folder, write };
}

async function serve(t: Test, folder: string): Promise<Omit<Rig, 'folder' | 'write'>> {
  const log: Json[] = [];
  const files = {
    certFile: path.join(folder, 'cert.pem'),
    keyFile: path.join(folder, 'key.pem'),
    clientCaFile: null,
  };
  const opened = await openTls(files, { log: logTo(log), everyMs: EVERY_MS });
  const server = https.createServer(opened.options, (_request, response) => response.end('here'));
  opened.follow(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    opened.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { tls: opened, log, port, shown: async () => (await handshake(port)).subject };
}

function logTo(lines: Json[]): pino.Logger {
  return createLog('info', { write: (line) => void lines.push(JSON.parse(line) as Json) });
}

interface Handshake {
  readonly subject: string | undefined;
  readonly protocol: string | null;
  readonly cipher: string;
}

function handshake(port: number, options: tls.ConnectionOptions = {}): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', ca: authority.cert, ...options }, () => {
      const subject = socket.getPeerX509Certificate()?.subject.replace('CN=', '');
      resolve({ subject, protocol: socket.getProtocol(), cipher: socket.getCipher().name });
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

t.test('new connections get the new certificate, open ones go on', async (t) => {
  const { port, write, shown, tls: opened, log } = await start(t);
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: authority.cert });
  t.teardown(async () => agent.destroy());
  const get = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const request = https.get({ port, host: '127.0.0.1', agent }, (response) => {
        response.resume().once('end', () => resolve(String(request.reusedSocket)));
      });
      request.once('error', reject);
    });
  t.equal(await get(), 'false');
  t.equal(await shown(), 'first');
  await write(second);
  await until('the second certificate', async () => (await shown()) === 'second');
  t.equal(await get(), 'true', 'the connection that was open is still the same');
  t.strictSame(opened.degraded(), []);
  t.match(
    log.map(({ msg }) => msg),
    ['TLS files replaced'],
  );
});

t.test('links are swapped as Kubernetes and git-sync do', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-tls-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const publish = async (name: string, pair: Issued): Promise<void> => {
    await mkdir(path.join(folder, name));
    await writeFile(path.join(folder, name, 'cert.pem'), pair.cert);
    await writeFile(path.join(folder, name, 'key.pem'), pair.key);
    await symlink(name, path.join(folder, '..data_tmp'));
    await rename(path.join(folder, '..data_tmp'), path.join(folder, '..data'));
  };
  await publish('..1', first);
  for (const name of ['cert.pem', 'key.pem']) await symlink(path.join('..data', name), path.join(folder, name));
  const { shown, tls: opened } = await serve(t, folder);
  t.equal(await shown(), 'first');
  await publish('..2', second);
  await rm(path.join(folder, '..1'), { recursive: true });
  await until('the second certificate', async () => (await shown()) === 'second');
  t.strictSame(opened.degraded(), []);
});

t.test('a broken pair changes nothing, shows, and is over with the next good one', async (t) => {
  const { folder, write, shown, tls: opened, log } = await start(t);
  const broken: readonly [string, () => Promise<void>, RegExp][] = [
    [
      'another key',
      () => write({ cert: second.cert, key: third.key }),
      /key of TLS_KEY_FILE=\S+ is not that of TLS_CERT_FILE/,
    ],
    ['no certificate', () => write({ cert: 'not yet\n' }), /TLS_CERT_FILE=\S+ holds no certificate/],
    ['half a certificate', () => write({ cert: second.cert.slice(0, 200) }), /holds no certificate/],
    ['a certificate of noise', () => write({ cert: second.cert.replace(/MII[\s\S]{40}/, 'AAAA') }), /no certificate/],
    ['no key', () => write({ cert: second.cert, key: '' }), /TLS_KEY_FILE=\S+ holds no private key/],
    ['a missing file', () => rm(path.join(folder, 'key.pem')), /ENOENT/],
  ];
  for (const [name, spoil, words] of broken) {
    const before = log.length;
    await spoil();
    await until(`${name} shows`, () => opened.degraded().includes('tls_not_reloaded'));
    t.equal(await shown(), 'first', name);
    t.match(String(log[before]?.['reason']), words, name);
    t.match(log[before], { level: /error|50/ });
    await write(first);
    await until('it is over', () => opened.degraded().length === 0);
    t.equal(log.length, before + 1, 'said once');
  }
  await write(second);
  await until('the second certificate', async () => (await shown()) === 'second');
});

t.test('the service does not start on a pair that cannot be used', async (t) => {
  const secret = createSecretKey(randomBytes(32)).export().toString('hex');
  await t.rejects(start(t, { ...first, key: second.key }), /is not that of TLS_CERT_FILE/);
  await t.rejects(start(t, { ...first, key: secret }), /holds no private key \(PEM, without passphrase\)/);
  const { config } = await startApp(t);
  const files = await start(t);
  await files.write({ key: second.key });
  const environment = {
    ...config,
    TLS_CERT_FILE: path.join(files.folder, 'cert.pem'),
    TLS_KEY_FILE: path.join(files.folder, 'key.pem'),
  };
  await t.rejects(buildApp(environment, { logTo: { write: () => undefined } }), {
    message: 'the TLS files cannot be used',
    problems: [/is not that of/],
  });
});

t.test('a certificate that ends within the week shows', async (t) => {
  const { write, tls: opened } = await start(t, await authority.issue('short', { validDays: 6 }));
  t.strictSame(opened.degraded(), ['tls_certificate_expires_soon']);
  await write(first);
  await until('it is over', () => opened.degraded().length === 0);
  await write(await authority.issue('over', { validDays: -1 }));
  await until('it shows again', () => opened.degraded().includes('tls_certificate_expires_soon'));
});

t.test('TLS 1.2 and 1.3 with forward secrecy, and nothing below', async (t) => {
  const { port } = await start(t);
  t.match(await handshake(port), { protocol: 'TLSv1.3' });
  t.match(await handshake(port, { maxVersion: 'TLSv1.2' }), { protocol: 'TLSv1.2', cipher: /^ECDHE-.*(GCM|POLY1305)/ });
  // Security level 0, so that it is not the client that refuses.
  const weak = { ciphers: 'ALL:@SECLEVEL=0' } as const;
  await t.rejects(handshake(port, { ...weak, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }), {
    code: /ALERT|ECONNRESET/,
  });
  const old = { ciphers: 'ECDHE-ECDSA-AES128-SHA:AES128-GCM-SHA256:@SECLEVEL=0', maxVersion: 'TLSv1.2' } as const;
  await t.rejects(handshake(port, old), { code: /ALERT/ });
});

t.test('who speaks something else than TLS loses the connection, and the service goes on', async (t) => {
  const folder = await start(t);
  const { app } = await startApp(t, {
    environment: {
      TLS_CERT_FILE: path.join(folder.folder, 'cert.pem'),
      TLS_KEY_FILE: path.join(folder.folder, 'key.pem'),
      HEADERS_TIMEOUT: '1s',
    },
  });
  await app.http.listen({ port: 0, host: '127.0.0.1' });
  const address = app.http.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  for (const words of ['GET /livez HTTP/1.1\r\nhost: x\r\n\r\n', '\u0016\u0003\u0001\u0000\u00ff', '']) {
    await new Promise<void>((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => socket.write(words));
      socket.on('error', () => undefined).resume();
      socket.once('close', () => resolve());
    });
    t.pass(`closed: ${JSON.stringify(words)}`);
  }
  t.match(await handshake(port), { subject: 'first' });
});
