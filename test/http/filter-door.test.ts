// List filters over HTTP: who may ask, what is malformed, what is refused, and that each is recorded and can be made again.
import t from 'tap';
import { replay } from '../../src/core/replay.ts';
import { OFFICE, startApp } from '../helpers/app.ts';

type Json = Readonly<Record<string, unknown>>;

const firm = await startApp(t);
const columns = { id: 'd.id', matter_id: 'd.matter_id', client_id: 'd.client_id', matter_status: 'd.status' };
const marked = {
  confidentiality: 'internal',
  privileged: false,
  work_product: false,
  work_product_internal: false,
  phi: false,
  export_controlled: false,
};
const question = {
  action: { name: 'read' },
  resource: { type: 'document', properties: marked },
  context: OFFICE,
  target: 'postgresql',
  columns,
};

interface Sent {
  readonly person?: string;
  readonly caller?: string;
  readonly claims?: Json;
}

async function send(payload: Json, { person = 'u-lind', caller = 'dms', claims = {} }: Sent = {}) {
  const subject_token = person === '' ? undefined : firm.subjectToken(person, claims);
  const response = await firm.inject({
    method: 'POST',
    url: '/v1/filter',
    headers: { authorization: `Bearer ${firm.callerToken(caller)}`, 'content-type': 'application/json' },
    payload: JSON.stringify({ subject_token, ...payload }),
  });
  return { status: response.statusCode, body: response.json<Json>() };
}

const lastFilter = async (): Promise<Json> => {
  const { rows } = await firm.reader.query<{ id: string }>(
    `select id from decisions where kind = 'filter' order by id desc limit 1`,
  );
  return firm.record(rows[0]?.id ?? '');
};

t.test('an associate gets the open documents of the matters whose team they are on', async (t) => {
  const { status, body } = await send(question);
  t.equal(status, 200);
  t.match(body, { kind: 'conditional', evaluation_id: String, evaluated_at: String, policy: { revision: /^sha256:/ } });
  t.notOk('condition' in body || 'query' in body);
  const { text, params } = body['sql'] as { text: string; params: unknown[] };
  t.match(text, /"d"\."matter_id"\)::text = any \(\$\d::text\[\]\)/);
  t.notMatch(text, /M-|C-|open/, 'values are parameters');
  t.match(JSON.stringify(params), /"M-1001"/);
  const left = Date.parse(String(body['expires_at'])) - Date.parse(String(body['evaluated_at']));
  t.ok(left > 0 && left <= 60_000, `it lasts ${left} ms`);

  const record = await lastFilter();
  t.match(record, {
    kind: 'filter',
    id: body['evaluation_id'],
    action: 'read',
    subject: { id: 'u-lind', actor: null },
    resource: { id: null, type: 'document' },
    matter: null,
    outcome: null,
    filter: { target: 'postgresql', kind: 'conditional', columns, hash: /^[0-9a-f]{64}$/, matters: null },
  });
  t.notMatch(JSON.stringify(record['filter']), /M-1001/, 'the record does not hold the filter');
  const again = replay(firm.app.policies.current(), record);
  t.strictSame([again.result, again.differences], ['same', []]);
  const other = { ...record, filter: { ...(record['filter'] as Json), hash: '0'.repeat(64) } };
  t.strictSame(
    replay(firm.app.policies.current(), other).differences.map(({ member }) => member),
    ['filter.hash'],
  );
});

t.test('each target has its own member', async (t) => {
  const names = { id: 'id', matter_id: 'matter', client_id: 'client', matter_status: 'status' };
  const ucast = await send({ ...question, target: 'ucast', columns: names });
  t.match(ucast.body, { kind: 'conditional', condition: { type: 'compound', operator: 'and' } });
  const { resource, action, context, target } = { ...question, target: 'elasticsearch' };
  const query = await send({ resource, action, context, target });
  t.match(query.body, { kind: 'conditional', query: { bool: { filter: Array } } });
  t.match(JSON.stringify(query.body['query']), /"matter_id"/, 'without columns every attribute is under its own name');
  t.equal(replay(firm.app.policies.current(), await lastFilter()).result, 'same');
  t.notOk('sql' in ucast.body || 'sql' in query.body);
});

t.test('a table of matters stands for what no list can hold', async (t) => {
  const matters = {
    table: 'firm.matters',
    id: 'id',
    columns: { client_id: 'client_id', proposing_partner: 'proposed_by' },
  };
  const first_parameter = 4;
  const { status, body } = await send(
    { ...question, action: { name: 'list' }, resource: { type: 'invoice' }, columns: { ...columns, confidentiality: 'd.level' }, matters, first_parameter }, // prettier-ignore
    { claims: { roles: ['billing'] } },
  );
  t.equal(status, 200);
  const { text, params } = body['sql'] as { text: string; params: unknown[] };
  t.match(text, /exists \(select from "firm"\."matters" "privity_matter" where/);
  t.match(text, new RegExp(`\\$${first_parameter}::`));
  t.notMatch(text, /\$[123]::/);
  t.ok(params.length > 0);
  t.equal(replay(firm.app.policies.current(), await lastFilter()).result, 'same');
});

t.test('nothing of a walled matter, whatever the team', async (t) => {
  const walled = { ...question, resource: { type: 'document', properties: { ...marked, matter_id: 'M-1001', client_id: 'C-100' } } }; // prettier-ignore
  const { matter_id: _m, client_id: _c, ...left } = columns;
  void [_m, _c];
  const { body } = await send({ ...walled, columns: left }, { person: 'u-voss' });
  t.equal(body['kind'], 'always_denied');
  t.match(await lastFilter(), { matter: 'M-1001', client: 'C-100', filter: { kind: 'always_denied' } });
});

t.test('what is malformed says where', async (t) => {
  const cases: readonly (readonly [string, Json])[] = [
    ['/columns', { columns: undefined }],
    ['/columns', { columns: { matter_id: 'm' } }],
    ['/columns/matters', { columns: { ...columns, matters: 'm' } }],
    ['/columns/privileged', { columns: { ...columns, privileged: 'd.p' } }],
    ['/columns/matter_id', { columns: { ...columns, matter_id: 'm; drop table x' } }],
    ['/columns/matter_id', { columns: { ...columns, matter_id: 'a.b.c.d' } }],
    ['/columns/id', { columns: { ...columns, id: 'id' }, matters: { table: 'm', id: 'id' } }],
    ['/columns/id', { columns: { ...columns, id: 'privity_matter.id' }, matters: { table: 'm', id: 'id' } }],
    ['/matters/table', { matters: { table: 'm"x', id: 'id' } }],
    ['/matters/id', { matters: { table: 'm', id: 'm.id' } }],
    ['/matters/columns/team', { matters: { table: 'm', id: 'id', columns: { team: 'm.team' } } }],
    ['/matters', { target: 'ucast', matters: { table: 'm', id: 'id' } }],
    ['/first_parameter', { target: 'ucast', first_parameter: 2 }],
    ['/context/approval_ids', { context: { ...OFFICE, approval_ids: [] } }],
    ['/context/source_system', { context: { ...OFFICE, source_system: 'dms' } }],
    ['/target', { target: 'mysql' }],
  ];
  for (const [pointer, change] of cases) {
    const { status, body } = await send({ ...question, ...change });
    t.match({ status, body }, { status: 400, body: { code: 'malformed_request', errors: [{ pointer }] } }, pointer);
  }
});

t.test('what no condition can say is refused, and recorded', async (t) => {
  const before = await firm.count('filter');
  const emergency = { ...OFFICE, break_glass_reason: 'court hearing in ten minutes' };
  const now = Math.floor(Date.now() / 1_000);
  const { status, body } = await send(
    { ...question, context: emergency },
    { claims: { auth_time: now, amr: ['mfa'] } },
  );
  t.match({ status, body }, { status: 422, body: { code: 'filter_not_translatable', detail: /obligations/ } });
  t.notMatch(JSON.stringify(body), /break-glass/);
  t.equal(await firm.count('filter'), before + 1);
  const record = await lastFilter();
  t.match(record, { filter: { kind: null, hash: null, expires_at: null } });
  t.equal(replay(firm.app.policies.current(), record).result, 'same');
});

t.test('only a system that asks with its own token, and has the right', async (t) => {
  t.equal((await send(question, { caller: 'time' })).status, 403);
  t.equal((await send(question, { person: '' })).status, 403, 'a system has no list of its own');
  const response = await firm.inject({
    method: 'POST',
    url: '/v1/filter',
    headers: { authorization: `Bearer ${firm.personToken('u-lind')}`, 'content-type': 'application/json' },
    payload: JSON.stringify(question),
  });
  t.match({ status: response.statusCode, body: response.json<Json>() }, { status: 403, body: { code: 'caller_not_allowed' } }); // prettier-ignore
});

t.test('it ends with the token of the person', async (t) => {
  const exp = Math.floor(Date.now() / 1_000) + 20;
  const { body } = await send(question, { claims: { exp } });
  t.equal(Date.parse(String(body['expires_at'])), exp * 1_000);
});
