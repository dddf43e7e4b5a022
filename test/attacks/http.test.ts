// Requests that two readers could read as two different ones, and everything else that HTTP lets people send: each gets one answer in
// the documented form, none is carried out twice or in another's name. Raw bytes, against a running service.
import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { QUESTION, startAttackRig } from '../helpers/attack-rig.ts';
import { exchange, type WireAnswer } from './wire.ts';

t.setTimeout(300_000);

// Its own time limits end every connection here, so that no test has to.
const SHORT = { REQUEST_TIMEOUT: '2s', HEADERS_TIMEOUT: '1s', KEEP_ALIVE_TIMEOUT: '1s', CONNECTION_TIMEOUT: '5s' };
const rig = await startAttackRig(t, { environment: SHORT });
const token = rig.personToken();

const BODY = JSON.stringify(QUESTION);
const LENGTH = `content-length: ${BODY.length}`;
const CHUNKED = 'transfer-encoding: chunked';
/** What an attacker would have carried out under somebody else's name; it must never be. */
const SMUGGLED = `POST /v1/authorize HTTP/1.1\r\nhost: x\r\nx-request-id: smuggled\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n${LENGTH}\r\n\r\n${BODY}`;

const ask = (fields: string, line = 'POST /v1/authorize HTTP/1.1'): string =>
  `${line}\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n${fields}\r\n\r\n`;
const get = (target: string, fields = ''): string =>
  `GET ${target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n${fields}\r\n`;
const hex = (text: string): string => text.length.toString(16);
const chunks = (text: string): string => `${hex(text)}\r\n${text}\r\n0\r\n\r\n`;

interface Case {
  readonly name: string;
  readonly send: string;
  /** Of every answer, in order. */
  readonly statuses: readonly number[];
  /** Whether nothing more may come on this connection. */
  readonly closes?: boolean;
}

/** All at once, those of every table: each waits for the service to close its connection. */
function table(name: string, cases: readonly Case[]): void {
  const sent = Promise.all(cases.map(({ send }) => exchange(rig.service.url, { pieces: [send] })));
  t.test(name, async (t) => {
    const answers = await sent;
    for (const [index, one] of cases.entries()) {
      t.test(one.name, (t) => {
        judge(t, one, answers[index] ?? []);
        t.end();
      });
    }
  });
}

function judge(t: Test, { statuses, closes = false }: Case, answers: readonly WireAnswer[]): void {
  t.strictSame(
    answers.map(({ status }) => status),
    statuses,
  );
  for (const { status, headers, body } of answers) {
    if (status === 100) continue;
    t.ok(headers['x-request-id'], 'every answer has a request id');
    t.not(headers['x-request-id'], 'smuggled');
    t.equal(headers['cache-control'], 'no-store');
    if (status < 400) continue;
    t.equal(headers['content-type'], 'application/problem+json');
    t.match(JSON.parse(body), { status, request_id: headers['x-request-id'], hint: /./ });
  }
  if (closes) t.equal(answers.at(-1)?.headers['connection'], 'close');
}

async function carriedOut(requestId: string): Promise<number> {
  const { rows } = await rig.reader.query<{ n: number }>(
    'select count(*)::int as n from decisions where request_id = $1',
    [requestId],
  );
  return rows[0]?.n ?? 0;
}

const faulty = (name: string, send: string): Case => ({ name, send: send + SMUGGLED, statuses: [400], closes: true });
const answered = (name: string, send: string): Case => ({ name, send, statuses: [200] });

table('one length, said once', [
  answered('a length', ask(LENGTH) + BODY),
  answered('chunks', ask(CHUNKED) + chunks(BODY)),
  answered('chunks in capitals', ask('Transfer-Encoding: CHUNKED') + chunks(BODY)),
  answered('an extension of a chunk', `${ask(CHUNKED)}${hex(BODY)};a=b\r\n${BODY}\r\n0\r\n\r\n`),
  answered('white space around a length', ask(`content-length: \t ${BODY.length} `) + BODY),
  faulty('a length and chunks', ask(`${LENGTH}\r\n${CHUNKED}`) + chunks(BODY)),
  faulty('chunks and a length', ask(`${CHUNKED}\r\n${LENGTH}`) + chunks(BODY)),
  faulty('chunks and no length at all', ask(`${CHUNKED}\r\ncontent-length: 0`) + chunks(BODY)),
  faulty('the same length twice', ask(`${LENGTH}\r\n${LENGTH}`) + BODY),
  faulty('two lengths', ask(`${LENGTH}\r\ncontent-length: 0`) + BODY),
  faulty('two lengths, the short one first', ask(`content-length: 0\r\n${LENGTH}`) + BODY),
  faulty('a list of lengths', ask(`content-length: ${BODY.length}, ${BODY.length}`) + BODY),
  ...[`+${BODY.length}`, '-1', `0x${hex(BODY)}`, `${BODY.length}.0`, '9'.repeat(23), '', '1e3', `${BODY.length};`].map(
    (text) => faulty(`the length ${text}`, ask(`content-length: ${text}`) + BODY),
  ),
]);

table('one coding, and that is chunked', [
  ...[
    'xchunked',
    'chunked, identity',
    'identity',
    'gzip, chunked',
    'chunked, chunked',
    'chunked;q=1',
    '"chunked"',
    '',
  ].map((coding) => faulty(coding, ask(`transfer-encoding: ${coding}`) + chunks(BODY))),
  faulty('twice', ask(`${CHUNKED}\r\n${CHUNKED}`) + chunks(BODY)),
  faulty('a vertical tab before it', ask('transfer-encoding: \u000bchunked') + chunks(BODY)),
  faulty('a zero byte after it', ask('transfer-encoding: chunked\0') + chunks(BODY)),
  faulty('a space before the colon', ask(`transfer-encoding : chunked\r\n${LENGTH}`) + BODY),
  faulty('on a folded line', ask(`x: y\r\n ${CHUNKED}\r\n${LENGTH}`) + BODY),
  faulty('folded itself', ask('transfer-encoding:\r\n chunked') + chunks(BODY)),
  faulty('after a bare line feed', ask(`x: y\n${CHUNKED}\r\n${LENGTH}`) + BODY),
  faulty('after a bare carriage return', ask(`x: y\r${CHUNKED}\r\n${LENGTH}`) + BODY),
  faulty('in HTTP/1.0', ask(CHUNKED, 'POST /v1/authorize HTTP/1.0') + chunks(BODY)),
  answered('under another name it is another header', ask(`transfer_encoding: chunked\r\n${LENGTH}`) + BODY),
]);

const broken = (name: string, chunk: string): Case => faulty(name, ask(CHUNKED) + chunk);

table('chunks are what they say', [
  broken('a size with 0x', `0x${hex(BODY)}\r\n${BODY}\r\n0\r\n\r\n`),
  broken('a negative size', `-1\r\n${BODY}\r\n0\r\n\r\n`),
  broken('a size beyond 64 bits', `1${'0'.repeat(16)}${hex(BODY)}\r\n${BODY}\r\n0\r\n\r\n`),
  broken('bare line feeds', `${hex(BODY)}\n${BODY}\n0\n\n`),
  broken('a bare line feed after an extension', `${hex(BODY)};a\n${BODY}\r\n0\r\n\r\n`),
  broken('a longer chunk than it says', `${hex(BODY)}\r\n${BODY}XX\r\n0\r\n\r\n`),
  broken('no size', `\r\n${BODY}\r\n0\r\n\r\n`),
  broken('an endless extension', `${hex(BODY)};a=${'b'.repeat(20_000)}\r\n${BODY}\r\n0\r\n\r\n`),
  broken('bare line feeds at the end', `${hex(BODY)}\r\n${BODY}\r\n0\n\n`),
  answered(
    'trailers that say who asks are not heard',
    `${ask(CHUNKED)}${hex(BODY)}\r\n${BODY}\r\n0\r\nauthorization: Bearer x\r\nx-request-id: smuggled\r\n\r\n`,
  ),
]);

const faultyHeaders = (name: string, count: number): Case => ({
  ...faulty(name, ask('a: b\r\n'.repeat(count) + LENGTH) + BODY),
  statuses: [431],
});

table('lines and headers', [
  faulty('bare line feeds everywhere', ask(LENGTH).replaceAll('\r\n', '\n') + BODY),
  faulty('a space before the colon of a name', ask(`${LENGTH}\r\nx-a : b`) + BODY),
  faulty('a zero byte in a value', ask(`${LENGTH}\r\nx-a: b\0c`) + BODY),
  faulty('a header without a colon', ask(`${LENGTH}\r\nx-a`) + BODY),
  faulty('a header without a name', ask(`${LENGTH}\r\n: b`) + BODY),
  faulty('two hosts', ask(`${LENGTH}\r\nhost: y`) + BODY),
  faulty('no host', ask(LENGTH).replace('host: x\r\n', '') + BODY),
  faulty('two bearers, the other one bad', ask(`${LENGTH}\r\nauthorization: Bearer x`) + BODY),
  faulty('two bearers, in capitals', ask(`${LENGTH}\r\nAUTHORIZATION: Bearer ${token}`) + BODY),
  faulty('two content types', ask(`${LENGTH}\r\ncontent-type: text/plain`) + BODY),
  faulty('an expectation that nobody knows', ask(`${LENGTH}\r\nexpect: 200-ok`) + BODY),
  { name: '100-continue', send: ask(`${LENGTH}\r\nexpect: 100-continue`) + BODY, statuses: [100, 200] },
  {
    name: 'a body that says it is compressed',
    send: ask(`${LENGTH}\r\ncontent-encoding: gzip`) + BODY,
    statuses: [400],
  },
  { name: 'a hundred headers', send: ask('a: b\r\n'.repeat(100) + LENGTH) + BODY, statuses: [200] },
  faultyHeaders('three hundred headers', 300),
  faultyHeaders('three thousand headers', 3_000),
  faultyHeaders('nine thousand headers', 9_000),
  {
    name: 'one header of more than 32 KiB',
    send: ask(`${LENGTH}\r\nx: ${'b'.repeat(40_000)}`) + BODY,
    statuses: [431],
    closes: true,
  },
  {
    name: 'a name of more than 32 KiB',
    send: ask(`${LENGTH}\r\n${'b'.repeat(40_000)}: x`) + BODY,
    statuses: [431],
    closes: true,
  },
  {
    name: 'a token in bytes that are no ASCII',
    send: get('/v1/policy').replace('Bearer ', 'Bearer \u00e9'),
    statuses: [401],
  },
  answered('a protocol to change to', ask(`connection: upgrade\r\nupgrade: websocket\r\n${LENGTH}`) + BODY),
  answered(
    'HTTP/2 to change to',
    ask(`connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\n${LENGTH}`) + BODY,
  ),
]);

const refused = (name: string, send: string): Case => ({ name, send, statuses: [401] });
const nobody = (fields: string, body: string): string =>
  `POST /v1/authorize HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${fields}\r\n\r\n${body}`;

table('what follows an answer is a request or nothing', [
  { name: 'two requests at once', send: ask(LENGTH) + BODY + ask(LENGTH) + BODY, statuses: [200, 200] },
  { name: 'a refusal, then a request', send: nobody(LENGTH, BODY) + ask(LENGTH) + BODY, statuses: [401, 200] },
  { name: 'nonsense, then a request', send: `NONSENSE\r\n\r\n${ask(LENGTH)}${BODY}`, statuses: [400], closes: true },
  refused('a request in the body of one that is refused', nobody(`content-length: ${SMUGGLED.length}`, SMUGGLED)),
  refused('the same in chunks', nobody(CHUNKED, chunks(SMUGGLED))),
  {
    name: 'a request in the body of a GET',
    send: `GET /livez HTTP/1.1\r\nhost: x\r\ncontent-length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    statuses: [200],
  },
  {
    name: 'a request in a body that is too large',
    send: ask(`content-length: ${2 ** 21}`) + ' '.repeat(2 ** 21 - SMUGGLED.length) + SMUGGLED,
    statuses: [413],
    closes: true,
  },
  {
    name: 'the same in chunks',
    send: ask(CHUNKED) + chunks(' '.repeat(2 ** 21)) + SMUGGLED,
    statuses: [413],
    closes: true,
  },
  {
    name: 'a body that is shorter than it says',
    send: ask(`content-length: ${BODY.length + 1}`) + BODY,
    statuses: [408],
    closes: true,
  },
  {
    name: 'a body that is longer than it says',
    send: `${ask(LENGTH)}${BODY}XX\r\n\r\n`,
    // For both: the connection is given up before the decision is there.
    statuses: [400],
    closes: true,
  },
]);

table('versions and methods', [
  { name: 'HTTP/2', send: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', statuses: [400], closes: true },
  { name: 'HTTP/0.9', send: 'GET /livez\r\n\r\n', statuses: [400], closes: true },
  ...['HTTP/1.2', 'HTTP/9.9', 'http/1.1', 'HTTP/1.1x', 'HTTPS/1.1', 'ICE/1.0'].map((version) =>
    faulty(version, ask(LENGTH, `POST /v1/authorize ${version}`) + BODY),
  ),
  ...['FOO', 'post', 'P\u00d6ST', 'POST\0', ''].map((method) =>
    faulty(`method ${JSON.stringify(method)}`, ask(LENGTH, `${method} /v1/authorize HTTP/1.1`) + BODY),
  ),
  ...['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'SEARCH', 'QUERY'].map((method): Case => ({
    name: `${method} where there is none`,
    send: ask('x: y', `${method} /v1/authorize HTTP/1.1`),
    statuses: [405],
  })),
  ...['x-http-method-override', 'x-http-method', 'x-method-override'].map((name): Case => ({
    name,
    send: ask(`${name}: POST\r\n${LENGTH}`, 'PUT /v1/authorize HTTP/1.1') + BODY,
    statuses: [405],
  })),
  { name: 'CONNECT', send: 'CONNECT evil.example:443 HTTP/1.1\r\nhost: x\r\n\r\n', statuses: [] },
]);

const PUBLIC_ONLY = [
  ...[
    '//v1/policy',
    '/v1//policy',
    '/v1/../v1/policy',
    '/v1%2fpolicy',
    '/v1/policy;x=1',
    '/v1/policy/',
    '/V1/policy',
    '/v1/policy%00',
  ],
  ...['/%2e%2e/v1/policy', '/livez/../v1/policy', '/docs/../v1/policy', '/\\v1\\policy', '/v1/policy.json', '*'],
  ...['/internal', '/server-status', '/.git/config', '/.env', '/__proto__', '/constructor', '/metrics/../v1/policy'],
];
const withoutToken = (target: string): string => `GET ${target} HTTP/1.1\r\nhost: x\r\n\r\n`;

table('targets', [
  ...PUBLIC_ONLY.map((target): Case => ({ name: target, send: withoutToken(target), statuses: [404] })),
  ...[
    '/%',
    '/%zz',
    '/v1/decisions/%ed%a0%80',
    '/docs/static/../../../etc/passwd',
    '/docs/static/%2e%2e/%2e%2e/etc/passwd',
    'http://',
    'http:///v1/policy',
  ].map((target): Case => ({ name: target, send: withoutToken(target), statuses: [400] })),
  ...['/livez#x', '/v1/policy#', '', 'livez', '?x', '/\u00e9', '/livez\u007f', '/li vez', 'x:/livez'].map((target) =>
    faulty(`target ${encodeURIComponent(target)}`, withoutToken(target)),
  ),
  { name: 'more than 32 KiB', send: withoutToken(`/livez?${'a'.repeat(40_000)}`), statuses: [431], closes: true },
  { name: 'an empty id', send: withoutToken('/v1/decisions/'), statuses: [401] },
  { name: 'an id that is too long', send: get(`/v1/decisions/${'a'.repeat(600)}`), statuses: [404] },
  { name: 'in absolute form', send: withoutToken('http://evil.example/livez'), statuses: [200] },
  { name: 'in absolute form, without a token', send: withoutToken('http://evil.example/v1/policy'), statuses: [401] },
  { name: 'a query said twice', send: get('/v1/reviews?limit=1&limit=2'), statuses: [400] },
  { name: 'a query of a prototype', send: get('/v1/reviews?__proto__=1'), statuses: [400] },
]);

t.test('nothing of all this was smuggled, or a failure of the service', async (t) => {
  t.equal(await carriedOut('smuggled'), 0);
  t.strictSame(
    rig.service.log.filter(({ level }) => level === 'error' || level === 'fatal'),
    [],
  );
  const answer = await rig.send('bearer', rig.personToken(), randomUUID());
  t.match(answer, { status: 200, body: { decision: true } });
});
