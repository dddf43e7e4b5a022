import { createHash, randomBytes } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import t from 'tap';
import { partsIn } from '../../../src/core/kept-parts.ts';
import { openClient } from '../../../src/io/db/database.ts';
import { createPolicyBlobs } from '../../../src/io/log/policy-blobs.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';

const database = await createDatabase(t);
const reader = await connect(t, database.urls.reader);
const store = createPolicyBlobs(() =>
  openClient({ url: database.urls.writer, applicationName: 'test', onError: () => undefined }),
);

/** What is kept in parts is put together. */
async function unpack(content: Buffer): Promise<Buffer> {
  const parts = partsIn(content);
  if (parts === null) return inflateSync(content);
  const whole: Buffer[] = [];
  for (const part of parts) {
    const { rows } = await reader.query<{ content: Buffer }>('select content from policy_blobs where hash = $1', [
      part,
    ]);
    whole.push(...rows.map((row) => inflateSync(row.content)));
  }
  return Buffer.concat(whole);
}

async function readSet(revision: string): Promise<Record<string, string>> {
  const { rows } = await reader.query<{ path: string; content: Buffer; hash: Buffer }>(
    `select path, content, b.hash from policy_sets, jsonb_each_text(manifest) as m (path, name)
     left join policy_blobs b on encode(b.hash, 'hex') = m.name where revision = $1`,
    [revision],
  );
  const files: [string, string][] = [];
  for (const { path, content, hash } of rows) {
    const bytes = await unpack(content);
    if (!createHash('sha256').update(bytes).digest().equals(hash)) throw new Error(`${path} is not what its hash says`);
    files.push([path, bytes.toString()]);
  }
  return Object.fromEntries(files);
}

const file = (path: string, text: string): { path: string; bytes: Buffer } => ({ path, bytes: Buffer.from(text) });

t.test('a set can be read back from the database alone', async (t) => {
  const files = [
    file('rules/working.yaml', 'rules: []\n'),
    file('a/empty.yaml', ''),
    file('data/matters.csv', 'id\n'.repeat(50_000)),
  ];
  await store({ revision: 'sha256:1', commit: 'abc', files });
  t.same(await readSet('sha256:1'), Object.fromEntries(files.map(({ path, bytes }) => [path, bytes.toString()])));
  const { rows } = await reader.query(
    'select commit, length(content) < 2000 as compressed from policy_sets, policy_blobs',
  );
  t.match(rows, [{ commit: 'abc', compressed: true }]);
});

t.test('content that is kept is not kept twice, whatever it is called', async (t) => {
  const before = await reader.query('select from policy_blobs');
  await store({
    revision: 'sha256:2',
    commit: null,
    files: [file('b.yaml', 'rules: []\n'), file('c.yaml', 'rules: []\n')],
  });
  t.equal((await reader.query('select from policy_blobs')).rowCount, before.rowCount);
  t.same(await readSet('sha256:2'), { 'b.yaml': 'rules: []\n', 'c.yaml': 'rules: []\n' });
});

t.test('storing again, and from several services at once, changes nothing', async (t) => {
  const files = Array.from({ length: 60 }, (_, index) => file(`${index}.yaml`, randomBytes(200).toString('hex')));
  const sets = [files, files.toReversed(), files].map((files) => ({ revision: 'sha256:3', commit: null, files }));
  await Promise.all(sets.map(store));
  await store({ revision: 'sha256:3', commit: null, files });
  t.equal(Object.keys(await readSet('sha256:3')).length, 60);
});

t.test('a set larger than one statement', async (t) => {
  const files = Array.from({ length: 5 }, (_, index) =>
    file(`${index}.csv`, randomBytes(2_500_000).toString('latin1')),
  );
  await store({ revision: 'sha256:4', commit: null, files });
  t.equal(Object.keys(await readSet('sha256:4')).length, 5);
});

t.test('what cannot be kept rejects, and leaves nothing behind', async (t) => {
  const files = [file('a.yaml', 'something new\n')];
  await t.rejects(store({ revision: 'sha256:\u0000', commit: null, files }));
  const { rowCount } = await reader.query('select from policy_blobs where hash = $1', [
    createHash('sha256').update('something new\n').digest(),
  ]);
  t.equal(rowCount, 0);
});
