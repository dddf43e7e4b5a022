// Partitions are there ahead of time, and a record that fits none is refused.
import t from 'tap';
import { ensureCurrentPartitions, ensurePartitions, keepPartitions } from '../../../src/io/db/partitions.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';
import { decision } from '../../helpers/rows.ts';

const database = await createDatabase(t);
const owner = await connect(t, database.urls.owner);
const writer = await connect(t, database.urls.writer);

async function partitionOf(id: unknown): Promise<string | undefined> {
  const { rows } = await owner.query<{ name: string }>(
    'select tableoid::regclass::text as name from decisions where id = $1',
    [id],
  );
  return rows[0]?.name;
}

function monthsFrom(now: Date, months: number): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 15));
}

t.test('a migrated database takes records of now and of the next three months', async (t) => {
  const now = new Date();
  for (const at of [now, ...[1, 2, 3].map((months) => monthsFrom(now, months))]) {
    const row = decision({}, at);
    await writer.query(...row.insert);
    t.equal(await partitionOf(row.values['id']), `decisions_${at.toISOString().slice(0, 7).replace('-', '_')}`);
  }
});

t.test('a record that fits no partition is refused', async (t) => {
  await t.rejects(writer.query(...decision({}, monthsFrom(new Date(), 9)).insert), { code: '23514' });
});

t.test('every instant belongs to the partition of its month in UTC', async (t) => {
  await ensurePartitions(writer, new Date('2024-02-10T00:00:00Z'), 1);
  const instants = {
    '2024-02-01T00:00:00.000Z': 'decisions_2024_02',
    '2024-02-29T23:59:59.999Z': 'decisions_2024_02',
    '2024-03-01T00:00:00.000Z': 'decisions_2024_03',
    '2024-03-31T23:59:59.999Z': 'decisions_2024_03',
  };
  for (const [at, name] of Object.entries(instants)) {
    const row = decision({}, new Date(at));
    await writer.query(...row.insert);
    t.equal(await partitionOf(row.values['id']), name, at);
  }
  await t.rejects(writer.query(...decision({}, new Date('2024-01-31T23:59:59.999Z')).insert), { code: '23514' });
  await t.rejects(writer.query(...decision({}, new Date('2024-04-01T00:00:00.000Z')).insert), { code: '23514' });
});

t.test('making partitions again makes none, and a session may have any time zone', async (t) => {
  await writer.query(`set timezone = 'Pacific/Auckland'`);
  const from = new Date('2025-05-31T20:00:00Z');
  t.strictSame(await ensurePartitions(writer, from, 2), [
    'decisions_2025_05',
    'decisions_2025_06',
    'decisions_2025_07',
  ]);
  t.strictSame(await ensurePartitions(writer, from, 2), []);
  t.strictSame(await ensurePartitions(writer, new Date('2025-06-01T00:00:00Z'), 2), ['decisions_2025_08']);
});

t.test('services that make the same partitions at once share the work', async (t) => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => connect(t, database.urls.writer)));
  const made = await Promise.all(
    clients.map((client) => ensurePartitions(client, new Date('2023-01-01T00:00:00Z'), 5)),
  );
  t.strictSame(
    made.flat().toSorted(),
    [1, 2, 3, 4, 5, 6].map((month) => `decisions_2023_0${month}`),
  );
});

t.test('nobody who writes waits for a partition being made', async (t) => {
  const other = await connect(t, database.urls.writer);
  await writer.query('begin');
  await writer.query(...decision().insert);
  const names = await ensurePartitions(other, new Date('2022-01-01T00:00:00Z'), 0);
  t.strictSame(names, ['decisions_2022_01'], 'made although a writer’s transaction is open');
  await other.query('begin');
  await ensurePartitions(other, new Date('2022-02-01T00:00:00Z'), 0);
  await writer.query(...decision().insert);
  await writer.query('commit');
  await other.query('commit');
  t.pass('written although the making is not committed');
});

t.test('partitions keep payloads as they are, in the row', async (t) => {
  const row = decision({ bytes: Buffer.alloc(4000, 'x') });
  await writer.query(...row.insert);
  const { rows } = await owner.query(
    `select c.reloptions, pg_column_compression(d.bytes) as compression, a.attstorage as storage,
            pg_relation_size(c.reltoastrelid) as outside
       from decisions d join pg_class c on c.oid = d.tableoid
       join pg_attribute a on a.attrelid = c.oid and a.attname = 'bytes' where d.id = $1`,
    [row.values['id']],
  );
  t.match(rows, [{ compression: null, storage: 'e', outside: 0 }]);
  t.match(rows[0]?.reloptions, ['toast_tuple_target=8160', 'autovacuum_freeze_min_age=0']);
});

t.test('a detached month stops the making instead of hiding a gap', async (t) => {
  await ensurePartitions(writer, new Date('2021-01-01T00:00:00Z'), 0);
  await owner.query('alter table decisions detach partition decisions_2021_01');
  await t.rejects(ensurePartitions(writer, new Date('2021-01-01T00:00:00Z'), 0), {
    message: 'table decisions_2021_01 exists but is not attached to decisions',
  });
});

t.test('impossible ranges are refused', async (t) => {
  await t.rejects(ensurePartitions(writer, new Date('1970-01-01T00:00:00Z'), 1), /from 2020 to 2120/);
  await t.rejects(ensurePartitions(writer, new Date(), 25), /0 to 24 months/);
  await t.rejects(ensurePartitions(writer, new Date(), -1), /0 to 24 months/);
});

t.test('the current partitions reach from yesterday to three months ahead', async (t) => {
  const made = await ensureCurrentPartitions(writer, new Date('2020-03-01T00:00:10Z'));
  t.strictSame(
    made,
    [2, 3, 4, 5, 6].map((month) => `decisions_2020_0${month}`),
  );
});

t.test('the keeper reports no problem before it had one, and stops', async (t) => {
  const keeper = keepPartitions({ db: writer, now: () => new Date() });
  t.equal(keeper.problem(), null);
  keeper.close();
});
