// The packed client against a real Privity with a real database: answers, guards for Fastify and Express, and what is left of both when
// Privity is gone.
import { readdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import type { AddressInfo } from 'node:net';
import express from 'express';
import Fastify from 'fastify';
import t from 'tap';
import { document, OFFICE } from '../../helpers/app.ts';
import { packClient } from '../../helpers/client-package.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';
import { createFirm } from '../../helpers/service-firm.ts';
import { startService } from '../../helpers/service.ts';

t.setTimeout(300_000);

const packed = await packClient(t);
const { createClient, PrivityClientError } = packed.main;
const database = await createDatabase(t);
const firm = await createFirm(t);
const service = await startService(t, { urls: database.urls, firm });

const token = (): string => firm.callerToken('dms');
const errors: unknown[] = [];
const privity = createClient({ url: service.url, token, onError: (error) => void errors.push(error) });
const as = (person: string, claims: Readonly<Record<string, unknown>> = {}) => ({
  subjectToken: firm.subjectToken('dms', person, claims),
});
type Json = Readonly<Record<string, unknown>>;
const file = (id: string, properties: Json = {}) => ({
  type: 'document',
  id,
  properties: document(id, properties)['properties'] as Json,
});
const read = { action: 'read', resource: file('D-1'), context: OFFICE };
const STALE = { auth_time: Math.floor(Date.now() / 1000) - 7_200 };

t.test('the package holds what it says and nothing else', async (t) => {
  const manifest = JSON.parse(readFileSync(path.join(packed.folder, 'package.json'), 'utf8')) as {
    readonly dependencies?: object;
    readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>;
    readonly scripts: Readonly<Record<string, string>>;
  };
  t.equal(manifest.dependencies, undefined, 'no dependency');
  t.match(
    manifest.scripts,
    { build: 'tsc -p .', prepack: 'npm run build' },
    'what is published is built from the sources',
  );
  const files = readdirSync(packed.folder, { recursive: true }).map(String);
  for (const target of Object.values(manifest.exports).flatMap((one) => Object.values(one)))
    t.ok(files.includes(path.normalize(target)), `${target} is there`);
  t.notOk(files.some((name) => name.startsWith('src')));
  for (const name of files.filter((one) => one.endsWith('.js'))) {
    const text = readFileSync(path.join(packed.folder, name), 'utf8');
    t.notMatch(text, /from '(?!\.\/|node:)/, `${name} imports nothing of others`);
  }
});

const PROGRAM = `
import express from 'express';
import Fastify from 'fastify';
import { createClient, sqlWhere, type RowFilter } from '@privity/client';
import { privityGuard as expressGuard } from '@privity/client/express';
import { privityGuard } from '@privity/client/fastify';

const privity = createClient({ url: 'https://privity.firm.example', token: async ({ refused }) => String(refused) });
const app = Fastify();
await app.register(privityGuard, { client: privity });
const resource = (request: { readonly url: string }) => ({ type: 'document', id: request.url });
app.get('/:id', { config: { privity: { action: 'read', resource } } }, (request) => request.permitted?.decision);
const guard = expressGuard<express.Request>({ client: privity, denied: 404 });
express().get('/:id', guard({ action: 'read', resource: ({ params }) => ({ type: 'x', id: String(params['id']) }) }));
const columns = { id: 'd.id' };
const list = { action: 'list', resource: { type: 'document' }, target: 'postgresql', columns } as const;
const filter: RowFilter = await privity.rowFilter(list);
console.log(sqlWhere(filter).params.length);
`;

t.test('its declarations are enough for a program of somebody else', async (t) => {
  await packed.compile(PROGRAM);
  const wrong = PROGRAM.replace("action: 'read', resource }", 'resource }');
  await t.rejects(packed.compile(wrong), /action/, 'a route without an action');
});

t.test('questions and answers', async (t) => {
  const okafor = as('u-okafor');
  t.match(await privity.authorize(read, okafor), { decision: true, context: { obligations: [] } });
  t.equal(await privity.permits(read, okafor), true);
  t.equal(await privity.permits(read, as('u-nobody')), false, 'a deny is no error');
  const asked = [read, { ...read, action: 'shred' }, { ...read, resource: file('D-2') }];
  t.strictSame(await privity.permitsEach(asked, okafor), [true, false, true]);
  t.strictSame(errors, []);
  const person = createClient({ url: service.url });
  const own = { subjectToken: firm.personToken('dms', 'u-okafor') };
  t.equal(await person.permits(read, own), true, 'with the person’s token as the bearer');
  const { fields } = await privity.fields({ ...read, resource: { type: 'client', id: 'C-100' } }, okafor);
  t.ok(Array.isArray(fields));
  const { rules } = await privity.abilities(OFFICE, okafor);
  t.ok(rules.length > 0);
});

t.test('filters and approvals', async (t) => {
  const { matter_id: _, ...same } = read.resource.properties;
  const list = { action: 'list', resource: { type: 'document', properties: same }, context: OFFICE } as const;
  const columns = { id: 'd.id', matter_id: 'd.matter_id' };
  const filter = await privity.rowFilter({ ...list, target: 'postgresql', columns }, as('u-okafor'));
  t.match(filter, { kind: 'conditional', expiresAt: Date });
  const { text, params } = packed.main.sqlWhere(filter);
  t.match(text, /"d"\."matter_id"/);
  t.match(JSON.stringify(params), /M-1001/);
  const nobody = await privity.rowFilter({ ...list, target: 'postgresql', columns }, as('u-nobody'));
  t.strictSame(packed.main.sqlWhere(nobody), { text: 'false', params: [] });
  t.strictSame(errors, []);

  const approval = {
    requester: 'u-rowe',
    action: 'dispose',
    resource: file('D-9'),
    context: OFFICE,
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
  };
  t.match(await privity.approve(approval, as('u-okafor')), { approval_id: /^[0-9a-f-]{36}$/ });
});

t.test('ids and traces are those of the caller, in the record too', async (t) => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const { context } = await privity.authorize(read, { ...as('u-okafor'), requestId: 'from-the-dms', traceparent });
  const reader = await connect(t, database.superuserUrl);
  const { rows } = await reader.query<{ bytes: Buffer }>('select bytes from decisions where id = $1', [
    context.evaluation_id,
  ]);
  t.match(JSON.parse(rows[0]?.bytes.toString('utf8') ?? ''), {
    request_id: 'from-the-dms',
    trace_id: '0af7651916cd43dd8448eb211c80319c',
  });
  const ignored = await privity.authorize(read, {
    ...as('u-okafor'),
    requestId: 'a b\r\nx: y',
    traceparent: 'nonsense',
  });
  t.equal(ignored.decision, true);
});

t.test('errors are typed', async (t) => {
  const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => null,
      (error: unknown) => (error instanceof PrivityClientError ? [error.status, error.code, error.pointer] : error),
    );
  const broken = { ...read, resource: { type: 'document', id: '' } };
  t.strictSame(await codeOf(privity.authorize(broken, as('u-okafor'))), [400, 'malformed_request', '/resource/id']);
  t.strictSame(await codeOf(privity.authorize(read, { subjectToken: 'not.a.token' })), [
    401,
    'token_refused',
    '/subject_token',
  ]);
  const stranger = createClient({ url: service.url, token: () => 'not.a.token' });
  t.strictSame(await codeOf(stranger.authorize(read, as('u-okafor'))), [401, 'token_refused', undefined]);
  const time = createClient({ url: service.url, token: () => firm.callerToken('time') });
  const list = { action: 'list', resource: { type: 'document' }, target: 'ucast' } as const;
  t.strictSame(await codeOf(time.filter(list, { subjectToken: firm.subjectToken('time', 'u-okafor') })), [
    403,
    'caller_not_allowed',
    undefined,
  ]);
});

/** Documents as the guarded services know them. */
const FILES: Readonly<Record<string, ReturnType<typeof file>>> = {
  'D-1': file('D-1'),
  'D-privileged': file('D-privileged', { privileged: true }),
  'D-long': file('D'.repeat(300)),
};
const handled: string[] = [];
const refusals: number[] = [];
const onRefused = ({ status }: { readonly status: number }): void => void refusals.push(status);

async function startFastify(): Promise<string> {
  const { privityGuard } = await packed.fastify();
  const app = Fastify();
  t.teardown(() => app.close());
  await app.register(privityGuard, { client: privity, context: () => OFFICE, onRefused });
  for (const [path, action, denied] of [
    ['/read/:id', 'read', 403],
    ['/hidden/:id', 'read', 404],
    ['/download/:id', 'download', 403],
  ] as const) {
    const resource = (request: { readonly params: unknown }) =>
      FILES[String(Reflect.get(Object(request.params), 'id'))];
    app.get(path, { config: { privity: { action, resource, denied } } }, (request) => {
      handled.push(request.url);
      return { evaluation: request.permitted?.context.evaluation_id };
    });
  }
  app.get('/open', { config: { privity: 'open' } }, () => ({ open: true }));
  await app.listen({ port: 0, host: '127.0.0.1' });
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

async function startExpress(): Promise<string> {
  const { privityGuard, permittedBy } = await packed.express();
  const app = express();
  const guard = privityGuard<express.Request>({ client: privity, context: () => OFFICE, onRefused });
  for (const [path, action, denied] of [
    ['/read/:id', 'read', 403],
    ['/hidden/:id', 'read', 404],
    ['/download/:id', 'download', 403],
  ] as const) {
    const resource = (request: express.Request) => FILES[String(request.params['id'])];
    app.get(path, guard({ action, resource, denied }), (request, response) => {
      handled.push(request.url);
      response.json({ evaluation: permittedBy(request)?.context.evaluation_id });
    });
  }
  app.get('/open', (_request, response) => void response.json({ open: true }));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const servers = { fastify: await startFastify(), express: await startExpress() };

async function get(url: string, subjectToken?: string, method = 'GET') {
  const headers: Record<string, string> = { 'x-request-id': 'r-1', connection: 'close' };
  if (subjectToken !== undefined) headers['authorization'] = `Bearer ${subjectToken}`;
  const response = await fetch(url, { method, headers });
  const { status } = response;
  return { status, headers: Object.fromEntries(response.headers), text: await response.text() };
}

for (const [name, url] of Object.entries(servers)) {
  t.test(`a guarded route of ${name}`, async (t) => {
    handled.length = 0;
    refusals.length = 0;
    const okafor = as('u-okafor').subjectToken;
    const nobody = as('u-nobody').subjectToken;
    const permitted = await get(`${url}/read/D-1`, okafor);
    t.equal(permitted.status, 200);
    t.match(JSON.parse(permitted.text), { evaluation: /^[0-9a-f-]{36}$/ });
    t.equal((await get(`${url}/read/D-1`, okafor, 'HEAD')).status, 200);
    t.strictSame(handled.splice(0), ['/read/D-1', '/read/D-1']);

    const denied = await get(`${url}/read/D-1`, nobody);
    t.equal(denied.status, 403);
    t.strictSame(
      JSON.parse(denied.text),
      { type: 'about:blank', title: 'Forbidden', status: 403 },
      'nothing about why',
    );
    t.match(denied.headers, { 'content-type': /^application\/problem\+json/, 'cache-control': 'no-store' });
    t.equal((await get(`${url}/hidden/D-1`, nobody)).status, 404);
    t.equal((await get(`${url}/read/D-1`, nobody, 'HEAD')).status, 403);
    const gone = await get(`${url}/hidden/D-unknown`, okafor);
    t.match(gone, { status: 404, text: (await get(`${url}/hidden/D-1`, nobody)).text }, 'alike');
    t.equal((await get(`${url}/read/D-long`, okafor)).status, 403, 'an id that no question may have');

    const stepUp = await get(`${url}/download/D-privileged`, as('u-okafor', STALE).subjectToken);
    t.equal(stepUp.status, 401);
    const challenge = stepUp.headers['www-authenticate'] ?? '';
    t.match(
      challenge,
      /^Bearer error="insufficient_user_authentication", error_description="[^"]+", acr_values="mfa", max_age="1800"$/,
    );
    t.equal((await get(`${url}/download/D-privileged`, okafor)).status, 200, 'having stepped up');
    t.equal((await get(`${url}/download/D-privileged`, as('u-nobody', STALE).subjectToken)).status, 403, 'not curable');
    t.strictSame(handled.splice(0), ['/download/D-privileged']);

    t.match(await get(`${url}/read/D-1`), { status: 401, headers: { 'www-authenticate': 'Bearer' } });
    t.match(await get(`${url}/read/D-1`, 'no.such.token'), {
      status: 401,
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    });
    t.equal((await get(`${url}/open`)).status, 200);
    t.strictSame(handled, []);
    t.strictSame(new Set(refusals), new Set([401, 403, 404]));
  });
}

t.test('a route that says nothing stops the start', async (t) => {
  const { privityGuard } = await packed.fastify();
  const app = Fastify();
  await app.register(privityGuard, { client: privity });
  t.throws(() => app.get('/forgotten', () => 'open to all'), /GET \/forgotten does not say who may use it/);
  const lenient = Fastify();
  await lenient.register(privityGuard, { client: privity, everyRoute: false });
  lenient.get('/open', () => 'open to all');
  t.match(await lenient.inject('/open'), { statusCode: 200 });
});

t.test('a resource that cannot be loaded is an error, not a permission', async (t) => {
  const { privityGuard } = await packed.fastify();
  const app = Fastify();
  await app.register(privityGuard, { client: privity });
  const resource = () => Promise.reject(new Error('the store is away'));
  app.get('/', { config: { privity: { action: 'read', resource } } }, () => 'secret');
  const { statusCode, payload } = await app.inject({ url: '/', headers: { authorization: 'Bearer a.b.c' } });
  t.equal(statusCode, 500);
  t.notMatch(payload, /secret/);
});

t.test('a service that lost its own token is not the person’s fault', async (t) => {
  const { privityGuard } = await packed.fastify();
  const app = Fastify();
  const lost = createClient({ url: service.url, token: () => 'not.a.token' });
  await app.register(privityGuard, { client: lost, context: () => OFFICE });
  app.get('/', { config: { privity: { action: 'read', resource: () => file('D-1') } } }, () => 'secret');
  const authorization = `Bearer ${as('u-okafor').subjectToken}`;
  t.match(await app.inject({ url: '/', headers: { authorization } }), { statusCode: 503 });
});

t.test('with Privity stopped, slow, killed: 503, and never the handler', async (t) => {
  handled.length = 0;
  errors.length = 0;
  const okafor = as('u-okafor').subjectToken;
  service.signal('SIGSTOP');
  const hasty = createClient({ url: service.url, token, timeoutMs: 200 });
  t.equal(await hasty.permits(read, { subjectToken: okafor }), false, 'too slow');
  const waiting = Object.values(servers).map((url) => get(`${url}/read/D-1`, okafor));
  await service.kill();
  for (const answer of await Promise.all(waiting)) t.equal(answer.status, 503, 'killed while it was asked');
  for (const url of Object.values(servers)) {
    const away = await get(`${url}/read/D-1`, okafor);
    t.equal(away.status, 503);
    t.match(away.headers, { 'retry-after': /^\d+$/ });
    t.strictSame(JSON.parse(away.text), { type: 'about:blank', title: 'Service Unavailable', status: 503 });
    t.equal((await get(`${url}/open`)).status, 200, 'what is open to all stays so');
  }
  t.strictSame(handled, []);
  t.ok(errors.length > 0 && errors.every((error) => error instanceof PrivityClientError));
});
