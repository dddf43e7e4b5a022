// Connections go half-open: what is sent arrives nowhere, and nobody is told. Towards the key endpoint and the webhook that costs no
// answer; towards PostgreSQL nobody is answered; whatever waited, a reload of the policies included, goes on when the network does.
import http from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import type { RecorderLimits } from '../../src/io/log/recorder.ts';
import { document, OFFICE } from '../helpers/app.ts';
import { HASTY, isLong, LIMIT_MS, startFaultRun } from '../helpers/fault-run.ts';
import { startKeyEndpoint } from '../helpers/key-endpoint.ts';
import { launch } from '../helpers/launch.ts';
import { createDatabase } from '../helpers/postgres.ts';
import { until } from '../helpers/recorder.ts';
import { startRelay } from '../helpers/relay.ts';
import { PATIENT, whenReadiness } from '../helpers/service.ts';
import type { FirmFiles, ServiceFirm } from '../helpers/service-firm.ts';
import { startReceiver } from '../helpers/webhook.ts';
import { swapLink } from '../io/policies/folder.ts';
import { type Attempt, decisionsOf, evaluationId, exchange } from '../service/exchange.ts';

type Json = Readonly<Record<string, unknown>>;

t.setTimeout(LIMIT_MS);

// Most of the time is spent waiting.
t.jobs = 2;

/** A service whose issuer, webhook and database are reached through relays, and whose policies are swapped by a link. */
async function setUp(t: Test, limits: Partial<RecorderLimits>) {
  t.setTimeout(LIMIT_MS);
  const database = await createDatabase(t);
  const [endpoint, receiver] = [await startKeyEndpoint(t), await startReceiver(t)];
  const postgres = await startRelay(t, database.urls.writer);
  const keys = await startRelay(t, endpoint.url);
  const webhook = await startRelay(t, receiver.url);
  const urls = { writer: postgres.url(database.urls.writer), reader: postgres.url(database.urls.reader) };
  let link = '';
  const issuersOf = async (dir: string): Promise<string> => {
    const text = await readFile(path.join(dir, 'issuers.yaml'), 'utf8');
    return text.replaceAll('keys: { file: keys/test.json }', `keys: { url: ${keys.url(endpoint.url)} }`);
  };
  const policiesDir = async (firm: ServiceFirm): Promise<string> => {
    const published = JSON.parse(await readFile(path.join(firm.dir, 'keys/test.json'), 'utf8')) as { keys: Json[] };
    endpoint.publish(...published.keys);
    link = path.join(path.dirname(firm.dir), 'current');
    await swapLink(link, await firm.variant({ 'issuers.yaml': await issuersOf(firm.dir) }));
    return link;
  };
  const run = await startFaultRun(t, {
    urls,
    superuserUrl: database.superuserUrl,
    // It is given up on after ten seconds, and tried again after more.
    environment: isLong ? { WEBHOOK_URL: webhook.url(receiver.url) } : {},
    program: launch({ limits, keyTimes: { refreshMs: 500, timeoutMs: 500 } }),
    policiesDir,
  });
  const publish = async (files: FirmFiles): Promise<void> =>
    swapLink(link, await run.firm.variant({ 'issuers.yaml': await issuersOf(run.firm.dir), ...files }));
  return { run, postgres, keys, webhook, receiver, publish };
}

t.test('half-open towards the key endpoint and the webhook: nobody is sent away', { buffered: true }, async (t) => {
  const { run, keys, webhook, receiver } = await setUp(t, PATIENT);
  const emergency: Attempt = {
    requestId: 'emergency',
    method: 'POST',
    path: '/v1/authorize',
    headers: { authorization: `Bearer ${run.firm.callerToken('dms')}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      subject_token: run.firm.subjectToken('dms', 'u-quinn'),
      action: { name: 'read' },
      resource: document('D-emergency'),
      context: { ...OFFICE, break_glass_reason: 'Hearing at nine' },
    }),
    leaves: 'decisions',
    caller: 'dms',
    questions: [{ person: 'u-quinn', action: 'read', type: 'document', id: 'D-emergency', expect: true }],
    statuses: [200],
  };
  const codes = ['issuer_keys_not_refreshed', ...(isLong ? ['webhook_failing'] : [])];
  await run.calm();
  keys.freeze();
  webhook.freeze();
  const asked = await exchange(new http.Agent(), run.service.url, emergency);
  t.match(asked.answer, { status: 200 }, 'an alert that cannot be delivered holds up no answer');
  const found = await whenReadiness(run.service, 'degraded', (seen) =>
    codes.every((code) => seen?.degraded.includes(code)),
  );
  t.equal(found.status, 200, 'ready all the same');
  t.ok(run.lines({ problem: 'timed out' }).length > 0, 'the log says that keys could not be fetched');
  await run.calm();
  t.strictSame(run.failures(), [], 'everybody is answered');
  keys.restore();
  webhook.restore();
  await whenReadiness(run.service, 'well', (seen) => seen?.degraded.length === 0);
  const id = evaluationId(decisionsOf(asked)[0] ?? {});
  if (isLong) await until('the alert is delivered', () => receiver.taken().includes(id), LIMIT_MS);
  await run.conclude({ also: [asked] });
});

t.test('half-open towards PostgreSQL, while another set of policies is published', { buffered: true }, async (t) => {
  const { run, postgres, publish } = await setUp(t, HASTY);
  const loaded = { msg: 'policies loaded', result: 'activated' };
  const before = run.lines(loaded).length;
  await run.suffer('towards PostgreSQL', {
    inject: async () => {
      postgres.freeze();
      await publish({ 'rules/none.yaml': 'version: 1\nrules: []\n' });
    },
    heal: async () => postgres.restore(),
    problems: ['database_stalled', 'database_unreachable'],
    logged: { msg: 'recorder', code: 'connection_lost' },
  });
  await until('the set that was published meanwhile', () => run.lines(loaded).length > before, LIMIT_MS);
  await run.calm();
  await run.conclude();
});
