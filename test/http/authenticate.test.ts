import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { document, OFFICE, startApp, type TestApp } from '../helpers/app.ts';

const REFUSING = 'version: 1\npeople: []\nmatters: []\nclients: []\ncallers: [time]\ntokens: [stolen]\n';
const rig: TestApp = await startApp(t, { files: { 'lockdown.yaml': REFUSING } });
const QUESTION = { action: { name: 'read' }, resource: document('D-1'), context: OFFICE };

async function post(authorization: string | undefined, body: string, url = '/v1/authorize') {
  const response = await rig.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
    payload: body,
  });
  return { status: response.statusCode, headers: response.headers, body: response.json() };
}

const asked = (person = 'u-okafor', claims: object = {}): string =>
  JSON.stringify({ subject_token: rig.subjectToken(person, { ...claims }), ...QUESTION });

/** Waits for the lane of refused tokens, for which no answer waits. */
async function refusalRecord(requestId: unknown): Promise<unknown> {
  for (;;) {
    const { rows } = await rig.reader.query<{ bytes: Buffer }>(
      `select bytes from decisions where kind = 'refused' and request_id = $1`,
      [requestId],
    );
    if (rows[0] !== undefined) return JSON.parse(rows[0].bytes.toString('utf8'));
    await sleep(20);
  }
}

t.test('401 comes before anything that the body could say', async (t) => {
  for (const body of ['', '{', 'x'.repeat(2 ** 21), '{"action":5}', asked()]) {
    const { status, headers, body: problem } = await post(undefined, body);
    t.equal(status, 401);
    t.equal(headers['content-type'], 'application/problem+json');
    t.equal(headers['www-authenticate'], 'Bearer realm="privity"', 'no token, no error to speak of (RFC 6750, 3.1)');
    t.match(problem, { code: 'token_refused', status: 401, request_id: /./ });
    t.notOk('errors' in problem);
  }
  const plain = await rig.inject({
    method: 'POST',
    url: '/v1/authorize',
    headers: { 'content-type': 'text/plain' },
    payload: 'x',
  });
  t.equal(plain.statusCode, 401);
  for (const url of ['/v1/policy', '/v1/decisions/x', '/v1/decisions/0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e']) {
    t.equal((await rig.inject({ method: 'GET', url })).statusCode, 401, url);
  }
  t.equal((await post('Basic dTpw', asked())).status, 401);
});

t.test('a refused token says why in one word, and no more', async (t) => {
  const expired = rig.callerToken('dms', { exp: 1_700_000_000, iat: 1_699_990_000 });
  const cases: readonly (readonly [string, string])[] = [
    ['Bearer x.y.z', 'malformed'],
    [`Bearer ${rig.callerToken().slice(0, -4)}AAAA`, 'not_trusted'],
    [`Bearer ${expired}`, 'expired'],
    [`Bearer ${rig.callerToken('dms', { aud: 'https://other.example/' })}`, 'not_acceptable'],
    [`Bearer ${rig.callerToken('dms', { jti: 'stolen' })}`, 'locked'],
    [`Bearer ${rig.callerToken('dms', { iss: 'https://evil.example/' })}`, 'not_trusted'],
  ];
  for (const [authorization, reason] of cases) {
    const { status, headers, body } = await post(authorization, asked());
    t.equal(status, 401, reason);
    t.equal(
      headers['www-authenticate'],
      `Bearer realm="privity", error="invalid_token", error_description="${reason}"`,
    );
    t.notMatch(JSON.stringify(body), /evil|issuer|signature/i, 'nothing finer leaves the house');
  }
  t.equal(await rig.count('decision'), 0);
});

t.test('a caller that is not registered, is locked or lacks the right is a 403', async (t) => {
  const stranger = rig.callerToken('dms', { azp: 'somebody-else', sub: 'somebody-else' });
  t.match(
    await post(`Bearer ${stranger}`, '{'),
    { status: 403, body: { code: 'caller_not_allowed' } },
    'before the body is read',
  );
  t.match(await post(`Bearer ${rig.callerToken('time')}`, asked()), { status: 403 }, 'locked');
  const alone = JSON.stringify(QUESTION);
  t.match(
    await post(`Bearer ${rig.callerToken('dms')}`, alone),
    { status: 403 },
    'a caller has nothing to ask about itself',
  );
  t.match(
    await post(`Bearer ${rig.personToken('u-okafor')}`, asked()),
    { status: 403 },
    'a subject token beside a person’s bearer',
  );
});

t.test('rights are checked before the body is read', async (t) => {
  const callers = `version: 1
callers:
  - { id: one, issuer: 'https://login.firm.example/', client_id: one, source_system: dms, may: [authorize], subject_tokens: { audiences: [dms], clients: [dms-web] } }
  - { id: many, issuer: 'https://login.firm.example/', client_id: many, source_system: dms, may: [batch], subject_tokens: { audiences: [dms], clients: [dms-web] } }
`;
  const other = await startApp(t, { files: { 'callers.yaml': callers } });
  const evaluations = [{ action: QUESTION.action, resource: QUESTION.resource, context: OFFICE }];
  const status = async (caller: string, url: string): Promise<number> => {
    const payload = {
      subject_token: other.subjectToken('u-okafor'),
      ...(url.endsWith('batch') ? { evaluations } : QUESTION),
    };
    const headers = { authorization: `Bearer ${other.callerToken(caller)}`, 'content-type': 'application/json' };
    return (await other.inject({ method: 'POST', url, headers, payload: JSON.stringify(payload) })).statusCode;
  };
  t.equal(await status('one', '/v1/authorize'), 200);
  t.equal(await status('one', '/v1/authorize/batch'), 403);
  t.equal(await status('many', '/v1/authorize'), 403);
  t.equal(await status('many', '/v1/authorize/batch'), 200);
});

t.test('a refused subject token is a 401 that points at it', async (t) => {
  const bearer = `Bearer ${rig.callerToken('dms')}`;
  for (const [why, claims] of [
    ['for another audience', { aud: 'search' }],
    ['of another client', { azp: 'search-web' }],
    ['of the caller itself', { aud: 'dms', azp: 'dms-backend', sub: 'dms-backend', idtyp: 'app' }],
    ['with an act of another shape', { act: 'svc-ai-assistant' }],
    ['of a role beyond may_assert', { roles: ['client_user'] }],
  ] as const) {
    const { status, body } = await post(bearer, asked('u-okafor', claims));
    t.equal(status, 401, why);
    t.match(body, { code: 'token_refused', errors: [{ pointer: '/subject_token', detail: /./ }] }, why);
  }
  const { status } = await post(bearer, JSON.stringify({ subject_token: 'nonsense', ...QUESTION }));
  t.equal(status, 401);
  const broken = await post(bearer, JSON.stringify({ subject_token: 'nonsense', ...QUESTION, action: {} }));
  t.equal(broken.status, 400, 'the envelope comes first');
});

t.test('refusals are recorded, with the reason and without the token', async (t) => {
  const id = 'refusal-1';
  const token = rig.callerToken('dms', { iss: 'https://evil.example/\u0000x' });
  await rig.inject({
    method: 'POST',
    url: '/v1/authorize',
    headers: { authorization: `Bearer ${token}`, 'x-request-id': id, 'content-type': 'application/json' },
    payload: asked(),
  });
  const record = await refusalRecord(id);
  t.match(record, {
    kind: 'refused',
    code: 'token_refused',
    reason: 'malformed',
    issuer: 'https://evil.example/x',
    caller: null,
    request_id: id,
    remote_address: '127.0.0.1',
    policy: { revision: /^sha256:/ },
  });
  t.notOk(JSON.stringify(record).includes(token.slice(-40)));
  t.notOk(JSON.stringify(rig.log).includes(token.slice(-40)), 'nor is the token in the log');
  const { headers } = await post(`Bearer ${rig.callerToken('dms')}`, asked('u-okafor', { aud: 'search' }));
  t.match(await refusalRecord(headers['x-request-id']), {
    code: 'token_refused',
    reason: 'not_acceptable',
    caller: 'dms',
    issuer: 'https://login.firm.example/',
  });
});

t.test('bearers: of a caller, of a person, of a service account', async (t) => {
  const own = await post(`Bearer ${rig.callerToken('dms')}`, asked());
  t.match(own, { status: 200, body: { decision: true, context: { reason_admin: [] } } });
  const person = await post(`Bearer ${rig.personToken('u-okafor')}`, JSON.stringify(QUESTION));
  t.match(person, { status: 200, body: { decision: true } });
  t.notOk('reason_admin' in person.body.context, 'explanations are for the caller’s own token alone');
  const record = await rig.record(person.body.context.evaluation_id);
  t.match(record, { caller: { id: 'dms', own: false }, subject: { id: 'u-okafor', evidence: 'token' } });

  const service = rig.callerToken('search-indexer', { user_type: 'service', roles: ['service'] });
  const resource = document('D-2');
  const { status, body } = await post(`Bearer ${service}`, JSON.stringify({ ...QUESTION, resource }));
  t.equal(status, 200);
  t.match(await rig.record(body.context.evaluation_id), {
    subject: { id: 'svc-search-indexer' },
    caller: { id: 'search-indexer', own: true, source_system: 'search' },
  });
});

t.test('the AI assistant of a caller is the actor of everything that comes through it', async (t) => {
  const { body } = await rig.ask('u-okafor', QUESTION, { caller: 'dms-assistant' });
  t.match(await rig.record(String(body.context?.['evaluation_id'])), {
    subject: { actor: 'svc-ai-assistant', id: 'u-okafor' },
  });
});
