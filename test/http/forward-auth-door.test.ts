// What proxies ask over HTTP, with the routes of docs/forward-auth.md: whom is believed, what fits no route, and which status says what.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { replay } from '../../src/core/replay.ts';
import { STARTER, startApp, type TestApp } from '../helpers/app.ts';
import { DOCUMENT, MATTER, SITE_FILES } from '../helpers/forward-site.ts';
import { connect } from '../helpers/postgres.ts';

type Json = Readonly<Record<string, unknown>>;
type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Everybody may do everything that no deny speaks of, and print with a duty. */
const GENEROUS = `version: 1
rules:
  - { id: anything, title: Anything, owner: somebody, review_by: 2030-01-01, effect: allow, roles: [paralegal], actions: any, resources: any }
  - { id: prints, title: Prints, owner: somebody, review_by: 2030-01-01, effect: allow, roles: [lawyer], actions: [print], resources: [matter], obligations: ['log:disposal_certificate'] }
`;
const PRINT = {
  path: '/print/{client_id}/{id}',
  resource: 'matter',
  actions: { GET: 'print', POST: 'read', PROPFIND: 'read' },
};
const CONTEXT = { network_zone: { value: 'office' } };
const more = [
  { caller: 'search', request_in: 'forwarded_headers', context: CONTEXT, paths: [PRINT] },
  { caller: 'portal', request_in: 'path', context: CONTEXT, paths: [PRINT] },
  {
    caller: 'ebilling-sync',
    request_in: 'original_headers',
    paths: [{ path: '/{client_id}/{id}', resource: 'matter', actions: { GET: 'read' } }],
  },
];
const routes = `${SITE_FILES['routes.yaml'] ?? ''}\n${more.map((one) => `  - ${JSON.stringify(one)}`).join('\n')}\n`;

const rig = await startApp(t, { files: { ...SITE_FILES, 'routes.yaml': routes, 'rules/more.yaml': GENEROUS } });

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Json;
}

/** Over a connection, for what is given twice has to arrive twice. */
async function get(to: TestApp, path: string, headers: Headers, method = 'GET', body?: string): Promise<Answer> {
  const { server } = to.app.http;
  if (!server.listening) await to.app.http.listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: '127.0.0.1',
      port,
      path,
      method,
      headers: headers as http.OutgoingHttpHeaders,
    });
    request.once('error', reject).once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: text === '' ? {} : (JSON.parse(text) as Json) });
      });
    });
    request.end(body);
  });
}

const DOOR = '/v1/forward-auth';
const bearer = (token: string): string => `Bearer ${token}`;

/** As the nginx of docs/forward-auth.md asks. */
function headersFor(uri: string, person: string | null, changes: Headers = {}, claims: Json = {}): Headers {
  return {
    authorization: bearer(rig.callerToken('dms')),
    ...(person === null ? {} : { 'privity-subject-token': bearer(rig.subjectToken(person, claims)) }),
    'x-original-method': 'GET',
    'x-original-uri': uri,
    'x-privity-network-zone': 'office',
    ...changes,
  };
}

const ask = (uri: string, person: string | null = 'u-okafor', changes: Headers = {}, claims: Json = {}) =>
  get(rig, DOOR, headersFor(uri, person, changes, claims));

const idOf = ({ body }: Answer): string => String((body['context'] as Json | undefined)?.['evaluation_id']);

t.test('an allow, and its record', async (t) => {
  const answer = await ask(`${DOCUMENT}`);
  t.match(answer, { status: 200, body: { decision: true, context: { reason_user: 'Access is permitted.' } } });
  t.strictSame(Object.keys(answer.body['context'] as Json), ['evaluation_id', 'evaluated_at', 'reason_user']);
  t.equal(answer.headers['privity-evaluation-id'], idOf(answer));
  t.equal(answer.headers['cache-control'], 'no-store');
  const record = await rig.record(idOf(answer));
  t.match(record, {
    outcome: 'allow',
    action: 'read',
    resource: { type: 'document', id: 'D-9001', properties: { matter_id: 'M-1001', client_id: 'C-100' } },
    subject: { id: 'u-okafor', evidence: 'token' },
    caller: { id: 'dms', own: true },
    context: { network_zone: 'office' },
    matter: 'M-1001',
  });
  t.match(replay(rig.app.policies.current(), record), { result: 'same' });
  t.match(await ask(`${MATTER}?tab=team`), { status: 200 });
});

t.test('denied: a wall, another matter than the path says, a fact that nobody sent', async (t) => {
  const walled = await ask(DOCUMENT, 'u-voss');
  const unknown = await ask('/clients/C-100/matters/M-9999/documents/D-1', 'u-voss');
  for (const answer of [walled, unknown]) {
    t.match(answer, { status: 403, body: { decision: false } });
    t.notOk('www-authenticate' in answer.headers);
  }
  const text = ({ body }: Answer): unknown => (body['context'] as Json)['reason_user'];
  t.equal(text(walled), text(unknown));
  t.match(await rig.record(idOf(walled)), { decided_by: ['lateral-hire-screen'] });

  // On file D-9001 belongs to M-1001, whatever the path says.
  const elsewhere = await ask('/clients/C-400/matters/M-3001/documents/D-9001', 'u-voss');
  t.match(elsewhere, { status: 403 });
  t.match(await rig.record(idOf(elsewhere)), { matter: 'M-1001', walls: ['W-EX-1'] });

  const nowhere = await ask(DOCUMENT, 'u-okafor', { 'x-privity-network-zone': '' });
  t.match(nowhere, { status: 403 });
  t.match(await rig.record(idOf(nowhere)), { missing: ['context.network_zone'] });
});

t.test('step-up is a challenge of RFC 9470, where it would help and nowhere else', async (t) => {
  const stale = { auth_time: Math.floor(Date.now() / 1000) - 7_200 };
  const answer = await ask(`${DOCUMENT}/file`, 'u-okafor', {}, stale);
  t.match(answer, { status: 401, body: { decision: false, context: { evaluation_id: idOf(answer) } } });
  t.equal(
    answer.headers['www-authenticate'],
    'Bearer realm="privity", error="insufficient_user_authentication", ' +
      'error_description="Confirm your identity again", acr_values="mfa", max_age="1800"',
  );
  t.equal(answer.headers['privity-evaluation-id'], idOf(answer));
  t.match(await rig.record(idOf(answer)), { outcome: 'deny', decided_by: ['step-up-for-privileged-copies'] });
  t.match(await ask(`${DOCUMENT}/file`), { status: 200 });
  const walled = await ask(`${DOCUMENT}/file`, 'u-voss', {}, stale);
  t.equal(walled.status, 403);
  t.notOk('www-authenticate' in walled.headers);
});

t.test('what fits no route is denied whatever the rules say, and recorded', async (t) => {
  t.match(await ask(`${MATTER}`, 'u-park'), { status: 200 }, 'a rule allows this person everything');
  const requests: readonly (readonly [string, string])[] = [
    ['GET', '/'],
    ['POST', DOCUMENT],
    ['get', DOCUMENT],
    ['GET', `${MATTER}?action=delete`],
    ['GET', `${MATTER}/`],
    ['GET', `/${MATTER}`],
    ['GET', MATTER.replace('matters', 'Matters')],
    ['GET', MATTER.replace('M-1001', 'm-1001')],
    ['GET', MATTER.replace('M-1001', 'M-1001%2f..')],
    ['GET', MATTER.replace('M-1001', '..;/M-1001')],
    ['GET', `${MATTER}.`],
  ];
  for (const [method, uri] of requests) {
    const answer = await ask(uri, 'u-park', { 'x-original-method': method });
    t.match(answer, { status: 403, body: { decision: false } }, `${method} ${uri}`);
    const record = await rig.record(idOf(answer));
    t.match(record, {
      action: method,
      resource: { type: 'path', id: uri.split('?', 1)[0] ?? '' },
      decided_by: ['no-route'],
      terms: { stranger: false, supports: [], unrouted: true },
    });
    t.notMatch(JSON.stringify(record), /action=delete/, 'the query is not kept');
    t.match(replay(rig.app.policies.current(), record), { result: 'same' });
  }
});

t.test('an allow with a duty that no proxy fulfils is a deny', async (t) => {
  const headers = {
    authorization: bearer(rig.callerToken('search')),
    'privity-subject-token': rig.subjectToken('u-okafor', { aud: 'search', azp: 'search-web' }),
    'x-forwarded-method': 'GET',
    'x-forwarded-uri': '/print/C-100/M-1001',
  };
  const answer = await get(rig, DOOR, headers);
  t.equal(answer.status, 403);
  t.match(await rig.record(idOf(answer)), { decided_by: ['obligation-unsupported'] });
  t.match(await get(rig, DOOR, { ...headers, 'x-forwarded-method': 'POST' }), { status: 200 });
});

t.test('401 speaks of the person alone', async (t) => {
  const nobody = await ask(DOCUMENT, null);
  t.match(nobody, { status: 401, body: { code: 'token_refused' } });
  t.equal(nobody.headers['www-authenticate'], 'Bearer realm="privity"');
  const expired = await ask(DOCUMENT, 'u-okafor', {}, { exp: 1_000_000 });
  t.match(expired, { status: 401, body: { code: 'token_refused' } });
  t.match(expired.headers['www-authenticate'], /error="invalid_token", error_description="expired"/);
  t.match(await ask(DOCUMENT, 'u-okafor', {}, { aud: 'portal' }), { status: 401 }, 'a token for another system');

  const proxyExpired = { authorization: bearer(rig.callerToken('dms', { exp: 1_000_000 })) };
  const refused = await ask(DOCUMENT, 'u-okafor', proxyExpired);
  t.match(refused, { status: 403, body: { code: 'caller_not_allowed', detail: 'the proxy’s own token was refused' } });
  t.notOk('www-authenticate' in refused.headers, 'signing in again would not help');
  t.match(await ask(DOCUMENT, null, proxyExpired), { status: 401 });
});

t.test('who may ask', async (t) => {
  const { authorization: _proxy, ...rest } = headersFor(DOCUMENT, null);
  const person = { ...rest, authorization: bearer(rig.personToken('u-okafor')) };
  t.match(await get(rig, DOOR, person), { status: 200 }, 'a person’s token that is meant for Privity');
  const two = { ...person, 'privity-subject-token': rig.subjectToken('u-okafor') };
  t.match(await get(rig, DOOR, two), { status: 403 }, 'two people');
  const service = {
    authorization: bearer(rig.callerToken('ebilling-sync', { user_type: 'service', roles: ['service'] })),
    'x-original-method': 'GET',
    'x-original-uri': '/C-100/M-1001',
  };
  t.match(await get(rig, DOOR, service), { status: 403, body: { decision: false } }, 'a service account about itself');
  const unrouted = await ask(DOCUMENT, null, { authorization: bearer(rig.callerToken('ediscovery')) });
  t.match(unrouted, { status: 403, body: { detail: 'routes.yaml says nothing about this caller' } });
});

t.test('a proxy that is not set up as routes.yaml says gets no answer', async (t) => {
  const without = (name: string): Headers =>
    Object.fromEntries(Object.entries(headersFor(DOCUMENT, 'u-okafor')).filter(([one]) => one !== name));
  const wrong: readonly (readonly [string, Headers])[] = [
    ['no URI', without('x-original-uri')],
    ['no method', without('x-original-method')],
    ['two URIs', headersFor(DOCUMENT, 'u-okafor', { 'x-original-uri': [DOCUMENT, MATTER] })],
    ['two methods', headersFor(DOCUMENT, 'u-okafor', { 'x-original-method': ['GET', 'GET'] })],
    ['no method at all', headersFor(DOCUMENT, 'u-okafor', { 'x-original-method': 'GET /' })],
    ['two facts', headersFor(DOCUMENT, 'u-okafor', { 'x-privity-network-zone': ['office', 'internet'] })],
    ['two people', { ...headersFor(DOCUMENT, null), 'privity-subject-token': [rig.subjectToken('u-okafor'), 'x'] }],
    ['a header of the client’s', headersFor(DOCUMENT, 'u-okafor', { 'x-privity-confidentiality': 'public' })],
    ['no UTF-8', headersFor(DOCUMENT, 'u-okafor', { 'x-privity-network-zone': 'caf\u00e9' })],
  ];
  for (const [name, headers] of wrong)
    t.match(await get(rig, DOOR, headers), { status: 400, body: { code: 'malformed_request' } }, name);
  t.match(await get(rig, `${DOOR}${DOCUMENT}`, headersFor(DOCUMENT, 'u-okafor')), { status: 400 }, 'in the path');
  const body = headersFor(DOCUMENT, 'u-okafor', { 'content-type': 'application/json', 'content-length': '2' });
  t.match(await get(rig, DOOR, body, 'GET', '{}'), { status: 400 }, 'a body');
  t.match(await get(rig, DOOR, headersFor(DOCUMENT, 'u-okafor'), 'POST'), { status: 405 });
});

t.test('Envoy’s way: the path behind that of the door, with the method of the request', async (t) => {
  const headers = {
    authorization: bearer(rig.callerToken('portal')),
    'privity-subject-token': rig.subjectToken('u-okafor', { aud: 'portal', azp: 'portal-web' }),
    'content-length': '0',
  };
  const envoy = (method: string, uri: string, changes: Headers = {}) =>
    get(rig, DOOR + uri, { ...headers, ...changes }, method);
  t.match(await envoy('POST', '/print/C-100/M-1001', { 'content-type': 'application/json' }), { status: 200 });
  t.match(await envoy('PROPFIND', '/print/C-100/M-1001'), { status: 200 });
  const head = await envoy('HEAD', '/print/C-100/M-1001');
  t.equal(head.status, 403);
  t.match(await rig.record(String(head.headers['privity-evaluation-id'])), {
    action: 'HEAD',
    decided_by: ['no-route'],
  });
  t.match(
    await envoy('POST', '/print/C-100/M-1001', { 'x-original-uri': '/print/C-1/M-1' }),
    { status: 200 },
    'not read',
  );
  for (const uri of ['', '?x=/print/C-100/M-1001']) t.match(await envoy('GET', uri), { status: 400 }, uri);
  for (const uri of ['//print/C-100/M-1001', '/print/C-100/x/../M-1001', '/print/C-100/M-1001%2e', '/print/C-100/%zz'])
    t.ok([400, 403].includes((await envoy('POST', uri)).status), uri);
});

t.test('no answer without a record', async (t) => {
  const impatient = await startApp(t, { files: SITE_FILES, extras: { recorder: { limits: { deadlineMs: 300 } } } });
  const blocker = await connect(t, impatient.urls.owner);
  await blocker.query('begin; lock table public.decisions in access exclusive mode');
  const headers = {
    ...headersFor(DOCUMENT, null),
    authorization: bearer(impatient.callerToken('dms')),
    'privity-subject-token': impatient.subjectToken('u-okafor'),
  };
  const answer = await get(impatient, DOOR, headers);
  t.match(answer, { status: 503, body: { code: 'cannot_record' } });
  t.notOk('privity-evaluation-id' in answer.headers);
  await blocker.query('rollback');
});

t.test('the starter pack has no routes: nobody can ask so until an officer says what paths mean', async (t) => {
  t.notOk(readFileSync(`${STARTER}/callers.yaml`, 'utf8').includes('routes'));
  const plain = await startApp(t);
  const headers = { ...headersFor(DOCUMENT, null), authorization: bearer(plain.callerToken('dms')) };
  t.match(await get(plain, DOOR, headers), { status: 403, body: { code: 'caller_not_allowed' } });
});
