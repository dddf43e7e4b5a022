import { writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { dumpConfig, processEnvironment, readConfig } from '../src/config.ts';
import { Environment, type Config } from '../src/environment.ts';

function good(environment: Readonly<Record<string, string>>): Config {
  const { config, problems } = readConfig(environment);
  if (config === null) throw new Error(problems.join('\n'));
  return config;
}
const problemsIn = (environment: Readonly<Record<string, string>>): readonly string[] =>
  readConfig(environment).problems;

t.test('without anything set there are defaults, and they cannot be changed', async (t) => {
  const config = good({});
  t.match(config, {
    HOST: '127.0.0.1',
    PORT: 8080,
    POLICIES_DIR: 'policies',
    LOG_LEVEL: 'info',
    BODY_LIMIT: 1_048_576,
  });
  t.equal(config.DATABASE_URL, undefined);
  t.ok(Object.isFrozen(config));
  t.same(good({ PORT: '', HOST: '', DATABASE_URL: '' }), config, 'empty is not set');
});

t.test('values are read in one way only', async (t) => {
  t.match(good({ PORT: '0', REQUEST_TIMEOUT: '2m', BODY_LIMIT: '64KiB', TRUST_PROXY: 'loopback, 10.0.0.0/8' }), {
    PORT: 0,
    REQUEST_TIMEOUT: 120_000,
    BODY_LIMIT: 65_536,
    TRUST_PROXY: 'loopback, 10.0.0.0/8',
  });
  for (const [name, value, words] of [
    ['PORT', '80a', /^PORT=80a: must be a whole number, from 0 to 65535$/],
    ['PORT', '70000', /from 0 to 65535/],
    ['PORT', '-1', /whole number/],
    ['PORT', '0x50', /whole number/],
    ['PORT', '8e1', /whole number/],
    ['LOG_LEVEL', 'verbose', /one of trace, debug, info/],
    ['REQUEST_TIMEOUT', '10', /a duration such as 500ms/],
    ['REQUEST_TIMEOUT', '10 s', /a duration/],
    ['REQUEST_TIMEOUT', '1ms', /at least 1s/],
    ['BODY_LIMIT', '1MB', /a size such as/],
    ['BODY_LIMIT', '1GiB', /a size/],
    ['BODY_LIMIT', '65MiB', /from 1KiB to 64MiB/],
    ['TRUST_PROXY', 'true', /addresses, networks/],
    ['AUDIT_ON_FAILURE', 'ignore', /must be one of deny, spool/],
    ['AUDIT_ON_FAILURE', 'spool', /AUDIT_ON_FAILURE=spool and SPOOL_DIR belong together/],
    ['SPOOL_DIR', '/var/spool/privity', /belong together/],
    ['SPOOL_MAX', '1KiB', /at least 1MiB/],
    ['POLICIES_COMMIT', 'main', /full id of a git commit/],
    ['TLS_CERT_FILE', '/no/such/file', /cannot be read \(ENOENT\)/],
  ] as const) {
    t.match(problemsIn({ [name]: value })[0], words, `${name}=${value}`);
  }
});

t.test('secrets come from the environment or a file, and never show', async (t) => {
  const folder = t.testdir({ url: ' postgres://w:hush@db:5433/privity\n' });
  const file = path.join(folder, 'url');
  const config = good({ DATABASE_URL_FILE: file, DATABASE_READER_URL: 'postgres://r:hush@db/privity' });
  t.equal(config.DATABASE_URL, 'postgres://w:hush@db:5433/privity');
  const dump = dumpConfig(config);
  t.match(dump, 'DATABASE_URL=postgres://w:***@db:5433/privity\n');
  t.match(dump, 'DATABASE_READER_URL=postgres://r:***@db/privity\n');
  t.notMatch(dump, /hush/);
  t.match(problemsIn({ DATABASE_URL_FILE: file, DATABASE_URL: 'postgres://x/y' }), [/both set/]);
  t.match(problemsIn({ DATABASE_URL_FILE: `${file}x` }), [/cannot be read \(ENOENT\)/]);
  t.match(problemsIn({ DATABASE_URL: 'mysql://root:hush@db/x' }), [/^DATABASE_URL: must be a URL such as postgres:/]);
  t.notMatch(problemsIn({ DATABASE_URL: 'hush' }).join(), /hush/);
  writeFileSync(file, 'hush');
  t.notMatch(problemsIn({ DATABASE_URL_FILE: file }).join(), /hush/);
});

t.test('the dump is what the environment could have said', async (t) => {
  const config = good({
    PORT: '1',
    REQUEST_TIMEOUT: '90s',
    SHUTDOWN_DELAY: '1500ms',
    RATE_LIMIT: '5',
    POLICIES_REF: 'main',
  });
  const lines = dumpConfig(config).trimEnd().split('\n');
  t.equal(lines.length, Object.keys(Environment.properties).length);
  const again = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  t.same(good(again), config);
});

t.test('names that look like ours are problems, others are not looked at', async (t) => {
  const strangers = {
    DATABASE_ULR: 'x',
    DATABSE_URL: 'x',
    POLICY_DIR: 'x',
    LOGLEVEL: 'x',
    log_level: 'x',
    DATABASE_URL_FIEL: 'x',
    PRIVITY_PORT: '80',
    PRIVITY_ANYTHING: 'x',
    TLS_KEYFILE: 'x',
  };
  const problems = problemsIn(strangers);
  t.equal(problems.length, Object.keys(strangers).length);
  for (const [name, meant] of [
    ['DATABASE_ULR', 'DATABASE_URL'],
    ['DATABSE_URL', 'DATABASE_URL'],
    ['POLICY_DIR', 'POLICIES_DIR'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['log_level', 'LOG_LEVEL'],
    ['PRIVITY_PORT', 'PORT'],
    ['TLS_KEYFILE', 'TLS_KEY_FILE'],
  ] as const) {
    t.ok(problems.includes(`${name}: there is no such setting; did you mean ${meant}?`), name);
  }
  const others = {
    PATH: '/bin',
    HOME: '/root',
    HOSTNAME: 'x',
    SSL_CERT_FILE: '/etc/ssl/cert.pem',
    NODE_ENV: 'production',
    npm_config_loglevel: 'x',
    KUBERNETES_SERVICE_HOST: 'x',
    PRIVITY_SERVICE_HOST: '10.0.0.1',
    PRIVITY_SERVICE_PORT_HTTP: '80',
    PRIVITY_PORT: 'tcp://10.0.0.1:80',
    PRIVITY_BLUE_PORT: 'tcp://10.0.0.1:80',
    PRIVITY_PORT_8080_TCP_ADDR: '10.0.0.1',
    PRIVITY_LONG: '1',
    PGPASSWORD: 'x',
  };
  t.same(problemsIn(others), []);
  t.same(readConfig(processEnvironment()).problems, [], 'nor does anything here disturb it');
});

t.test('every problem is told at once', async (t) => {
  const folder = t.testdir({ cert: '' });
  const problems = problemsIn({ PORT: 'x', LOG_LEVEL: 'x', HSOT: 'x', TLS_CERT_FILE: path.join(folder, 'cert') });
  t.match(problems, [/^PORT=x/, /^LOG_LEVEL=x/, /^HSOT/, /belong together/]);
});

t.test('a webhook is reached encrypted or on this machine, and its address is not shown', async (t) => {
  const taken = [
    'https://hooks.firm.example/in/s3cret',
    'http://127.0.0.1:9000/',
    'http://localhost/x',
    'http://[::1]:1/',
  ];
  for (const url of taken) t.match(good({ WEBHOOK_URL: url }), { WEBHOOK_URL: url });
  const refused = [
    'http://hooks.firm.example/',
    'https://user:word@firm.example/',
    'ftp://firm.example/',
    'firm.example',
    'x',
  ];
  for (const url of refused) {
    const [problem = '', ...more] = problemsIn({ WEBHOOK_URL: url });
    t.match(problem, /^WEBHOOK_URL: must be a URL that begins with https:/);
    t.same(more, []);
  }
  const secret = 'sixteen letters.';
  const config = good({ WEBHOOK_URL: taken[0] ?? '', WEBHOOK_SECRET: secret });
  t.equal(config.WEBHOOK_SECRET, secret);
  const dump = dumpConfig(config);
  t.match(dump, /^WEBHOOK_URL=https:\/\/hooks\.firm\.example\/\*\*\*$/m);
  t.match(dump, /^WEBHOOK_SECRET=\*\*\*$/m);
  t.match(problemsIn({ WEBHOOK_URL: 'https://x.example/', WEBHOOK_SECRET: 'short' }), [/at least 16 characters/]);
  t.match(problemsIn({ WEBHOOK_SECRET: secret }), [/WEBHOOK_URL, which is not set/]);
  const file = path.join(t.testdir({ secret: `${secret}\n` }), 'secret');
  t.match(good({ WEBHOOK_URL: 'https://x.example/', WEBHOOK_SECRET_FILE: file }), { WEBHOOK_SECRET: secret });
});
