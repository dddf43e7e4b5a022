// What is turned away while the service is busy: never health, never a request that was looked at, and without a record (P1).
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import t from 'tap';
import { admit } from '../../src/http/admission.ts';
import { document, OFFICE, startApp } from '../helpers/app.ts';
import { createDatabase } from '../helpers/postgres.ts';
import { startProxy } from '../helpers/proxy.ts';

type Json = Readonly<Record<string, unknown>>;

t.test('while as many records wait as may: 503, but health and metrics answer', async (t) => {
  const { urls } = await createDatabase(t);
  const proxy = await startProxy(t, urls.writer, 'no statement is watched');
  const rig = await startApp(t, {
    urls: { ...urls, writer: proxy.url(urls.writer) },
    environment: { MAX_WAITING: '3', METRICS_PORT: '0', RATE_LIMIT: '1000' },
    extras: { recorder: { limits: { deadlineMs: 60_000, sendTimeoutMs: 1_000 } } },
  });
  const url = await rig.app.http.listen({ host: '127.0.0.1', port: 0 });
  const side = await rig.app.side?.listen({ host: '127.0.0.1', port: 0 });
  const headers = {
    authorization: `Bearer ${rig.callerToken()}`,
    'content-type': 'application/json',
    'x-request-id': 'a"b',
  };
  const question = { action: { name: 'read' }, resource: document('D-1'), context: OFFICE };
  const body = JSON.stringify({ subject_token: rig.subjectToken('u-okafor'), ...question });
  const ask = (): Promise<Response> => fetch(`${url}/v1/authorize`, { method: 'POST', headers, body });
  const metrics = async (): Promise<string> => (await fetch(`${side}/metrics`)).text();
  const recordsWaiting = async (): Promise<number> => {
    const counts = /^privity_recorder_(?:queue|in_flight)_entries (\d+)$/gm;
    return [...(await metrics()).matchAll(counts)].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  t.equal((await ask()).status, 200);
  t.equal(await rig.count('decision'), 1);

  proxy.freeze();
  const waiting = [ask(), ask(), ask()];
  while ((await recordsWaiting()) < 3) await sleep(10);
  const refused = await ask();
  const problem = (await refused.json()) as Json;
  t.equal(refused.status, 503);
  t.match(problem, { code: 'overloaded', status: 503, request_id: 'a"b' });
  t.match(Object.fromEntries(refused.headers), {
    'content-type': 'application/problem+json',
    'retry-after': '1',
    'x-request-id': 'a"b',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  t.equal((await fetch(`${url}/v1/policy`)).status, 503, 'before a token is looked at');
  t.equal((await fetch(`${url}/livez`)).status, 200);
  t.equal((await fetch(`${url}/readyz?verbose`)).status, 200);
  t.equal((await fetch(`${side}/livez`)).status, 200);
  t.match(await metrics(), /^privity_shed_total\{cause="waiting_records"\} 2$/m);
  t.equal((await fetch(`${url}/metrics`)).status, 404, 'it has a port of its own');
  t.match(
    rig.log.find(({ code }) => code === 'overloaded'),
    { level: 'warn', cause: 'waiting_records', requests: 1 },
  );

  proxy.restore();
  for (const answer of await Promise.all(waiting)) t.equal(answer.status, 200, 'what was taken is answered');
  t.equal((await ask()).status, 200, 'and again as before');
  t.equal(await rig.count('decision'), 5, 'and what was turned away has no record');
});

t.test('a turn of the event loop takes so much and turns the rest away', async (t) => {
  const taken: string[] = [];
  const causes: string[] = [];
  const burn = (ms: number): void => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  };
  const handler = admit(
    (request, response) => {
      taken.push(request.url ?? '');
      burn(6);
      response.end();
    },
    { waiting: () => 0, maxWaiting: 1, onShed: (cause) => causes.push(cause), log: pino({ level: 'silent' }) },
  );
  const held: Parameters<typeof handler>[] = [];
  const server = createServer((request, response) => {
    held.push([request, response]);
    if (held.length < 100) return;
    // All of them in one turn, as after a moment in which the process could not run.
    for (const [one, answer] of held.splice(0)) handler(one, answer);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => new Promise<void>((closed) => server.close(() => closed())));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hundred = async (): Promise<number[]> => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => fetch(`${url}${index % 25 === 0 ? '/livez' : `/${index}`}`)),
    );
    return answers.map(({ status }) => status);
  };
  const statuses = await hundred();
  const refused = statuses.filter((status) => status === 503).length;
  t.ok(refused > 0 && refused <= 36, `${refused} of 100`);
  t.ok(taken.filter((path) => path !== '/livez').length >= 60, 'a turn takes so many whatever it takes');
  t.equal(taken.filter((path) => path === '/livez').length, 4, 'health is never turned away');
  t.ok(causes.every((cause) => cause === 'busy_loop') && causes.length === refused);
  const before = taken.length;
  await hundred();
  t.ok(taken.length >= before + 64, 'the next turn takes as many again');
});
