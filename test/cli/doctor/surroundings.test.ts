// `privity doctor` finds what is wrong around the service: settings, secrets, keys, certificates, policies, issuers, callers, webhook.
import { generateKeyPairSync } from 'node:crypto';
import { chmod, copyFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import t from 'tap';
import { DEVELOPMENT_ISSUER } from '../../../src/io/identity/dev-issuer.ts';
import { createAuthority } from '../../helpers/certificates.ts';
import { type CheckReport, createPatient } from '../../helpers/doctor.ts';
import { spawnPlain } from '../../helpers/processes.ts';
import { makeKey } from '../../helpers/tokens.ts';
import { startReceiver } from '../../helpers/webhook.ts';
import { BINARY, environment } from '../privity.ts';

interface Expected {
  readonly verdict: CheckReport['verdict'];
  readonly found: RegExp;
}

/** One run of the doctor: faults of different parts that do not hide each other. */
interface Round {
  readonly what: string;
  readonly env: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly expected: Readonly<Record<string, Expected | readonly Expected[]>>;
  /** Must not be printed. */
  readonly secrets?: readonly string[];
}

const patient = await createPatient(t);
const authority = await createAuthority('Doctor');
const jwks = JSON.stringify({ keys: [makeKey('ES256').jwk] });
/** Nothing here asks the database. */
const ALONE = { DATABASE_URL: '', DATABASE_READER_URL: '', DATABASE_SEALER_URL: '', DATABASE_OWNER_URL: '' };
const failure = (found: RegExp): Expected => ({ verdict: 'failure', found });
const warning = (found: RegExp): Expected => ({ verdict: 'warning', found });

function pem(type: 'rsa' | 'ed25519'): string {
  const pair = type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
  return String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

/** The key endpoint, with clocks and answers of all kinds. */
async function startEndpoint(): Promise<string> {
  const answers: Readonly<Record<string, { readonly body: string; readonly date?: number; readonly type?: string }>> = {
    '/late': { body: jwks, date: -20_000 },
    '/early': { body: jwks, date: 120_000 },
    '/html': { body: '<html>', type: 'text/html' },
    '/none': { body: '{"keys":[]}' },
  };
  const server = createServer((request, response) => {
    const { body = '', date = 0, type = 'application/json' } = answers[request.url ?? ''] ?? {};
    response.sendDate = false;
    response.writeHead(200, { 'content-type': type, date: new Date(Date.now() + date).toUTCString() }).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startSecureEndpoint(): Promise<string> {
  const { cert, key } = await authority.issue('localhost', { validDays: 4 });
  const server = https.createServer({ cert, key }, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(jwks);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.close());
  return `https://localhost:${(server.address() as AddressInfo).port}/jwks`;
}

const endpoint = await startEndpoint();
const secureEndpoint = await startSecureEndpoint();
const receiver = await startReceiver(t);
receiver.behave(500);
const keysAt = (url: string) => (text: string) => text.replace(patient.keys.url, url);
const loud = spawnPlain('sh', ['-c', 'sleep 300 # $0', 'a-secret-on-a-command-line'], {
  stdio: 'ignore',
  detached: true,
});
t.teardown(() => void process.kill(-(loud.pid ?? 0), 'SIGKILL'));

const soon = await authority.issue('soon', { validDays: 5 });
const gone = await authority.issue('gone', { validDays: -1 });
const soonCert = await patient.file('soon.crt', soon.cert, 0o644);
const soonKey = await patient.file('soon.key', soon.key);
const goneCert = await patient.file('gone.crt', gone.cert, 0o644);
const goneKey = await patient.file('gone.key', gone.key);
const openKey = await patient.file('open.key', gone.key, 0o644);
const trusted = await patient.file('authority.crt', authority.cert, 0o644);
const twin = await patient.file('twin.pem', '');
await copyFile(patient.env['WRITER_KEY_FILE'] ?? '', twin);
const noKey = await patient.file('no-key.pem', 'no key');
const failingCase = JSON.stringify({
  tests: [
    {
      id: 'nobody-reads',
      now: '2026-03-10T14:00:00Z',
      claims: { sub: 'l-reed', roles: ['lawyer'], user_type: 'internal' },
      action: 'read',
      resource: { type: 'document', id: 'D-1', properties: { matter_id: 'M-1', client_id: 'C-1' } },
      context: { source_system: 'dms' },
      expect: 'deny',
    },
  ],
});
const writable = await patient.policiesWith({
  'tests/tests.yaml': () => failingCase,
  'issuers.yaml': keysAt(`${endpoint}/early`),
});
await chmod(path.join(writable, 'tests'), 0o777);

const ROUNDS: readonly Round[] = [
  {
    what: 'settings: every problem at once, and what hangs on them is not guessed',
    env: { PORT: 'x', LOG_LEVEL: 'loud', DATABASE_URI: 'postgres://a:hidden-word@b/c', WEBHOOK_SECRET: 'tiny-one' },
    expected: {
      configuration: [
        failure(/^PORT=x: must be/),
        failure(/^LOG_LEVEL=loud/),
        failure(/^DATABASE_URI: .*did you mean DATABASE_URL/),
        failure(/^WEBHOOK_SECRET: must be/),
      ],
      database: { verdict: 'could-not-check', found: /settings are not known/ },
      'process.open-files': { verdict: 'could-not-check', found: /MAX_CONNECTIONS/ },
    },
    secrets: ['hidden-word', 'tiny-one'],
  },
  {
    what: 'open to others: a command line, files; an RSA key; a certificate for five days; rules that do not load; no such receiver',
    env: {
      WEBHOOK_URL: 'https://alerts.invalid/hidden-path',
      WEBHOOK_SECRET: 'a-secret-on-a-command-line',
      DATABASE_OWNER_URL_FILE: await patient.file('open-url', 'postgres://a:hidden-word@127.0.0.1:9/x', 0o644),
      WRITER_KEY_FILE: await patient.file('readable.pem', pem('ed25519'), 0o640),
      CHECKPOINT_KEY_FILE: await patient.file('rsa.pem', pem('rsa')),
      TLS_CERT_FILE: soonCert,
      TLS_KEY_FILE: soonKey,
      TLS_CLIENT_CA_FILE: goneCert,
      POLICIES_DIR: await patient.policiesWith({
        'rules/rules.yaml': (text) => text.replace('effect: allow', 'effect: alow'),
      }),
    },
    expected: {
      'secrets.command-lines': failure(new RegExp(`process(?:es)? .*${loud.pid} \\(`)),
      'secrets.files': warning(/others may open.*DATABASE_OWNER_URL_FILE/),
      'keys.writer': failure(/is open to others \(mode 640\)/),
      'keys.checkpoint': failure(/checkpoint key.*is not an Ed25519 key/),
      'sealing.settings': failure(/DATABASE_SEALER_URL; CHECKPOINT_DIR/),
      'tls.certificate': warning(/expires on/),
      'tls.client-authorities': failure(/expired on/),
      'policies.load': failure(/1 errors, the first: rules\/rules\.yaml:\d+/),
      issuers: { verdict: 'could-not-check', found: /do not load/ },
      'webhook.address': failure(/alerts\.invalid has no address/),
    },
    secrets: ['a-secret-on-a-command-line', 'hidden-word', 'hidden-path'],
  },
  {
    what: 'a secret that a group may read; no key in a key file; a key of another certificate; no policies; unsigned alerts',
    env: {
      WEBHOOK_SECRET: '',
      DATABASE_OWNER_URL_FILE: await patient.file('shared-url', 'postgres://a:hidden-word@127.0.0.1:9/x', 0o640),
      WRITER_KEY_FILE: noKey,
      TLS_CERT_FILE: soonCert,
      TLS_KEY_FILE: goneKey,
      TLS_CLIENT_CA_FILE: soonKey,
      POLICIES_DIR: path.join(patient.home, 'nowhere'),
    },
    expected: {
      'secrets.files': warning(/others may open.*DATABASE_OWNER_URL_FILE/),
      'keys.writer': failure(/is not a PEM private key/),
      'tls.certificate': failure(/not that of the certificate/),
      'tls.client-authorities': failure(/no certificate/),
      'policies.load': failure(/nowhere/),
      'webhook.signature': warning(/not signed/),
    },
    secrets: ['hidden-word'],
  },
  {
    what: 'no writer key; a TLS key for everybody; overdue reviews; a key endpoint whose clock is behind',
    env: {
      WRITER_KEY_FILE: '',
      TLS_CERT_FILE: goneCert,
      TLS_KEY_FILE: openKey,
      POLICIES_DIR: await patient.policiesWith({
        'rules/rules.yaml': (text) => text.replace('review_by: 2099-12-31', 'review_by: 2020-01-31'),
        'issuers.yaml': keysAt(`${endpoint}/late`),
      }),
    },
    expected: {
      'keys.writer': warning(/not set/),
      'tls.certificate': failure(/every account may open/),
      'policies.reviews': warning(/1 overdue: team-reads/),
      'issuers.clock': warning(/(?:18|19|20|21) s ahead of https:\/\/login\.small\.example/),
    },
  },
  {
    what: 'one key for two purposes; an expired certificate; failing cases; writable policies; a clock far ahead; a receiver that fails',
    env: {
      CHECKPOINT_KEY_FILE: twin,
      TLS_CERT_FILE: goneCert,
      TLS_KEY_FILE: goneKey,
      POLICIES_DIR: writable,
      WEBHOOK_URL: receiver.url,
    },
    args: ['--send'],
    expected: {
      'keys.checkpoint': failure(/the writer key as well/),
      'tls.certificate': failure(/expired on/),
      'policies.tests': failure(/1 of 1 fail: nobody-reads/),
      'policies.folder': failure(/every account may write .*tests/),
      'issuers.clock': failure(/1[12]\d s behind/),
      'webhook.delivery': failure(/status 500/),
    },
  },
  {
    what: 'no TLS for the world; a page instead of keys; nobody may ask',
    env: {
      HOST: '0.0.0.0',
      POLICIES_DIR: await patient.policiesWith({
        'issuers.yaml': keysAt(`${endpoint}/html`),
        'callers.yaml': () => 'version: 1\ncallers: []\n',
      }),
    },
    expected: {
      'tls.certificate': warning(/no TLS.*0\.0\.0\.0/),
      'issuers.keys': failure(/not JSON/),
      callers: failure(/nobody may ask/),
    },
  },
  {
    what: 'no usable key; an issuer whom nobody brings along; an odd Node',
    env: {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`Object.defineProperty(process.versions, 'node', { value: '25.1.0' })`)}`,
      POLICIES_DIR: await patient.policiesWith({
        'issuers.yaml': (text) => {
          const second = text.slice(text.indexOf('  - issuer:')).replace('login.small', 'other.small');
          return `${keysAt(`${endpoint}/none`)(text)}${second.replace("'l-*', 'a-*'", "'x-*'")}`;
        },
      }),
    },
    expected: {
      'issuers.keys': failure(/no usable key/),
      callers: warning(/no caller uses https:\/\/other\.small\.example/),
      'process.node': warning(/25\.1\.0 gets no long-term support/),
    },
  },
  {
    what: 'keys that travel in the clear',
    env: { POLICIES_DIR: await patient.policiesWith({ 'issuers.yaml': keysAt('http://keys.example/jwks') }) },
    expected: { 'issuers.keys': failure(/not encrypted/) },
  },
  {
    what: 'a key endpoint whose certificate runs out',
    env: {
      NODE_EXTRA_CA_CERTS: trusted,
      POLICIES_DIR: await patient.policiesWith({ 'issuers.yaml': keysAt(secureEndpoint) }),
    },
    expected: { 'issuers.keys': warning(/certificate of the endpoint expires on/) },
  },
  {
    what: 'a key endpoint that nobody vouches for',
    env: { POLICIES_DIR: await patient.policiesWith({ 'issuers.yaml': keysAt(secureEndpoint) }) },
    expected: { 'issuers.keys': failure(/CERT|SIGNATURE|ISSUER/) },
  },
  {
    what: 'a caller of an issuer that is not registered',
    env: {
      POLICIES_DIR: await patient.policiesWith({
        'callers.yaml': (text) => text.replace('login.small', 'nobody.small'),
      }),
    },
    expected: { 'policies.load': failure(/callers\.yaml.*issuer/) },
  },
  {
    what: 'the development issuer',
    env: {
      POLICIES_DIR: await patient.policiesWith({
        'issuers.yaml': (text) => text.replaceAll('https://login.small.example/', DEVELOPMENT_ISSUER),
        'callers.yaml': (text) => text.replaceAll('https://login.small.example/', DEVELOPMENT_ISSUER),
      }),
    },
    expected: { 'policies.load': failure(/development issuer/) },
  },
  {
    what: 'findings, and alerts that go nowhere',
    env: { POLICIES_DIR: 'policies', WEBHOOK_URL: '', WEBHOOK_SECRET: '' },
    expected: {
      'policies.findings': warning(/\d findings/),
      'webhook.address': warning(/not set, and the policies leave \d kinds/),
    },
  },
];

for (const { what, env, args, expected, secrets = [] } of ROUNDS) {
  t.test(what, async (t) => {
    const { checks, code, out } = await patient.diagnose({ ...ALONE, ...env }, args);
    t.equal(code, 1);
    for (const [key, wanted] of Object.entries(expected)) {
      const seen = checks.filter(({ name }) => name === key);
      for (const { verdict, found } of [wanted].flat()) {
        const isSaid = seen.some((one) => one.verdict === verdict && found.test(one.found) && one.todo !== null);
        t.ok(isSaid, `${key}: ${verdict} ${String(found)}, not ${JSON.stringify(seen)}`);
      }
    }
    for (const secret of secrets) t.notMatch(out, secret, 'no secret');
  });
}

const asRoot =
  process.getuid?.() === 0 ? 'root may write anywhere; the check needs an account that is not root' : false;
t.test('a folder that the service may write', { skip: asRoot }, async (t) => {
  const { check } = await patient.diagnose({ ...ALONE, POLICIES_DIR: 'policies' });
  t.match(check('policies.folder'), { verdict: 'warning', found: /this account may write/ });
});

t.test('the process: files it may open, its account', async (t) => {
  const child = spawnPlain(
    'sh',
    ['-c', 'ulimit -n 300 && exec "$0" "$@"', process.execPath, BINARY, 'doctor', '--json'],
    {
      env: environment({ ...patient.env, ...ALONE }),
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let out = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  await new Promise((resolve) => child.once('close', resolve));
  const { checks } = JSON.parse(out) as { checks: readonly CheckReport[] };
  const named = (name: string) => checks.find((one) => one.name === name);
  t.match(named('process.open-files'), { verdict: 'warning', found: /^300,/, todo: /raise the limit to 356/ });
  t.equal(named('process.account')?.verdict, process.getuid?.() === 0 ? 'warning' : 'ok');
});
