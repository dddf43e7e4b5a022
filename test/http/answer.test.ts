import t from 'tap';
import { document, OFFICE, startApp, type Answer, type TestApp } from '../helpers/app.ts';

const rig: TestApp = await startApp(t, {
  files: { 'lockdown.yaml': 'version: 1\npeople: []\nmatters: [M-4001]\nclients: []\ncallers: []\ntokens: []\n' },
});
const read = (resource: object) => ({ action: { name: 'read' }, resource, context: OFFICE });
const download = (resource: object) => ({ ...read(resource), action: { name: 'download' } });

/** A caller that may not explain. */
const PLAIN = { caller: 'search' } as const;

/** The bytes of an answer without what is different in each. */
function sameInEach({ status, body }: Answer): string {
  const { evaluation_id: id, evaluated_at: at, ...rest } = { ...body.context };
  t.match([id, at], [/^[0-9a-f-]{36}$/, /^\d{4}-\d\d-\d\dT.*Z$/]);
  return JSON.stringify({ status, ...body, context: rest });
}

t.test('a wall, an unknown matter, a lockdown and a default deny are one and the same answer (P7)', async (t) => {
  const walled = await rig.ask('u-voss', read(document('D-1')), PLAIN);
  const unknown = await rig.ask('u-okafor', read(document('D-1', { matter_id: 'M-9999' })), PLAIN);
  const byDefault = await rig.ask('u-reyes', read(document('D-1')), PLAIN);
  const locked = await rig.ask('u-okafor', read(document('D-1', { matter_id: 'M-4001', client_id: 'C-500' })), PLAIN);
  const opposing = await rig.ask('u-reyes', read(document('D-1', { matter_id: 'M-2001', client_id: 'C-200' })), PLAIN);
  const unheard = await rig.ask('u-okafor', { ...read(document('D-1')), action: { name: 'levitate' } }, PLAIN);

  const deciders = await Promise.all(
    [walled, unknown, byDefault, locked, opposing, unheard].map(async ({ body }) => {
      const record = await rig.record(String(body.context?.['evaluation_id']));
      return record['decided_by'];
    }),
  );
  t.same(deciders, [
    ['lateral-hire-screen'],
    ['unknown-matter'],
    ['default-deny'],
    ['lockdown'],
    ['inclusion-wall', 'opposing-teams'],
    ['default-deny'],
  ]);
  const expected = sameInEach(byDefault);
  for (const answer of [walled, unknown, locked, opposing, unheard]) t.equal(sameInEach(answer), expected);
  t.same(Object.keys(byDefault.body.context ?? {}), [
    'evaluation_id',
    'evaluated_at',
    'policy',
    'reason_user',
    'missing',
    'advice',
    'obligations',
  ]);
  t.match(byDefault.body, { decision: false, context: { missing: [], advice: [], obligations: [] } });
  for (const { headers } of [walled, unknown, locked]) {
    t.same(Object.keys(headers), Object.keys(byDefault.headers));
    t.equal(headers['content-length'], byDefault.headers['content-length']);
  }
});

t.test('advice is the same with and without a wall, and a step-up is offered only where it helps', async (t) => {
  const stale = { ...PLAIN, claims: { auth_time: 1 } };
  const privileged = document('D-1', { privileged: true });
  const cured = await rig.ask('u-okafor', download(privileged), stale);
  t.match(cured.body, {
    decision: false,
    context: {
      reason_user: /^Confirm your identity again/,
      advice: ['step_up:mfa_fresh_30m'],
      acr_values: 'mfa',
      max_age: 1800,
    },
  });
  t.match((await rig.ask('u-okafor', download(privileged), PLAIN)).body, { decision: true }, 'it does help');

  for (const [person, why] of [
    ['u-voss', 'behind a wall'],
    ['u-reyes', 'with no right at all'],
  ] as const) {
    const { body } = await rig.ask(person, download(privileged), stale);
    t.match(body.context, { advice: ['step_up:mfa_fresh_30m'], reason_user: cured.body.context?.['reason_user'] }, why);
    t.notOk('acr_values' in (body.context ?? {}), why);
    t.notOk('max_age' in (body.context ?? {}), why);
  }
});

t.test('what Privity is to do is nobody’s advice but the explaining caller’s', async (t) => {
  const bulk = { ...download(document('D-1')), context: { ...OFFICE, bulk_count: 500 } };
  const plain = await rig.ask('u-okafor', bulk, PLAIN);
  t.match(plain.body, { decision: false, context: { advice: [] } });
  t.equal(sameInEach(plain), sameInEach(await rig.ask('u-reyes', read(document('D-1')), PLAIN)));
  const explained = await rig.ask('u-okafor', bulk);
  t.same(explained.body.context?.['advice'], ['alert:security_officer']);
  t.equal(explained.body.context?.['reason_user'], plain.body.context?.['reason_user']);
});

t.test('somebody on an inclusion wall is reminded of the memo', async (t) => {
  const { body } = await rig.ask('u-khan', read(document('D-1', { matter_id: 'M-2001', client_id: 'C-200' })), PLAIN);
  t.match(body.context, { advice: ['advice:acknowledge_wall_memo'], reason_user: /acknowledge the memo/ });
});

t.test('reasons are for callers that may explain, with their own token', async (t) => {
  const explained = await rig.ask('u-voss', read(document('D-1')));
  t.match(explained.body.context, {
    decided_by: ['lateral-hire-screen'],
    walls: ['W-EX-1'],
    grants: [],
    reason_admin: [
      { rule: 'lateral-hire-screen', effect: 'wall', truth: 'true', source: /^walls\/walls\.yaml:\d+$/ },
      { rule: 'team-lawyers', effect: 'allow', truth: 'true', source: /^rules\/[a-z-]+\.yaml:\d+$/ },
    ],
  });
  const plain = await rig.ask('u-voss', read(document('D-1')), PLAIN);
  t.notMatch(JSON.stringify(plain.body), /screen|W-EX|team-lawyers|walls\.yaml/);
  t.equal(explained.body.context?.['reason_user'], plain.body.context?.['reason_user']);
});

t.test('an allow says so, and what has to be done', async (t) => {
  const { body } = await rig.ask('u-okafor', read(document('D-1')), PLAIN);
  t.match(body, {
    decision: true,
    context: { reason_user: 'Access is permitted.', advice: [], missing: [], obligations: [] },
  });
  const emergency = { ...OFFICE, break_glass_reason: 'A filing is due within the hour' };
  const broken = await rig.ask('u-reyes', { ...read(document('D-1')), context: emergency }, PLAIN);
  t.match(broken.body, {
    decision: true,
    context: {
      obligations: [
        { id: 'notify:responsible_attorney', type: 'notify', properties: {}, fulfilled_by: 'privity' },
        { id: 'notify:security_officer', type: 'notify', properties: {}, fulfilled_by: 'privity' },
        { id: 'review:24h', type: 'review', properties: {}, fulfilled_by: 'privity' },
      ],
    },
  });
});

t.test('missing names what the caller should have sent, whatever the outcome', async (t) => {
  const resource = { type: 'document', id: 'D-1', properties: { matter_id: 'M-1001', client_id: 'C-100' } };
  const missing = [
    'resource.confidentiality',
    'resource.export_controlled',
    'resource.matter_status',
    'resource.phi',
    'resource.privileged',
    'resource.work_product',
    'resource.work_product_internal',
  ];
  for (const person of ['u-okafor', 'u-voss', 'u-reyes']) {
    const { body } = await rig.ask(person, read(resource), PLAIN);
    t.match(body, { decision: false, context: { missing } }, person);
  }
});
