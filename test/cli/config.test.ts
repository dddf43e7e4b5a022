// `privity config`: what is in force, without secrets.
import t from 'tap';
import { privity } from './privity.ts';

const DATABASE_URL = 'postgres://writer:s3cret-w0rd@db.firm.example:5432/privity';

t.test('lists every setting, the password masked', async (t) => {
  const { code, out } = await privity(['config'], { env: { DATABASE_URL, PORT: '9000' } });
  t.equal(code, 0);
  t.match(out, /^PORT=9000$/m);
  t.match(out, /^POLICIES_DIR=policies$/m);
  t.match(out, /^DATABASE_URL=.*db\.firm\.example/m);
  t.notMatch(out, 's3cret-w0rd');
});

t.test('as JSON', async (t) => {
  const { code, out } = await privity(['config', '--json'], { env: { DATABASE_URL } });
  const settings: Record<string, unknown> = JSON.parse(out);
  t.equal(code, 0);
  t.equal(settings['PORT'], '8080');
  t.equal(settings['DATABASE_OWNER_URL'], null);
  t.notMatch(out, 's3cret-w0rd');
});

t.test('every problem at once, exit code 2', async (t) => {
  const env = { PORT: 'eighty', DATABASE_URL: 'mysql://x:hidden@y/z', POLICY_DIR: 'x', LOG_LEVEL: 'loud' };
  const { code, out, err } = await privity(['config'], { env });
  t.equal(code, 2);
  t.equal(out, '');
  t.match(err, 'PORT=eighty');
  t.match(err, 'DATABASE_URL');
  t.match(err, 'LOG_LEVEL=loud');
  t.match(err, /POLICY_DIR: .*did you mean POLICIES_DIR\?/);
  t.notMatch(err, 'hidden');
});

t.test('verbs that need a database say which setting is missing', async (t) => {
  const migrate = await privity(['migrate']);
  t.equal(migrate.code, 2);
  t.match(migrate.err, 'DATABASE_OWNER_URL is not set');
});
