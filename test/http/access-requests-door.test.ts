// AuthZEN Access Request and Approval Profile, draft 1 (openid/authzen, profiles/authzen-access-request-approval of 2026): the sentences
// that bind a decision point and its access request service, by the heading they stand under.
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { replay } from '../../src/core/replay.ts';
import { document, OFFICE, startApp } from '../helpers/app.ts';

type Json = Readonly<Record<string, unknown>>;

const BASE = 'https://privity.firm.example';
const rig = await startApp(t, { environment: { PUBLIC_URL: BASE } });

interface Sent {
  readonly status: number;
  readonly headers: Json;
  readonly body: Json;
}

async function send(method: 'GET' | 'POST', url: string, payload?: Json, caller = 'dms'): Promise<Sent> {
  const { statusCode, headers, body } = await rig.inject({
    method,
    url,
    headers: { authorization: `Bearer ${rig.callerToken(caller)}`, 'content-type': 'application/json' },
    ...(payload === undefined ? {} : { payload: JSON.stringify(payload) }),
  });
  return { status: statusCode, headers, body: JSON.parse(body) as Json };
}

const REQUESTS = '/access/v1/requests';
const user = (id: string) => ({ type: 'user', id });
/** A document that only waits for a second person to be disposed of. */
const old = (id: string, properties: Json = {}): Json =>
  document(id, {
    matter_id: 'M-1003',
    matter_status: 'closed',
    retention_until: '2026-01-01T00:00:00Z',
    client_notified: true,
    legal_hold: false,
    ...properties,
  });
const disposal = (id: string, more: Json = {}): Json => ({
  subject: user('u-rowe'),
  subject_token: rig.subjectToken('u-rowe'),
  action: { name: 'dispose' },
  resource: old(id),
  context: { ...OFFICE, response_context: true, supported_obligations: ['custom'] },
  ...more,
});
const evaluate = (payload: Json, caller?: string) => send('POST', '/access/v1/evaluation', payload, caller);
const contextOf = ({ body }: Sent) => body['context'] as Json;
const inTime = (ms: number): string => new Date(Date.now() + ms).toISOString();
const HOUR = 3_600_000;

function denialOf(answer: Sent): Json {
  const { evaluation_id, evaluated_at, reason, access_request: offered } = contextOf(answer);
  const { expires_at, template } = offered as Json;
  return { evaluation_id, evaluated_at, reason, expires_at, template };
}

const approve = (person: string, id: string, requester = 'u-rowe') =>
  rig.ask(
    person,
    { requester, action: { name: 'dispose' }, resource: old(id), context: OFFICE, expires_at: inTime(HOUR) },
    { path: '/v1/approvals' },
  );

/** Denied, requested: the task. */
async function requested(id: string): Promise<string> {
  const denied = await evaluate(disposal(id));
  const { body } = await send('POST', REQUESTS, disposal(id, { denial: denialOf(denied) }));
  return String((body['task'] as Json)['id']);
}

t.test('PDP Metadata: MUST publish an access_request_endpoint, an HTTPS URI; SHOULD the capability', async (t) => {
  const { body } = await send('GET', '/.well-known/authzen-configuration');
  t.match(body, {
    access_request_endpoint: `${BASE}${REQUESTS}`,
    capabilities: ['urn:openid:authzen:capability:access-request'],
    jwks_uri: undefined,
  });
});

t.test('Requestable Denial Context', async (t) => {
  const denied = await evaluate(disposal('D-10'));
  t.match(denied.body, { decision: false }, '“A denied decision remains a denial”');
  const context = contextOf(denied);
  t.match(context, {
    evaluation_id: String,
    evaluated_at: String,
    reason: 'approval_required',
    access_request: { template: 'approval', expires_at: String, display: { title: String, description: String } },
  });
  const { expires_at } = context['access_request'] as Json;
  t.ok(Date.parse(String(expires_at)) > Date.parse(String(context['evaluated_at'])), 'expires_at: REQUIRED');
  t.match(
    await rig.record(String(context['evaluation_id'])),
    {
      terms: { requestable: { template: 'approval', expires_at } },
    },
    'the denial binding by reference is what the log holds (Shared-State Deployments)',
  );

  const { response_context: _asked, ...quiet } = disposal('D-10')['context'] as Json;
  t.strictSame(
    (await evaluate(disposal('D-10', { context: quiet }))).body,
    { decision: false },
    'only where it was asked for',
  );
  const hopeless = await evaluate(disposal('D-10', { resource: old('D-10', { client_notified: false }) }));
  t.match(
    contextOf(hopeless),
    { access_request: undefined, reason: undefined },
    'MUST include this object only when the denied access is eligible',
  );
  const outsider = await evaluate(
    disposal('D-10', { subject: user('u-okafor'), subject_token: rig.subjectToken('u-okafor') }),
  );
  t.match(contextOf(outsider), { access_request: undefined }, 'and only for whom an approval would help');
  t.match(
    (await evaluate({ ...disposal('D-10'), subject: { type: 'spaceship', id: 'u-rowe' }, subject_token: undefined }))
      .body,
    {
      decision: false,
      context: { access_request: undefined },
    },
  );
});

t.test('without a public address nothing can be requested, and no answer says so (PDP Processing Rules)', async (t) => {
  const other = await startApp(t, {});
  const response = await other.inject({
    method: 'POST',
    url: '/access/v1/evaluation',
    headers: { authorization: `Bearer ${other.callerToken()}`, 'content-type': 'application/json' },
    payload: JSON.stringify({ ...disposal('D-11'), subject_token: other.subjectToken('u-rowe') }),
  });
  t.match(response.json(), { decision: false, context: { access_request: undefined, evaluation_id: String } });
});

t.test('denied, requested, approved by a second person, evaluated again', async (t) => {
  const denied = await evaluate(disposal('D-20'));
  const submission = disposal('D-20', {
    denial: denialOf(denied),
    context: { ...OFFICE, purpose: 'The client asked for it.' },
    extension: 'ignored',
  });
  const { status, headers, body } = await send('POST', REQUESTS, submission);
  t.equal(status, 202, 'Access Request Response: 201 or 202, with a task');
  const task = body['task'] as Json;
  t.match(body, {
    task: { status: 'pending', status_endpoint: `${BASE}${REQUESTS}/${String(task['id'])}`, expires_at: String },
    result: undefined,
  });
  t.equal(headers['location'], task['status_endpoint']);
  const record = await rig.record(String(task['id']));
  t.match(
    record,
    {
      outcome: 'deny',
      decided_by: ['access-requested'],
      obligations: [],
      subject: { id: 'u-rowe' },
      context: { purpose: 'The client asked for it.' },
      terms: { request: { denial: contextOf(denied)['evaluation_id'], template: 'approval' } },
    },
    'MUST retain sufficient audit records; MUST bind the task to Subject, Resource, Action, Context, denial, requester and client',
  );
  t.match(replay(rig.app.policies.current(), record), { result: 'same' });

  const poll = async () => (await send('GET', `${REQUESTS}/${String(task['id'])}`)).body;
  t.match(await poll(), { task: { status: 'pending' }, result: undefined });
  t.equal((await approve('u-rowe', 'D-20')).status, 403, 'nobody approves for themselves (Approver Eligibility)');
  t.match(await poll(), { task: { status: 'pending' } });
  t.equal((await approve('u-soto', 'D-20')).status, 201);
  t.match(
    await poll(),
    { task: { status: 'pending' } },
    'an ineligible approver MUST NOT be treated as successful approval',
  );
  const { body: given } = await approve('u-okafor', 'D-20');
  const done = await poll();
  t.match(
    done,
    {
      task: { status: 'approved' },
      result: {
        mode: 'reevaluate',
        approval: { id: given['approval_id'], approved_at: String, approved_until: String },
      },
    },
    'When approved, the response MUST include a result; approved_until is REQUIRED',
  );
  t.notMatch(JSON.stringify(done), /u-okafor|u-soto|partner/, 'MUST NOT disclose approver identities');

  const { approval } = done['result'] as { readonly approval: Json };
  const again = (id: string, context: Json = {}) => {
    const whole = { ...(disposal(id)['context'] as Json), ...context };
    return evaluate(disposal(id, { context: whole }));
  };
  const swapped = await again('D-21', { approval });
  t.match(
    swapped.body,
    { decision: false, context: { next_action: 'request', access_request: {} } },
    'a swapped approval reference MUST be evaluated as not approved',
  );
  const allowed = await again('D-20', { approval });
  t.match(allowed.body, {
    decision: true,
    context: { approval: { id: approval['id'], approved_until: approval['approved_until'] } },
  });
  t.match(await rig.record(String(contextOf(allowed)['evaluation_id'])), {
    approvals: { ids: [approval['id']], proven: [{ by: 'u-okafor', role: 'partner' }] },
    terms: { approval: approval['id'] },
  });
  t.match((await again('D-20', { approval })).body, { decision: false }, 'replayed: an approval is spent once');
  t.match(await poll(), { task: { status: 'approved' } }, 'Terminal states do not transition further');
});

t.test('approval does not override policy: MUST evaluate the new request using current policy', async (t) => {
  const task = await requested('D-30');
  await approve('u-okafor', 'D-30');
  const { body } = await send('GET', `${REQUESTS}/${task}`);
  const { approval } = body['result'] as { readonly approval: Json };
  const context = { ...(disposal('D-30')['context'] as Json), network_zone: 'home', approval };
  const stale = rig.subjectToken('u-rowe', { amr: ['pwd'] });
  const denied = await evaluate(disposal('D-30', { context, subject_token: stale }));
  t.match(denied.body, {
    decision: false,
    context: { reason: 'policy_denied', next_action: 'none', access_request: undefined },
  });
});

t.test('an approval reference is no bearer grant: MUST resolve it, and ignore what it cannot', async (t) => {
  for (const id of [randomUUID(), 'apr_01HX4Y8E2NE3Y2X7P0K4JE6WVH', await requested('D-31')]) {
    const context = {
      ...(disposal('D-31')['context'] as Json),
      approval: { id, approved_until: inTime(HOUR), state: 'x' },
    };
    t.match(
      (await evaluate(disposal('D-31', { context }))).body,
      { decision: false, context: { next_action: 'request' } },
      id,
    );
  }
  const context = { ...OFFICE, approval: 'yes' };
  t.match(await evaluate(disposal('D-31', { context })), {
    status: 400,
    body: { errors: [{ pointer: '/context/approval' }] },
  });
});

t.test('Verifying the Denial Binding; Error Responses', async (t) => {
  const denied = await evaluate(disposal('D-40'));
  const denial = denialOf(denied);
  const refused = async (payload: Json, caller?: string) => {
    const { status, headers, body } = await send('POST', REQUESTS, payload, caller);
    t.match(headers['content-type'], /^application\/problem\+json/);
    return { status, type: body['type'] };
  };
  const invalid = { status: 400, type: 'urn:openid:authzen:access-request:error:invalid_denial_binding' };
  const { evaluation_id: _id, ...unbound } = denial;
  t.strictSame(await refused(disposal('D-40', { denial: unbound })), invalid, 'no denial-binding material');
  t.strictSame(
    await refused(disposal('D-40', { denial: { ...denial, binding_token: 'e30.e30.e30' } })),
    invalid,
    'a token that cannot be verified',
  );
  t.strictSame(await refused(disposal('D-40', { denial: { ...denial, evaluation_id: randomUUID() } })), invalid);
  t.strictSame(await refused(disposal('D-41', { denial })), invalid, 'another resource');
  t.strictSame(
    await refused(disposal('D-40', { denial, resource: old('D-40', { matter_id: 'M-1001' }) })),
    invalid,
    'or of other properties',
  );
  t.strictSame(await refused(disposal('D-40', { denial, action: { name: 'delete' } })), invalid, 'another action');
  const other = { subject: user('u-gray'), subject_token: rig.subjectToken('u-gray') };
  t.strictSame(await refused(disposal('D-40', { denial, ...other })), invalid, 'another subject');
  const search = rig.subjectToken('u-rowe', { aud: 'search', azp: 'search-web' });
  t.strictSame(await refused(disposal('D-40', { denial, subject_token: search }), 'search'), invalid, 'another caller');

  const plain = await evaluate(disposal('D-40', { resource: old('D-40', { client_notified: false }) }));
  const notThat = { ...denial, evaluation_id: contextOf(plain)['evaluation_id'] };
  t.strictSame(
    await refused(disposal('D-40', { denial: notThat, resource: old('D-40', { client_notified: false }) })),
    { status: 400, type: 'urn:openid:authzen:access-request:error:not_requestable' },
  );
  const { status, body } = await send('POST', REQUESTS, disposal('D-40'));
  t.match({ status, body }, { status: 400, body: { code: 'malformed_request' } }, 'without a denial');
  const items = [{ action: { name: 'dispose' }, resource: old('D-40') }];
  t.match(await send('POST', REQUESTS, disposal('D-40', { denial, items })), {
    status: 400,
    body: { errors: [{ pointer: '/items' }] },
  });
});

t.test('Task Handle Authorization: a leaked handle MUST NOT be sufficient', async (t) => {
  const task = await requested('D-50');
  const unknown = { status: 404, body: { type: 'urn:openid:authzen:access-request:error:unknown_task' } };
  t.match(await send('GET', `${REQUESTS}/${task}`, undefined, 'search'), unknown);
  t.match(await send('GET', `${REQUESTS}/${randomUUID()}`), unknown);
  t.match(await send('GET', `${REQUESTS}/nothing`), unknown);
  const denied = await evaluate(disposal('D-50'));
  t.match(await send('GET', `${REQUESTS}/${String(contextOf(denied)['evaluation_id'])}`), unknown, 'a deny is no task');
  t.equal((await rig.inject({ method: 'GET', url: `${REQUESTS}/${task}` })).statusCode, 401);
  t.equal(
    (await rig.inject({ method: 'POST', url: REQUESTS, payload: disposal('D-50') })).statusCode,
    401,
    'Endpoint Protection: MUST authenticate the PEP',
  );
  t.equal((await send('POST', `${REQUESTS}/${task}`, {})).status, 405, 'Cancellation is not supported');
});

t.test('a time that is over', async (t) => {
  const clock = { late: 0 };
  const lifetime = () => {
    const iat = Math.floor((Date.now() + clock.late) / 1000);
    return { iat, exp: iat + 3600 };
  };
  const late = await startApp(t, {
    environment: { PUBLIC_URL: BASE },
    urls: rig.urls,
    extras: { recorder: { wallClock: () => Date.now() + clock.late } },
  });
  const post = async (url: string, payload?: Json) =>
    (
      await late.inject({
        method: payload === undefined ? 'GET' : 'POST',
        url,
        headers: {
          authorization: `Bearer ${late.callerToken('dms', lifetime())}`,
          'content-type': 'application/json',
        },
        ...(payload === undefined ? {} : { payload: JSON.stringify(payload) }),
      })
    ).json<Json>();
  const question = (more: Json = {}) =>
    disposal('D-60', { subject_token: late.subjectToken('u-rowe', lifetime()), ...more });
  const denied = (await post('/access/v1/evaluation', question()))['context'] as Json;
  const { expires_at } = denied['access_request'] as Json;
  const submission = () => question({ denial: { evaluation_id: denied['evaluation_id'], expires_at } });
  const { task } = (await post(REQUESTS, submission())) as { task: Json };
  clock.late = HOUR;
  t.match(await post(REQUESTS, submission()), {
    status: 410,
    type: 'urn:openid:authzen:access-request:error:expired_denial',
  });
  clock.late = 25 * HOUR;
  t.match(await post(`${REQUESTS}/${String(task['id'])}`), {
    status: 410,
    type: 'urn:openid:authzen:access-request:error:task_expired',
  });
});

const reading = (properties: Json = {}, more: Json = {}): Json => ({
  subject: user('u-voss'),
  subject_token: rig.subjectToken('u-voss'),
  action: { name: 'read' },
  resource: document('D-70', { matter_id: 'M-5001', client_id: 'C-600', ...properties }),
  context: { ...OFFICE, response_context: true },
  ...more,
});
const REASON = 'The judge wants it within the hour.';

t.test('an emergency: a signal, not an override (Policy and Approver Hygiene)', async (t) => {
  const denied = await evaluate(reading());
  t.match(contextOf(denied), { reason: 'emergency_required', access_request: { template: 'emergency' } });
  const submit = (context: Json, more: Json = {}) =>
    send(
      'POST',
      REQUESTS,
      reading({}, { denial: denialOf(denied), context, requested_access: { emergency: true }, ...more }),
    );

  t.match(
    await submit(OFFICE),
    { status: 201, body: { task: { status: 'denied' }, result: undefined } },
    'SHOULD require a business justification',
  );
  t.match(
    await submit({ ...OFFICE, break_glass_reason: 'urgent' }),
    { body: { task: { status: 'denied' } } },
    'as policy wants it',
  );
  const { status, body } = await submit({ ...OFFICE, break_glass_reason: REASON });
  t.equal(status, 201, 'Access Request Response: resolved at once, with a terminal status and a result');
  t.match(body, { task: { status: 'approved' }, result: { mode: 'reevaluate' } });
  const { approval } = body['result'] as { readonly approval: Json };
  const lasts = Date.parse(String(approval['approved_until'])) - Date.now();
  t.ok(lasts > 0 && lasts <= 15 * 60_000, 'the shortest practical lifetime');
  const until = inTime(60_000);
  const shorter = await submit(
    { ...OFFICE, break_glass_reason: REASON },
    { requested_access: { emergency: true, requested_until: until } },
  );
  t.match(shorter.body, { result: { approval: { approved_until: until } } });

  const context = { ...OFFICE, response_context: true, approval };
  t.match(
    (await evaluate(reading({}, { context, subject_token: rig.subjectToken('u-voss', { amr: ['pwd'] }) }))).body,
    { decision: false },
    'a fresh second factor is still asked for',
  );
  const elsewhere = {
    ...reading({}, { context }),
    resource: document('D-71', { matter_id: 'M-5001', client_id: 'C-600' }),
  };
  t.match((await evaluate(elsewhere)).body, { decision: false }, 'for this alone');
  const allowed = await evaluate(reading({}, { context }));
  t.match(allowed.body, { decision: true, context: { approval: { id: approval['id'] } } });
  t.match(
    await rig.record(String(contextOf(allowed)['evaluation_id'])),
    {
      decided_by: ['break-glass'],
      duties: ['notify:responsible_attorney', 'notify:security_officer', 'review:24h'],
      context: { break_glass_reason: REASON },
      terms: { approval: approval['id'] },
    },
    'notify appropriate owners, and require post-use review',
  );
});

t.test('a wall, an unknown matter and a plain deny look the same all the way (P7)', async (t) => {
  const places = { 'a plain deny': ['M-5001', 'C-600'], 'a wall': ['M-2001', 'C-200'], unknown: ['M-9999', 'C-999'] };
  const shapes = await Promise.all(
    Object.values(places).map(async ([matter_id, client_id]) => {
      const token = rig.subjectToken('u-voss', { aud: 'search', azp: 'search-web' });
      const ask = (more: Json) => reading({ matter_id, client_id }, { subject_token: token, ...more });
      const denied = await evaluate(ask({}), 'search');
      const reason = { ...OFFICE, break_glass_reason: REASON };
      const task = await send('POST', REQUESTS, ask({ denial: denialOf(denied), context: reason }), 'search');
      return JSON.stringify([denied.body, task.status, task.body]).replace(
        /"[0-9a-f]{8}-[0-9a-f-]{27}"|requests\/[0-9a-f-]{36}|"2\d{3}-\d\d-\d\dT[^"]*"/g,
        '#',
      );
    }),
  );
  t.strictSame([...new Set(shapes)], [shapes[0]]);
  t.match(shapes[0], /"emergency".*"approved"/s, 'an emergency can be stated for each; policy decides when it is used');
});
