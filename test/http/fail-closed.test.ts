// Every trap that research found in CASL and in peers, tried over HTTP on the starter policies: each must end in a recorded deny.
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { document, OFFICE, STARTER, startApp, type AskOptions, type TestApp } from '../helpers/app.ts';

// Here the portal takes the tokens of outside people too.
const callers = readFileSync(`${STARTER}/callers.yaml`, 'utf8').replace(
  /subject_tokens: \{ audiences: \[portal\], clients: \[portal-web\][^}]*\}/,
  `subject_tokens: { audiences: [portal], clients: [portal-web], issuers: ['https://partners.firm.example/'] }`,
);
const rig: TestApp = await startApp(t, { files: { 'callers.yaml': callers } });

type Json = Readonly<Record<string, unknown>>;

interface Trap {
  readonly person?: string;
  readonly action?: string;
  readonly resource: Json;
  readonly context?: Json;
  readonly options?: AskOptions;
  readonly decidedBy: readonly string[];
}

async function denied(t: Test, why: string, trap: Trap): Promise<void> {
  const { person = 'u-okafor', action = 'read', resource, context = OFFICE, options = {}, decidedBy } = trap;
  const { status, body } = await rig.ask(person, { action: { name: action }, resource, context }, options);
  t.match({ status, decision: body.decision }, { status: 200, decision: false }, why);
  const record = await rig.record(String(body.context?.['evaluation_id']));
  t.match(record, { outcome: 'deny', decided_by: decidedBy }, why);
}

const bare = (properties: Json = {}): Json => ({ type: 'document', id: 'D-1', properties });
const without = (name: string): Json => {
  const { [name]: _left, ...properties } = document('D-1')['properties'] as Record<string, unknown>;
  return bare(properties);
};

t.test('the same question without a trap is allowed', async (t) => {
  for (const action of ['read', 'download']) {
    const { body } = await rig.ask('u-okafor', {
      action: { name: action },
      resource: document('D-1'),
      context: OFFICE,
    });
    t.equal(body.decision, true, action);
  }
});

t.test('a rule with conditions never counts without them', async (t) => {
  await denied(t, 'no properties at all', {
    resource: { type: 'document', id: 'D-1' },
    decidedBy: ['matter-reference-required'],
  });
  await denied(t, 'only a type', { resource: { type: 'note', id: 'N' }, decidedBy: ['matter-reference-required'] });
});

t.test('a deny with $or and unless denies', async (t) => {
  const privileged = document('D-1', { privileged: true });
  const old = { claims: { auth_time: 1 } };
  await denied(t, 'privileged', {
    action: 'download',
    resource: privileged,
    options: old,
    decidedBy: ['step-up-for-privileged-copies'],
  });
  const secret = document('D-1', { confidentiality: 'eyes_only' });
  await denied(t, 'eyes only', {
    action: 'download',
    resource: secret,
    options: old,
    decidedBy: ['eyes-only-view-only', 'step-up-for-privileged-copies'],
  });
});

t.test('a missing or mistyped attribute never skips a deny', async (t) => {
  const old = { claims: { auth_time: 1 } };
  for (const name of ['privileged', 'confidentiality', 'export_controlled', 'pii', 'matter_status']) {
    await denied(t, `${name} is missing`, {
      action: 'download',
      resource: without(name),
      options: old,
      decidedBy: ['attribute-missing'],
    });
  }
  for (const value of ['true', 'false', 1, 0, [false], {}, { $eq: false }]) {
    const resource = document('D-1', { privileged: value });
    await denied(t, `privileged is ${JSON.stringify(value)}`, {
      action: 'download',
      resource,
      options: old,
      decidedBy: ['attribute-missing'],
    });
  }
  await denied(t, 'matter is missing', { resource: without('matter_id'), decidedBy: ['matter-reference-required'] });
  await denied(t, 'network is missing', {
    resource: document('D-1'),
    context: {},
    options: { claims: { amr: ['pwd'] } },
    decidedBy: ['mfa-outside-office'],
  });
  const bulk = { ...OFFICE, bulk_count: '1' };
  await denied(t, 'a number as text', {
    action: 'download',
    resource: document('D-1'),
    context: bulk,
    decidedBy: ['attribute-missing'],
  });
});

t.test('an allow that says "not" is not met by absence', async (t) => {
  const share = { action: 'share_external', resource: document('D-1') };
  const { body } = await rig.ask('u-okafor', {
    action: { name: share.action },
    resource: share.resource,
    context: OFFICE,
  });
  t.equal(body.decision, false, 'no recipient is no verified recipient');
});

t.test('a claim that is absent, null or an operator matches nothing', async (t) => {
  const portal: AskOptions = { caller: 'portal' };
  const ours = { action: { name: 'read' }, resource: document('D-1', { shared_with_client: true }), context: OFFICE };
  t.equal((await rig.ask('c-alder-gc', ours, portal)).body.decision, true, 'as it should be');
  const shared = bare({ shared_with_client: true });
  for (const [why, claims] of [
    ['absent', { client_ids: undefined }],
    ['null', { client_ids: null }],
    ['empty', { client_ids: [] }],
  ] as const) {
    const options = { ...portal, claims };
    const question = { action: { name: 'read' }, resource: shared, context: OFFICE };
    const { status, body } = await rig.ask('c-alder-gc', question, options);
    t.match({ status, decision: body.decision }, { status: 200, decision: false }, why);
  }
  for (const value of [{ $ne: null }, { $in: ['C-100'] }, 'C-100', [{ $ne: null }]]) {
    const options = { ...portal, claims: { client_ids: value } };
    const question = {
      action: { name: 'read' },
      resource: document('D-1', { shared_with_client: true }),
      context: OFFICE,
    };
    const { status, body } = await rig.ask('c-alder-gc', question, options);
    t.ok(status === 401 || (status === 200 && body.decision === false), `client_ids is ${JSON.stringify(value)}`);
  }
});

t.test('a list is no scalar, a scalar no list', async (t) => {
  await denied(t, 'matter', { resource: document('D-1', { matter_id: ['M-1001'] }), decidedBy: ['attribute-missing'] });
  await denied(t, 'status', {
    resource: document('D-1', { matter_status: ['open'] }),
    decidedBy: ['attribute-missing'],
  });
  const old = { claims: { amr: 'mfa', auth_time: 1 } };
  const { status, body } = await rig.ask(
    'u-okafor',
    { action: { name: 'read' }, resource: document('D-1'), context: { ...OFFICE, network_zone: 'home' } },
    old,
  );
  t.ok(status === 401 || body.decision === false, 'amr as text is no second factor');
});

t.test('nothing that allows outweighs what denies, wherever it stands', async (t) => {
  await denied(t, 'a wall against the team', {
    person: 'u-voss',
    resource: document('D-1'),
    decidedBy: ['lateral-hire-screen'],
  });
  const emergency = { ...OFFICE, break_glass_reason: 'A filing is due within the hour' };
  await denied(t, 'a wall against an emergency', {
    person: 'u-voss',
    resource: document('D-1'),
    context: emergency,
    decidedBy: ['lateral-hire-screen'],
  });
  await denied(t, 'roles that may against one that must not', {
    person: 'u-dual',
    resource: document('D-1'),
    decidedBy: ['it-admin-no-content'],
  });
});

t.test('the type cannot be spoofed, and nothing is a wildcard', async (t) => {
  const spoof = {
    __caslSubjectType__: 'matter',
    constructor: { modelName: 'matter' },
    modelName: 'matter',
    type: 'matter',
  };
  const resource = { ...bare(spoof), ...spoof, type: 'document', kind: 'matter' };
  await denied(t, 'spoofed', { resource, decidedBy: ['matter-reference-required'] });
  for (const type of [
    'all',
    '*',
    'any',
    'matter_bound',
    'constructor',
    '__proto__',
    'toString',
    'Document',
    'document ',
    'document,note',
  ]) {
    await denied(t, `type ${type}`, { resource: { ...document('D-1'), type }, decidedBy: ['default-deny'] });
  }
  for (const action of [
    'manage',
    'all',
    '*',
    'any',
    'copy_out',
    'constructor',
    '__proto__',
    'Read',
    'read ',
    'read,list',
  ]) {
    await denied(t, `action ${action}`, { action, resource: document('D-1'), decidedBy: ['default-deny'] });
  }
});

t.test('text is text: no expressions, no operators, no references', async (t) => {
  const evil = `${'a'.repeat(60_000)}!`;
  for (const value of [evil, '^(a+)+$', '${subject.id}', '$ne', 'u-okafor*']) {
    const { status } = await rig.ask('u-okafor', {
      action: { name: 'read' },
      resource: document('D-1', { transfer_basis: value, field: value }),
      context: { ...OFFICE, purpose: value },
    });
    t.equal(status, 200, value.slice(0, 20));
  }
  await denied(t, 'a matter named like a reference', {
    resource: document('D-1', { matter_id: '${subject.id}' }),
    decidedBy: ['unknown-matter'],
  });
  await denied(t, 'an operator with text', {
    resource: document('D-1', { matter_status: { $in: 'open' } }),
    decidedBy: ['attribute-missing'],
  });
});

t.test('what is on file outranks what is said', async (t) => {
  await denied(t, 'another client for a matter on file', {
    person: 'u-adler',
    resource: document('D-1', { client_id: 'C-200' }),
    decidedBy: ['client-matter-mismatch', 'client-wide-exclusion'],
  });
});

t.test('a token that was good once does not vouch for another with its signature', async (t) => {
  const token = rig.subjectToken('u-reyes');
  const ask = (subject_token: string) =>
    rig.inject({
      method: 'POST',
      url: '/v1/authorize',
      headers: { authorization: `Bearer ${rig.callerToken()}`, 'content-type': 'application/json' },
      payload: JSON.stringify({ subject_token, action: { name: 'read' }, resource: document('D-1'), context: OFFICE }),
    });
  t.equal((await ask(token)).statusCode, 200);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'u-okafor' };
  const forged = [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
  t.equal((await ask(forged)).statusCode, 401);
  t.equal((await ask(token)).statusCode, 200);
});
