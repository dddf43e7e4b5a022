// AuthZEN Profile for Obligations, draft 1 (openid/authzen, profiles/authzen-obligations-profile-1_0.md of 2026-07): every sentence that
// binds a decision point, with the section it stands in. What binds enforcement points is theirs; where Privity helps them to keep it,
// that is tested here too.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { replay } from '../../src/core/replay.ts';
import { openMetadata } from '../../src/pdp-metadata.ts';
import { REPOSITORY } from '../cli/privity.ts';
import { startApp } from '../helpers/app.ts';

type Json = Readonly<Record<string, unknown>>;

const FIXTURE = path.join(REPOSITORY, 'examples/authzen');
const OBLIGATIONS = `
advice:
  'step_up:mfa': { text: Sign in with your second factor., acr_values: mfa, max_age: 600 }
obligations:
  'watermark:name': { text: Print the name, fulfilled_by: caller, properties: { colour: grey } }
  'notification:desk': { fulfilled_by: caller, properties: { to: desk@firm.example, body: A record was changed. } }
  'notification:nobody': { fulfilled_by: caller, properties: { body: To whom? } }
  'notify:office': { text: Tell the office, fulfilled_by: privity }
`;
const CHANGES: Readonly<Record<string, (text: string) => string>> = {
  'firm.yaml': (text) =>
    text.replace('attributes:\n', 'attributes:\n  subject: { amr: { type: list, items: string, default: [] } }\n') +
    OBLIGATIONS,
  'rules/records.yaml': (text) =>
    `${text}
  - id: second-factor
    effect: deny
    actions: [delete]
    resources: [record]
    unless: { subject.amr: { $has: mfa } }
    advice: ['step_up:mfa']
`
      .replace('everybody-reads', "everybody-reads\n    obligations: ['watermark:name', 'notify:office']")
      .replace('owner-writes', "owner-writes\n    obligations: ['notification:desk']")
      .replace('admin-writes-archived', "admin-writes-archived\n    obligations: ['notification:nobody']"),
};
const files = Object.fromEntries(
  globSync('**/*.yaml', { cwd: FIXTURE }).map((name) => {
    const text = readFileSync(path.join(FIXTURE, name), 'utf8');
    return [name, CHANGES[name]?.(text) ?? text];
  }),
);
const rig = await startApp(t, {
  bare: true,
  files,
  environment: { PUBLIC_URL: 'https://privity.firm.example' },
});

async function post(url: string, payload: Json): Promise<Json> {
  const response = await rig.inject({
    method: 'POST',
    url,
    headers: { authorization: `Bearer ${rig.callerToken('pep')}`, 'content-type': 'application/json' },
    payload: JSON.stringify(payload),
  });
  return response.json<Json>();
}

const user = (id: string) => ({ type: 'user', id });
const record = (id: string) => ({ type: 'record', id });
const ask = (action: string, context?: Json, subject = 'alice', on = 'record-1') =>
  post('/access/v1/evaluation', { subject: user(subject), action: { name: action }, resource: record(on), context });
const watermark = { id: 'watermark:name', type: 'custom', properties: { colour: 'grey', obligation: 'watermark' } };
const desk = {
  id: 'notification:desk',
  type: 'notification',
  properties: { to: 'desk@firm.example', body: 'A record was changed.' },
};
const CUSTOM = { supported_obligations: ['custom'] };
const denied = { decision: false };

t.test('an obligation is an object of id, type and properties, each REQUIRED (section 2)', async (t) => {
  t.strictSame(await ask('read', CUSTOM), { decision: true, context: { obligations: [watermark] } });
  t.strictSame(await ask('write', { supported_obligations: ['notification'] }), {
    decision: true,
    context: { obligations: [desk] },
  });
  const told = await ask('read', { ...CUSTOM, response_context: true });
  t.match(told, { decision: true, context: { obligations: [watermark] } }, 'the same beside the rest of the context');
});

t.test('a PDP that has nothing to say about obligations omits the key (section 1.1, 1)', async (t) => {
  t.strictSame(await ask('delete', { soft: false }), denied);
});

t.test(
  'type is registered or `custom` (section 2); what lacks a REQUIRED member of its type is not given it (3.4)',
  async (t) => {
    t.match(await ask('write', CUSTOM, 'bob', 'record-2'), {
      decision: true,
      context: {
        obligations: [
          {
            id: 'notification:nobody',
            type: 'custom',
            properties: { body: 'To whom?', obligation: 'notification' },
          },
        ],
      },
    });
  },
);

t.test(
  'what Privity does itself is no instruction to the caller: it would have to deny what it cannot do (3.4)',
  async (t) => {
    const { context } = await ask('read', CUSTOM);
    t.notMatch(JSON.stringify(context), /notify:office/);
  },
);

t.test(
  'an allow whose obligation the caller does not say that it supports is a deny (section 3.4, last paragraph)',
  async (t) => {
    t.strictSame(await ask('read', { supported_obligations: ['notification'] }), denied);
    t.strictSame(await ask('read', { supported_obligations: 'custom' }), denied, 'a list, and nothing else');
    t.strictSame(await ask('read'), denied, 'absence says nothing of what is supported (section 6): Privity denies');
    const explained = await ask('read', { response_context: true });
    t.match(explained, { decision: false, context: { obligations: [], reason_user: { 403: String } } });
    const unsupported = await rig.record(String((explained['context'] as Json)['evaluation_id']));
    t.match(unsupported, {
      outcome: 'deny',
      decided_by: ['obligation-unsupported'],
      obligations: [],
      terms: { stranger: false, supports: [] },
    });
    t.match(replay(rig.app.policies.current(), unsupported), { result: 'same' });
  },
);

t.test('each of many evaluations stands for itself', async (t) => {
  const { evaluations } = await post('/access/v1/evaluations', {
    subject: user('alice'),
    resource: record('record-1'),
    context: CUSTOM,
    evaluations: [
      { action: { name: 'read' } },
      { action: { name: 'write' } },
      { action: { name: 'write' }, context: { supported_obligations: ['notification'] } },
      { action: { name: 'read' }, context: {} },
    ],
  });
  t.strictSame(evaluations, [
    { decision: true, context: { obligations: [watermark] } },
    denied,
    { decision: true, context: { obligations: [desk] } },
    denied,
  ]);
});

t.test('obligations on a deny do not change it (section 3.2): a step-up that would (section 4.1)', async (t) => {
  const soft = { soft: true };
  t.strictSame(await ask('delete', soft), denied, 'only for a caller that says that it can');
  t.strictSame(await ask('delete', { ...soft, supported_obligations: ['step-up'] }), {
    decision: false,
    context: {
      obligations: [{ id: 'step-up:mfa', type: 'step-up', properties: { acr_value: 'mfa', max_age: 600 } }],
    },
  });
  t.strictSame(
    await ask('delete', { soft: false, supported_obligations: ['step-up'] }),
    denied,
    'and only where signing in again turns this deny into an allow',
  );
});

t.test('of a search only the results are left out whose obligations are not supported (section 3.3)', async (t) => {
  const actions = async (context: Json) =>
    (await post('/access/v1/search/action', { subject: user('alice'), resource: record('record-1'), context }))[
      'results'
    ];
  t.strictSame(await actions({}), []);
  t.strictSame(await actions({ supported_obligations: ['notification'] }), [{ name: 'write', obligations: [desk] }]);
  t.strictSame(await actions({ supported_obligations: ['notification', 'custom'] }), [
    { name: 'read', obligations: [watermark] },
    { name: 'write', obligations: [desk] },
  ]);
  const write = { action: { name: 'write' }, context: { supported_obligations: ['notification'] } };
  t.strictSame(
    (await post('/access/v1/search/resource', { subject: user('alice'), resource: { type: 'record' }, ...write }))[
      'results'
    ],
    [{ ...record('record-1'), obligations: [desk] }],
  );
  t.strictSame(
    (await post('/access/v1/search/subject', { subject: { type: 'user' }, resource: record('record-1'), ...write }))[
      'results'
    ],
    [{ ...user('alice'), obligations: [desk] }],
  );
});

t.test(
  'the metadata MUST list the types that can be issued (section 5), and no others count (section 6)',
  async (t) => {
    const { supported_obligations: types } = (
      await rig.inject({ method: 'GET', url: '/.well-known/authzen-configuration' })
    ).json<{ supported_obligations: string[] }>();
    t.strictSame(types, ['custom', 'notification', 'step-up']);
    const { context } = await ask('read', {
      supported_obligations: [...types, 'watermark', 'session_termination'],
      response_context: true,
    });
    const { terms } = await rig.record(String((context as Json)['evaluation_id']));
    t.strictSame((terms as Json)['supports'], types, 'a value that was not advertised is as if absent');
  },
);

t.test('a PDP that issues no obligations MAY omit the member (section 5); it is then omitted', async (t) => {
  const source = await openMetadata(rig.config);
  t.notOk(Object.hasOwn((await source?.of([])) ?? {}, 'supported_obligations'));
});
