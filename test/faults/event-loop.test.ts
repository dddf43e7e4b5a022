// The service stands still for seconds (SIGSTOP, as a debugger, a snapshot of the machine or a starved host would do it): what was in
// flight is settled, what is asked then is judged by the time it is then, and one writer goes on.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { HASTY, isLong, LIMIT_MS, startFaultRun } from '../helpers/fault-run.ts';
import { createDatabase } from '../helpers/postgres.ts';
import { until } from '../helpers/recorder.ts';
import { whenReady } from '../helpers/service.ts';
import { type Attempt, decisionsOf, exchange } from '../service/exchange.ts';
import { document, OFFICE } from '../helpers/app.ts';

type Json = Readonly<Record<string, unknown>>;

const ROUNDS = isLong ? 20 : 1;
/** Longer than the writer's patience in these tests, and than a token has left. */
const STILL_MS = 9_000;
const LEFT_SECONDS = 8;

t.setTimeout(LIMIT_MS);

/** Issuers of the firm allow for clocks that are 30 s off. */
const shortLife = (): Json => ({ exp: Math.floor(Date.now() / 1000) - 30 + LEFT_SECONDS });

/** Headers and half of the body; returns how to send the rest, which tells the status. */
async function beginRequest(agent: http.Agent, url: string, headers: Json): Promise<() => Promise<number>> {
  const body = JSON.stringify({ action: { name: 'read' }, resource: document('D-late'), context: OFFICE });
  const request = http.request(new URL('/v1/authorize', url), {
    agent,
    method: 'POST',
    headers: { ...(headers as http.OutgoingHttpHeaders), 'content-length': Buffer.byteLength(body) },
  });
  const answered = new Promise<number>((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
  });
  answered.catch(() => undefined);
  await new Promise<void>((written) => request.write(body.slice(0, 20), () => written()));
  // Until the service has looked at the token.
  await sleep(500);
  return () => {
    request.end(body.slice(20));
    return answered;
  };
}

t.test('stopped and continued under load', async (t) => {
  t.setTimeout(LIMIT_MS);
  const { urls, superuserUrl } = await createDatabase(t);
  // Else a connection accepted just before the stop is told 408 after it, unread: fair, but not what is asked here.
  const environment = { HEADERS_TIMEOUT: '60s', REQUEST_TIMEOUT: '60s' };
  // Nobody is sent away for a machine that is slow.
  const limits = { ...HASTY, deadlineMs: 30_000 };
  const run = await startFaultRun(t, { urls, superuserUrl, environment, limits });
  const { firm, service } = run;
  const agent = new http.Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  let asked = 0;
  const question = (claims: Json): Attempt => ({
    requestId: `still-${(asked += 1)}`,
    method: 'POST',
    path: '/v1/authorize',
    headers: { authorization: `Bearer ${firm.callerToken('dms')}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      subject_token: firm.subjectToken('dms', 'u-okafor', claims),
      action: { name: 'read' },
      resource: document(`D-still-${asked}`),
      context: OFFICE,
    }),
    leaves: 'decisions',
    caller: 'dms',
    questions: [{ person: 'u-okafor', action: 'read', type: 'document', id: `D-still-${asked}`, expect: true }],
    statuses: [200],
  });
  const own: Awaited<ReturnType<typeof exchange>>[] = [];
  const send = async (attempt: Attempt) => {
    const done = await exchange(agent, service.url, attempt);
    own.push(done);
    return done;
  };

  for (let round = 0; round < ROUNDS; round++) {
    await run.calm();
    // Known to the service before, and remembered: the cache must not outlive it. Issuers allow 30 s more.
    const shortLived = question(shortLife());
    t.match(await send(shortLived), { answer: { status: 200 } }, 'still good');
    const endLate = await beginRequest(agent, service.url, {
      authorization: `Bearer ${firm.personToken('dms', 'u-okafor', shortLife())}`,
      'content-type': 'application/json',
    });
    service.signal('SIGSTOP');
    const stoppedAt = Date.now();
    // They arrive while nobody is there; of one, the headers came before.
    const waiting = [
      send({ ...shortLived, requestId: `${shortLived.requestId}-again`, leaves: 'nothing', statuses: [401] }),
      send(question({})),
    ];
    await sleep(STILL_MS);
    const continuedAt = Date.now();
    service.signal('SIGCONT');
    const [expired, good] = await Promise.all(waiting);
    t.equal(expired?.answer?.status, 401, 'a token that has expired meanwhile is refused');
    t.equal(await endLate(), 401, 'also one whose headers came before, and whose body comes now');
    t.match(good?.answer?.status, /200|503/);
    const decision = good === undefined ? undefined : decisionsOf(good)[0];
    if (decision !== undefined) {
      const at = Date.parse(String((decision['context'] as Json)['evaluated_at']));
      t.ok(at >= continuedAt - 100 || at <= stoppedAt, 'judged by the time that it was then');
    }
    t.match(await whenReady(service), { status: 200 }, 'ready again, in the same process');
    await run.calm();
  }
  await until('no problem is left', async () => (await service.readiness())?.problems.length === 0, LIMIT_MS);
  await run.conclude({ writers: 1, also: own });
});
