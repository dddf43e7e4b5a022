import fc from 'fast-check';
import t from 'tap';
import { connect } from '../helpers/postgres.ts';
import { document, OFFICE, startApp, type TestApp } from '../helpers/app.ts';
import { runs } from '../helpers/runs.ts';

const rig: TestApp = await startApp(t);
const BATCH = { path: '/v1/authorize/batch' } as const;

type Json = Readonly<Record<string, unknown>>;
const contextOf = (answer: unknown): Json => (answer as { context: Json }).context;

t.test('the record is committed before the answer, with what the answer says', async (t) => {
  const question = {
    action: { name: 'read' },
    resource: document('D-1'),
    context: { ...OFFICE, purpose: 'closing', extra: 'x' },
  };
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const { body } = await rig.ask('u-okafor', question, { headers: { 'x-request-id': 'req-7', traceparent: trace } });
  const context = contextOf(body);
  const record = await rig.record(String(context['evaluation_id']));
  t.match(record, {
    v: 1,
    kind: 'decision',
    outcome: 'allow',
    at: context['evaluated_at'],
    decided_by: context['decided_by'],
    subject: { id: 'u-okafor', evidence: 'token', issuer: 'https://login.firm.example/' },
    caller: { id: 'dms', source_system: 'dms', own: true },
    action: 'read',
    resource: { type: 'document', id: 'D-1', properties: { matter_id: 'M-1001', privileged: false } },
    context: { network_zone: 'office', purpose: 'closing' },
    matter: 'M-1001',
    client: 'C-100',
    policy: context['policy'],
    request_id: 'req-7',
    trace_id: '0af7651916cd43dd8448eb211c80319c',
  });
  t.notOk('extra' in (record['context'] as Json), 'undeclared attributes are not recorded');
  const { rows } = await rig.reader.query('select * from decisions where id = $1', [context['evaluation_id']]);
  t.match(rows, [
    { outcome: 'allow', subject_id: 'u-okafor', caller: 'dms', matter_id: 'M-1001', request_id: 'req-7' },
  ]);
});

t.test('no answer without a record: while nothing can be committed there are only 503s', async (t) => {
  // An exclusive lock holds up the insert; the requester gets its 503 when the recorder's patience ends.
  const impatient = await startApp(t, { extras: { recorder: { limits: { deadlineMs: 300 } } } });
  const blocker = await connect(t, impatient.urls.owner);
  await blocker.query('begin; lock table public.decisions in access exclusive mode');
  const question = { action: { name: 'read' }, resource: document('D-1'), context: OFFICE };
  const { status, headers, body } = await impatient.ask('u-okafor', question);
  t.equal(status, 503);
  t.match(body, { code: 'cannot_record', status: 503 });
  t.match(headers['retry-after'], /^\d+$/);
  t.notOk('decision' in body);
  await blocker.query('rollback');
  for (;;) {
    const again = await impatient.ask('u-okafor', question);
    if (again.status === 503) continue;
    t.equal(again.status, 200, 'and then answers again');
    break;
  }
});

t.test('a batch gives what single questions give, in order, one record each', async (t) => {
  const people = ['u-okafor', 'u-voss', 'u-reyes', 'u-khan', 'u-audley', 'u-temp'];
  const question = fc.record({
    action: fc.constantFrom('read', 'list', 'download', 'edit', 'manage').map((name) => ({ name })),
    resource: fc
      .record({
        id: fc.constantFrom('D-1', 'D-2'),
        matter: fc.constantFrom('M-1001', 'M-2001', 'M-9999', undefined),
        privileged: fc.constantFrom(true, false, 'true', undefined),
      })
      .map(({ id, matter, privileged }) => document(id, { matter_id: matter, privileged })),
    context: fc.constantFrom(undefined, OFFICE, { ...OFFICE, network_zone: 'home' }, {}),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...people),
      fc.array(question, { minLength: 1, maxLength: 6 }),
      async (person, questions) => {
        const shared = { ...OFFICE, network_zone: 'vpn' };
        const batch = await rig.ask(person, { context: shared, evaluations: questions }, BATCH);
        const answers = batch.body['evaluations'] as readonly { readonly decision: boolean; readonly context: Json }[];
        if (batch.status !== 200 || answers.length !== questions.length) return false;
        for (const [index, one] of questions.entries()) {
          const single = await rig.ask(person, { ...one, context: one.context ?? shared });
          const plain = ({ evaluation_id: _id, evaluated_at: _at, ...context }: Json): string =>
            JSON.stringify(context);
          const answer = answers[index];
          if (answer === undefined || single.body.decision !== answer.decision) return false;
          if (plain(answer.context) !== plain(contextOf(single.body))) return false;
          const record = await rig.record(String(answer.context['evaluation_id']));
          if (record['action'] !== one.action.name || (record['resource'] as Json)['id'] !== one.resource['id'])
            return false;
        }
        return new Set(answers.map(({ context }) => context['evaluation_id'])).size === questions.length;
      },
    ),
    runs(25),
  );
  t.pass('held');
});

t.test('a batch is one commit, up to 1,000 evaluations, also of the same thing', async (t) => {
  const evaluations = Array.from({ length: 1000 }, (_, index) => ({
    action: { name: 'read' },
    resource: document('D-1', { matter_id: index % 2 === 0 ? 'M-1001' : 'M-2001' }),
  }));
  const { status, body } = await rig.ask('u-okafor', { context: OFFICE, evaluations }, BATCH);
  t.equal(status, 200);
  const answers = body['evaluations'] as readonly { readonly decision: boolean; readonly context: Json }[];
  t.ok(
    answers.every(({ decision }, index) => decision === (index % 2 === 0)),
    'two questions about one id are two questions',
  );
  const ids = answers.map(({ context }) => context['evaluation_id']);
  const { rows } = await rig.reader.query<{ n: number; transactions: number; writers: number; span: number }>(
    `select count(*)::int as n, count(distinct xmin::text)::int as transactions, count(distinct writer)::int as writers,
            (max(seq) - min(seq))::int as span
     from decisions where id = any($1::uuid[])`,
    [ids],
  );
  t.same(rows, [{ n: 1000, transactions: 1, writers: 1, span: 999 }]);
});

t.test('an evaluation’s own context replaces the shared one whole', async (t) => {
  const evaluations = [
    { action: { name: 'read' }, resource: document('D-1') },
    { action: { name: 'read' }, resource: document('D-1'), context: { device_managed: true } },
  ];
  const options = { ...BATCH, claims: { amr: ['pwd'] } };
  const { body } = await rig.ask('u-okafor', { context: OFFICE, evaluations }, options);
  t.match(body['evaluations'], [
    { decision: true },
    { decision: false, context: { missing: ['context.network_zone'] } },
  ]);
});

t.test('concurrent answers never carry another request’s decision', async (t) => {
  const people = ['u-okafor', 'u-voss', 'u-reyes', 'u-park', 'u-lind'];
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const person = people[index % people.length] ?? '';
      const id = `D-${index}`;
      const headers = { 'x-request-id': `r-${index}` };
      const answer = await rig.ask(
        person,
        { action: { name: 'read' }, resource: document(id), context: OFFICE },
        { headers },
      );
      const record = await rig.record(String(contextOf(answer.body)['evaluation_id']));
      const isOurs =
        answer.headers['x-request-id'] === `r-${index}` &&
        record['request_id'] === `r-${index}` &&
        (record['subject'] as Json)['id'] === person &&
        (record['resource'] as Json)['id'] === id &&
        (record['outcome'] === 'allow') === answer.body.decision;
      if (!isOurs) t.fail(`answer ${index} is mixed up`);
    }),
  );
  t.pass('none was');
});
