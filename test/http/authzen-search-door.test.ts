// AuthZEN 1.0 searches (section 8; level Search of the certification scenario) over HTTP: what is found, and that it is just what single
// evaluations allow.
import path from 'node:path';
import t from 'tap';
import { replay } from '../../src/core/replay.ts';
import { REPOSITORY } from '../cli/privity.ts';
import { document, OFFICE, startApp, type TestApp } from '../helpers/app.ts';

type Json = Readonly<Record<string, unknown>>;

const fixture = await startApp(t, { environment: { POLICIES_DIR: path.join(REPOSITORY, 'examples/authzen') } });
const firm = await startApp(t);

async function post(rig: TestApp, url: string, payload: Json, caller = rig === fixture ? 'pep' : 'dms') {
  const response = await rig.inject({
    method: 'POST',
    url: `/access/v1/${url}`,
    headers: { authorization: `Bearer ${rig.callerToken(caller)}`, 'content-type': 'application/json' },
    payload: JSON.stringify(payload),
  });
  return { status: response.statusCode, body: response.json<Json>() };
}

/** The last search that was recorded. */
async function lastSearch(rig: TestApp): Promise<Json> {
  const { rows } = await rig.reader.query<{ id: string }>(
    `select id from decisions where kind = 'search' order by id desc limit 1`,
  );
  return rig.record(rows[0]?.id ?? '');
}

const user = (id: string, properties?: Json) => ({ type: 'user', id, ...(properties && { properties }) });
const record = (id: string, properties?: Json) => ({ type: 'record', id, ...(properties && { properties }) });
const idsOf = (body: Json) => (body['results'] as readonly Json[]).map(({ id, name }) => id ?? name);
const [read, write] = [{ name: 'read' }, { name: 'write' }];

t.test('what the scenario has to find, and nothing else', async (t) => {
  const archived = { status: 'archived' };
  const bob = user('bob', { role: 'admin' });
  const cases: readonly (readonly [string, string, Json, readonly string[]])[] = [
    ['4.2.1', 'subject', { subject: { type: 'user' }, action: read, resource: record('record-1') }, ['alice', 'bob']],
    ['4.2.4', 'subject', { subject: { type: 'user' }, action: write, resource: record('record-2', archived) }, ['bob']],
    ['an id is ignored', 'subject', { subject: user('bob'), action: write, resource: record('record-1') }, ['alice']],
    [
      '4.3.1',
      'resource',
      { subject: user('alice'), action: read, resource: { type: 'record' } },
      ['record-1', 'record-2'],
    ],
    ['4.3.3', 'resource', { subject: bob, action: write, resource: { type: 'record' } }, ['record-2']],
    ['4.4.1', 'action', { subject: user('alice'), resource: record('record-1') }, ['read', 'write']],
    ['4.4.3', 'action', { subject: bob, resource: record('record-2', archived) }, ['read', 'write']],
    ['4.6.1', 'action', { subject: user('nonexistent-user'), resource: record('record-1') }, []],
    ['4.6.1', 'resource', { subject: user('nonexistent-user'), action: read, resource: { type: 'record' } }, []],
    ['4.6.2', 'subject', { subject: { type: 'spaceship' }, action: read, resource: record('record-1') }, []],
    ['4.6.2', 'resource', { subject: user('alice'), action: read, resource: { type: 'spaceship' } }, []],
    ['4.6.2', 'action', { subject: { type: 'spaceship', id: 'alice' }, resource: record('record-1') }, []],
    [
      'an action that nobody knows',
      'subject',
      { subject: { type: 'user' }, action: { name: 'fly' }, resource: record('record-1') },
      [],
    ],
    [
      'how it is done',
      'subject',
      {
        subject: { type: 'user' },
        action: { name: 'delete', properties: { soft: true } },
        resource: record('record-1'),
      },
      ['alice'],
    ],
  ];
  for (const [name, kind, question, expected] of cases) {
    for (const context of [undefined, { ip: '192.168.1.1' }]) {
      const { status, body } = await post(fixture, `search/${kind}`, { ...question, context });
      t.equal(status, 200, name);
      t.strictSame(idsOf(body), expected, name);
      t.notOk('page' in body, 'all of it, and nobody asked for pages');
    }
  }
  const { body } = await post(fixture, 'search/subject', cases[0]?.[2] ?? {});
  t.strictSame(body, { results: [user('alice'), user('bob')] }, 'subjects by type and id');
  const actions = await post(fixture, 'search/action', cases[5]?.[2] ?? {});
  t.strictSame(actions.body, { results: [read, write] }, 'actions by name');
});

t.test('what is missing is 400 (section 8, 4.7 of the scenario)', async (t) => {
  const subject = { type: 'user' };
  const resource = record('record-1');
  const wrong: readonly (readonly [string, Json])[] = [
    ['subject', { subject, resource }],
    ['subject', { subject, action: read }],
    ['subject', { subject, action: read, resource: { type: 'record' } }],
    ['subject', { subject: {}, action: read, resource }],
    ['resource', { action: read, resource: { type: 'record' } }],
    ['resource', { subject, action: read, resource: { type: 'record' } }],
    ['resource', { subject: user('alice'), action: read, resource: {} }],
    ['action', { subject: user('alice') }],
    ['action', { subject, resource }],
    ['subject', { subject, action: read, resource, page: { limit: -1 } }],
    ['subject', { subject, action: read, resource, page: { token: 7 } }],
  ];
  for (const [kind, question] of wrong)
    t.equal((await post(fixture, `search/${kind}`, question)).status, 400, JSON.stringify(question));
});

t.test('pages are stable, and a token is good for its own search alone (section 8.1.2)', async (t) => {
  const question = { subject: { type: 'user' }, action: read, resource: record('record-1') };
  const first = await post(fixture, 'search/subject', { ...question, page: { limit: 1 } });
  t.match(first.body, { page: { next_token: /.+/, count: 1 }, results: [user('alice')] });
  const { next_token: token } = first.body['page'] as { next_token: string };
  const rest = { page: { next_token: '', count: 1 }, results: [user('bob')] };
  t.strictSame((await post(fixture, 'search/subject', { ...question, page: { token, limit: 1 } })).body, rest);
  t.strictSame(
    (await post(fixture, 'search/subject', { ...question, page: { token } })).body,
    rest,
    'without the limit',
  );
  const others: readonly Json[] = [
    { ...question, action: write },
    { ...question, resource: record('record-2') },
    { ...question, context: { ip: '192.168.1.1' } },
  ];
  for (const other of others)
    t.match(await post(fixture, 'search/subject', { ...other, page: { token, limit: 1 } }), { status: 400 });
  for (const forged of [`${token}A`, token.slice(0, -2), 'AAAA', 'é'])
    t.match(await post(fixture, 'search/subject', { ...question, page: { token: forged } }), {
      status: 400,
      body: { errors: [{ pointer: '/page/token' }] },
    });
  const none = await post(fixture, 'search/subject', { ...question, page: { limit: 0 } });
  t.match(none.body, { page: { count: 0, next_token: /.+/ }, results: [] }, 'which is not the end');
  const { next_token: begin } = none.body['page'] as { next_token: string };
  const all = await post(fixture, 'search/subject', { ...question, page: { token: begin } });
  t.strictSame(idsOf(all.body), ['alice', 'bob']);
});

t.test('a search is one record, with its results counted and hashed, that finds the same again', async (t) => {
  const before = await fixture.count('search');
  const questions: readonly (readonly [string, Json])[] = [
    ['subject', { subject: { type: 'user' }, action: read, resource: record('record-1') }],
    ['resource', { subject: user('alice'), action: read, resource: { type: 'record' }, page: { limit: 1 } }],
    ['action', { subject: user('bob'), resource: record('record-2') }],
  ];
  const hashes = new Set<unknown>();
  for (const [kind, question] of questions) {
    const { body } = await post(fixture, `search/${kind}`, question);
    const said = await lastSearch(fixture);
    t.match(said, {
      kind: 'search',
      outcome: null,
      search: { kind, found: idsOf(body).length },
      caller: { id: 'pep' },
    });
    hashes.add((said['search'] as Json)['hash']);
    t.match(replay(fixture.app.policies.current(), said), { result: 'same' }, kind);
    const other = { ...said, search: { ...(said['search'] as Json), found: 7 } };
    t.match(replay(fixture.app.policies.current(), other), {
      result: 'different',
      differences: [{ member: 'search.found' }],
    });
  }
  t.equal(hashes.size, 3);
  t.equal(await fixture.count('search'), before + 3);
});

t.test('a search that finds nobody is about its matter all the same', async (t) => {
  const resource = document('D-1');
  const asked = [
    ['action', { subject: user('nobody-we-know'), resource }],
    ['subject', { subject: { type: 'spaceship' }, action: read, resource }],
  ] as const;
  for (const [kind, question] of asked) {
    t.strictSame(idsOf((await post(firm, `search/${kind}`, question)).body), []);
    const said = await lastSearch(firm);
    t.match(said, { matter: 'M-1001', client: 'C-100', search: { found: 0 } }, kind);
    t.match(replay(firm.app.policies.current(), said), { result: 'same' });
  }
});

t.test('who may search', async (t) => {
  const question = { subject: { type: 'user' }, action: read, resource: document('D-1'), context: OFFICE };
  t.equal((await post(firm, 'search/subject', question)).status, 200);
  t.equal((await post(firm, 'search/subject', question, 'portal')).status, 403, 'without the right `search`');
  const own = await firm.inject({
    method: 'POST',
    url: '/access/v1/search/subject',
    headers: { authorization: `Bearer ${firm.personToken('u-okafor')}`, 'content-type': 'application/json' },
    payload: JSON.stringify(question),
  });
  t.equal(own.statusCode, 403, 'a person does not learn who else may');
});

t.test('what is found is what evaluations allow: nothing more and nothing less, walls included', async (t) => {
  const set = firm.app.policies.current();
  const matters = [...set.data.matters.keys()].sort();
  const people = [...set.data.directory.keys()].sort();
  const actions = [...set.firm.names.actions.keys()].sort();
  const token = (person: string) => firm.subjectToken(person);
  const evaluate = async (payload: Json) => {
    const { body } = await post(firm, 'evaluations', payload);
    return (body['evaluations'] as readonly Json[]).map(({ decision }) => decision === true);
  };
  for (const person of ['u-okafor', 'u-lind', 'u-voss', 'u-secord', 'u-park']) {
    const about = { subject_token: token(person), subject: user(person), context: OFFICE };
    const matter = { type: 'matter', properties: { matter_status: 'open' } };
    const found = await post(firm, 'search/resource', { ...about, action: read, resource: matter });
    const said = await evaluate({
      ...about,
      action: read,
      evaluations: matters.map((id) => ({ resource: { ...matter, id } })),
    });
    t.strictSame(
      idsOf(found.body),
      matters.filter((_, index) => said[index]),
      `matters of ${person}`,
    );

    const resource = document('D-9001');
    const may = await post(firm, 'search/action', { ...about, resource });
    const done = await evaluate({ ...about, resource, evaluations: actions.map((name) => ({ action: { name } })) });
    t.strictSame(
      idsOf(may.body),
      actions.filter((_, index) => done[index]),
      `actions of ${person}`,
    );
  }
  for (const matter of ['M-1001', 'M-2001', 'M-4001']) {
    const { clientId } = set.data.matters.get(matter) ?? {};
    const resource = document('D-1', { matter_id: matter, client_id: clientId });
    const about = { action: read, resource, context: OFFICE };
    const found = await post(firm, 'search/subject', { subject: { type: 'user' }, ...about });
    const said = await evaluate({ ...about, evaluations: people.map((id) => ({ subject: user(id) })) });
    t.strictSame(
      idsOf(found.body),
      people.filter((_, index) => said[index]),
      `people of ${matter}`,
    );
    t.match(await lastSearch(firm), { matter, client: clientId });
  }
});
