// deploy/nginx as it stands, run by Debian's nginx before an application: what Privity allows reaches the application as it was judged,
// and nothing else does, whatever headers and paths a client thinks of. Of deploy/envoy, which cannot run here, what docs say of it.
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { startApp } from '../helpers/app.ts';
import { DOCUMENT, MATTER, SITE_FILES } from '../helpers/forward-site.ts';
import { findNginx, startNginx } from '../helpers/nginx.ts';

type Json = Readonly<Record<string, unknown>>;
type Headers = Readonly<Record<string, string>>;

const found = await findNginx(t);
const skip = 'lacks' in found && found.lacks;

t.test('Debian’s nginx with deploy/nginx/forward-auth.conf', { skip, timeout: 300_000 }, async (t) => {
  if ('lacks' in found) return;
  const rig = await startApp(t, { files: SITE_FILES });
  const privity = await rig.app.http.listen({ host: '127.0.0.1', port: 0 });

  const reached: { readonly method: string; readonly url: string; readonly headers: Json; readonly body: string }[] =
    [];
  const application = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.once('end', () => {
      const { method = '', url = '', headers } = request;
      reached.push({ method, url, headers, body });
      response.end('the application');
    });
  });
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    application.close();
    application.closeAllConnections();
  });
  const site = await startNginx(t, {
    binary: found.binary,
    privity: new URL(privity).host,
    application: `127.0.0.1:${(application.address() as AddressInfo).port}`,
    token: rig.callerToken('dms'),
  });

  const as = (person: string, claims: Json = {}): string => `Bearer ${rig.subjectToken(person, claims)}`;
  const okafor = as('u-okafor');
  const send = (path: string, headers: Headers, { method = 'GET', body = '' } = {}) =>
    new Promise<{ readonly status: number; readonly headers: http.IncomingHttpHeaders }>((resolve, reject) => {
      const { port, ca } = site;
      const request = https.request({ host: '127.0.0.1', servername: 'localhost', port, ca, path, method, headers });
      request.once('error', reject).once('response', (response) => {
        response.resume();
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
      });
      request.end(body === '' ? undefined : body);
    });
  const last = async (): Promise<Json> => {
    const { rows } = await rig.reader.query<{ bytes: Buffer }>(
      `select bytes from decisions where kind = 'decision' order by id desc limit 1`,
    );
    return JSON.parse(rows[0]?.bytes.toString('utf8') ?? '{}') as Json;
  };

  await t.test('what is allowed reaches the application, with the id of its record', async (t) => {
    t.equal((await send(`${MATTER}?tab=team`, { authorization: okafor })).status, 200);
    const [request] = reached.splice(0);
    const record = await last();
    t.match(request, {
      method: 'GET',
      url: `${MATTER}?tab=team`,
      headers: { 'x-privity-evaluation-id': record['id'] },
    });
    t.match(record, {
      outcome: 'allow',
      resource: { type: 'matter', id: 'M-1001' },
      context: { network_zone: 'office' },
    });
  });

  await t.test('a body goes to the application and not to Privity', async (t) => {
    const { status } = await send(DOCUMENT, { authorization: okafor }, { method: 'PUT', body: 'new text' });
    t.equal(status, 200);
    t.match(reached.splice(0), [{ method: 'PUT', url: DOCUMENT, body: 'new text' }]);
    t.match(await last(), { outcome: 'allow', action: 'edit' });
  });

  await t.test('denied, not signed in, not signed in well enough', async (t) => {
    t.equal((await send(DOCUMENT, { authorization: as('u-voss') })).status, 403);
    t.match(await last(), { outcome: 'deny', decided_by: ['lateral-hire-screen'] });
    const nobody = await send(DOCUMENT, {});
    t.match(nobody, { status: 401, headers: { 'www-authenticate': 'Bearer realm="privity"' } });
    const stale = as('u-okafor', { auth_time: Math.floor(Date.now() / 1000) - 7_200 });
    const again = await send(`${DOCUMENT}/file`, { authorization: stale });
    t.equal(again.status, 401);
    t.match(
      again.headers['www-authenticate'],
      /error="insufficient_user_authentication".*acr_values="mfa", max_age="1800"/,
    );
    t.strictSame(reached.splice(0), []);
  });

  await t.test('a client cannot say what is the proxy’s to say', async (t) => {
    const claimed = {
      'x-original-uri': MATTER,
      'x-original-method': 'GET',
      'x-forwarded-uri': MATTER,
      'x-privity-network-zone': 'internet',
      'x-privity-confidentiality': 'public',
      'privity-subject-token': rig.subjectToken('u-okafor'),
      'x-privity-evaluation-id': 'mine',
      'x-http-method-override': 'DELETE',
      'x-original-url': '/admin',
    };
    t.equal((await send(DOCUMENT, { ...claimed, authorization: as('u-voss') })).status, 403, 'somebody else’s token');
    t.equal((await send(DOCUMENT, claimed)).status, 401, 'somebody else’s token alone');
    t.strictSame(reached.splice(0), []);
    t.equal((await send(DOCUMENT, { ...claimed, authorization: okafor })).status, 200);
    const record = await last();
    t.match(record, { resource: { type: 'document', id: 'D-9001' }, context: { network_zone: 'office' } });
    const headers: Json = reached.splice(0)[0]?.headers ?? {};
    t.equal(headers['x-privity-evaluation-id'], record['id']);
    for (const name of ['x-http-method-override', 'x-original-url']) t.notOk(name in headers, name);
    t.equal((await send('/_privity', { authorization: okafor })).status, 404, 'the way to Privity is the proxy’s own');
    t.equal((await send(MATTER, { authorization: okafor }, { method: 'DELETE' })).status, 403);
    t.strictSame(reached, []);
  });

  await t.test('no trick with a path gets past', async (t) => {
    const tricks = [
      `/${MATTER}`,
      MATTER.replace('/matters', '//matters'),
      `/open/..${MATTER}`,
      `/./${MATTER}`,
      `${DOCUMENT}/../D-9002`,
      MATTER.replace('/matters', '%2fmatters'),
      MATTER.replace('matters', 'm%61tters'),
      MATTER.replace('matters', 'MATTERS'),
      `${MATTER}/..;/M-1002`,
      `${MATTER};x=1`,
      `${MATTER}.`,
      `${MATTER}%2e`,
      `${MATTER}%20`,
      `${MATTER}%00`,
      `${MATTER}/`,
      `${MATTER}\\`,
      `${MATTER}?action=delete`,
      `${MATTER}?tab=a;action=delete`,
      `https://127.0.0.1//${MATTER}`,
      '/_privity/../x',
      '/',
    ];
    for (const path of tricks) {
      const { status } = await send(path, { authorization: okafor });
      t.ok([400, 403, 404].includes(status), `${path} ${status}`);
    }
    t.strictSame(reached.splice(0), []);
  });

  await t.test('without Privity nobody gets through', async (t) => {
    await rig.app.stop();
    t.equal((await send(MATTER, { authorization: okafor })).status, 500);
    t.strictSame(reached, []);
    t.match(site.errors(), /auth request unexpected status: 502|connect\(\) failed/);
  });
});

t.test('Envoy: no answer is a deny, and the client’s headers stay with the client', async (t) => {
  const text = readFileSync(new URL('../../deploy/envoy/forward-auth.yaml', import.meta.url), 'utf8');
  const [manager = {}] = filtersIn(parse(text));
  t.match(manager, { normalize_path: true, path_with_escaped_slashes_action: 'REJECT_REQUEST' });
  const [mutation = {}, authz = {}] = (manager['http_filters'] as readonly { readonly typed_config: Json }[]).map(
    (one) => one.typed_config,
  );
  t.match(authz, {
    failure_mode_allow: false,
    http_service: {
      path_prefix: '/v1/forward-auth',
      authorization_request: { headers_to_add: [{ key: 'authorization' }, { key: 'x-privity-network-zone' }] },
    },
  });
  const { patterns } = authz['allowed_headers'] as { readonly patterns: readonly { readonly exact: string }[] };
  t.strictSame(
    patterns.map(({ exact }) => exact),
    ['privity-subject-token', 'x-request-id', 'traceparent'],
  );
  const mutations = JSON.stringify(mutation);
  for (const name of ['privity-subject-token', 'x-privity-network-zone', 'x-http-method-override', 'x-original-url'])
    t.match(mutations, `"remove":"${name}"`);
});

function filtersIn(file: unknown): readonly Json[] {
  const { static_resources: all } = file as {
    readonly static_resources: {
      readonly listeners: readonly {
        readonly filter_chains: readonly { readonly filters: readonly { readonly typed_config: Json }[] }[];
      }[];
    };
  };
  return all.listeners.flatMap((one) => one.filter_chains.flatMap((chain) => chain.filters.map((f) => f.typed_config)));
}
