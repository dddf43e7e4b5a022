// One event on its way: what is posted, how it is signed, what counts as taken.
import { createHmac } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import t from 'tap';
import { dutyEvent } from '../../../src/io/reports/duty-event.ts';
import { createWebhook, type PostEvent } from '../../../src/io/reports/webhook.ts';
import { startReceiver, type Delivery } from '../../helpers/webhook.ts';

const receiver = await startReceiver(t);
const NOW = Date.parse('2026-03-10T14:00:00.900Z');
const SECRET = 'a secret of the firm’s own';
const never = new AbortController().signal;
const event = {
  id: '0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e',
  body: '{"id":"0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e","name":"ü"}',
};

/** Where nobody listens any more. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return `http://127.0.0.1:${port}/`;
}

function last(): Delivery {
  const delivery = receiver.arrived.at(-1);
  if (delivery === undefined) throw new Error('nothing arrived');
  return delivery;
}

const webhook = (options: { url?: string; secret?: string | null; timeoutMs?: number } = {}): PostEvent =>
  createWebhook({ url: receiver.url, secret: null, timeoutMs: 5_000, now: () => NOW, ...options });

t.test('posts the event as it is, with id and time', async (t) => {
  t.strictSame(await webhook()(event, never), { result: 'taken', reason: 'status 204' });
  const { headers, body, path } = last();
  t.equal(body, event.body);
  t.equal(path, '/duties');
  t.match(headers, {
    'content-type': 'application/cloudevents+json; charset=utf-8',
    'user-agent': 'privity',
    'webhook-id': event.id,
    'webhook-timestamp': '1773151200',
  });
  t.equal(headers['webhook-signature'], undefined);
});

t.test('signs id, time and body when there is a secret', async (t) => {
  await webhook({ secret: SECRET })(event, never);
  const { headers, body } = last();
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  const expected = createHmac('sha256', Buffer.from(SECRET, 'utf8')).update(signed, 'utf8').digest('base64');
  t.equal(headers['webhook-signature'], `v1,${expected}`);
});

t.test('nothing but a 2xx is a delivery', async (t) => {
  for (const status of [200, 201, 202, 204]) {
    receiver.behave(status);
    t.match(await webhook()(event, never), { result: 'taken' }, String(status));
  }
  for (const status of [400, 409, 413, 422]) {
    receiver.behave(status);
    t.strictSame(await webhook()(event, never), { result: 'refused', reason: `status ${status}` });
  }
  for (const status of [300, 304, 401, 403, 404, 405, 408, 410, 429, 500, 502, 503]) {
    receiver.behave(status);
    t.strictSame(await webhook()(event, never), { result: 'failed', reason: `status ${status}` });
  }
});

t.test('follows no redirect', async (t) => {
  receiver.behave('redirect');
  const before = receiver.arrived.length;
  t.strictSame(await webhook()(event, never), { result: 'failed', reason: 'status 307' });
  t.equal(receiver.arrived.length, before + 1);
  t.notOk(receiver.arrived.some(({ path }) => path === '/elsewhere'));
});

t.test('gives up on a receiver that does not answer, resets, or is not there', async (t) => {
  receiver.behave('silent');
  t.strictSame(await webhook({ timeoutMs: 100 })(event, never), { result: 'failed', reason: 'timed out' });
  receiver.behave('reset');
  t.match(await webhook()(event, never), { result: 'failed', reason: /^[A-Z_]+$/ });
  t.match(await webhook({ url: await closedPort() })(event, never), { result: 'failed', reason: 'ECONNREFUSED' });
  receiver.behave('silent');
  const stop = new AbortController();
  const posting = webhook()(event, stop.signal);
  stop.abort();
  t.match(await posting, { result: 'failed' });
});

t.test('does not wait for the end of what a receiver says', async (t) => {
  receiver.behave('endless');
  t.match(await webhook()(event, never), { result: 'taken' });
});

t.test('an event is made of the record’s codes and ids', async (t) => {
  const record = {
    id: 'other',
    kind: 'decision',
    at: '2026-03-10T14:00:00.123Z',
    outcome: 'allow',
    duties: ['notify:security_officer', 'review:24h'],
    obligations: ['log:x', 'notify:security_officer', 'review:24h'],
    action: 'read',
    resource: { type: 'document', id: 'D-1', properties: { matter_id: 'M-1', owner: 'u-private' } },
    matter: 'M-1',
    client: null,
    subject: { id: 'u-quinn', actor: null, attributes: { roles: ['associate'] } },
    context: { break_glass_reason: 'free text about Mrs Smith' },
    free_text: ['context.break_glass_reason'],
    decided_by: ['break-glass'],
    rules: [{ rule: 'break-glass' }],
    policy: { revision: 'sha256:1', commit: null },
    request_id: 'text of a caller',
  };
  const made = dutyEvent(event.id, record);
  t.equal(made?.id, event.id);
  t.strictSame(JSON.parse(made?.body ?? ''), {
    specversion: '1.0',
    id: event.id,
    source: 'urn:privity:log',
    type: 'privity.duty.v1',
    time: '2026-03-10T14:00:00.123Z',
    datacontenttype: 'application/json',
    data: {
      evaluation_id: event.id,
      kind: 'decision',
      duties: ['notify:security_officer', 'review:24h'],
      outcome: 'allow',
      action: 'read',
      resource: { type: 'document', id: 'D-1' },
      matter: 'M-1',
      client: null,
      subject: { id: 'u-quinn', actor: null },
      decided_by: ['break-glass'],
      revision: 'sha256:1',
    },
  });
  t.equal(dutyEvent(event.id, { ...record, duties: [] }), null);
  t.equal(dutyEvent(event.id, {}), null);
});
