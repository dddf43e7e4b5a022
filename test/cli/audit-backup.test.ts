// The drill: a sealed log is backed up, restored into an empty database, verified against what was published outside, and replayed; what
// is not the backup, or not whole, or not for this identity restores nothing.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import { Decrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import t from 'tap';
import { ensurePartitions } from '../../src/io/db/partitions.ts';
import { BACKED_UP } from '../../src/io/log/backup/dump.ts';
import { document, OFFICE, startApp } from '../helpers/app.ts';
import { connect, createDatabase } from '../helpers/postgres.ts';
import { privity } from './privity.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'privity-backup-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const here = (name: string): string => path.join(folder, name);

const original = await createDatabase(t);
const rig = await startApp(t, { urls: original.urls });
for (const person of ['u-lind', 'u-mori', 'u-okafor', 'u-park']) {
  await rig.ask(person, { action: { name: 'read' }, resource: document('D-1'), context: OFFICE });
}
const superuser = await connect(t, original.superuserUrl);
// A month of its own, which a new database does not have, and content that no text format would leave as it is.
await ensurePartitions(superuser, new Date('2021-05-15T00:00:00Z'), 0);
// The long one makes it several of age's blocks, which are opened one by one.
for (const odd of [Buffer.from([0, 9, 10, 13, 92, 46, 10, 255]), randomBytes(400_000)]) {
  await superuser.query('insert into policy_blobs values (sha256($1), $2)', [odd, deflateSync(odd)]);
}
await rig.app.stop();

const { privateKey } = generateKeyPairSync('ed25519');
await writeFile(here('key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
const sealing = {
  DATABASE_SEALER_URL: original.urls.sealer,
  CHECKPOINT_KEY_FILE: here('key.pem'),
  CHECKPOINT_DIR: here('published'),
  LOG_NAME: 'log.firm.example',
};
const sealed = await privity(['seal', '--once'], { env: sealing });
if (sealed.code !== 0) throw new Error(sealed.err);
await writeFile(here('log.vkey'), (await privity(['seal', '--print-key'], { env: sealing })).out);

const identity = await generateIdentity();
await writeFile(here('identity.txt'), `# of the drill\n${identity}\n`);
await writeFile(here('other.txt'), await generateIdentity());
await writeFile(here('recipients.txt'), `# everybody\n${await identityToRecipient(identity)}\n\n`);

const backup = (...words: string[]) =>
  privity(['audit', 'backup', ...words], { cwd: folder, env: { DATABASE_READER_URL: original.urls.reader } });
const restore = (owner: string, ...words: string[]) =>
  privity(['audit', 'restore', ...words], { cwd: folder, env: { DATABASE_OWNER_URL: owner } });

async function contents(url: string): Promise<unknown> {
  const client = await connect(t, url);
  const found: Record<string, unknown> = {};
  for (const { name } of BACKED_UP) {
    const { rows } = await client.query(
      `select count(*) as rows, md5(coalesce(string_agg(one::text, '' order by one::text), '')) as sum from ${name} as one`,
    );
    found[name] = rows[0];
  }
  return found;
}

t.test('a backup is written once, for recipients, and no byte of it is in the clear', async (t) => {
  const made = await backup('--out', 'log.age', '--to', 'recipients.txt');
  t.match(made, { code: 0, err: '', out: /^log.age: .* MB of the log, for 1 recipients?\n$/ });
  const file = await readFile(here('log.age'));
  t.match(file.toString('latin1'), /^age-encryption.org\/v1\n/);
  t.notMatch(file.toString('latin1'), /u-lind/);
  t.match(await backup('--out', 'log.age', '--to', 'recipients.txt'), { code: 2, err: /`log.age` cannot be written/ });
  t.match(await backup('--out', 'x.age', '--to', 'age1nobody'), { code: 2, err: /is no age recipient/ });
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  t.equal(Buffer.from(await decrypter.decrypt(file)).readUInt16BE(), 0x1f8b, 'any age program opens it: gzip inside');
});

t.test(
  'restored into an empty database it is the same log: verified against what was published, and replayed',
  async (t) => {
    const { urls, superuserUrl } = await createDatabase(t);
    const proof = ['--verify', '--key', 'log.vkey', '--published', 'published'];
    const drill = await restore(urls.owner, 'log.age', '--identity', 'identity.txt', ...proof);
    t.equal(drill.err, '');
    t.match(drill, { code: 0, out: /^restored the log of .*\nintact: / });
    t.match(drill.out, /4 records replayed with 1 policy set/);
    t.match(drill.out, /decision +4 +0 +0\n/);
    t.strictSame(await contents(superuserUrl), await contents(original.superuserUrl));
    const again = await restore(urls.owner, 'log.age', '--identity', 'identity.txt');
    t.match(again, { code: 2, err: /nothing was restored: the table decisions holds rows already/ });
  },
);

t.test('a log that was changed before its backup is restored, and does not verify', async (t) => {
  const client = await connect(t, original.superuserUrl);
  await client.query('set session_replication_role = replica');
  await client.query(`update decisions set subject_id = 'u-nobody' where subject_id = 'u-mori'`);
  t.match(await backup('--out', 'changed.age', '--to', 'recipients.txt'), { code: 0 });
  const { urls } = await createDatabase(t);
  const drill = await restore(urls.owner, 'changed.age', '--identity', 'identity.txt', '--verify');
  t.match(drill, { code: 1, out: /tampered with: / });
  t.match(drill.out, /columns_disagree/);
});

t.test('another identity, a file cut off, a changed byte: nothing is restored', async (t) => {
  const { urls, superuserUrl } = await createDatabase(t);
  const empty = await contents(superuserUrl);
  const file = await readFile(here('log.age'));
  const changed = Buffer.from(file);
  changed[file.length - 2_000] = (changed[file.length - 2_000] ?? 0) ^ 1;
  const inHeader = Buffer.from(file);
  inHeader[60] = (inHeader[60] ?? 0) ^ 1;
  await Promise.all([
    writeFile(here('cut.age'), file.subarray(0, -1_000)),
    writeFile(here('changed-byte.age'), changed),
    writeFile(here('header.age'), inHeader),
    writeFile(here('longer.age'), Buffer.concat([file, Buffer.from('more')])),
    writeFile(here('other.age'), 'age-encryption.org/v1\n'),
  ]);
  const attempts = [
    ['log.age', 'other.txt'],
    ['cut.age', 'identity.txt'],
    ['changed-byte.age', 'identity.txt'],
    ['header.age', 'identity.txt'],
    ['longer.age', 'identity.txt'],
    ['other.age', 'identity.txt'],
    ['absent.age', 'identity.txt'],
  ] as const;
  for (const [name, key] of attempts) {
    const { code, err, out } = await restore(urls.owner, name, '--identity', key);
    t.match({ code, err, out }, { code: 2, err: /nothing was restored: /, out: '' }, name);
  }
  t.strictSame(await contents(superuserUrl), empty);
});
