// A review of an access: judged by policy, never by whoever had the access, recorded before the answer, shown beside those before it.
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { replay } from '../../src/core/replay.ts';
import { reviewOf } from '../../src/core/record/review-record.ts';
import { document, OFFICE, startApp, type TestApp } from '../helpers/app.ts';
import { decision } from '../helpers/rows.ts';
import { connect } from '../helpers/postgres.ts';

type Json = Readonly<Record<string, unknown>>;

/** Only the reviewer named last is kept from the matter, whatever else they may do. */
const walls = `walls:
  - id: W-EX-9
    kind: exclusion
    matter_id: M-5001
    reason: personal_interest
    excluded_people: [u-secord]
    valid_from: '2026-01-01T00:00:00Z'
`;
const rig: TestApp = await startApp(t, { files: { 'walls/more.yaml': walls } });
const JUSTIFIED = { outcome: 'justified', reason: 'The hearing was moved up, the team was away.' };

async function breakGlass(person: string, id: string, properties: Json = {}): Promise<string> {
  const { body } = await rig.ask(person, {
    action: { name: 'read' },
    resource: document(id, properties),
    context: { ...OFFICE, break_glass_reason: 'Hearing at nine, the team is not to be reached' },
  });
  if (body.decision !== true) throw new Error(`no emergency access: ${JSON.stringify(body)}`);
  return String(body.context?.['evaluation_id']);
}

async function review(person: string, id: string, body: Json = JUSTIFIED, claims: Json = {}) {
  const response = await rig.inject({
    method: 'POST',
    url: `/v1/reviews/${id}`,
    headers: {
      authorization: `Bearer ${rig.personToken(person, { azp: 'privity-log-review', ...claims })}`,
      'content-type': 'application/json',
    },
    payload: JSON.stringify(body),
  });
  await sleep(2); // ids of one and the same millisecond are in no particular order
  return { status: response.statusCode, body: response.json<Json>() };
}

async function listed(id: string, query = ''): Promise<Json | undefined> {
  const response = await rig.inject({
    method: 'GET',
    url: `/v1/reviews${query}`,
    headers: { authorization: `Bearer ${rig.personToken('u-audley', { azp: 'privity-log-review' })}` },
  });
  return response.json<{ reviews: Json[] }>().reviews.find((one) => one['evaluation_id'] === id);
}

async function lastApproval(): Promise<Json> {
  const { rows } = await rig.reader.query<{ bytes: Buffer }>(
    `select bytes from decisions where kind = 'approval' order by seq desc limit 1`,
  );
  return JSON.parse(rows[0]?.bytes.toString('utf8') ?? '{}');
}

t.test('a review is a record, and the list says that it is done, by whom and why', async (t) => {
  const id = await breakGlass('u-quinn', 'D-1');
  t.match(await listed(id, '?state=open'), { state: 'open', reviews: [] });
  const { status, body } = await review('u-secord', id);
  t.equal(status, 201, JSON.stringify(body));
  t.match(body, { evaluation_id: id, outcome: 'justified' });
  const record = await rig.record(String(body['review_id']));
  t.match(record, {
    kind: 'approval',
    at: body['at'],
    outcome: 'allow',
    action: 'review',
    subject: { id: 'u-secord' },
    caller: { id: 'log-review', source_system: 'privity' },
    resource: { type: 'decision_log', id },
    matter: 'M-1001',
    client: 'C-100',
    decided_by: ['reviewers-of-accesses'],
    review: { of: id, accessed_by: 'u-quinn', ...JUSTIFIED },
  });
  t.match(await listed(id), {
    state: 'done',
    overdue: false,
    reviews: [{ review_id: body['review_id'], at: body['at'], by: 'u-secord', ...JUSTIFIED }],
  });
  t.equal(await listed(id, '?state=open'), undefined);
  t.ok(await listed(id, '?state=done'));
});

t.test('a second one stands beside the first; the newest says how far it has got', async (t) => {
  const id = await breakGlass('u-quinn', 'D-2');
  await review('u-secord', id, { outcome: 'follow_up', reason: 'Who called the court? Asked the associate.' });
  t.match(await listed(id, '?state=follow_up'), { state: 'follow_up', overdue: false });
  await review('u-okafor', id, { outcome: 'not_justified', reason: 'No hearing was on the calendar that day.' });
  await review('u-secord', id, { outcome: 'not_justified', reason: 'Confirmed with the responsible partner.' });
  const found = await listed(id);
  t.match(found, {
    state: 'done',
    reviews: [
      { by: 'u-secord', outcome: 'follow_up' },
      { by: 'u-okafor', outcome: 'not_justified', reason: 'No hearing was on the calendar that day.' },
      { by: 'u-secord', outcome: 'not_justified' },
    ],
  });
});

t.test('nobody reviews an access of their own, whatever policy says', async (t) => {
  // The responsible partner may review accesses to the matter, and has used the emergency access there.
  const id = await breakGlass('u-okafor', 'D-3');
  t.match(await review('u-okafor', id), { status: 403, body: { code: 'review_refused' } });
  t.match(await lastApproval(), {
    outcome: 'deny',
    decided_by: ['own-access'],
    review: { of: id, accessed_by: 'u-okafor', ...JUSTIFIED },
  });
  t.match(await listed(id), { state: 'open', reviews: [] }, 'what was refused is no review');
  t.equal((await review('u-secord', id)).status, 201, 'somebody else does');
});

t.test('those who see the access and may not review it are refused; to others nothing is there', async (t) => {
  const id = await breakGlass('u-quinn', 'D-4');
  t.match(await review('u-audley', id), { status: 403, body: { code: 'review_refused' } });
  t.match(await lastApproval(), { outcome: 'deny', decided_by: ['default-deny'], subject: { id: 'u-audley' } });
  const answers = [
    await review('u-rowe', id),
    await review('u-rowe', '0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e'),
    await review('u-secord', '0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e'),
    await review('u-secord', 'no-id-at-all'),
    await review('u-secord', encodeURIComponent('=1+1\u0007')),
  ];
  for (const { status, body } of answers) t.match({ status, body }, { status: 404, body: { code: 'not_found' } });
  t.match(await listed(id), { state: 'open' });
});

t.test('behind a wall of the reviewer it answers like what does not exist', async (t) => {
  const id = await breakGlass('u-rush', 'D-5', { matter_id: 'M-5001', client_id: 'C-600' });
  const [hidden, unknown] = [await review('u-secord', id), await review('u-secord', id.replace(/.$/, 'z'))];
  const shape = ({ status, body }: typeof hidden) => ({ status, body: { ...body, request_id: '', instance: '' } });
  t.strictSame(shape(hidden), shape(unknown));
  t.match(hidden, { status: 404 });
  t.equal((await review('u-gray', id)).status, 201);
});

t.test('what nobody has to review cannot be reviewed', async (t) => {
  const { body } = await rig.ask('u-okafor', { action: { name: 'read' }, resource: document('D-6'), context: OFFICE });
  t.equal(body.decision, true);
  t.match(await review('u-secord', String(body.context?.['evaluation_id'])), { status: 404 });
  t.match(await lastApproval(), { decided_by: ['nothing-to-review'], review: { accessed_by: null } });
});

t.test('no AI assistant reviews for anybody', async (t) => {
  const id = await breakGlass('u-quinn', 'D-7');
  const assisted = await review('u-secord', id, JUSTIFIED, { act: { sub: 'svc-ai-assistant' } });
  t.match(assisted, { status: 404 });
  const { decided_by: by, ...record } = await lastApproval();
  t.match(record, { outcome: 'deny', subject: { id: 'u-secord', actor: 'svc-ai-assistant' } });
  t.ok(Array.isArray(by) && by.includes('actor'));
  t.match(await listed(id), { state: 'open' });
});

t.test('what an approval says is no review, nor bytes that only look like one', async (t) => {
  const id = await breakGlass('u-quinn', 'D-8');
  const { status } = await rig.ask(
    'u-secord',
    {
      requester: 'u-quinn',
      action: { name: 'review' },
      resource: { type: 'decision_log', id, properties: { matter_id: 'M-1001', client_id: 'C-100' } },
      context: OFFICE,
      expires_at: new Date(Date.now() + 3_600_000).toISOString(),
    },
    { path: '/v1/approvals' },
  );
  t.equal(status, 201);
  await rig.ask('u-secord', {
    action: { name: 'review' },
    resource: { type: 'decision_log', id, properties: { matter_id: 'M-1001', client_id: 'C-100' } },
    context: OFFICE,
  });
  const writer = await connect(t, rig.urls.writer);
  const looks = { kind: 'approval', action: 'review', resource_type: 'decision_log', resource_id: id };
  for (const said of [
    'no JSON',
    '{}',
    JSON.stringify({ kind: 'approval', outcome: 'allow', id, review: { of: id } }),
  ]) {
    await writer.query(...decision({ ...looks, bytes: Buffer.from(said) }, new Date()).insert);
  }
  t.match(await listed(id), { state: 'open', reviews: [] });
});

t.test('a review is decided again from its record, accepted or refused', async (t) => {
  const own = await breakGlass('u-okafor', 'D-9');
  await review('u-secord', own);
  const accepted = await lastApproval();
  await review('u-okafor', own);
  const refused = await lastApproval();
  await review('u-secord', 'nothing');
  const nothing = await lastApproval();
  for (const record of [accepted, refused, nothing]) {
    t.match(replay(rig.app.policies.current(), record), { result: 'same', differences: [], lacks: [] });
    const turned = { ...record, outcome: record['outcome'] === 'allow' ? 'deny' : 'allow' };
    t.match(replay(rig.app.policies.current(), turned), { result: 'different' });
  }
  const { review: said, ...rest } = accepted;
  t.match(replay(rig.app.policies.current(), rest), { result: 'not_recorded' });
  t.match(replay(rig.app.policies.current(), { ...rest, review: {} }), { lacks: ['review.accessed_by'] });
  t.ok(reviewOf({ ...rest, review: said }));
  for (const broken of [{ outcome: 'fine' }, { of: 1 }, { reason: null }]) {
    t.equal(reviewOf({ ...rest, review: { ...(said as Json), ...broken } }), null);
  }
  t.equal(reviewOf({ ...accepted, at: 'yesterday' }), null);
});

t.test('bodies that say nothing are a 400 that points', async (t) => {
  const id = await breakGlass('u-quinn', 'D-10');
  for (const [body, pointer] of [
    [{}, ''],
    [{ outcome: 'fine', reason: JUSTIFIED.reason }, '/outcome'],
    [{ outcome: 'justified', reason: 'ok' }, '/reason'],
    [{ outcome: 'justified', reason: 'x'.repeat(2_001) }, '/reason'],
    [{ ...JUSTIFIED, reviewer: 'u-secord' }, ''],
  ] as const) {
    const answer = await review('u-secord', id, body);
    t.match(answer, { status: 400, body: { code: 'malformed_request' } }, JSON.stringify(body).slice(0, 60));
    if (pointer !== '') t.match(JSON.stringify(answer.body), pointer);
  }
  t.match(await listed(id), { state: 'open' });
});
