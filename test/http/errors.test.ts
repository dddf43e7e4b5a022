import { connect as connectSocket } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { ERRORS, type ErrorEntry } from '../../src/model/errors.ts';
import { problemOf } from '../../src/http/errors.ts';
import { document, OFFICE, startApp, type TestApp } from '../helpers/app.ts';

const rig: TestApp = await startApp(t, {
  environment: { REQUEST_TIMEOUT: '1s', HEADERS_TIMEOUT: '1s', RATE_LIMIT: '50' },
});
const address = await rig.app.http.listen({ host: '127.0.0.1', port: 0 });
const { port } = new URL(address);

/** Sends bytes over a socket of its own and reads until the service closes it. */
async function raw(bytes: string): Promise<string> {
  const socket = connectSocket(Number(port), '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

const bodyOf = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

t.test('every code makes a problem document of its own', async (t) => {
  for (const [code, entry] of Object.entries(ERRORS)) {
    const { status, title, hint, type = `urn:privity:error:${code}` }: ErrorEntry = entry;
    t.same(problemOf(code as keyof typeof ERRORS, 'r'), {
      type,
      title,
      status,
      code,
      hint,
      request_id: 'r',
    });
  }
});

t.test('paths and methods that there are not', async (t) => {
  for (const [method, url, status, allow] of [
    ['GET', '/', 404, undefined],
    ['GET', '/v1/nothing', 404, undefined],
    ['GET', '/v1/authorize/', 404, undefined],
    ['GET', '/V1/authorize', 404, undefined],
    ['GET', '/v1/../v1/policy/', 404, undefined],
    ['GET', '/v1/authorize', 405, 'POST'],
    ['PUT', '/v1/authorize/batch', 405, 'POST'],
    ['OPTIONS', '/v1/authorize', 405, 'POST'],
    ['DELETE', '/v1/decisions/0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e', 405, 'GET'],
    ['POST', '/livez', 405, 'GET, HEAD'],
    ['HEAD', '/v1/policy', 405, 'GET'],
  ] as const) {
    const { statusCode, headers, body } = await rig.inject({ method, url, headers: { 'x-request-id': 'r' } });
    t.equal(statusCode, status, `${method} ${url}`);
    t.equal(headers.allow, allow, `${method} ${url}`);
    t.equal(headers['content-type'], 'application/problem+json');
    t.equal(headers['x-request-id'], 'r');
    if (method !== 'HEAD')
      t.match(JSON.parse(body), { status, code: status === 404 ? 'not_found' : 'method_not_allowed', request_id: 'r' });
  }
  const odd = await rig.inject({ method: 'GET', url: '/v1/%zz', headers: { 'x-request-id': 'r' } });
  t.match({ status: odd.statusCode, ...odd.json() }, { status: 400, code: 'malformed_request', request_id: 'r' });
});

t.test('what never becomes a request is answered in the same form', async (t) => {
  const cases: readonly (readonly [string, number, string])[] = [
    ['NONSENSE\r\n\r\n', 400, 'malformed_request'],
    ['GET /livez HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'malformed_request'],
    [`GET /livez HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`, 431, 'headers_too_large'],
    [
      'POST /v1/authorize HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'malformed_request',
    ],
    ['GET /livez HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n', 400, 'malformed_request'],
    ['POST /v1/authorize HTTP/1.1\r\nhost: x\r\n', 408, 'request_timeout'],
  ];
  for (const [bytes, status, code] of cases) {
    const answer = await raw(bytes);
    t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), bytes.slice(0, 30));
    t.match(bodyOf(answer), { status, code, request_id: /./ });
  }
});

t.test('a caller that goes away leaves no failure behind', async (t) => {
  const before = rig.log.length;
  const socket = connectSocket(Number(port), '127.0.0.1');
  socket.write(
    `POST /v1/authorize HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rig.callerToken()}\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"a`,
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.destroy();
  const { statusCode } = await rig.inject({ method: 'GET', url: '/livez' });
  t.equal(statusCode, 200);
  t.notOk(rig.log.slice(before).some(({ level }) => level === 'error'));
});

t.test('a caller beyond its rate waits, the others do not', async (t) => {
  const question = { action: { name: 'read' }, resource: document('D-1'), context: OFFICE };
  const answers = await Promise.all(Array.from({ length: 80 }, () => rig.ask('u-okafor', question)));
  const refused = answers.filter(({ status }) => status === 429);
  t.ok(refused.length > 0 && refused.length < 80);
  t.match(refused[0], { headers: { 'retry-after': '1' }, body: { code: 'rate_limited' } });
  t.ok(answers.every(({ status }) => status === 200 || status === 429));
  t.equal((await rig.ask('u-okafor', question, { caller: 'search' })).status, 200);
});

t.test('what is not in the table is an internal error, told to operators alone', async (t) => {
  let isBroken = false;
  const broken = await startApp(t, {
    extras: {
      trustOf: (set) => {
        if (isBroken) throw new Error('secret of the house');
        return set;
      },
    },
  });
  isBroken = true;
  const { statusCode, body } = await broken.inject({ method: 'GET', url: '/v1/policy' });
  t.equal(statusCode, 500);
  t.match(JSON.parse(body), { code: 'internal_error', status: 500 });
  t.notMatch(body, /secret/);
  t.match(
    broken.log.find(({ code }) => code === 'internal_error'),
    { level: 'error', err: { message: 'secret of the house' } },
  );
});
