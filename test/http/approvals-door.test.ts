// The second person over HTTP: who may approve, what is recorded, and what an approval is good for (DESIGN 5.2).
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { document, OFFICE, startApp, type AskOptions, type TestApp } from '../helpers/app.ts';
import { connect } from '../helpers/postgres.ts';

type Json = Readonly<Record<string, unknown>>;

const LOCKED = 'version: 1\npeople: [u-lind]\nmatters: [M-7001]\nclients: []\ncallers: []\ntokens: []\n';
const rig: TestApp = await startApp(t, { files: { 'lockdown.yaml': LOCKED } });

const MINUTE = 60_000;
const inTime = (ms: number): string => new Date(Date.now() + ms).toISOString();

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

const wish = (id: string, changes: Json = {}): Json => ({
  requester: 'u-rowe',
  action: { name: 'dispose' },
  resource: old(id),
  context: OFFICE,
  expires_at: inTime(60 * MINUTE),
  ...changes,
});

const approve = async (person: string, body: Json, options: AskOptions = {}) =>
  rig.ask(person, body, { path: '/v1/approvals', ...options });

async function approved(person: string, body: Json): Promise<string> {
  const { status, body: answer } = await approve(person, body);
  if (status !== 201) throw new Error(`not approved: ${JSON.stringify(answer)}`);
  return String(answer['approval_id']);
}

/** The one record of its kind that the request left. */
async function recordOf(requestId: unknown): Promise<Json> {
  const { rows } = await rig.reader.query<{ bytes: Buffer }>('select bytes from decisions where request_id = $1', [
    requestId,
  ]);
  if (rows[0] === undefined || rows.length > 1) throw new Error(`${rows.length} records`);
  return JSON.parse(rows[0].bytes.toString('utf8'));
}

async function dispose(id: string, approvalIds: readonly string[], changes: Json = {}, person = 'u-rowe') {
  const question = { action: { name: 'dispose' }, resource: old(id), ...changes };
  const context = { ...OFFICE, approval_ids: approvalIds };
  const { status, body } = await rig.ask(person, { context, ...question });
  t.equal(status, 200);
  return { body, record: await rig.record(String(body.context?.['evaluation_id'])) };
}

t.test('the responsible attorney approves, the records manager disposes, with a certificate', async (t) => {
  const expires = inTime(60 * MINUTE);
  const { status, body, headers } = await approve('u-okafor', wish('D-1', { expires_at: expires }));
  t.equal(status, 201);
  t.strictSame(body, { approval_id: body['approval_id'], expires_at: expires });
  const record = await rig.record(String(body['approval_id']));
  t.match(record, {
    kind: 'approval',
    outcome: 'allow',
    decided_by: ['approver-terms'],
    subject: { id: 'u-okafor', actor: null, evidence: 'token' },
    action: 'dispose',
    resource: { type: 'document', id: 'D-1' },
    matter: 'M-1003',
    client: 'C-100',
    obligations: [],
    approval: { requester: 'u-rowe', expires_at: expires, roles: ['partner'] },
    request_id: headers['x-request-id'],
  });
  t.ok(record['policy'], 'with what a replay needs');

  const without = await dispose('D-1', []);
  t.match(without.body, { decision: false });
  const { body: answer, record: decision } = await dispose('D-1', [String(body['approval_id'])]);
  t.match(answer, {
    decision: true,
    context: { obligations: [{ id: 'log:disposal_certificate', type: 'log', fulfilled_by: 'caller' }] },
  });
  t.match(decision, {
    decided_by: ['disposal-two-person'],
    approvals: { ids: [body['approval_id']], proven: [{ by: 'u-okafor', role: 'partner' }] },
    obligations: ['log:disposal_certificate'],
    duties: [],
  });
});

t.test('general counsel approves by role, with their own token too', async (t) => {
  const response = await rig.inject({
    method: 'POST',
    url: '/v1/approvals',
    headers: { authorization: `Bearer ${rig.personToken('u-gray')}`, 'content-type': 'application/json' },
    payload: JSON.stringify(wish('D-2')),
  });
  t.equal(response.statusCode, 201);
  const { record } = await dispose('D-2', [response.json<{ approval_id: string }>().approval_id]);
  t.match(record, { outcome: 'allow', approvals: { proven: [{ by: 'u-gray', role: 'general_counsel' }] } });
});

t.test('whoever else approves proves something that no rule asks for', async (t) => {
  const id = await approved('u-soto', wish('D-3'));
  const { record } = await dispose('D-3', [id]);
  t.match(record, { outcome: 'deny', approvals: { ids: [id], proven: [{ by: 'u-soto', role: 'legal_secretary' }] } });
});

t.test('an approval is used once', async (t) => {
  const id = await approved('u-okafor', wish('D-4'));
  t.match((await dispose('D-4', [id])).record, { outcome: 'allow' });
  const again = await dispose('D-4', [id]);
  t.match(again.record, { outcome: 'deny', decided_by: ['default-deny'], approvals: { ids: [], proven: [] } });
});

t.test('it proves nothing for another person, action, thing, matter or client', async (t) => {
  const gives = async (id: string, changes: Json = {}): Promise<readonly string[]> => [
    await approved('u-okafor', wish(id, changes)),
  ];
  const unproven = { approvals: { ids: [], proven: [] }, outcome: 'deny' };
  t.match((await dispose('D-5', await gives('D-5', { requester: 'u-sands' }))).record, unproven, 'requester');
  t.match((await dispose('D-5', await gives('D-5', { action: { name: 'delete' } }))).record, unproven, 'action');
  t.match((await dispose('D-5', await gives('D-6'))).record, unproven, 'thing');
  t.match(
    (await dispose('D-5', await gives('D-5', { resource: { ...old('D-5'), type: 'note' } }))).record,
    unproven,
    'type',
  );
  const elsewhere = { resource: old('D-5', { matter_id: 'M-1002' }) };
  t.match((await dispose('D-5', await gives('D-5', elsewhere))).record, unproven, 'matter');
  const other = { resource: old('D-5', { client_id: 'C-200' }) };
  t.match((await dispose('D-5', await gives('D-5', other))).record, unproven, 'client');
  const nowhere = { resource: old('D-5', { matter_id: 5 }) };
  t.match((await dispose('D-5', await gives('D-5'), nowhere)).record, unproven, 'a matter that is unknown');

  const id = await gives('D-5');
  await dispose('D-6', id);
  await dispose('D-5', id, {}, 'u-okafor');
  t.match((await dispose('D-5', id)).record, { outcome: 'allow' }, 'and what does not fit uses nothing up');
});

t.test('it ends when it expires', async (t) => {
  const id = await approved('u-okafor', wish('D-7', { expires_at: inTime(300) }));
  while (Date.now() < Date.parse(String((await rig.record(id))['at'])) + 400)
    await new Promise((r) => setTimeout(r, 50));
  t.match((await dispose('D-7', [id])).record, { outcome: 'deny', approvals: { ids: [], proven: [] } });
});

t.test('it stops counting when its approver is locked, and is used up all the same', async (t) => {
  const id = await approved('u-gray', wish('D-18'));
  const file = path.join(rig.policiesDir, 'lockdown.yaml');
  await writeFile(file, LOCKED.replace('[u-lind]', '[u-lind, u-gray]'));
  await rig.app.policies.load();
  const { record } = await dispose('D-18', [id]);
  await writeFile(file, LOCKED);
  await rig.app.policies.load();
  t.match(record, { outcome: 'deny', approvals: { ids: [id], proven: [] } });
  t.match((await dispose('D-18', [id])).record, { outcome: 'deny', approvals: { ids: [], proven: [] } });
});

t.test('every refusal has one text, and its reason in the record alone', async (t) => {
  const past = Math.floor(Date.now() / 1000) - 3600;
  const cases: readonly (readonly [why: string, person: string, body: Json, options: AskOptions, reasons: string[]])[] =
    [
      ['for oneself', 'u-rowe', wish('D-8'), {}, ['own-request']],
      ['an old sign-in', 'u-okafor', wish('D-8'), { claims: { auth_time: past } }, ['approver-terms']],
      ['without MFA', 'u-okafor', wish('D-8'), { claims: { amr: ['pwd'] } }, ['approver-terms']],
      ['somebody who left', 'u-okafor', wish('D-8'), { claims: { employee_status: 'terminated' } }, ['approver-terms']],
      ['an AI assistant', 'u-okafor', wish('D-8'), { caller: 'dms-assistant' }, ['actor']],
      ['an actor', 'u-okafor', wish('D-8'), { claims: { act: { sub: 'svc-ai-assistant' } } }, ['actor']],
      ['expired already', 'u-okafor', wish('D-8', { expires_at: inTime(-1) }), {}, ['validity']],
      ['for too long', 'u-okafor', wish('D-8', { expires_at: inTime(25 * 60 * MINUTE) }), {}, ['validity']],
      ['locked', 'u-lind', wish('D-8'), {}, ['lockdown']],
      ['a locked matter', 'u-okafor', wish('D-8', { resource: old('D-8', { matter_id: 'M-7001' }) }), {}, ['lockdown']],
      ['a walled client', 'u-adler', wish('D-8'), {}, ['client-wide-exclusion']],
      [
        'a walled matter',
        'u-voss',
        wish('D-8', { resource: old('D-8', { matter_id: 'M-1001' }) }),
        {},
        ['lateral-hire-screen'],
      ],
      [
        'behind an inclusion wall',
        'u-gray',
        wish('D-8', { resource: old('D-8', { matter_id: 'M-2001', client_id: 'C-200' }) }),
        {},
        ['inclusion-wall'],
      ],
      [
        'no matter',
        'u-okafor',
        wish('D-8', { resource: old('D-8', { matter_id: '' }) }),
        {},
        ['attribute-missing', 'inclusion-wall', 'lockdown'],
      ],
      ['roles that are none', 'u-okafor', wish('D-8'), { claims: { roles: 'partner' } }, ['attribute-missing']],
    ];
  const texts = new Set<string>();
  for (const [why, person, body, options, reasons] of cases) {
    const { status, headers, body: problem } = await approve(person, body, options);
    t.equal(status, 403, why);
    const { request_id: requestId, ...text } = problem;
    texts.add(JSON.stringify([text, Object.keys(headers).sort()]));
    const record = await recordOf(requestId);
    t.match(record, { kind: 'approval', outcome: 'deny', approval: { requester: 'u-rowe' } }, why);
    t.strictSame(record['decided_by'], reasons, why);
  }
  t.equal(texts.size, 1, [...texts].join('\n'));
  t.match([...texts][0], /"code":"approval_refused"/);
  const { rows } = await rig.reader.query('select from approvals where resource_id = $1', ['D-8']);
  t.equal(rows.length, 0, 'none of them is there to be used');
});

t.test('a service account is no second person', async (t) => {
  const response = await rig.inject({
    method: 'POST',
    url: '/v1/approvals',
    headers: {
      authorization: `Bearer ${rig.callerToken('search-indexer', { roles: ['service'], user_type: 'service' })}`,
      'content-type': 'application/json',
    },
    payload: JSON.stringify(wish('D-9')),
  });
  t.equal(response.statusCode, 403);
  const record = await recordOf(response.json<{ request_id: string }>().request_id);
  t.match(record, { outcome: 'deny', decided_by: ['approver-terms', 'not-a-person'] });
});

t.test('a broken request is a 400 and leaves no approval', async (t) => {
  const long = 'x'.repeat(257);
  const cases: readonly (readonly [pointer: string, body: Json])[] = [
    ['/requester', { ...wish('D-10'), requester: undefined }],
    ['/requester', wish('D-10', { requester: '' })],
    ['/requester', wish('D-10', { requester: long })],
    ['/requester', wish('D-10', { requester: 'ü'.repeat(129) })],
    ['/requester', wish('D-10', { requester: ['u-rowe'] })],
    ['/resource/id', wish('D-10', { resource: old('ü'.repeat(129)) })],
    ['/resource/properties/matter_id', wish('D-10', { resource: old('D-10', { matter_id: long }) })],
    ['/action/name', wish('D-10', { action: { name: 'ü'.repeat(129) } })],
    ['/expires_at', { ...wish('D-10'), expires_at: undefined }],
    ['/expires_at', wish('D-10', { expires_at: 'tomorrow' })],
    ['/expires_at', wish('D-10', { expires_at: '2026-03-01' })],
    ['/expires_at', wish('D-10', { expires_at: '2026-03-01 10:00:00Z' })],
    ['/expires_at', wish('D-10', { expires_at: '2026-02-30T10:00:00Z' })],
    ['/expires_at', wish('D-10', { expires_at: 1_800_000_000 })],
    ['/context/approvals', wish('D-10', { context: { approvals: [] } })],
    ['/context/source_system', wish('D-10', { context: { source_system: 'dms' } })],
    ['/approver', wish('D-10', { approver: 'u-okafor' })],
  ];
  for (const [pointer, body] of cases) {
    const { status, body: problem } = await approve('u-okafor', body);
    t.match(
      { status, problem },
      { status: 400, problem: { code: 'malformed_request', errors: [{ pointer }] } },
      pointer,
    );
  }
  const { rows } = await rig.reader.query('select from approvals where resource_id = $1', ['D-10']);
  t.equal(rows.length, 0);
});

t.test('approvals in the body of a question prove nothing: they are a 400', async (t) => {
  const body = { action: { name: 'dispose' }, resource: old('D-11') };
  const claimed = [{ by: 'u-okafor', role: 'general_counsel' }];
  const { status, body: problem } = await rig.ask('u-rowe', { ...body, context: { ...OFFICE, approvals: claimed } });
  t.match({ status, problem }, { status: 400, problem: { errors: [{ pointer: '/context/approvals' }] } });
  for (const ids of ['x', ['x'], [5], Array(11).fill('0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e')]) {
    const { status } = await rig.ask('u-rowe', { ...body, context: { ...OFFICE, approval_ids: ids } });
    t.equal(status, 400, JSON.stringify(ids));
  }
  const strange = ['0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e', await approved('u-okafor', wish('D-12'))];
  t.match((await dispose('D-11', strange)).record, { outcome: 'deny', approvals: { ids: [], proven: [] } });
});

t.test('in a batch each question takes its own', async (t) => {
  const ids = [await approved('u-okafor', wish('D-13')), await approved('u-okafor', wish('D-14'))];
  const evaluations = ['D-13', 'D-14', 'D-13'].map((id) => ({ action: { name: 'dispose' }, resource: old(id) }));
  const context = { ...OFFICE, approval_ids: ids };
  const { body } = await rig.ask('u-rowe', { context, evaluations }, { path: '/v1/authorize/batch' });
  const answers = body['evaluations'] as { decision: boolean }[];
  t.strictSame(
    answers.map(({ decision }) => decision),
    [true, true, false],
  );
});

t.test('an approval that is there without its record can never be used', async (t) => {
  const writer = await connect(t, rig.urls.writer);
  const id = '0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e';
  await writer.query(
    `insert into approvals (id, approver, roles, requester, action, resource_type, resource_id, matter_id, client_id, expires_at, at)
     values ($1, 'u-okafor', '{partner}', 'u-rowe', 'dispose', 'document', 'D-15', 'M-1003', 'C-100', now() + interval '1 hour', now())`,
    [id],
  );
  t.match((await dispose('D-15', [id])).record, { outcome: 'deny', approvals: { ids: [], proven: [] } });
});

t.test('when the approval cannot be kept, nobody is told that it was given', async (t) => {
  const owner = await connect(t, rig.urls.owner);
  await owner.query('revoke insert on approvals from privity_writer');
  t.teardown(() => owner.query('grant insert on approvals to privity_writer'));
  const { status, body } = await approve('u-okafor', wish('D-16'));
  t.match({ status, body }, { status: 503, body: { code: 'cannot_record' } });
  const record = await recordOf(body['request_id']);
  t.match(record, { kind: 'approval', outcome: 'allow' }, 'the record says what was meant');
  t.match((await dispose('D-16', [String(record['id'])])).record, { outcome: 'deny' });
});

t.test('when its use cannot be committed, there is no answer', async (t) => {
  const owner = await connect(t, rig.urls.owner);
  const id = await approved('u-okafor', wish('D-17'));
  await owner.query('revoke insert on approval_uses from privity_writer');
  const question = { action: { name: 'dispose' }, resource: old('D-17'), context: { ...OFFICE, approval_ids: [id] } };
  const { status, body } = await rig.ask('u-rowe', question);
  await owner.query('grant insert on approval_uses to privity_writer');
  t.match({ status, body }, { status: 503, body: { code: 'cannot_record' } });
  t.match((await dispose('D-17', [id])).record, { outcome: 'allow' }, 'it was not used');
});
