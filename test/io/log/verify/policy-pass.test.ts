// Long files are kept in parts: what is made of the parts is what was stored, what changed little is kept in little, and whatever
// was done to a part or to the list of them is found.
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import t from 'tap';
import { createDatabase as openDatabase, openClient } from '../../../../src/io/db/database.ts';
import { createPolicyBlobs } from '../../../../src/io/log/policy-blobs.ts';
import { openDatabaseSource } from '../../../../src/io/log/verify/database-source.ts';
import { passPolicies } from '../../../../src/io/log/verify/policy-pass.ts';
import { createStoredPolicies } from '../../../../src/io/reports/stored-policies.ts';
import { connect, createDatabase } from '../../../helpers/postgres.ts';

const database = await createDatabase(t);
const superuser = await connect(t, database.superuserUrl);
await superuser.query('set session_replication_role = replica');
const connectAs = (url: string) => () => openClient({ url, applicationName: 'test', onError: () => undefined });
const store = createPolicyBlobs(connectAs(database.urls.writer));
const reading = openDatabase({ url: database.urls.reader, applicationName: 'test', max: 1, onError: () => undefined });
t.teardown(() => reading.close());
const stored = createStoredPolicies(reading.queries);

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const lines = Array.from({ length: 6_000 }, (_, n) => `M-${n},C-${n % 50},u-${(n * 7919) % 1000},open`);
const listOf = (all: readonly string[]): Buffer => Buffer.from(`id,client_id,team,status\n${all.join('\n')}\n`);
const first = listOf(lines);
const second = listOf(lines.with(3_000, 'M-3000,C-1,u-1,closed'));
const revisions: string[] = [];

async function keep(bytes: Buffer): Promise<number> {
  const before = await superuser.query<{ size: number }>(
    'select coalesce(sum(length(content)), 0)::int as size from policy_blobs',
  );
  const revision = `sha256:${hashOf(Buffer.from(`data/matters.csv\u0000${hashOf(bytes)}\n`))}`;
  revisions.push(revision);
  await store({ revision, commit: null, files: [{ path: 'data/matters.csv', bytes }] });
  const after = await superuser.query<{ size: number }>('select sum(length(content))::int as size from policy_blobs');
  return (after.rows[0]?.size ?? 0) - (before.rows[0]?.size ?? 0);
}

async function verify() {
  const source = await openDatabaseSource(connectAs(database.urls.reader));
  try {
    if (source.own === null) throw new Error('a database has policy sets');
    const { findings } = await passPolicies(source.own, new Set(revisions));
    return findings.map(({ kind, detail }) => `${kind}: ${detail}`);
  } finally {
    await source.close();
  }
}

async function tampered(sql: string, values: readonly unknown[]): Promise<readonly string[]> {
  await superuser.query('create table if not exists kept as select * from policy_blobs');
  await superuser.query(sql, [...values]);
  const findings = await verify();
  const contents = await stored.contents([hashOf(first), hashOf(second)]);
  t.ok(contents.size < 2, 'what cannot be made of its parts any more is not given');
  for (const [name, bytes] of contents) t.equal(hashOf(bytes), name);
  await superuser.query('delete from policy_blobs');
  await superuser.query('insert into policy_blobs select * from kept');
  return findings;
}

t.test('what was kept in parts is given back whole, and a change of one line costs a part', async (t) => {
  const size = await keep(first);
  const more = await keep(second);
  t.ok(more < size / 2, `${size} bytes at first, ${more} for the change`);
  const { rows } = await superuser.query('select from policy_blobs');
  t.ok(rows.length > 5, `${rows.length} blobs`);
  const contents = await stored.contents([hashOf(first), hashOf(second)]);
  t.ok(contents.get(hashOf(first))?.equals(first));
  t.ok(contents.get(hashOf(second))?.equals(second));
  t.strictSame(await verify(), []);
});

t.test('a list that was kept at one go before is read as ever', async (t) => {
  const whole = Buffer.from('version: 1\n'.repeat(10_000));
  await superuser.query('insert into policy_blobs select $1, content from policy_blobs where hash = $2', [
    createHash('sha256').update(whole).digest(),
    Buffer.from(hashOf(first), 'hex'),
  ]);
  t.strictSame(await verify(), [`edit: the content of ${hashOf(whole)} has another hash`]);
  await superuser.query('update policy_blobs set content = $2 where hash = $1', [
    createHash('sha256').update(whole).digest(),
    deflateSync(whole),
  ]);
  t.strictSame(await verify(), []);
  t.ok((await stored.contents([hashOf(whole)])).get(hashOf(whole))?.equals(whole));
});

t.test('parts and lists that were changed are found', async (t) => {
  const list = Buffer.from(hashOf(first), 'hex');
  const { rows } = await superuser.query<{ content: Buffer }>('select content from policy_blobs where hash = $1', [
    list,
  ]);
  const part = rows[0]?.content.subarray(1, 33) ?? Buffer.alloc(0);
  const isGone = `deletion: a part of ${hashOf(first)} is not kept`;
  const isOther = `edit: the content of ${hashOf(first)} has another hash`;
  t.ok((await tampered('delete from policy_blobs where hash = $1', [part])).includes(isGone));
  const swap = `update policy_blobs set content = substring(content for 1) || substring(content from 34 for 32)
    || substring(content from 2 for 32) || substring(content from 66) where hash = $1`;
  t.strictSame(await tampered(swap, [list]), [isOther]);
  const cut = 'update policy_blobs set content = substring(content for length(content) - 32) where hash = $1';
  t.strictSame(await tampered(cut, [list]), [isOther]);
  t.strictSame(await tampered(`update policy_blobs set content = content || '\\x00' where hash = $1`, [list]), [
    isOther,
  ]);
  const itself = 'update policy_blobs set content = overlay(content placing hash from 2) where hash = $1';
  t.strictSame(await tampered(itself, [list]), [isGone]);
  t.match(
    await tampered(
      'update policy_blobs set content = set_byte(content, 9, 255 - get_byte(content, 9)) where hash = $1',
      [part],
    ),
    [`edit: the content of ${part.toString('hex')} has another hash`],
  );
});
