// Callers that come with certificates, over real TLS: who has none that is trusted gets health and nothing else, and a token that is bound
// to a certificate (RFC 8705) is worth something on connections of that certificate alone.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { readConfig } from '../../src/config.ts';
import { document, OFFICE, startApp, type TestApp } from '../helpers/app.ts';
import { createAuthority, type Issued } from '../helpers/certificates.ts';
import { until } from '../helpers/recorder.ts';

type Json = Readonly<Record<string, unknown>>;

interface Answer {
  readonly status: number;
  readonly body: Json;
}

interface Rig {
  readonly app: TestApp;
  readonly port: number;
  /** As the client that owns the certificate, or one without. */
  ask(client: Issued | null, request?: Request): Promise<Answer>;
}

interface Request {
  readonly path?: string;
  /** Claims of the caller's own token, and of the person's. */
  readonly caller?: Json;
  readonly subject?: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

const servers = await createAuthority('Servers of the test');
const clients = await createAuthority('Callers of the firm');
const strangers = await createAuthority('Somebody else');
const server = await servers.issue('privity');
const dms = await clients.issue('dms', { use: 'client' });
const other = await clients.issue('portal', { use: 'client' });

async function start(t: Test, withCa = true): Promise<Rig> {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-mtls-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const files = {
    TLS_CERT_FILE: server.cert,
    TLS_KEY_FILE: server.key,
    ...(withCa ? { TLS_CLIENT_CA_FILE: clients.cert } : {}),
  };
  const environment: Record<string, string> = {};
  for (const [name, text] of Object.entries(files)) {
    environment[name] = path.join(folder, name);
    await writeFile(path.join(folder, name), text);
  }
  const app = await startApp(t, { environment });
  await app.app.http.listen({ port: 0, host: '127.0.0.1' });
  const address = app.app.http.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const ask: Rig['ask'] = (client, { path: url = '/v1/authorize', caller = {}, subject = {}, headers = {} } = {}) =>
    new Promise((resolve, reject) => {
      const request = https.request(
        {
          port,
          host: '127.0.0.1',
          path: url,
          method: url === '/v1/authorize' ? 'POST' : 'GET',
          ca: servers.cert,
          agent: false,
          ...(client === null ? {} : { cert: client.cert, key: client.key }),
          headers: {
            authorization: `Bearer ${app.callerToken('dms', caller)}`,
            'content-type': 'application/json',
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Json });
          });
        },
      );
      request.once('error', reject);
      const question = { action: { name: 'read' }, resource: document('D-1'), context: OFFICE };
      request.end(
        url === '/v1/authorize'
          ? JSON.stringify({ subject_token: app.subjectToken('u-okafor', subject), ...question })
          : '',
      );
    });
  return { app, port, ask };
}

const rig = await start(t);
const bound = (certificate: Issued): Json => ({ cnf: { 'x5t#S256': certificate.thumbprint } });
const REFUSED = { status: 403, body: { code: 'client_certificate_required' } };

t.test('only who has a certificate of a trusted authority is answered, but for health', async (t) => {
  const { app, ask } = rig;
  t.match(await ask(dms), { status: 200 });
  const impostors: readonly [string, Issued | null][] = [
    ['no certificate', null],
    ['another authority', await strangers.issue('dms', { use: 'client' })],
    ['an expired certificate', await clients.issue('dms', { use: 'client', validDays: -1 })],
    ['a certificate of a server', await clients.issue('dms')],
  ];
  for (const [name, client] of impostors) {
    t.match(await ask(client), REFUSED, name);
    for (const path of ['/v1/policy', '/docs', '/metrics', '/nothing'])
      t.match(await ask(client, { path }), REFUSED, `${name}: ${path}`);
    for (const path of ['/livez', '/readyz']) t.match(await ask(client, { path }), { status: 200 }, `${name}: ${path}`);
    // A proxy's word for it is nobody's proof.
    t.match(
      await ask(client, { headers: { 'x-forwarded-client-cert': 'Hash=0', 'x-ssl-client-verify': 'SUCCESS' } }),
      REFUSED,
    );
  }
  t.equal(await app.count('decision'), 1, 'nobody else was judged');
});

t.test('a token that is bound to a certificate is good on its connections, however often it was seen', async (t) => {
  const { ask } = rig;
  const REFUSED_TOKEN = { status: 401, body: { code: 'token_refused' } };
  for (const round of [1, 2]) {
    t.match(await ask(dms, { caller: { jti: 'one', ...bound(dms) } }), { status: 200 }, `round ${round}`);
    t.match(await ask(other, { caller: { jti: 'one', ...bound(dms) } }), REFUSED_TOKEN, `stolen, round ${round}`);
  }
  for (const [name, cnf] of Object.entries({
    'another kind': { jkt: dms.thumbprint },
    'two bindings': { 'x5t#S256': dms.thumbprint, jkt: dms.thumbprint },
    'half a thumbprint': { 'x5t#S256': dms.thumbprint.slice(0, 42) },
    padded: { 'x5t#S256': `${dms.thumbprint}=` },
    'a list': [{ 'x5t#S256': dms.thumbprint }],
    nothing: null,
  })) {
    t.match(await ask(dms, { caller: { cnf } }), REFUSED_TOKEN, name);
  }
  t.match(await ask(dms, { subject: bound(dms) }), REFUSED_TOKEN, 'of a person’s token the other end is not here');
});

t.test('certificates of clients are asked for over TLS only', async (t) => {
  const { problems } = readConfig({ TLS_CLIENT_CA_FILE: rig.app.config.TLS_CLIENT_CA_FILE });
  t.match(problems, [/TLS_CLIENT_CA_FILE .* needs TLS_CERT_FILE and TLS_KEY_FILE/]);
});

t.test('without TLS_CLIENT_CA_FILE a bound token is refused, whatever the connection shows', async (t) => {
  const { ask } = await start(t, false);
  t.match(await ask(dms, { caller: bound(dms) }), { status: 401, body: { code: 'token_refused' } });
  t.match(await ask(null), { status: 200 }, 'and a plain one is taken');
});

t.test('a session that is resumed proves what the first one did, and no more', async (t) => {
  const { app, port } = rig;
  const before = await app.count('decision');
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const [client, status] of [
      [dms, 401],
      [null, 403],
    ] as const) {
      const options: tls.ConnectionOptions = {
        port,
        host: '127.0.0.1',
        ca: servers.cert,
        maxVersion: version,
        ...(client === null ? {} : { cert: client.cert, key: client.key }),
      };
      const one = await talk(options);
      const two = await talk({ ...options, ...(one.session === undefined ? {} : { session: one.session }) });
      t.match(
        [one.status, two.status, two.isResumed],
        [status, status, true],
        `${version}, ${client === null ? 'without' : 'with'} certificate`,
      );
    }
  }
  t.equal(await app.count('decision'), before);
});

t.test('authorities are replaced while the service runs, and sessions of before do not outlive them', async (t) => {
  const { app, port, ask } = rig;
  const options = { port, host: '127.0.0.1', ca: servers.cert, cert: dms.cert, key: dms.key };
  const before = await talk(options);
  t.equal(before.status, 401);
  const next = await createAuthority('Callers of the firm, next year');
  await writeFile(app.config.TLS_CLIENT_CA_FILE ?? '', next.cert);
  await until('the old authority is out', async () => (await ask(dms)).status === 403);
  t.match(await ask(await next.issue('dms', { use: 'client' })), { status: 200 });
  t.match(await talk({ ...options, ...(before.session === undefined ? {} : { session: before.session }) }), {
    status: 403,
    isResumed: false,
  });
});

interface Talk {
  readonly status: number;
  readonly isResumed: boolean;
  readonly session: Buffer | undefined;
}

/** One request without a token over a connection of its own: 401 says that the certificate was taken. */
function talk(options: tls.ConnectionOptions): Promise<Talk> {
  return new Promise((resolve, reject) => {
    let session: Buffer | undefined;
    let isResumed = false;
    let text = '';
    const socket = tls.connect(options, () => {
      isResumed = socket.isSessionReused();
      socket.write('GET /v1/policy HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    });
    socket.on('session', (ticket: Buffer) => (session = ticket));
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.once('error', reject);
    socket.once('close', () => {
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), isResumed, session });
    });
  });
}
