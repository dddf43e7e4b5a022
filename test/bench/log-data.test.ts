// The log that `npm run bench:log` measures is one that the service could have written: it verifies as intact, and its records are of
// every kind that counts.
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { monthsOf, writeLog } from '../../bench/log-data.ts';
import { openLogFirm } from '../../bench/log-firm.ts';
import { makePrototypes } from '../../bench/log-prototypes.ts';
import { momentsOf } from '../../bench/log-times.ts';
import { createDice } from '../../bench/random.ts';
import { verifierOf } from '../../src/core/sealing/signed-note.ts';
import { createPolicyBlobs } from '../../src/io/log/policy-blobs.ts';
import { filePlace } from '../../src/io/log/sealing/places.ts';
import { openDatabaseSource } from '../../src/io/log/verify/database-source.ts';
import { readPublished } from '../../src/io/log/verify/published.ts';
import { verifyLog } from '../../src/io/log/verify/verify-log.ts';
import { openClient } from '../../src/io/db/database.ts';
import { connect, createDatabase } from '../helpers/postgres.ts';

const RECORDS = 3_000;
const connectTo = (url: string) => openClient({ url, applicationName: 'privity tests', onError: () => undefined });
const home = await mkdtemp(path.join(tmpdir(), 'privity-log-data-'));
t.teardown(() => rm(home, { recursive: true, force: true }));

t.test('months: as many as asked for, the last one up to now, every record in one of them', async (t) => {
  const now = Date.parse('2026-03-10T14:00:00Z');
  const months = monthsOf({ now, months: 3, records: 10_000, seed: 1 });
  t.strictSame(
    months.map(({ partition }) => partition),
    ['decisions_2026_01', 'decisions_2026_02', 'decisions_2026_03'],
  );
  t.equal(months.at(-1)?.until, now);
  const [month] = months;
  if (month === undefined) throw new Error('no month');
  const { times, sizes } = momentsOf(createDice(1), month.from, month.until, month.records);
  t.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    month.records,
  );
  t.ok(times.every((time, index) => time >= (times[index - 1] ?? month.from) && time < month.until));
  const isSunday = (time: number): boolean => new Date(time - 5 * 3_600_000).getUTCDay() === 0;
  t.ok(times.filter(isSunday).length < times.length / 30, 'people rest on Sundays');
});

t.test('a log of several writers and months is intact', async (t) => {
  const { urls, superuserUrl } = await createDatabase(t);
  const now = Math.floor(Date.now() / 1_000) * 1_000;
  const opened = await openLogFirm({ policies: path.join(home, 'policies'), matters: 200, people: 30, seed: 1, now });
  const { set, firm } = opened;
  await createPolicyBlobs(() => connectTo(urls.writer))(set);
  const prototypes = await makePrototypes({ set, firm, send: await opened.sender(), dice: createDice(1), now });
  const certifier = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const signer = { name: 'log.firm.example', key: generateKeyPairSync('ed25519').privateKey };
  const place = filePlace('the file', path.join(home, 'checkpoints.ndjson'));
  const written = await writeLog({
    ...{ superuserUrl, connect: connectTo, prototypes, revision: set.revision, certifier, signer, place },
    ...{ records: RECORDS, months: 2, seed: 1, threads: 2, now: now - 1_000, onMonth: () => undefined },
  });

  const reader = await connect(t, urls.reader);
  const { rows } = await reader.query<{ kind: string; outcome: string | null; count: number; grants: number }>(
    `select kind, outcome, count(*)::int as count, (count(*) filter (where grants <> '{}'))::int as grants
       from decisions group by 1, 2`,
  );
  const countOf = (kind: string, outcome: string | null): number =>
    rows.find((row) => row.kind === kind && row.outcome === outcome)?.count ?? 0;
  t.equal(
    rows.reduce((sum, { count }) => sum + count, 0),
    written.records,
  );
  t.ok(countOf('decision', 'allow') > RECORDS / 3);
  t.ok(countOf('decision', 'deny') > RECORDS / 10);
  t.ok(countOf('writer_opened', null) >= 6);
  t.ok(countOf('read', 'allow') > 0);
  t.ok(rows.some(({ grants }) => grants > 0));

  const verifiers = [verifierOf(signer)];
  const source = await openDatabaseSource(() => connectTo(urls.reader));
  t.teardown(() => source.close());
  const { verdict, counts, first } = await verifyLog({
    source,
    published: await readPublished(path.join(home, 'checkpoints.ndjson'), verifiers),
    verifiers,
    certifiers: [createPublicKey(createPrivateKey(certifier))],
    lastHeadsOnly: false,
    threads: 1,
    onProgress: () => undefined,
  });
  t.equal(verdict, 'intact', JSON.stringify(first));
  t.equal(counts.records, written.records);

  await t.rejects(
    writeLog({
      ...{ superuserUrl, connect: connectTo, prototypes, revision: set.revision, certifier, signer, place },
      ...{ records: 10, months: 1, seed: 1, threads: 1, now, onMonth: () => undefined },
    }),
    /has a log already/,
  );
});
