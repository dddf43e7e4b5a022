import { generateKeyPairSync } from 'node:crypto';
import { appendFile, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { readCheckpoint } from '../../../../src/core/sealing/checkpoint.ts';
import { verifierOf, type NoteSigner } from '../../../../src/core/sealing/signed-note.ts';
import {
  consistencyProof,
  inclusionProof,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../../../../src/core/sealing/tree.ts';
import { openClient } from '../../../../src/io/db/database.ts';
import { filePlace, folderPlace, type Place } from '../../../../src/io/log/sealing/places.ts';
import { createSealer, type SealerDeps } from '../../../../src/io/log/sealing/sealer.ts';
import { loadNodes } from '../../../../src/io/log/sealing/tree-store.ts';
import { connect, createDatabase, type TearsDown, type TestDatabase } from '../../../helpers/postgres.ts';
import { startRecorder } from '../../../helpers/recorder.ts';

const ORIGIN = 'log.firm.example';
const signer: NoteSigner = { name: ORIGIN, key: generateKeyPairSync('ed25519').privateKey };
const verifiers = [verifierOf(signer)];

interface TestSealer {
  readonly sealer: ReturnType<typeof createSealer>;
  readonly reports: { readonly code: string; readonly detail: Readonly<Record<string, unknown>> }[];
}

function openSealer(
  t: TearsDown,
  { urls }: TestDatabase,
  places: readonly Place[],
  changes: Partial<SealerDeps> = {},
): TestSealer {
  const reports: TestSealer['reports'] = [];
  const sealer = createSealer({
    connect: () => openClient({ url: urls.sealer, applicationName: 'privity sealer', onError: () => undefined }),
    origin: ORIGIN,
    signers: [signer],
    places,
    now: Date.now,
    report: (_level, code, detail) => void reports.push({ code, detail }),
    everyMs: 20,
    ...changes,
  });
  t.teardown(() => sealer.close());
  return { sealer, reports };
}

async function folder(t: TearsDown): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'privity-checkpoints-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

t.test('records of several writers get one order, and every proof under a published checkpoint holds', async (t) => {
  const database = await createDatabase(t);
  const dir = await folder(t);
  const place = folderPlace('CHECKPOINT_DIR', dir);
  const { sealer } = openSealer(t, database, [place, filePlace('CHECKPOINT_FILE', path.join(dir, 'log'))], {
    limit: 300,
  });
  t.equal((await sealer.sealNow()).note, null, 'nothing to seal');
  const writers = [startRecorder(t, database.urls.writer), startRecorder(t, database.urls.writer)];
  const roots: { size: number; root: Uint8Array }[] = [];
  for (const count of [1, 3, 255, 512, 40]) {
    await Promise.all(writers.map((writer) => writer.record(count)));
    const sealed = await sealer.sealNow();
    t.equal(sealed.isPartial, false);
    const note = await readFile(path.join(dir, 'checkpoint'), 'utf8');
    const checkpoint = readCheckpoint(note, verifiers);
    if (checkpoint === null) throw new Error('the checkpoint cannot be read');
    t.equal(checkpoint.size, sealed.size);
    t.equal(await filePlace('', path.join(dir, 'log')).latest(), note);
    roots.push(checkpoint);
  }
  const client = await connect(t, database.urls.reader);
  const { rows } = await client.query<{ writer: string; seq: number; hash: Buffer }>(
    'select * from leaves order by leaf_index',
  );
  const committed = await client.query('select writer, seq, hash from commitments');
  t.equal(rows.length, committed.rowCount, 'everything that is committed is sealed');
  t.same(rows.length, roots.at(-1)?.size);
  const nextOf = new Map<string, number>();
  for (const { writer, seq } of rows) {
    t.equal(seq, nextOf.get(writer) ?? 0, 'in the order of its writer');
    nextOf.set(writer, seq + 1);
  }
  const last = roots.at(-1) ?? { size: 0, root: Buffer.alloc(0) };
  t.equal(Buffer.compare(rootOf(rows.map(({ hash }) => hash)), last.root), 0);
  for (const [index, row] of [...rows.entries()].filter(([place]) => place % 97 === 0)) {
    const nodes = await loadNodes(client, last.size, [index]);
    t.ok(
      verifyInclusion(row.hash, index, last.size, inclusionProof(nodes, index, last.size), last.root),
      `leaf ${index}`,
    );
  }
  for (const earlier of roots) {
    const nodes = await loadNodes(client, last.size, [earlier.size - 1]);
    t.ok(verifyConsistency(earlier, last, consistencyProof(nodes, earlier.size, last.size)), `from ${earlier.size}`);
  }
});

t.test('a database that does not extend what was published is not sealed, and the alarm is raised', async (t) => {
  const scenes: readonly (readonly [
    alarm: string,
    (scene: { run: (sql: string) => Promise<unknown>; dir: string }) => Promise<unknown>,
  ])[] = [
    [
      'database_rewound',
      ({ run }) =>
        run(`delete from checkpoints where size > (select min(size) from checkpoints);
        delete from leaves where leaf_index >= (select max(size) from checkpoints); delete from tree_nodes`),
    ],
    ['tree_differs', ({ run }) => run('delete from leaves where leaf_index = (select max(leaf_index) from leaves)')],
    [
      'tree_differs',
      ({ run }) =>
        run(
          `update leaves set hash = decode(repeat('ab', 32), 'hex') where leaf_index = (select max(leaf_index) from leaves)`,
        ),
    ],
    ['tree_differs', ({ run }) => run('delete from checkpoints')],
    ['database_rewound', ({ run }) => run('delete from checkpoints; delete from leaves; delete from tree_nodes')],
    ['published_not_ours', ({ dir }) => writeFile(path.join(dir, 'checkpoint'), 'something else')],
    ['published_not_ours', ({ dir }) => rm(path.join(dir, 'checkpoint'))],
  ];
  for (const [index, [alarm, tamper]] of scenes.entries()) {
    await t.test(`${alarm} (${index})`, async (t) => {
      const database = await createDatabase(t);
      const dir = await folder(t);
      const writer = startRecorder(t, database.urls.writer);
      const { sealer, reports } = openSealer(t, database, [folderPlace('CHECKPOINT_DIR', dir)]);
      await writer.record(20);
      await sealer.sealNow();
      await writer.record(20);
      const before = await sealer.sealNow();
      const superuser = await connect(t, database.superuserUrl);
      const run = (sql: string) => superuser.query(`set session_replication_role = replica; ${sql}`);
      const note = await readFile(path.join(dir, 'checkpoint'), 'utf8');
      await tamper({ run, dir });
      await writer.record(5);
      void sealer.run();
      await until(() => sealer.state().problems.length > 0);
      t.strictSame(sealer.state().problems, [alarm]);
      t.equal(reports.filter(({ code }) => code === alarm).length, 1, 'once');
      const { rows } = await superuser.query('select max(size) as size from checkpoints');
      t.ok(Number(rows[0]?.size ?? 0) <= before.size, 'nothing was signed');
      t.not(await readFile(path.join(dir, 'checkpoint'), 'utf8').catch(() => null), null === note);
    });
  }

  await t.test('a history that was computed anew, by one who has no key', async (t) => {
    const database = await createDatabase(t);
    const [dir, elsewhere] = [await folder(t), await folder(t)];
    const writer = startRecorder(t, database.urls.writer);
    const { sealer } = openSealer(t, database, [folderPlace('CHECKPOINT_DIR', dir)]);
    await writer.record(20);
    await sealer.sealNow();
    await sealer.close();
    const superuser = await connect(t, database.superuserUrl);
    await superuser.query(`set session_replication_role = replica; update commitments set hash = decode(repeat('ab', 32), 'hex') where seq = 7;
      delete from leaves; delete from tree_nodes; delete from checkpoints`);
    // Even our own key, misled into signing elsewhere, is noticed where the first history was published.
    await openSealer(t, database, [folderPlace('CHECKPOINT_DIR', elsewhere)]).sealer.sealNow();
    const { sealer: honest } = openSealer(t, database, [folderPlace('CHECKPOINT_DIR', dir)]);
    await t.rejects(honest.sealNow(), /not those that were published/);
  });
});

t.test('a record that is missing stops its writer alone', async (t) => {
  const database = await createDatabase(t);
  const [writer, other] = [startRecorder(t, database.urls.writer), startRecorder(t, database.urls.writer)];
  await writer.record(10);
  const superuser = await connect(t, database.superuserUrl);
  await superuser.query('set session_replication_role = replica; delete from commitments where seq = 4');
  await other.record(10);
  const { sealer, reports } = openSealer(t, database, [folderPlace('CHECKPOINT_DIR', await folder(t))]);
  void sealer.run();
  await until(() => sealer.state().problems.length > 0);
  t.strictSame(sealer.state().problems, ['records_missing']);
  t.match(reports, [{ code: 'records_missing', detail: { writer: writer.writers()[0], seq: 4 } }]);
  const { rows } = await superuser.query<{ count: string }>('select count(*) from leaves where writer <> $1', [
    writer.writers()[0],
  ]);
  t.equal(Number(rows[0]?.count), 11);
});

t.test(
  'a place that does not answer is said, and catches up; without knowing any place nothing is signed',
  async (t) => {
    const database = await createDatabase(t);
    const writer = startRecorder(t, database.urls.writer);
    const dir = await folder(t);
    const inner = folderPlace('CHECKPOINT_DIR', dir);
    let isDown = false;
    const flaky: Place = {
      name: 'CHECKPOINT_URL',
      latest: () => (isDown ? Promise.reject(new Error('connect ECONNREFUSED')) : inner.latest()),
      publish: (note, at) => (isDown ? Promise.reject(new Error('connect ECONNREFUSED')) : inner.publish(note, at)),
    };
    await writer.record(3);
    isDown = true;
    await t.rejects(openSealer(t, database, [flaky]).sealer.sealNow(), /CHECKPOINT_URL: connect ECONNREFUSED/);
    isDown = false;
    const { sealer, reports } = openSealer(t, database, [flaky]);
    void sealer.run();
    await until(() => sealer.state().published === 4);
    isDown = true;
    await writer.record(3);
    await until(() => sealer.state().sealed === 7);
    t.strictSame(sealer.state().problems, ['checkpoints_not_published']);
    t.equal(sealer.state().published, 4);
    isDown = false;
    await until(() => sealer.state().published === 7);
    await until(() => sealer.state().problems.length === 0);
    t.strictSame(
      reports.map(({ code }) => code),
      ['checkpoints_not_published', 'sealing_recovered'],
    );
  },
);

t.test('a new key takes over while the old one still signs', async (t) => {
  const database = await createDatabase(t);
  const writer = startRecorder(t, database.urls.writer);
  const place = folderPlace('CHECKPOINT_DIR', await folder(t));
  const fresh: NoteSigner = { name: ORIGIN, key: generateKeyPairSync('ed25519').privateKey };
  const steps: readonly (readonly [NoteSigner, ...NoteSigner[]])[] = [[signer], [fresh, signer], [fresh]];
  for (const signers of steps) {
    await writer.record(2);
    const { sealer } = openSealer(t, database, [place], { signers });
    const { note } = await sealer.sealNow();
    for (const one of signers) t.ok(readCheckpoint(note ?? '', [verifierOf(one)]) !== null);
  }
  await writer.record(2);
  await t.rejects(
    openSealer(t, database, [place], { signers: [signer] }).sealer.sealNow(),
    /is not signed by our keys/,
  );
});

t.test('two sealers at once make one tree', async (t) => {
  const database = await createDatabase(t);
  const writer = startRecorder(t, database.urls.writer);
  const place = folderPlace('CHECKPOINT_DIR', await folder(t));
  const sealers = [openSealer(t, database, [place]), openSealer(t, database, [place])];
  for (const { sealer } of sealers) void sealer.run();
  for (let round = 0; round < 20; round++) await writer.record(7);
  await until(() => sealers.every(({ sealer }) => sealer.state().sealed === 141));
  const client = await connect(t, database.urls.reader);
  const { rows } = await client.query<{ hash: Buffer }>('select hash from leaves order by leaf_index');
  const last = readCheckpoint((await place.latest()) ?? '', verifiers);
  t.equal(last?.size, 141);
  t.equal(Buffer.compare(rootOf(rows.map(({ hash }) => hash)), last?.root ?? Buffer.alloc(0)), 0);
});

t.test('a folder keeps every checkpoint of a day, then one a minute; a file that was cut off goes on', async (t) => {
  const dir = await folder(t);
  const place = folderPlace('', dir);
  const noteOf = (size: number) => `log\n${size}\n${Buffer.alloc(32, size).toString('base64')}\n\n— log AAAAAAA=\n`;
  const day = Date.UTC(2026, 2, 10, 14);
  for (const [index, size] of [1, 2, 3, 4].entries()) {
    await place.publish(noteOf(size), day + index * 20_000);
    const file = path.join(dir, '2026-03-10', String(size).padStart(16, '0'));
    await utimes(file, day / 1000 + index * 20, day / 1000 + index * 20);
  }
  t.equal((await readdir(path.join(dir, '2026-03-10'))).length, 4);
  await folderPlace('', dir).publish(noteOf(5), day + 2 * 86_400_000);
  t.strictSame(await readdir(path.join(dir, '2026-03-10')), ['0000000000000003', '0000000000000004']);
  t.equal(await place.latest(), noteOf(5));

  const file = path.join(dir, 'log');
  t.equal(await filePlace('', file).latest(), null);
  await filePlace('', file).publish(noteOf(1), day);
  await appendFile(file, '{"at":"2026-03-');
  t.equal(await filePlace('', file).latest(), noteOf(1));
  await filePlace('', file).publish(noteOf(2), day);
  t.equal(await filePlace('', file).latest(), noteOf(2));
});
