import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { connect as connectSocket } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startServer } from '../src/server.ts';
import { StartupError } from '../src/startup-error.ts';
import { readConfig } from '../src/config.ts';
import { DEVELOPMENT_ISSUER } from '../src/io/identity/dev-issuer.ts';
import { document, OFFICE, startApp, STARTER, type TestApp } from './helpers/app.ts';
import { connect, createDatabase } from './helpers/postgres.ts';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const QUESTION = { action: { name: 'read' }, resource: document('D-1'), context: OFFICE };

async function problemsOf(start: Promise<unknown>): Promise<readonly string[]> {
  try {
    await start;
  } catch (error) {
    if (error instanceof StartupError) return error.problems;
    throw error;
  }
  throw new Error('it started');
}

t.test('a set of policies is kept and recorded before it decides', async (t) => {
  const rig = await startApp(t);
  const { revision, commit, files } = rig.app.policies.current();
  const { rows } = await rig.reader.query<{ kind: string; revision: string }>(
    'select kind, revision from decisions order by seq',
  );
  t.match(rows, [{ kind: 'writer_opened' }, { kind: 'policy_loaded', revision }]);
  const kept = await rig.reader.query('select revision, commit, manifest from policy_sets');
  t.match(kept.rows, [{ revision, commit }]);
  const blobs = await rig.reader.query<{ n: number }>('select count(*)::int as n from policy_blobs');
  t.equal(blobs.rows[0]?.n, new Set(files.map(({ hash }) => hash)).size);
});

t.test('it does not start on wrong policies, and lists every problem', async (t) => {
  const problems = await problemsOf(
    startApp(t, {
      files: {
        'rules/broken.yaml':
          'version: 1\nrules:\n  - { id: x, effect: allow, actions: [raed], resources: [documnet] }\n',
        'walls/broken.yaml': 'walls:\n  - { id: W-X, kind: exclusion, excluded_people: [u-x] }\n',
      },
    }),
  );
  t.match(problems, [/^rules\/broken\.yaml:3:\d+ .*raed.*read/, /documnet.*document/, /^walls\/broken\.yaml:2:/]);
  t.match(await problemsOf(startApp(t, { environment: { POLICIES_DIR: '/nowhere' } })), [/cannot be read/]);
});

t.test('it does not start on a database it cannot use', async (t) => {
  const { urls } = await createDatabase(t);
  const nowhere = { ...urls, writer: urls.writer.replace(/\/[^/]*$/, '/no_such_database') };
  t.match(await problemsOf(startApp(t, { urls: { ...urls, ...nowhere } })), [/^DATABASE_URL: .*no_such_database/]);
  t.match(await problemsOf(startApp(t, { environment: { WRITER_KEY_FILE: MAIN } })), [
    /^WRITER_KEY_FILE: the writer key/,
  ]);
});

t.test('the development issuer is believed in development alone, and only on this machine', async (t) => {
  const issuers = `version: 1
issuers:
  - { issuer: '${DEVELOPMENT_ISSUER}', keys: { file: keys.json }, algorithms: [Ed25519], audience: x, typ: at+jwt, claims: { id: /sub, client: /azp },
      may_assert: { user_types: [internal], roles: [], ids: ['u-*'] } }
`;
  const files = { 'issuers.yaml': issuers, 'callers.yaml': 'version: 1\ncallers: []\n' };
  t.match(await problemsOf(startApp(t, { files })), [/development issuer/]);
  const { config } = readConfig({ HOST: '0.0.0.0', DATABASE_URL: 'postgres://x/y' });
  if (config === null) throw new Error('no config');
  t.match(await problemsOf(startServer(config, { development: true })), [/^HOST=0\.0\.0\.0: /]);
});

t.test('a reload takes effect whole, and a broken one not at all', async (t) => {
  const rig = await startApp(t, { files: {} });
  const first = rig.app.policies.current().revision;
  t.equal((await rig.ask('u-okafor', QUESTION)).body.decision, true);

  await writeFile(path.join(rig.policiesDir, 'rules/more.yaml'), 'version: 1\nrules: [{ id: x, effect: allow }]\n');
  t.equal((await rig.app.policies.load()).result, 'failed');
  const degraded = await rig.inject({ method: 'GET', url: '/readyz' });
  t.match(degraded.json(), { status: 'ready', degraded: ['policies_not_reloaded', 'writer_key_not_kept'] });
  t.match((await rig.ask('u-okafor', QUESTION)).body, { decision: true, context: { policy: { revision: first } } });
  t.match(
    rig.log.findLast(({ msg }) => msg === 'policies not loaded'),
    { level: 'error', step: 'compile', problems: [/^rules\/more\.yaml/] },
  );

  const deny = 'version: 1\nrules: [{ id: nobody, effect: deny, actions: any, resources: any }]\n';
  await writeFile(path.join(rig.policiesDir, 'rules/more.yaml'), deny);
  t.equal((await rig.app.policies.load()).result, 'activated');
  const { body } = await rig.ask('u-okafor', QUESTION);
  t.match(body, {
    decision: false,
    context: { decided_by: ['nobody'], policy: { revision: rig.app.policies.current().revision } },
  });
  t.not(rig.app.policies.current().revision, first);
  t.equal(await rig.count('policy_loaded'), 2);
});

interface Stopping {
  readonly rig: TestApp;
  readonly port: number;
  /** Sends a question and gives the whole answer when the connection has ended. */
  question(id: string): Promise<string>;
}

async function listening(
  t: Parameters<typeof startApp>[0],
  environment: Readonly<Record<string, string>>,
): Promise<Stopping> {
  const rig = await startApp(t, { environment });
  const port = Number(new URL(await rig.app.http.listen({ host: '127.0.0.1', port: 0 })).port);
  const question = (id: string): Promise<string> => {
    const body = JSON.stringify({ subject_token: rig.subjectToken('u-okafor'), ...QUESTION, resource: document(id) });
    const socket = connectSocket(port, '127.0.0.1');
    socket.write(
      `POST /v1/authorize HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rig.callerToken()}\r\n` +
        `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    return text(socket);
  };
  return { rig, port, question };
}

t.test('a stop answers and records what was accepted, and the recorder ends last', async (t) => {
  const { rig, port, question } = await listening(t, { SHUTDOWN_DELAY: '300ms' });
  const blocker = await connect(t, rig.urls.owner);
  await blocker.query('begin; lock table public.decisions in exclusive mode');
  const answers = Promise.all(['D-1', 'D-2', 'D-3'].map(question));
  while (rig.app.recorder.state().inFlightMs === 0) await sleep(10);

  const stopped = rig.app.stop();
  t.equal(rig.app.stop(), stopped, 'once is enough');
  t.match((await rig.inject({ method: 'GET', url: '/readyz' })).json(), {
    status: 'not_ready',
    problems: ['shutting_down'],
  });
  while (rig.app.http.server.listening) await sleep(10);
  const late = connectSocket(port, '127.0.0.1');
  t.match(await once(late, 'error'), [{ code: 'ECONNREFUSED' }], 'nobody new is let in');
  await blocker.query('rollback');
  for (const answer of await answers) {
    t.match(answer, /^HTTP\/1\.1 200 /);
    const id = /"evaluation_id":"([^"]+)"/.exec(answer)?.[1];
    t.match(await rig.record(String(id)), { outcome: 'allow' });
  }
  await stopped;
  const { rows } = await rig.reader.query<{ kind: string }>('select kind from decisions order by seq desc limit 1');
  t.match(rows, [{ kind: 'writer_closed' }]);
});

t.test('idle connections do not hold up a stop, and silent ones not for ever', async (t) => {
  const { rig, port, question } = await listening(t, { SHUTDOWN_TIMEOUT: '1s' });
  const idle = question('D-1');
  const silent = connectSocket(port, '127.0.0.1');
  silent.on('error', () => undefined);
  await once(silent, 'connect');
  while ((await rig.count('decision')) === 0) await sleep(20);
  await rig.app.stop();
  t.match(await idle, /^HTTP\/1\.1 200 /);
  t.pass('stopped');
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

t.test('with a certificate it speaks TLS, and nothing else', { skip: !hasOpenssl && 'no openssl here' }, async (t) => {
  const folder = t.testdir();
  const [key, certificate] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  t.equal(spawnSync('openssl', [...kind, '-keyout', key, '-out', certificate, ...subject]).status, 0);
  const rig = await startApp(t, { environment: { TLS_CERT_FILE: certificate, TLS_KEY_FILE: key } });
  await rig.app.http.listen({ host: '127.0.0.1', port: 0 });
  const address = rig.app.http.server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const ca = readFileSync(certificate);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    https.get({ host: '127.0.0.1', port: address.port, path: '/livez', ca, agent: false }, resolve).on('error', reject);
  });
  t.equal(answer.statusCode, 200);
  t.same(JSON.parse(await text(answer)), { status: 'ok' });
  await t.rejects(fetch(`http://127.0.0.1:${address.port}/livez`));
});

/** `privity serve` as a process, with what it wrote. */
function serve(environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (written.out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (written.err += chunk));
  const exit = once(child, 'exit').then(([code]) => Number(code));
  return { child, written, exit };
}

t.test('the process: says where it listens, answers, stops on SIGTERM', async (t) => {
  const { urls } = await createDatabase(t);
  const environment = { DATABASE_URL: urls.writer, DATABASE_READER_URL: urls.reader, POLICIES_DIR: STARTER, PORT: '0' };
  const { child, written, exit } = serve(environment);
  const url = async (): Promise<string> => {
    for (;;) {
      const found = /"url":"([^"]+)"/.exec(written.out)?.[1];
      if (found !== undefined) return found;
      if (child.exitCode !== null) throw new Error(written.err);
      await sleep(20);
    }
  };
  const live = await fetch(`${await url()}/livez`);
  t.equal(live.status, 200);
  t.equal((await fetch(`${await url()}/v1/policy`)).status, 401);
  child.kill('SIGTERM');
  t.equal(await exit, 0);
  t.match(written.out, /"msg":"stopping"/);
  t.equal(written.err, '');
});

t.test('the process: wrong settings or policies end it with everything that is wrong', async (t) => {
  const wrong = serve({ PORT: 'x', DATABASE_ULR: 'postgres://x/y', LOG_LEVEL: 'loud' });
  t.equal(await wrong.exit, 2);
  for (const name of ['PORT=x', 'DATABASE_ULR', 'LOG_LEVEL=loud']) t.match(wrong.written.err, name);
  const without = serve({});
  t.equal(await without.exit, 2);
  t.match(without.written.err, /DATABASE_URL is not set/);
  const unreachable = serve({ DATABASE_URL: 'postgres://x@127.0.0.1:1/y', POLICIES_DIR: STARTER });
  t.equal(await unreachable.exit, 2);
  t.match(unreachable.written.err, /the database cannot be used\n +DATABASE_URL: .*ECONNREFUSED/);
});
