// Alerts and reviews on their way from a question to the firm's webhook, through the whole service.
import { createHmac } from 'node:crypto';
import t from 'tap';
import { document, OFFICE, startApp, type TestApp } from './helpers/app.ts';
import { createDatabase } from './helpers/postgres.ts';
import { until } from './helpers/recorder.ts';
import { startReceiver } from './helpers/webhook.ts';

type Json = Readonly<Record<string, unknown>>;

const SECRET = 'known to the firm and the receiver';
const REASON = 'Hearing at nine, Mrs Miller cannot be reached';
const receiver = await startReceiver(t);
const { urls } = await createDatabase(t);
const environment = { WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: SECRET };

async function emergency(rig: TestApp, id: string): Promise<string> {
  const { body } = await rig.ask('u-quinn', {
    action: { name: 'read' },
    resource: document(id),
    context: { ...OFFICE, break_glass_reason: REASON },
  });
  if (body.decision !== true) throw new Error(JSON.stringify(body));
  return String(body.context?.['evaluation_id']);
}

const eventOf = (id: string) => receiver.arrived.find(({ event }) => event['id'] === id);
const degraded = async (rig: TestApp): Promise<readonly string[]> =>
  (await rig.inject({ method: 'GET', url: '/readyz' })).json<{ degraded: string[] }>().degraded;
const delivered = async (rig: TestApp): Promise<readonly string[]> =>
  (await rig.reader.query<{ id: string }>('select record_id as id from deliveries')).rows.map(({ id }) => id);

t.test('without a webhook nothing is posted, and nothing is lost', async (t) => {
  const rig = await startApp(t, { urls });
  const id = await emergency(rig, 'D-1');
  t.match(await rig.record(id), {
    duties: ['notify:responsible_attorney', 'notify:security_officer', 'review:24h'],
    obligations: ['notify:responsible_attorney', 'notify:security_officer', 'review:24h'],
  });
  await rig.app.stop();
  t.strictSame(await delivered(rig), []);
  t.equal(receiver.arrived.length, 0);

  const next = await startApp(t, { urls, environment });
  await until('the webhook gets what was waiting', async () => (await delivered(next)).includes(id));
  await next.app.stop();
});

t.test('with one, whoever has to know knows at once, and nobody can make it up', async (t) => {
  const rig = await startApp(t, { urls, environment, extras: { courier: { pollMs: 600_000 } } });
  const id = await emergency(rig, 'D-2');
  await until('the emergency has arrived', () => eventOf(id) !== undefined);
  const { event, headers, body } = eventOf(id) ?? { event: {}, headers: {} as Json, body: '' };
  t.match(event, {
    specversion: '1.0',
    type: 'privity.duty.v1',
    data: {
      evaluation_id: id,
      outcome: 'allow',
      duties: ['notify:responsible_attorney', 'notify:security_officer', 'review:24h'],
      decided_by: ['break-glass'],
      subject: { id: 'u-quinn' },
      matter: 'M-1001',
      revision: rig.app.policies.current().revision,
    },
  });
  t.notMatch(body, 'Miller', 'no free text');
  const signed = `${id}.${String(headers['webhook-timestamp'])}.${body}`;
  t.equal(headers['webhook-signature'], `v1,${createHmac('sha256', SECRET).update(signed).digest('base64')}`);
  t.notMatch(JSON.stringify(rig.log), SECRET);
  await until('it is noted', async () => (await delivered(rig)).includes(id));
});

t.test('an alert of a deny is a duty like any other; the person sees nothing of it', async (t) => {
  const rig = await startApp(t, { urls, environment });
  const { body } = await rig.ask(
    'u-lind',
    {
      action: { name: 'download' },
      resource: document('D-3'),
      context: { ...OFFICE, recent_downloads: 5_000 },
    },
    { caller: 'search' },
  );
  t.match(body, { decision: false, context: { advice: [], obligations: [] } });
  const id = String(body.context?.['evaluation_id']);
  t.match(await rig.record(id), {
    outcome: 'deny',
    obligations: ['alert:security_officer'],
    duties: ['alert:security_officer'],
  });
  const { rows } = await rig.reader.query('select obligations from decisions where id = $1', [id]);
  t.strictSame(rows, [{ obligations: ['alert:security_officer'] }]);
  await until('the alert has arrived', () => eventOf(id) !== undefined);
  t.match(eventOf(id)?.event, { data: { outcome: 'deny', duties: ['alert:security_officer'] } });
});

t.test('what the callers have to do is theirs', async (t) => {
  const rig = await startApp(t, { urls, environment });
  const { body: answer } = await rig.ask('u-okafor', {
    action: { name: 'read' },
    resource: document('D-4'),
    context: OFFICE,
  });
  t.equal(answer.decision, true);
  t.match(await rig.record(String(answer.context?.['evaluation_id'])), { obligations: [], duties: [] });
});

t.test('a webhook that fails is seen, holds up no answer and no stop, and gets everything later', async (t) => {
  const rig = await startApp(t, {
    urls,
    environment,
    extras: { courier: { firstRetryMs: 20, longestRetryMs: 50, pollMs: 50 } },
  });
  receiver.behave(500);
  const id = await emergency(rig, 'D-5');
  await until('it shows', async () => (await degraded(rig)).includes('webhook_failing'));
  t.equal((await rig.inject({ method: 'GET', url: '/readyz' })).statusCode, 200, 'ready all the same');
  t.ok(rig.log.some((line) => line['code'] === 'webhook_failing' && line['level'] === 'warn'));
  t.notMatch(JSON.stringify(rig.log), receiver.url, 'the address may be a secret');
  receiver.behave(204);
  await until('it is noted', async () => (await delivered(rig)).includes(id));
  await until('all is well', async () => !(await degraded(rig)).includes('webhook_failing'));
  receiver.behave('silent');
  await emergency(rig, 'D-6');
  await rig.app.stop();
  t.pass('a receiver that is silent does not keep the service from ending');
});
