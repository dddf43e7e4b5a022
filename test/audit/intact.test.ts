import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import t from 'tap';
import { createTally } from '../../src/core/verification/tally.ts';
import { decision, openRig } from './rig.ts';

const rig = await openRig(t);

t.test('a log as it was written verifies, whatever it is read from and by how many threads', async (t) => {
  const plain = await rig.exportTo('export.ndjson');
  const gzipped = await rig.exportTo('export.ndjson.gz', true);
  t.equal((await stat(plain)).mode & 0o777, 0o600, 'for its owner alone');
  t.ok((await stat(gzipped)).size < (await stat(plain)).size / 2);
  const [first, ...others] = [
    await rig.verify(),
    await rig.verify({ threads: 2 }),
    await rig.verify({ lastHeadsOnly: true }),
    await rig.verifyExport(plain),
    await rig.verifyExport(gzipped),
  ];
  const { records, leaves, unsealed, heads, writers } = first?.counts ?? {};
  t.match(first, {
    verdict: 'intact',
    counts: { leaves: rig.sealed, proven: rig.sealed, unsealed: 6, writers: 2, policySets: 1, ownCheckpoints: 4 },
  });
  for (const { verdict, counts } of others)
    t.match({ verdict, counts }, { verdict: 'intact', counts: { records, leaves, unsealed, heads, writers } });
  for (const file of [plain, gzipped]) t.match(await rig.verifyElsewhere(file), { verdict: 'intact', first: null });
});

t.test('what was not looked at is said', async (t) => {
  const bare = await rig.verify({ published: null, verifiers: null, certifiers: [] });
  t.equal(bare.verdict, 'intact');
  t.match(bare.notes.join('\n'), /published outside.*\n.*public key.*\n.*vouches/);
  t.equal(bare.counts.proven, rig.sealed, 'by the checkpoints of the database, for what they are worth');
});

t.test('the log may grow while it is verified', async (t) => {
  const [recorder] = rig.writers;
  if (recorder === undefined) throw new Error('no writer');
  let isDone = false;
  const writing = (async () => {
    while (!isDone) await recorder.append([decision(recorder.clock.now())]);
  })();
  for (let round = 0; round < 3; round++) {
    await rig.seal();
    t.match(await rig.verify({ threads: round }), { verdict: 'intact', first: null });
    t.match(await rig.verifyExport(), { verdict: 'intact', first: null });
  }
  isDone = true;
  await writing;
});

t.test('records are followed in nearly any order', async (t) => {
  const hashOf = (seq: number) => createHash('sha256').update(String(seq)).digest();
  const feed = (order: readonly number[]) => {
    const tally = createTally();
    for (const seq of order) {
      const prevs = seq === 0 ? Buffer.alloc(32) : hashOf(seq - 1);
      tally.add('w', seq, { hashes: hashOf(seq), prevs, times: Float64Array.of(seq) }, 0);
    }
    tally.finish();
    return tally;
  };
  const count = 5_000;
  const straight = [...Array(count).keys()];
  const folds = (order: readonly number[]) =>
    [...(feed(order).of('w')?.folds.values() ?? [])].map((fold) => fold.digest());
  const expected = folds(straight);
  const near = straight.toSorted((a, b) => a + (a % 7) * 30 - (b + (b % 7) * 30));
  t.same(folds(near), expected);
  t.equal(feed(near).odd.size, 0);
  const holes = straight.filter((seq) => seq !== 10 && (seq < 3_000 || seq > 3_003));
  const tally = feed(holes);
  t.equal(tally.odd.size, 0);
  const chain = tally.of('w');
  t.same(
    [9, 10, 11, 2_999, 3_000, 3_003, 3_004, count].map((seq) => chain?.has(seq)),
    [true, false, true, true, false, false, true, false],
  );
  t.same(chain?.prevAfterHole(11), hashOf(10));
  t.equal(chain?.prevAfterHole(12), null);
  const late = [...straight.filter((seq) => seq !== 10), 10];
  t.same([...feed(late).odd], ['w/0'], 'what comes later than anybody waits is looked at closely');
  t.same([...feed([0, 1, 1, 2]).odd], ['w/0'], 'as is what comes twice');
  t.same([...feed([0, 2, 1]).odd], []);
});

t.test('an export is made whole or not at all', async (t) => {
  const before = await readFile(await rig.exportTo('export.ndjson'));
  const { openDatabaseSource } = await import('../../src/io/log/verify/database-source.ts');
  const { writeExport } = await import('../../src/io/log/verify/write-export.ts');
  const { openClient } = await import('../../src/io/db/database.ts');
  const file = `${rig.folder}/export.ndjson`;
  const source = await openDatabaseSource(() =>
    openClient({ url: rig.database.urls.reader, applicationName: 'privity tests', onError: () => undefined }),
  );
  const onProgress = (step: string): void => {
    if (step === 'leaves') throw new Error('the disk is full');
  };
  await t.rejects(
    writeExport({ source, file, isGzipped: false, origin: 'log.firm.example', onProgress }),
    /disk is full/,
  );
  await source.close();
  t.ok(before.equals(await readFile(file)));
  await t.rejects(stat(`${file}.new`), { code: 'ENOENT' });
});
