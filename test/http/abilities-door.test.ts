// Hints for front ends over HTTP: recorded, replayable, of whoever is signed in, and never a permission.
import { createMongoAbility, subject as tagged, type MongoAbility, type RawRuleOf } from '@casl/ability';
import { unpackRules, type PackRule } from '@casl/ability/extra';
import t from 'tap';
import { replay } from '../../src/core/replay.ts';
import { document, OFFICE, startApp } from '../helpers/app.ts';

type Json = Readonly<Record<string, unknown>>;
const WALL = `walls:
  - { id: W-HINT, kind: exclusion, matter_id: M-1001, excluded_people: [u-okafor], valid_from: '2026-01-01T00:00:00Z' }
`;
const rig = await startApp(t);
const walled = await startApp(t, { files: { 'walls/more.yaml': WALL } });

async function abilities(
  token: string,
  { query = '', headers = {}, of = rig }: { query?: string; headers?: Json; of?: typeof rig } = {},
) {
  const url = `/v1/abilities${query}`;
  const answer = await of.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}`, ...headers } });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json<Json>() };
}

const frontEnd = (body: Json): MongoAbility =>
  createMongoAbility(unpackRules(body['rules'] as PackRule<RawRuleOf<MongoAbility>>[]));
const ITEM = { ...(document('D-1')['properties'] as Json), matter: { team: ['u-okafor', 'u-voss'] } };

t.test('a front end asks for the person who is signed in', async (t) => {
  const { status, headers, body } = await abilities(rig.personToken('u-okafor'));
  t.equal(status, 200);
  t.equal(headers['cache-control'], 'no-store');
  t.strictSame(Object.keys(body).sort(), ['evaluated_at', 'evaluation_id', 'expires_at', 'policy', 'rules']);
  t.ok(Date.parse(String(body['expires_at'])) > Date.parse(String(body['evaluated_at'])));
  const ability = frontEnd(body);
  t.ok(ability.can('read', tagged('document', { ...ITEM })));
  t.notOk(ability.can('read', tagged('document', { ...ITEM, matter: { team: ['u-lind'] } })), 'another team');
  t.notOk(ability.can('dispose', tagged('document', { ...ITEM })));

  const brought = await abilities(rig.callerToken(), {
    headers: { 'privity-subject-token': rig.subjectToken('u-okafor') },
  });
  t.strictSame(brought.body['rules'], body['rules'], 'through the caller’s own token as well');
  const other = await abilities(rig.personToken('u-banks'));
  t.notOk(frontEnd(other.body).can('read', tagged('document', { ...ITEM })));
  t.ok(frontEnd(other.body).can('edit', tagged('invoice', {})));
});

t.test('recorded before the answer, without the rules, and made again from the record', async (t) => {
  const query = `?context=${encodeURIComponent(JSON.stringify({ network_zone: 'office' }))}`;
  const { body } = await abilities(rig.personToken('u-okafor'), { query });
  const said = await rig.record(String(body['evaluation_id']));
  t.match(said, {
    kind: 'search',
    at: body['evaluated_at'],
    policy: body['policy'],
    subject: { id: 'u-okafor' },
    context: { network_zone: 'office' },
    search: { kind: 'ability', hash: /^[0-9a-f]{64}$/ },
    outcome: null,
  });
  t.notMatch(JSON.stringify(said), /matter_status"?:"?\{?"?\$/);
  const set = rig.app.policies.current();
  t.match(replay(set, said), { result: 'same' });
  const search = { ...(said['search'] as Json), hash: '0'.repeat(64) };
  t.match(replay(set, { ...said, search }), { result: 'different', differences: [{ member: 'search.hash' }] });
});

t.test('a hint is no permission: a wall is not in it, and decides', async (t) => {
  const hint = async (of: typeof rig) => (await abilities(of.personToken('u-okafor'), { of })).body['rules'];
  t.strictSame(await hint(walled), await hint(rig), 'the same hint on both sides of a wall');
  t.ok(frontEnd({ rules: await hint(walled) }).can('read', tagged('document', { ...ITEM })));
  const question = { action: { name: 'read' }, resource: document('D-1'), context: OFFICE };
  t.match(await walled.ask('u-okafor', question), { status: 200, body: { decision: false } });
  t.match(await rig.ask('u-okafor', question), { status: 200, body: { decision: true } });
});

t.test('what is malformed, and who may not ask', async (t) => {
  const token = rig.personToken('u-okafor');
  for (const text of ['nonsense', '[]', '7', '{"a":1,"a":2}', '{"source_system":"portal"}', '{"approval_ids":["x"]}']) {
    const { status, body } = await abilities(token, { query: `?context=${encodeURIComponent(text)}` });
    t.equal(status, 400, text);
    t.equal(body['code'], 'malformed_request');
  }
  const id = '0195f4c2-19aa-7d10-8b3c-6e0f1a2b3c4d';
  const approved = await abilities(token, { query: `?context=${encodeURIComponent(`{"approval_ids":["${id}"]}`)}` });
  t.match(approved, { status: 400, body: { errors: [{ pointer: '/context/approval_ids' }] } });
  t.equal((await abilities(token, { query: '?type=document' })).status, 400, 'there is no such parameter');
  t.equal((await abilities('not.a.token')).status, 401);
  t.equal((await abilities(rig.callerToken())).status, 403, 'a system is nobody who clicks');
});
