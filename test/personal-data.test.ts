// Whatever a request says, about whomever, and however it ends: nothing of it gets into log lines, metrics or traces. It is in the
// record alone.
import t from 'tap';
import { document, OFFICE, startApp } from './helpers/app.ts';
import { startCollector } from './helpers/collector.ts';
import { createDatabase } from './helpers/postgres.ts';
import { startProxy } from './helpers/proxy.ts';
import { startReceiver } from './helpers/webhook.ts';

type Json = Readonly<Record<string, unknown>>;

/** In everything that a caller, a token or a receiver can say. */
const MARK = 'marked7731';
const PERSON = `u-${MARK}`;

t.test('nothing personal in logs, metrics and traces', async (t) => {
  const { urls } = await createDatabase(t);
  const proxy = await startProxy(t, urls.writer, 'no statement is watched');
  const collector = await startCollector(t);
  const receiver = await startReceiver(t);
  receiver.behave(400);
  const rig = await startApp(t, {
    urls: { ...urls, writer: proxy.url(urls.writer) },
    environment: {
      LOG_LEVEL: 'trace',
      RATE_LIMIT: '50',
      WEBHOOK_URL: `${receiver.url}/${MARK}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    },
    extras: {
      recorder: { limits: { deadlineMs: 300, sendTimeoutMs: 300 } },
      courier: { pollMs: 20, firstRetryMs: 20, seatMs: 50 },
    },
  });
  const resource = document(`D-${MARK}`, {
    matter_id: `M-${MARK}`,
    client_id: `C-${MARK}`,
    title: MARK,
    confidentiality: MARK,
    owner_id: PERSON,
  });
  const context: Json = { ...OFFICE, break_glass_reason: `Mrs ${MARK} cannot wait`, country: MARK, whatever: MARK };
  const question = { action: { name: 'read' }, resource, context };
  const claims = { name: MARK, email: `${MARK}@firm.example`, jti: MARK, practice_groups: [MARK], department: MARK };
  const statuses = new Map<string, number>();
  const say = async (name: string, answer: Promise<{ readonly status: number }>): Promise<void> =>
    void statuses.set(name, (await answer).status);
  const send = async (
    name: string,
    method: 'GET' | 'POST',
    url: string,
    headers: Readonly<Record<string, string>> = {},
    payload = '',
  ): Promise<void> => {
    const { statusCode } = await rig.inject({ method, url, headers, ...(payload === '' ? {} : { payload }) });
    statuses.set(name, statusCode);
  };
  const bearer = { authorization: `Bearer ${rig.callerToken()}`, 'content-type': 'application/json' };

  await say('denied', rig.ask(PERSON, question, { claims }));
  await say('allowed', rig.ask('u-quinn', { ...question, resource: document(`D-${MARK}`) }, { claims }));
  await say('fields', rig.ask(PERSON, { resource, context }, { claims, path: '/v1/authorize/fields' }));
  await say(
    'batch',
    rig.ask(
      PERSON,
      { context, evaluations: [{ action: question.action, resource }] },
      { claims, path: '/v1/authorize/batch' },
    ),
  );
  await say(
    'approval',
    rig.ask(
      PERSON,
      { requester: PERSON, action: MARK, resource: { type: 'document', id: MARK } },
      { claims, path: '/v1/approvals' },
    ),
  );
  await say('malformed', rig.ask(PERSON, { ...question, [MARK]: MARK }));
  await say('source of the request', rig.ask(PERSON, { ...question, context: { source_system: MARK } }));
  await say('odd roles', rig.ask(PERSON, question, { claims: { roles: [MARK] } }));
  await say('not their issuer', rig.ask(PERSON, question, { claims: { sub: `x-${MARK}` } }));
  await say('expired', rig.ask(PERSON, question, { claims: { exp: 1 } }));
  await send('not JSON', 'POST', '/v1/authorize', bearer, `{"${MARK}`);
  await send('not a token', 'GET', '/v1/policy', { authorization: `Bearer ${MARK}.${MARK}.${MARK}` });
  const unknown = Buffer.from(JSON.stringify({ iss: `https://${MARK}.example`, sub: MARK })).toString('base64url');
  await send('unknown issuer', 'GET', '/v1/policy', { authorization: `Bearer ${unknown}.${unknown}.${MARK}` });
  await send('unknown path', 'GET', `/v1/people/${MARK}?name=${MARK}`, { ...bearer, referer: MARK, cookie: MARK });
  await send('unknown record', 'GET', `/v1/decisions/${MARK}`, {
    authorization: `Bearer ${rig.personToken('u-okafor')}`,
  });
  await send('odd list', 'GET', `/v1/reviews?after=${MARK}&limit=${MARK}`, {
    authorization: `Bearer ${rig.personToken('u-okafor')}`,
  });
  await send('odd trace', 'GET', '/livez', { traceparent: MARK, tracestate: `x=${MARK}`, 'x-forwarded-for': MARK });
  await Promise.all(
    Array.from({ length: 120 }, () => say('limited', rig.ask(PERSON, question, { claims, caller: 'search' }))),
  );
  proxy.cut(true);
  await say('cannot record', rig.ask(PERSON, question, { claims }));
  proxy.restore();
  while (!rig.log.some(({ code }) => code === 'webhook_failing')) await new Promise((next) => setTimeout(next, 20));

  t.match(Object.fromEntries(statuses), {
    denied: 200,
    allowed: 200,
    fields: 200,
    batch: 200,
    malformed: 400,
    'not JSON': 400,
    'source of the request': 400,
    'odd roles': 200,
    expired: 401,
    'not a token': 401,
    'unknown issuer': 401,
    'unknown path': 404,
    'unknown record': 404,
    'cannot record': 503,
  });
  const { body: metrics } = await rig.inject({ method: 'GET', url: '/metrics' });
  await rig.app.stop();
  const lines = rig.log.map((line) => JSON.stringify(line));
  t.ok(lines.length > 100, 'there is a log to look at');
  t.ok(collector.spans.length > 20, 'and spans');
  t.strictSame(
    lines.filter((line) => line.includes(MARK)),
    [],
  );
  t.notMatch(metrics, MARK);
  t.strictSame(
    collector.arrived.filter((text) => text.includes(MARK)),
    [],
  );
  for (const word of ['u-quinn', 'M-1001', 'C-100', 'W-EX-1', 'break-glass', 'u-okafor']) {
    t.notMatch(lines.join('\n'), word, `${word} in the log`);
    t.notMatch(metrics, word, `${word} in the metrics`);
    t.notMatch(collector.arrived.join('\n'), word, `${word} in the traces`);
  }
});
