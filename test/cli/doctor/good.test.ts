// `privity doctor` on a service that has everything: nothing to do, nothing changed, no secret told.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { TABLES } from '../../../src/model/tables.ts';
import { createPatient } from '../../helpers/doctor.ts';
import { connect } from '../../helpers/postgres.ts';
import { startReceiver } from '../../helpers/webhook.ts';
import { privity } from '../privity.ts';

const patient = await createPatient(t);
const webhook = await startReceiver(t);
/** What is so of whoever runs the tests, and no fault of the service. */
const OF_ROOT = process.getuid?.() === 0 ? ['process.account', 'policies.folder'] : [];
const SECRETS = [
  ...Object.values(patient.database.urls).map((url) => new URL(url).password),
  'hidden-path',
  patient.env['WEBHOOK_SECRET'] ?? '',
];

/** Everything that a doctor could have changed, as a hash of what it says. */
async function stateOfThings(): Promise<string> {
  const client = await connect(t, patient.database.superuserUrl);
  const hash = createHash('sha256');
  for (const table of Object.keys(TABLES)) {
    const { rows } = await client.query(`select * from ${table} order by 1, 2`);
    hash.update(
      JSON.stringify([table, rows], (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    );
  }
  const { rows } = await client.query(
    `select relname, relacl::text from pg_class where relnamespace = 'public'::regnamespace order by 1`,
  );
  hash.update(JSON.stringify(rows));
  const files = (await readdir(patient.home, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  for (const { parentPath, name } of files) hash.update(name).update(await readFile(path.join(parentPath, name)));
  await client.end();
  return hash.digest('hex');
}

t.test('every check is made, every one is good, and nothing is changed', async (t) => {
  const before = await stateOfThings();
  const { code, checks, err, out } = await patient.diagnose();
  t.equal(code, 0, err);
  t.equal(err, '');
  t.strictSame(
    checks.filter(({ verdict }) => verdict !== 'ok').map(({ name }) => name),
    OF_ROOT,
  );
  t.ok(checks.length >= 36, `${checks.length} checks`);
  for (const group of ['Process', 'Settings', 'Keys and certificates', 'Database', 'Policies', 'Trust', 'Webhook']) {
    t.ok(
      checks.some((check) => check.group === group),
      group,
    );
  }
  for (const { name, looks_at: looksAt, verdict, todo } of checks) {
    t.not(looksAt, '', name);
    t.equal(todo === null, verdict === 'ok', `${name} says what to do unless there is nothing`);
  }
  t.equal(webhook.arrived.length, 0, 'nothing is posted unasked');
  for (const secret of SECRETS) t.notOk(out.includes(secret), 'no secret');
  t.equal(await stateOfThings(), before);
});

t.test('as a table, without colours where there is no terminal', async (t) => {
  const { code, out } = await privity(['doctor'], { env: patient.env });
  t.equal(code, 0);
  t.match(out, /^Database$/m);
  t.match(out, /^ {2}ok {10,}privileges\.writer {2,}privity_writer: exactly what the role needs$/m);
  t.match(out, /^0 failures, \d warnings?,.* \d+ ok$/m);
  t.notOk(out.includes('\u001b'));
  for (const secret of SECRETS) t.notOk(out.includes(secret), 'no secret');
});

t.test('--strict lets nothing pass that is not good', async (t) => {
  const good = await patient.diagnose({}, ['--strict']);
  t.equal(good.code, OF_ROOT.length === 0 ? 0 : 1);
  const { code, check } = await patient.diagnose({ WEBHOOK_SECRET: '' }, ['--strict']);
  t.equal(code, 1);
  t.equal(check('webhook.signature').verdict, 'warning');
});

t.test('--send posts one signed test event, which says nothing of anybody', async (t) => {
  const { code, check } = await patient.diagnose({ WEBHOOK_URL: webhook.url }, ['--send']);
  t.equal(code, 0);
  t.equal(check('webhook.delivery').verdict, 'ok');
  const [post, ...more] = webhook.arrived;
  t.strictSame(more, []);
  t.match(post?.headers['webhook-signature'], /^v1,/);
  t.match(post?.event, { specversion: '1.0', type: 'privity.test.v1', source: 'urn:privity:doctor' });
  t.notOk('data' in (post?.event ?? {}));
});
