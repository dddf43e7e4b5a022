// OpenID AuthZEN Authorization API 1.0 over HTTP: the certification scenario's decisions (openid/authzen,
// certification/authorization-api-1_0-scenario.md, levels Basic and Batch), each normative sentence, and who is believed.
import path from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { replay } from '../../src/core/replay.ts';
import { REPOSITORY } from '../cli/privity.ts';
import { document, OFFICE, startApp, type TestApp } from '../helpers/app.ts';
import { runs } from '../helpers/runs.ts';

type Json = Readonly<Record<string, unknown>>;

const FIXTURE = path.join(REPOSITORY, 'examples/authzen');
const fixture = await startApp(t, { environment: { POLICIES_DIR: FIXTURE } });
const firm = await startApp(t);

const EVALUATION = '/access/v1/evaluation';
const EVALUATIONS = '/access/v1/evaluations';

async function post(rig: TestApp, url: string, payload: unknown, headers: Json = {}, caller?: string) {
  const response = await rig.inject({
    method: 'POST',
    url,
    headers: {
      authorization: `Bearer ${rig.callerToken(caller ?? (rig === fixture ? 'pep' : 'dms'))}`,
      'content-type': 'application/json',
      ...headers,
    },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  });
  const { statusCode: status, body, headers: answered } = response;
  return { status, headers: answered, body: body === '' ? null : (JSON.parse(body) as Json) };
}

const idOf = (body: Json | null): string => String((body?.['context'] as Json | undefined)?.['evaluation_id']);
const user = (id: string, properties?: Json) => ({ type: 'user', id, ...(properties && { properties }) });
const record = (id: string, properties?: Json) => ({ type: 'record', id, ...(properties && { properties }) });
const act = (name: string, properties?: Json) => ({ name, ...(properties && { properties }) });
const allowed = { decision: true };
const denied = { decision: false };

t.test('the eight decisions of the scenario, and nothing but the decision', async (t) => {
  const archived = { status: 'archived' };
  const cases: readonly (readonly [string, Json, Json, Json, boolean])[] = [
    ['2.2.1', user('alice'), act('read'), record('record-1'), true],
    ['rule 2', user('alice'), act('write'), record('record-1'), true],
    ['rule 3', user('bob'), act('read'), record('record-1'), true],
    ['2.2.2', user('bob'), act('write'), record('record-1'), false],
    ['2.2.4', user('alice'), act('write'), record('record-2', archived), false],
    ['2.2.5', user('bob', { role: 'admin' }), act('write'), record('record-2', archived), true],
    ['2.2.6', user('alice'), act('delete', { soft: true }), record('record-1'), true],
    ['2.2.7', user('alice'), act('delete', { soft: false }), record('record-1'), false],
    ['without properties', user('alice'), act('write'), record('record-2'), false],
    ['without properties', user('bob'), act('write'), record('record-2'), true],
    ['said of the kind of removal: nothing', user('alice'), act('delete'), record('record-1'), false],
    [
      'a role that only the request knows',
      user('alice', { role: 'admin', roles: ['admin'] }),
      act('write'),
      record('record-2'),
      false,
    ],
  ];
  for (const [name, subject, action, resource, decision] of cases) {
    for (const context of [undefined, { time: '2025-06-27T18:03-07:00', ip: '192.168.1.1' }]) {
      const { status, body, headers } = await post(fixture, EVALUATION, { subject, action, resource, context });
      t.equal(status, 200, name);
      t.match(headers['content-type'], /^application\/json/);
      t.strictSame(body, { decision }, name);
    }
  }
});

t.test('members that nobody knows are ignored, at every level (section 5)', async (t) => {
  const odd = {
    subject: { ...user('alice', { department: 'Sales', role: 'manager' }), nickname: 'al' },
    action: { ...act('read', { method: 'GET' }), verb: 1 },
    resource: { ...record('record-1', { status: 'active', owner: 'bob' }), colour: null },
    foo: 'bar',
    futureField: { nested: true },
  };
  t.strictSame((await post(fixture, EVALUATION, odd)).body, allowed);
});

t.test('what is missing or of another type is 400 (sections 5 and 6)', async (t) => {
  const whole: Json = { subject: user('alice'), action: act('read'), resource: record('record-1') };
  const without = (name: string): Json => Object.fromEntries(Object.entries(whole).filter(([one]) => one !== name));
  const wrong: readonly unknown[] = [
    ...['subject', 'action', 'resource'].map(without),
    { ...whole, subject: { id: 'alice' } },
    { ...whole, subject: { type: 'user' } },
    { ...whole, subject: { type: 'user', id: '' } },
    { ...whole, action: {} },
    { ...whole, resource: { id: 'record-1' } },
    { ...whole, resource: { type: 'record' } },
    { ...whole, subject: 'alice' },
    { ...whole, subject: null },
    { ...whole, action: { name: 123 } },
    { ...whole, context: 'office' },
    { ...whole, resource: { ...record('record-1'), properties: [] } },
    [whole],
    '{"subject":',
    '',
  ];
  for (const url of [EVALUATION, EVALUATIONS]) {
    for (const payload of wrong) {
      const { status, headers } = await post(fixture, url, payload, { 'x-request-id': 'pep-1' });
      t.equal(status, 400, `${url} ${JSON.stringify(payload)}`);
      t.equal(headers['x-request-id'], 'pep-1', 'echoed on errors too (section 10.1.3)');
    }
    t.equal((await post(fixture, url, whole, { 'content-type': 'text/plain' })).status, 400);
    t.equal((await post(fixture, url, whole, { 'content-type': 'application/json; charset=utf-8' })).status, 200);
    t.equal((await fixture.inject({ method: 'GET', url })).statusCode, 405);
  }
});

t.test('evaluations (section 7)', async (t) => {
  const many = async (payload: Json) => (await post(fixture, EVALUATIONS, payload)).body;
  const subject = user('alice');
  const read = act('read');
  const [first, second] = [{ resource: record('record-1') }, { resource: record('record-2') }];

  t.strictSame(await many({ subject, action: read, evaluations: [first, second] }), {
    evaluations: [allowed, allowed],
  });
  t.strictSame(
    await many({ subject: user('bob'), ...first, evaluations: [{ action: read }, { action: act('write') }] }),
    { evaluations: [allowed, denied] },
    'in the order of the request',
  );
  t.strictSame(
    await many({
      subject,
      action: act('write'),
      evaluations: [
        { resource: record('record-1', { status: 'active' }) },
        { resource: record('record-2', { status: 'archived' }) },
      ],
    }),
    { evaluations: [allowed, denied] },
  );
  t.strictSame(
    await many({
      action: act('write'),
      resource: record('record-2', { status: 'archived' }),
      evaluations: [{ subject: user('alice') }, { subject: user('bob', { role: 'admin' }) }],
    }),
    { evaluations: [denied, allowed] },
    'several subjects',
  );
  t.strictSame(
    await many({
      subject,
      action: act('write'),
      resource: { type: 'record' },
      evaluations: [{ resource: { id: 'record-1' } }, { resource: record('record-2') }],
    }),
    { evaluations: [allowed, denied] },
    'an identifier that is missing comes from the top level',
  );
  t.strictSame(await many({ subject, action: read, ...first }), allowed, 'no evaluations: as a single one (7.1)');
  t.strictSame(await many({ subject, action: read, ...first, evaluations: [] }), allowed, 'nor any in the list');
  t.equal(
    (
      await post(fixture, EVALUATIONS, {
        ...first,
        options: { evaluations_semantic: 'best_of_three' },
        evaluations: [first],
      })
    ).status,
    400,
    'an unknown semantic',
  );
  const late = await many({
    subject,
    evaluations: [{ action: act('delete'), ...first }],
    action: act('delete', { soft: true }),
  });
  t.strictSame(late, { evaluations: [denied] }, 'properties are never taken from the top level');
  const context = await many({
    subject,
    action: act('delete'),
    ...first,
    context: { soft: true },
    evaluations: [{}, { context: {} }],
  });
  t.strictSame(context, { evaluations: [allowed, denied] }, 'nor is context mixed');
});

t.test('one broken evaluation among others is answered false, and recorded as refused (section 7.2.1)', async (t) => {
  const before = await fixture.count('refused');
  const { status, body } = await post(fixture, EVALUATIONS, {
    subject: user('alice'),
    action: act('read'),
    evaluations: [{}, { resource: record('record-1') }, { resource: record('x'.repeat(256) + 'é') }],
  });
  t.equal(status, 400, 'what no envelope holds is wrong with the whole request');
  t.ok(body);
  const answer = await post(fixture, EVALUATIONS, {
    subject: user('alice'),
    action: act('read'),
    evaluations: [{}, { resource: record('record-1') }, { resource: record('é'.repeat(200)) }],
  });
  t.equal(answer.status, 200);
  t.match(answer.body, {
    evaluations: [
      {
        decision: false,
        context: { error: { status: 400, message: '/evaluations/0/resource/type: this member is missing' } },
      },
      allowed,
      { decision: false, context: { error: { status: 400, message: /longer than 256 bytes$/ } } },
    ],
  });
  t.equal(await fixture.count('refused'), before + 2, 'no answer without its record (P1)');
});

t.test('the three semantics end where they say (section 7.1.2.1)', async (t) => {
  const items = { read: { action: act('read') }, write: { action: act('write') }, broken: { action: {} } };
  const names = fc.array(fc.constantFrom('read', 'write', 'broken'), { minLength: 1, maxLength: 6 });
  const truth = { read: true, write: false, broken: false };
  const semantics = fc.constantFrom('execute_all', 'deny_on_first_deny', 'permit_on_first_permit', undefined);
  await fc.assert(
    fc.asyncProperty(names, semantics, async (list, semantic) => {
      const before = await fixture.count('decision');
      const { body } = await post(fixture, EVALUATIONS, {
        subject: user('bob'),
        resource: record('record-1'),
        evaluations: list.map((name) => items[name as keyof typeof items]),
        ...(semantic && { options: { evaluations_semantic: semantic } }),
      });
      const all = list.map((name) => truth[name as keyof typeof truth]);
      const end =
        semantic === 'deny_on_first_deny'
          ? all.indexOf(false)
          : semantic === 'permit_on_first_permit'
            ? all.indexOf(true)
            : -1;
      const expected = end < 0 ? all : all.slice(0, end + 1);
      const answers = (body?.['evaluations'] ?? []) as readonly Json[];
      t.strictSame(
        answers.map(({ decision }) => decision),
        expected,
      );
      const decided = list.slice(0, expected.length).filter((name) => name !== 'broken').length;
      t.equal(await fixture.count('decision'), before + decided, 'what was not answered was not decided');
    }),
    runs(30, 500),
  );
});

t.test('who is believed about the subject', async (t) => {
  const about = (id: string, type = 'user') => ({
    subject: { type, id },
    action: act('read'),
    resource: document('D-1'),
    context: OFFICE,
  });
  const withToken = { ...about('u-okafor'), subject_token: firm.subjectToken('u-okafor') };

  t.strictSame((await post(firm, EVALUATION, withToken)).body, allowed, 'a token in the body');
  const { subject_token: token, ...rest } = withToken;
  t.strictSame(
    (await post(firm, EVALUATION, rest, { 'privity-subject-token': token })).body,
    allowed,
    'or in a header',
  );
  const bearer = { authorization: `Bearer ${firm.personToken('u-okafor')}` };
  t.strictSame((await post(firm, EVALUATION, about('u-okafor'), bearer)).body, allowed, 'or as bearer');
  const other = await post(firm, EVALUATION, { ...withToken, subject: user('u-voss') });
  t.match(other, { status: 400, body: { errors: [{ pointer: '/subject/id' }] } }, 'which is about nobody else');
  t.match(await post(firm, EVALUATION, about('u-voss'), bearer), { status: 400 });
  t.match(await post(firm, EVALUATION, { ...withToken, subject_token: `${token}x` }), { status: 401 });

  const asking = { ...OFFICE, response_context: true };
  const vouched = await post(firm, EVALUATION, { ...about('u-okafor'), context: asking });
  t.match(vouched.body, { decision: true }, 'or the caller vouches; roles come from the directory');
  const said = await firm.record(idOf(vouched.body));
  const terms = { stranger: false, supports: [] };
  t.match(said, { subject: { id: 'u-okafor', evidence: 'vouched', token_id: null }, terms });
  const copy = {
    subject: user('u-okafor', { amr: ['mfa'], auth_time: new Date().toISOString() }),
    action: act('download'),
    resource: document('D-1', { privileged: true }),
    context: asking,
  };
  const unsigned = await post(firm, EVALUATION, copy);
  t.match(unsigned.body, { decision: false }, 'but nobody vouches for how somebody signed in');
  t.match(await post(firm, EVALUATION, { ...copy, subject_token: token }), { body: allowed });
  t.match(await post(firm, EVALUATION, about('u-okafor'), {}, 'search'), { status: 403 }, 'the caller may not vouch');
  t.match(await post(firm, EVALUATION, about('u-okafor'), { authorization: '' }), { status: 401 });

  const stranger = await post(fixture, EVALUATION, {
    subject: { type: 'spaceship', id: 'alice' },
    action: act('read'),
    resource: record('record-1'),
    context: { response_context: true },
  });
  t.match(stranger.body, { decision: false }, 'everybody reads, but nobody has said that this is somebody');
  const recorded = await fixture.record(idOf(stranger.body));
  t.match(recorded, { outcome: 'deny', decided_by: ['default-deny'], terms: { stranger: true } });
  const again = replay(fixture.app.policies.current(), recorded);
  t.match(again, { result: 'same' }, 'and it is decided the same again');
});
