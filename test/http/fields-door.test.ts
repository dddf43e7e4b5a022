// Which protected fields a system may show, in one recorded answer, over HTTP.
import t from 'tap';
import { document, OFFICE, startApp, type AskOptions, type TestApp } from '../helpers/app.ts';

type Json = Readonly<Record<string, unknown>>;

const rig: TestApp = await startApp(t);

const path = '/v1/authorize/fields';
const ask = async (person: string, question: Json, options: AskOptions = {}) =>
  rig.ask(person, { context: OFFICE, ...question }, { path, ...options });

async function fieldsOf(person: string, resource: Json, options: AskOptions = {}) {
  const { status, body } = await ask(person, { resource }, options);
  t.equal(status, 200);
  return { body, fields: body['fields'], record: await rig.record(String(body.context?.['evaluation_id'])) };
}

t.test('lists what each person may see, sorted, and records every field', async (t) => {
  const partner = await fieldsOf('u-okafor', document('D-1'));
  t.strictSame(partner.fields, ['billing_rate', 'privileged_notes']);
  const { evaluation_id: id, evaluated_at: at, policy } = partner.body.context ?? {};
  t.strictSame(partner.body, {
    fields: ['billing_rate', 'privileged_notes'],
    context: { evaluation_id: id, evaluated_at: at, policy, obligations: [] },
  });
  t.match(partner.record, {
    id,
    at,
    policy,
    kind: 'decision',
    outcome: 'allow',
    action: 'read',
    fields: [
      { field: 'billing_rate', outcome: 'allow', decided_by: ['responsible-attorney', 'team-lawyers'] },
      { field: 'privileged_notes', outcome: 'allow', decided_by: ['responsible-attorney', 'team-lawyers'] },
    ],
  });
  t.equal(
    (partner.record['resource'] as { properties: Json }).properties['field'],
    null,
    'of the request without field',
  );

  const associate = await fieldsOf('u-lind', document('D-1'));
  t.strictSame(associate.fields, ['privileged_notes']);
  t.match(associate.record, {
    fields: [
      { field: 'billing_rate', outcome: 'deny', decided_by: ['billing-rate-field'] },
      { field: 'privileged_notes', outcome: 'allow' },
    ],
  });
  t.strictSame((await fieldsOf('u-park', document('D-1'))).fields, [], 'a paralegal reads the document without them');
});

t.test('agrees with one question for each field', async (t) => {
  for (const person of ['u-okafor', 'u-lind', 'u-park', 'u-voss', 'u-quinn', 'u-banks']) {
    for (const type of ['document', 'time_entry', 'invoice']) {
      const resource = document('D-2', { billed: false, owner: person });
      const { fields } = await fieldsOf(person, { ...resource, type });
      const single: string[] = [];
      for (const field of ['billing_rate', 'privileged_notes']) {
        const properties = { ...(resource['properties'] as Json), field };
        const { body } = await rig.ask(person, {
          action: { name: 'read' },
          resource: { ...resource, type, properties },
          context: OFFICE,
        });
        if (body.decision === true) single.push(field);
      }
      t.strictSame(fields, single, `${person} ${type}`);
    }
  }
});

t.test('another action, and the obligations that come with it', async (t) => {
  const { body } = await ask('u-okafor', { action: { name: 'download' }, resource: document('D-3') });
  t.match(body, { fields: ['billing_rate', 'privileged_notes'] });
  const old = await ask(
    'u-okafor',
    { action: { name: 'download' }, resource: document('D-3', { privileged: true }) },
    { claims: { auth_time: 1 } },
  );
  t.strictSame(old.body['fields'], []);
  const reason = { ...OFFICE, break_glass_reason: 'Court hearing in an hour' };
  const emergency = await ask('u-quinn', { resource: document('D-3'), context: reason });
  t.match(emergency.body, {
    fields: [],
    context: {
      obligations: [{ id: 'notify:responsible_attorney' }, { id: 'notify:security_officer' }, { id: 'review:24h' }],
    },
  });
  const record = await rig.record(String(emergency.body.context?.['evaluation_id']));
  t.match(record, {
    outcome: 'allow',
    duties: ['notify:responsible_attorney', 'notify:security_officer', 'review:24h'],
    fields: [{ outcome: 'deny' }, { outcome: 'deny' }],
  });
});

t.test('a walled matter, an unknown matter and a lack of rights answer alike', async (t) => {
  const cases: readonly (readonly [string, Json])[] = [
    ['u-voss', document('D-4')],
    ['u-quinn', document('D-4')],
    ['u-okafor', document('D-4', { matter_id: 'M-404' })],
    ['u-okafor', document('D-4', { matter_id: 'M-2001', client_id: 'C-200' })],
    ['u-okafor', { type: 'document', id: 'D-4' }],
  ];
  const shapes = new Set<string>();
  for (const [person, resource] of cases) {
    const { body, record } = await fieldsOf(person, resource);
    const { evaluation_id: _id, evaluated_at: _at, ...context } = body.context ?? {};
    shapes.add(JSON.stringify({ ...body, context }));
    t.match(record, { outcome: 'deny' });
    const fields = record['fields'] as Json[];
    t.ok(
      fields.every((one) => JSON.stringify(one['decided_by']) === JSON.stringify(record['decided_by'])),
      'no field is permitted of what is not',
    );
  }
  t.equal(shapes.size, 1, [...shapes].join('\n'));
});

t.test('whoever names a field has asked the wrong door', async (t) => {
  for (const field of ['billing_rate', 'x', '', null]) {
    const { status, body } = await ask('u-okafor', { resource: document('D-5', { field }) });
    t.match({ status, body }, { status: 400, body: { errors: [{ pointer: '/resource/properties/field' }] } });
  }
});

t.test('a broken envelope is a 400, a lack of rights a 403', async (t) => {
  const cases: readonly (readonly [string, Json])[] = [
    ['/resource', { resource: undefined }],
    ['/action/name', { action: {}, resource: document('D-6') }],
    ['/action/name', { action: { name: 'ü'.repeat(129) }, resource: document('D-6') }],
    ['/resource/id', { resource: document('ü'.repeat(129)) }],
    ['/context/approvals', { resource: document('D-6'), context: { approvals: [] } }],
    ['/context/approval_ids/0', { resource: document('D-6'), context: { approval_ids: ['x'] } }],
    ['/fields', { resource: document('D-6'), fields: ['billing_rate'] }],
  ];
  for (const [pointer, question] of cases) {
    const { status, body } = await ask('u-okafor', question);
    t.match({ status, body }, { status: 400, body: { errors: [{ pointer }] } }, pointer);
  }
  const response = await rig.inject({
    method: 'POST',
    url: path,
    headers: { authorization: `Bearer ${rig.callerToken('log-review')}`, 'content-type': 'application/json' },
    payload: '{}',
  });
  t.equal(response.statusCode, 403);
});
