// `privity audit replay` over what a real service recorded: everything is the same until somebody changes a record or a kept policy set.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import t from 'tap';
import { recordHash } from '../../src/core/record/hash.ts';
import { document, OFFICE, startApp } from '../helpers/app.ts';
import { connect, createDatabase } from '../helpers/postgres.ts';
import { privity } from './privity.ts';

type Json = Readonly<Record<string, unknown>>;

const { urls, superuserUrl } = await createDatabase(t);
const rig = await startApp(t, { files: {}, urls });
const superuser = await connect(t, superuserUrl);
const env = { DATABASE_READER_URL: rig.urls.reader };
const replay = (...words: string[]) => privity(['audit', 'replay', ...words], { env });
const jsonLines = (out: string): Json[] =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Json);

async function evaluate(person: string, question: Json, url?: string): Promise<string> {
  const { body } = await rig.ask(person, { context: OFFICE, ...question }, url === undefined ? {} : { path: url });
  return String(body.context?.['evaluation_id']);
}

const read = { action: { name: 'read' } };
const allowed = await evaluate('u-lind', { ...read, resource: document('D-1') });
await evaluate('u-mori', { ...read, resource: document('D-2') });
await evaluate('u-park', { resource: document('D-3') }, '/v1/authorize/fields');
const old = document('D-4', {
  matter_id: 'M-1003',
  matter_status: 'closed',
  retention_until: '2026-01-01T00:00:00Z',
  client_notified: true,
  legal_hold: false,
});
const { body: approval } = await rig.ask(
  'u-okafor',
  {
    requester: 'u-rowe',
    action: { name: 'dispose' },
    resource: old,
    context: OFFICE,
    expires_at: new Date(Date.now() + 60_000).toISOString(),
  },
  { path: '/v1/approvals' },
);
await evaluate('u-rowe', {
  action: { name: 'dispose' },
  resource: old,
  context: { ...OFFICE, approval_ids: [approval['approval_id']] },
});
const auditor = { authorization: `Bearer ${rig.personToken('u-rand')}` };
await rig.inject({ method: 'GET', url: `/v1/decisions/${allowed}`, headers: auditor });
// A second policy set decides the rest.
await writeFile(path.join(rig.policiesDir, 'rules', 'more.yaml'), 'version: 1\nrules: []\n');
await rig.app.policies.load();
const later = await evaluate('u-lind', { ...read, resource: document('D-5') });

/** Past the guards, as whoever owns the server could. */
async function tamper(statement: string, values: readonly unknown[]): Promise<void> {
  await superuser.query('set session_replication_role = replica');
  await superuser.query(statement, [...values]);
}

t.test('a range is the same, every kind of it, with each policy set', async (t) => {
  const all = await replay();
  t.match(all, { code: 0, err: '' });
  t.match(all.out, /^7 records replayed with 2 policy sets, .* a second\n/);
  t.match(all.out, /approval +1 +0 +0\n +decision +5 +0 +0\n +read +1 +0 +0\n +all +7 +0 +0\n/);
  const mine = await replay('--subject', 'u-lind', '--matter', 'M-1001', '--json');
  t.strictSame(
    jsonLines(mine.out).map(({ summary }) => (summary as Json)['total']),
    [{ same: 2, different: 0, not_recorded: 0 }],
  );
  t.match(await replay('--to', '2020-01-01T00:00:00Z'), { code: 0, out: /^0 records replayed/ });
});

t.test('one decision is the same', async (t) => {
  const one = await replay(allowed);
  t.match(one, { code: 0, out: new RegExp(`^${allowed}  .*  decision  same\n$`) });
  t.match(jsonLines((await replay(later, '--json')).out), [{ id: later, kind: 'decision', result: 'same', lacks: [] }]);
});

t.test('what is not there is not recorded', async (t) => {
  const unknown = '0195a3c2-5c1e-7b0a-9f00-3f8e6d2c1b4a';
  t.match(await replay(unknown), { code: 1, out: /not recorded\n  lacks a record: none has this id/ });
  t.match(await replay('0195a3c2-5c1e-4b0a-9f00-3f8e6d2c1b4a'), { code: 1, out: /no record has an id of this form/ });
});

t.test('wrong words are explained', async (t) => {
  t.match(await replay('D-1'), { code: 2, err: /`D-1` is no evaluation id/ });
  t.match(await replay(allowed, '--subject', 'u-lind'), { code: 2, err: /an id and a range at once/ });
  t.match(await replay('--from', 'yesterday'), { code: 2, err: /no RFC 3339 instant/ });
  t.match(await replay('--from', '2026-03-01T00:00:00Z', '--to', '2026-02-01T00:00:00Z'), { code: 2, err: /is empty/ });
  t.match(await privity(['audit', 'replay']), { code: 2, err: /DATABASE_READER_URL is not set/ });
});

t.test('a changed record is different, also when its commitment was changed with it', async (t) => {
  const { rows } = await superuser.query<{ bytes: Buffer; writer: string; seq: number }>(
    'select bytes, writer, seq from decisions where id = $1',
    [allowed],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the record is gone');
  const forged = Buffer.from(row.bytes.toString().replace('"outcome":"allow"', '"outcome":"deny"'));
  await tamper('update decisions set bytes = $2 where id = $1', [allowed, forged]);
  t.match(await replay(allowed), { code: 1, out: /DIFFERENT\n.*\n  bytes\n/ });
  await tamper('update commitments set hash = $3 where writer = $1 and seq = $2', [
    row.writer,
    row.seq,
    recordHash(forged),
  ]);
  t.match(await replay(allowed), { code: 1, out: /  outcome\n    recorded  "deny"\n    replayed  "allow"\n/ });
  t.match(await replay(), { code: 1, out: /all +6 +1 +0\n/ });
  await tamper('delete from commitments where writer = $1 and seq = $2', [row.writer, row.seq]);
  t.match(await replay(allowed), { code: 1, out: /  bytes\n    recorded  null\n/ });
});

t.test('a policy set that was changed or lost is noticed', async (t) => {
  const { rows } = await superuser.query<{ hash: string }>(
    `select manifest ->> 'rules/more.yaml' as hash from policy_sets where manifest ? 'rules/more.yaml'`,
  );
  const hash = Buffer.from(rows[0]?.hash ?? '', 'hex');
  await tamper('update policy_blobs set content = $2 where hash = $1', [hash, deflateSync('rules: [ ]\n')]);
  t.match(await replay(later), {
    code: 1,
    out: /DIFFERENT\n.*\n  policy\n.*\n.*rules\/more.yaml is gone or was changed/,
  });
  await tamper(`delete from policy_sets where manifest ? 'rules/more.yaml'`, []);
  t.match(await replay(later), { code: 1, out: /not recorded\n.*\n  lacks policy set .* it was not kept/ });
});
