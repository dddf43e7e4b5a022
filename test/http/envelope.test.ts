import t, { type Test } from 'tap';
import { document, OFFICE, startApp, type TestApp } from '../helpers/app.ts';

const rig: TestApp = await startApp(t);
const READ = { action: { name: 'read' }, resource: document('D-1'), context: OFFICE };

/** Sends bytes as they are, with a good bearer. */
async function post(payload: string | Buffer, headers: Readonly<Record<string, string>> = {}, url = '/v1/authorize') {
  const response = await rig.inject({
    method: 'POST',
    url,
    headers: { authorization: `Bearer ${rig.callerToken()}`, 'content-type': 'application/json', ...headers },
    payload,
  });
  return { status: response.statusCode, type: response.headers['content-type'], body: response.json() };
}

const withToken = (question: object): string =>
  JSON.stringify({ subject_token: rig.subjectToken('u-okafor'), ...question });

async function malformed(t: Test, payload: string | Buffer, pointer: string, why: string, url?: string): Promise<void> {
  const { status, type, body } = await post(payload, {}, url);
  t.equal(status, 400, why);
  t.equal(type, 'application/problem+json', why);
  t.match(body, { code: 'malformed_request', status: 400, request_id: /./, errors: [{ detail: /./, pointer }] }, why);
}

t.test('a broken envelope is a 400 with a pointer, and leaves no record', async (t) => {
  const before = await rig.count('decision');
  const { action, resource, context } = READ;
  const broken: readonly (readonly [object, string])[] = [
    [{ resource, context }, '/action'],
    [{ action, context }, '/resource'],
    [{ action: 'read', resource }, '/action'],
    [{ action: {}, resource }, '/action/name'],
    [{ action: { name: 123 }, resource }, '/action/name'],
    [{ action: { name: '' }, resource }, '/action/name'],
    [{ action: { name: null }, resource }, '/action/name'],
    [{ action, resource: { type: 'document' } }, '/resource/id'],
    [{ action, resource: { id: 'D-1' } }, '/resource/type'],
    [{ action, resource: { type: 'document', id: 7 } }, '/resource/id'],
    [{ action, resource: { type: ['document'], id: 'D-1' } }, '/resource/type'],
    [{ action, resource: { type: 'document', id: 'D-1', properties: [] } }, '/resource/properties'],
    [{ action, resource: { type: 'document', id: 'D-1', properties: null } }, '/resource/properties'],
    [{ action, resource, context: 'office' }, '/context'],
    [{ action, resource, context: null }, '/context'],
    [{ action, resource, subject_token: 1 }, '/subject_token'],
    [{ action, resource, subject: { type: 'user', id: 'u-okafor' } }, '/subject'],
    [{ action, resource, roles: ['partner'] }, '/roles'],
    [{ action, resource, constructor: {} }, '/constructor'],
    [{ action, resource, __caslSubjectType__: 'matter' }, '/__caslSubjectType__'],
    [{ action, resource, evaluations: [] }, '/evaluations'],
    [{ action, resource, context: { ...context, source_system: 'portal' } }, '/context/source_system'],
    [{ action, resource, context: { ...context, source_system: null } }, '/context/source_system'],
    [{ action, resource, context: { ...context, approvals: [{ by: 'u-x', role: 'partner' }] } }, '/context/approvals'],
  ];
  for (const [question, pointer] of broken) {
    await malformed(t, JSON.stringify({ subject_token: rig.subjectToken('u-okafor'), ...question }), pointer, pointer);
  }
  t.equal(await rig.count('decision'), before);
});

t.test('bodies that are no clean JSON are a 400', async (t) => {
  const text = withToken(READ);
  const before = await rig.count('decision');
  await malformed(t, text.replace('{', '{"action":{"name":"list"},'), '/action', 'a member given twice');
  await malformed(t, text.replace('"office"', '"\\u0000"'), '/context/network_zone', 'U+0000');
  await malformed(t, text.replace('"office"', '"\\ud800"'), '/context/network_zone', 'half a surrogate pair');
  await malformed(t, text.replace('"bulk_count":1', '"bulk_count":1e999'), '/context/bulk_count', '1e999');
  await malformed(
    t,
    text.replace('"bulk_count":1', '"bulk_count":9007199254740993'),
    '/context/bulk_count',
    'beyond 2^53',
  );
  await malformed(t, text.replace('"bulk_count":1', '"__proto__":{"admin":true}'), '/context/__proto__', '__proto__');
  await malformed(t, text.slice(0, -1), '', 'cut off');
  await malformed(t, `[${text}]`, '', 'an array');
  await malformed(t, '', '', 'empty');
  await malformed(t, Buffer.concat([Buffer.from(text), Buffer.from([0xff])]), '', 'not UTF-8');
  const deep = `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`;
  const { body } = await post(text.replace('"bulk_count":1', `"bulk_count":${deep}`));
  t.match(body, { code: 'malformed_request', errors: [{ detail: /nested/, pointer: /^\/context\/bulk_count\/a/ }] });
  t.equal(await rig.count('decision'), before);
});

t.test('identifiers are measured in bytes', async (t) => {
  const long = 'é'.repeat(129); // 129 characters, 258 bytes
  const fits = 'é'.repeat(128);
  const { action, context } = READ;
  await malformed(t, withToken({ ...READ, action: { name: long } }), '/action/name', 'action');
  await malformed(t, withToken({ ...READ, resource: { ...document('D-1'), type: long } }), '/resource/type', 'type');
  await malformed(t, withToken({ ...READ, resource: document(long) }), '/resource/id', 'id');
  for (const name of ['matter_id', 'client_id', 'owner', 'checked_out_by']) {
    const resource = document('D-1', { [name]: long });
    await malformed(t, withToken({ action, resource, context }), `/resource/properties/${name}`, name);
  }
  const people = { named_people: ['u-x', long] };
  await malformed(
    t,
    withToken({ ...READ, resource: document('D-1', people) }),
    '/resource/properties/named_people/1',
    'a list',
  );
  const recipient = { recipient: { id: long, verified: true } };
  await malformed(t, withToken({ ...READ, context: { ...OFFICE, ...recipient } }), '/context/recipient/id', 'a field');
  const answer = await rig.ask('u-okafor', { ...READ, resource: document(fits, { matter_id: fits, owner: fits }) });
  t.equal(answer.status, 200, '256 bytes fit');
  t.equal(answer.body.decision, false);
});

t.test('only JSON is read, whatever it calls itself', async (t) => {
  const text = withToken(READ);
  for (const type of [
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'application/json; charset="utf-8"',
    'Application/JSON',
  ]) {
    t.equal((await post(text, { 'content-type': type })).status, 200, type);
  }
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application/jsonx',
    'text/json',
    'application/ld+json',
    'application/xml',
    'application/json\ta',
    'application/json, text/plain',
    'json',
    '*/*',
  ]) {
    const { status, body } = await post(text, { 'content-type': type });
    t.equal(status, 400, type);
    t.equal(body.code, 'malformed_request', type);
  }
  const none = await rig.inject({
    method: 'POST',
    url: '/v1/authorize',
    headers: { authorization: `Bearer ${rig.callerToken()}` },
  });
  t.equal(none.statusCode, 400, 'no body at all');
  for (const coding of ['gzip', 'br', 'identity, gzip', 'x']) {
    const zipped = await post(text, { 'content-encoding': coding });
    t.equal(zipped.status, 400, `${coding}: whoever decodes it reads something else`);
  }
  t.equal((await post(text, { 'content-encoding': 'identity' })).status, 200);
});

t.test('what is too large is a 413', async (t) => {
  const { status, body } = await post(withToken({ ...READ, context: { ...OFFICE, purpose: 'x'.repeat(2 ** 20) } }));
  t.equal(status, 413);
  t.equal(body.code, 'payload_too_large');
});

t.test('undeclared members and odd values of attributes are judged, not refused', async (t) => {
  const plain = await rig.ask('u-okafor', READ);
  const download = { ...READ, action: { name: 'download' } };
  t.equal((await rig.ask('u-okafor', download, { claims: { auth_time: 1 } })).body.decision, true);
  t.equal(plain.body.decision, true);
  const odd = {
    constructor: { modelName: 'matter' },
    prototype: 1,
    __caslSubjectType__: 'matter',
    toString: 'x',
    user_type: 'client',
  };
  const same = await rig.ask('u-okafor', {
    action: { ...READ.action, ...odd },
    resource: { ...document('D-1', odd), ...odd },
    context: { ...OFFICE, ...odd },
  });
  t.equal(same.status, 200);
  t.equal(same.body.decision, true, 'undeclared attributes change nothing');
  const { resource, context } = await rig.record(String(same.body.context?.['evaluation_id']));
  t.notOk(JSON.stringify([resource, context]).includes('modelName'), 'and are not recorded');

  for (const [name, value] of [
    ['privileged', 'false'],
    ['privileged', 0],
    ['confidentiality', 'secret'],
    ['confidentiality', ['confidential']],
    ['matter_id', 1001],
    ['matter_id', { $ne: null }],
    ['matter_status', ''],
    ['matter_status', null],
  ] as const) {
    const question = { ...READ, action: { name: 'download' }, resource: document('D-1', { [name]: value }) };
    const answer = await rig.ask('u-okafor', question, { claims: { auth_time: 1 } });
    t.equal(answer.status, 200, `${name} ${JSON.stringify(value)}`);
    t.equal(answer.body.decision, false, `${name} ${JSON.stringify(value)}`);
    t.same(answer.body.context?.['missing'], [`resource.${name}`]);
  }
});

t.test('a batch with one broken item is refused whole', async (t) => {
  const before = await rig.count('decision');
  const batch = (evaluations: unknown, more: object = {}): string => withToken({ evaluations, ...more });
  const url = '/v1/authorize/batch';
  await malformed(
    t,
    batch([READ, { ...READ, action: { name: 5 } }]),
    '/evaluations/1/action/name',
    'a broken item',
    url,
  );
  await malformed(
    t,
    batch([READ, { ...READ, subject_token: 'x' }]),
    '/evaluations/1/subject_token',
    'a token of its own',
    url,
  );
  await malformed(t, batch([]), '/evaluations', 'none', url);
  await malformed(t, batch({}), '/evaluations', 'no list', url);
  await malformed(t, batch([READ], { action: READ.action }), '/action', 'another member', url);
  const { resource } = READ;
  const long = { ...resource, id: 'é'.repeat(129) };
  await malformed(t, batch([READ, { ...READ, resource: long }]), '/evaluations/1/resource/id', 'bytes', url);
  await malformed(
    t,
    batch([READ], { context: { source_system: 'dms' } }),
    '/context/source_system',
    'the shared context',
    url,
  );
  await malformed(
    t,
    batch([{ ...READ, context: { approvals: [] } }]),
    '/evaluations/0/context/approvals',
    'an item’s context',
    url,
  );
  const tooMany = Array.from({ length: 1001 }, () => ({
    action: READ.action,
    resource: { type: 'document', id: 'D' },
  }));
  await malformed(t, batch(tooMany), '/evaluations', '1,001', url);
  const wide = await post(
    batch(
      Array.from({ length: 900 }, () => ({ action: READ.action, resource: { type: 'note', id: 'N' } })),
      { context: { purpose: 'x'.repeat(200_000) } },
    ),
    {},
    url,
  );
  t.equal(wide.status, 413, 'a shared context that would be copied into too many records');
  t.equal(await rig.count('decision'), before);
});
