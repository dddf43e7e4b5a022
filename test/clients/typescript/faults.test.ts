// The client in front of something that is no Privity, or a Privity that fails: whatever comes back, or does not, is never a permission,
// is asked again only where nothing was judged, and lets no token out.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import t from 'tap';
import { packClient } from '../../helpers/client-package.ts';

const { main } = await packClient(t);
const { createClient, PrivityClientError, sqlWhere } = main;

const CALLER = 'caller-token.of-the.service';
const PERSON = 'person-token.of-the.person';
const QUESTION = { action: 'read', resource: { type: 'document', id: 'D-1' } };
const ID = '0195f4c2-19aa-7d10-8b3c-6e0f1a2b3c4d';
const ALLOW = {
  decision: true,
  context: {
    evaluation_id: ID,
    evaluated_at: '2026-03-10T14:00:00.123Z',
    policy: { revision: 'sha256:0', commit: null },
    reason_user: '',
    missing: [],
    advice: [],
    obligations: [],
  },
};

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers each request by the next of these, the last one for ever. */
async function serve(...answers: readonly Answer[]) {
  let asked = 0;
  const server = createServer((request, response) => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    request.resume();
    request.once('end', () => answer?.(request, response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked: () => asked };
}

const json =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const problem = (status: number, code: string, more: Readonly<Record<string, unknown>> = {}): Answer =>
  json(
    status,
    { type: `urn:privity:error:${code}`, title: 'A title', status, code, request_id: 'r-1', ...more },
    { 'content-type': 'application/problem+json' },
  );

const client = (url: string, more: Partial<Parameters<typeof createClient>[0]> = {}) =>
  createClient({ url, token: () => CALLER, ...more });

async function errorOf(promise: Promise<unknown>) {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof PrivityClientError)) throw new Error(`not refused: ${inspect(error)}`);
  return error;
}

const WITHOUT: Readonly<Record<string, unknown>> = { ...ALLOW.context, obligations: undefined };
const NO_ANSWERS: Readonly<Record<string, Answer>> = {
  'a page of HTML': (_request, response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end(JSON.stringify(ALLOW)),
  'half an answer': (_request, response) =>
    void response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(ALLOW).slice(0, JSON.stringify(ALLOW).length / 2)),
  'an answer that is text': json(200, 'true'),
  'a decision that is text': json(200, { ...ALLOW, decision: 'true' }),
  'a decision that is 1': json(200, { ...ALLOW, decision: 1 }),
  'no context': json(200, { decision: true }),
  'no obligations': json(200, { decision: true, context: WITHOUT }),
  'an obligation without an id': json(200, {
    decision: true,
    context: { ...ALLOW.context, obligations: [{ type: 'log', fulfilled_by: 'caller', properties: {} }] },
  }),
  'another status with a decision': json(202, ALLOW),
  'an error with a decision': json(500, ALLOW),
  'a list': json(200, [ALLOW]),
  nothing: (_request, response) => void response.writeHead(204).end(),
  'bytes that are no text': (_request, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.from([0x22, 0xff, 0xfe, 0x22])),
};

for (const [name, answer] of Object.entries(NO_ANSWERS)) {
  t.test(`${name} is no answer`, async (t) => {
    const { url, asked } = await serve(answer);
    t.match(await errorOf(client(url).authorize(QUESTION, { subjectToken: PERSON })), { code: 'bad_answer' });
    t.equal(await client(url).permits(QUESTION, { subjectToken: PERSON }), false);
    t.equal(asked(), 2, 'each was asked once');
  });
}

t.test('a right answer is a permission, so that the cases above can fail', async (t) => {
  const { url } = await serve(json(200, ALLOW));
  t.equal(await client(url).permits(QUESTION, { subjectToken: PERSON }), true);
});

t.test('connections that end or never begin', async (t) => {
  const broken = await serve((request) => void request.socket.destroy());
  t.match(await errorOf(client(broken.url).authorize(QUESTION)), { code: 'interrupted' });
  t.equal(broken.asked(), 1, 'may have been judged: not asked again');

  const torn = await serve((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"decision":true', () => void request.socket.destroy());
  });
  t.match(await errorOf(client(torn.url).authorize(QUESTION)), { code: 'interrupted' });

  const silent = await serve(() => undefined);
  t.match(await errorOf(client(silent.url, { timeoutMs: 50 }).authorize(QUESTION)), { code: 'timeout' });
  const controller = new AbortController();
  const asked = errorOf(client(silent.url).authorize(QUESTION, { signal: controller.signal }));
  controller.abort();
  t.match(await asked, { code: 'aborted' });
  t.match(await errorOf(client(silent.url).authorize(QUESTION, { signal: AbortSignal.abort() })), { code: 'aborted' });

  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, 'close');
  const nobody = client(`http://127.0.0.1:${port}`);
  t.match(await errorOf(nobody.authorize(QUESTION)), { code: 'unreachable', system: 'ECONNREFUSED' });
  t.equal(await nobody.permits(QUESTION), false);
  t.strictSame(await nobody.permitsEach([QUESTION, QUESTION]), [false, false]);
  t.strictSame(await nobody.visibleFields(QUESTION), []);
  t.strictSame(await nobody.rowFilter({ action: 'list', resource: { type: 'document' }, target: 'ucast' }), {
    kind: 'always_denied',
  });
});

t.test('asked again only where nothing was judged, or nothing was kept', async (t) => {
  const again = async (first: Answer, question: Parameters<ReturnType<typeof client>['permits']>[0] = QUESTION) => {
    const { url, asked } = await serve(first, json(200, ALLOW));
    return { permitted: await client(url).permits(question, { subjectToken: PERSON }), asked: asked() };
  };
  for (const [status, code] of [
    [503, 'overloaded'],
    [503, 'no_policies'],
    [429, 'rate_limited'],
    [503, 'cannot_record'],
    [503, 'shutting_down'],
  ] as const) {
    t.strictSame(await again(problem(status, code)), { permitted: true, asked: 2 }, code);
  }
  const never: Readonly<Record<string, Answer>> = {
    internal_error: problem(500, 'internal_error'),
    malformed_request: problem(400, 'malformed_request'),
    caller_not_allowed: problem(403, 'caller_not_allowed'),
    'a 503 of something in between': (_request, response) =>
      void response.writeHead(503, { 'content-type': 'text/html', 'retry-after': '0' }).end('<h1>Busy</h1>'),
    'a 503 that is a problem of somebody else': json(
      503,
      { title: 'overloaded' },
      { 'content-type': 'application/problem+json' },
    ),
    'a 504': (_request, response) => void response.writeHead(504).end(),
  };
  for (const [name, answer] of Object.entries(never)) {
    t.strictSame(await again(answer), { permitted: false, asked: 1 }, name);
  }
  const spent = { ...QUESTION, context: { approval_ids: [ID] } };
  t.strictSame(
    await again(problem(503, 'cannot_record'), spent),
    { permitted: false, asked: 1 },
    'the approval is spent',
  );
  t.strictSame(await again(problem(503, 'overloaded'), spent), { permitted: true, asked: 2 }, 'nothing was looked at');

  const busy = await serve(problem(503, 'overloaded'));
  t.match(await errorOf(client(busy.url, { retries: 3 }).authorize(QUESTION)), { code: 'overloaded', status: 503 });
  t.equal(busy.asked(), 4, 'and not for ever');
  const later = await serve(json(503, {}), json(200, ALLOW));
  t.equal(await client(later.url, { retries: 0 }).permits(QUESTION), false);

  const patient: Answer = (request, response) => {
    response.setHeader('retry-after', '3600');
    problem(503, 'overloaded')(request, response);
  };
  const hour = await serve(patient, json(200, ALLOW));
  t.match(await errorOf(client(hour.url).authorize(QUESTION)), { code: 'overloaded', retryAfterSeconds: 3600 });
  t.equal(hour.asked(), 1, 'longer than the call may take');
});

t.test('a refused token of the service is asked for once more', async (t) => {
  const abouts: boolean[] = [];
  const token = ({ refused }: { readonly refused: boolean }): string => {
    abouts.push(refused);
    return refused ? 'newer-token' : CALLER;
  };
  const stale = await serve(problem(401, 'token_refused'), json(200, ALLOW));
  t.equal(await client(stale.url, { token }).permits(QUESTION), true);
  t.strictSame(abouts, [false, true]);
  const refused = await serve(problem(401, 'token_refused'));
  t.match(await errorOf(client(refused.url, { token }).authorize(QUESTION)), { code: 'token_refused', status: 401 });
  t.equal(refused.asked(), 2);
  const person = await serve(problem(401, 'token_refused', { errors: [{ detail: '', pointer: '/subject_token' }] }));
  const error = await errorOf(client(person.url, { token }).authorize(QUESTION, { subjectToken: PERSON }));
  t.match(error, { code: 'token_refused', pointer: '/subject_token' });
  t.equal(person.asked(), 1, 'another token of the service would not help');
});

t.test('no error says a token', async (t) => {
  const seen: unknown[] = [];
  const onError = (error: unknown): void => void seen.push(error);
  const echo: Answer = (request, response) => {
    const title = `who is ${request.headers.authorization ?? ''} asking for ${PERSON}`;
    json(
      400,
      { type: 'x', title, detail: PERSON, status: 400, code: 'malformed_request', request_id: 'r' },
      { 'content-type': 'application/problem+json' },
    )(request, response);
  };
  for (const answer of [echo, problem(401, 'token_refused'), ...Object.values(NO_ANSWERS)]) {
    const { url } = await serve(answer);
    await client(url, { onError }).permits(QUESTION, { subjectToken: PERSON });
  }
  const { url } = await serve(json(200, ALLOW));
  const bad = `${PERSON}\r\nx: y`;
  await client(url, { onError }).permits(QUESTION, { subjectToken: bad });
  await client(url, { onError, token: () => `${CALLER}\n` }).permits(QUESTION);
  await client(url, { onError, token: () => Promise.reject(new Error('the issuer is away')) }).permits(QUESTION);
  await createClient({ url, onError }).permits(QUESTION);
  const codes = seen.slice(-4).map((error) => (error instanceof PrivityClientError ? error.code : error));
  t.strictSame(codes, ['no_subject_token', 'no_caller_token', 'no_caller_token', 'no_subject_token']);
  t.equal(seen.length, 2 + Object.keys(NO_ANSWERS).length + 4);
  for (const error of seen) t.notMatch(inspect(error, { depth: 10 }), /caller-token|person-token/);
});

t.test('tokens go to Privity and nowhere else', async (t) => {
  const other = await serve(json(200, ALLOW));
  for (const status of [301, 302, 307, 308]) {
    const { url } = await serve(
      (_request, response) => void response.writeHead(status, { location: `${other.url}/v1/authorize` }).end(),
    );
    t.match(await errorOf(client(url).authorize(QUESTION, { subjectToken: PERSON })), { code: 'bad_answer' });
  }
  t.equal(other.asked(), 0);
  t.throws(() => client('https://user:secret@privity.firm.example'), /user name/);
  t.throws(() => client('file:///etc/passwd'));
});

t.test('duties that nobody here knows, or that fail, take the permission away', async (t) => {
  const obligation = { id: 'log:certificate', type: 'log', properties: {}, fulfilled_by: 'caller' };
  const withDuties = (...obligations: readonly unknown[]) =>
    json(200, { ...ALLOW, context: { ...ALLOW.context, obligations } });
  const { url } = await serve(withDuties(obligation, { ...obligation, id: 'alert:x', fulfilled_by: 'privity' }));
  const done: string[] = [];
  const duties = { 'log:certificate': ({ id }: { readonly id: string }) => void done.push(id) };
  t.equal(await client(url).permits(QUESTION), false, 'not known');
  t.equal(await client(url, { duties: { log: () => undefined } }).permits(QUESTION), false, 'a type is not the duty');
  t.equal(await client(url, { duties }).permits(QUESTION), true, 'met; that of Privity is not ours');
  t.strictSame(done, ['log:certificate']);
  const failing = { 'log:certificate': () => Promise.reject(new Error('the printer is on fire')) };
  t.equal(await client(url, { duties: failing }).permits(QUESTION), false);
  const of = { ...obligation, fulfilled_by: 'somebody' };
  const strange = await serve(withDuties(of));
  t.equal(await client(strange.url).permits(QUESTION), false, 'whoever is not Privity is us');
  const proto = await serve(withDuties({ ...obligation, id: 'toString' }));
  t.equal(await client(proto.url).permits(QUESTION), false);
});

t.test('batches and filters that are not what was asked', async (t) => {
  const two = await serve(json(200, { evaluations: [ALLOW] }));
  t.strictSame(await client(two.url).permitsEach([QUESTION, QUESTION]), [false, false], 'one answer too few');
  t.strictSame(await client(two.url).permitsEach([]), [], 'nothing to ask');
  const list = { action: 'list', resource: { type: 'document' }, target: 'postgresql' } as const;
  const soon = new Date(Date.now() + 60_000).toISOString();
  const sql = { text: 'd.matter_id = any($1::text[])', params: [['M-1']] };
  const filter = async (body: unknown) => {
    const { url } = await serve(json(200, body));
    return sqlWhere(await client(url).rowFilter(list));
  };
  const none = { text: 'false', params: [] };
  t.strictSame(await filter({ kind: 'conditional', sql, expires_at: soon }), sql);
  t.strictSame(await filter({ kind: 'always_allowed', expires_at: soon }), { text: 'true', params: [] });
  t.strictSame(await filter({ kind: 'always_denied', expires_at: soon }), none);
  t.strictSame(await filter({ kind: 'mostly_allowed', sql, expires_at: soon }), none, 'a kind that nobody knows');
  t.strictSame(await filter({ kind: 'conditional', expires_at: soon }), none, 'no condition');
  t.strictSame(await filter({ kind: 'conditional', condition: {}, expires_at: soon }), none, 'another form');
  t.strictSame(await filter({ kind: 'always_allowed', expires_at: '2020-01-01T00:00:00Z' }), none, 'out of date');
  t.strictSame(await filter({ kind: 'always_allowed' }), none, 'for how long?');
  const short = { kind: 'always_allowed', expiresAt: new Date(1_000) } as const;
  t.strictSame(sqlWhere(short, 999), { text: 'true', params: [] });
  t.strictSame(sqlWhere(short, 1_000), none, 'kept too long');
});
