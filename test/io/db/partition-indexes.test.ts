// Indexes that come to a log that is there: built on each partition beside whoever writes, finished after an interruption, and there for
// partitions to come.
import type pg from 'pg';
import t from 'tap';
import { migrate } from '../../../src/io/db/migrate.ts';
import { laterMigrations } from '../../helpers/migrations.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';
import { decision } from '../../helpers/rows.ts';

const ADDED = 'create index decisions_zz on only public.decisions (caller, id) where caller is not null;';
const INDEXES = `select i.relname as index, x.indisvalid as valid,
    (select count(*)::int from pg_inherits where inhparent = x.indexrelid) as attached,
    (select count(*)::int from pg_inherits where inhparent = x.indrelid) as partitions
  from pg_index x join pg_class i on i.oid = x.indexrelid
  where x.indrelid = 'public.decisions'::regclass order by i.relname`;

async function unfinished(client: pg.ClientBase): Promise<readonly string[]> {
  const { rows } = await client.query<{ index: string; valid: boolean; attached: number; partitions: number }>(INDEXES);
  return rows.filter(({ valid, attached, partitions }) => !valid || attached !== partitions).map(({ index }) => index);
}

t.test('beside a writer, after an interruption, and for months to come', async (t) => {
  const { urls } = await createDatabase(t);
  const owner = await connect(t, urls.owner);
  t.strictSame(await unfinished(owner), [], 'the migrations that are there have left nothing to do');
  for (let index = 0; index < 3; index++) await owner.query(...decision({ caller: 'dms' }).insert);

  // What an interrupted build leaves behind: an index that nobody may use.
  const { rows } = await owner.query<{ part: string }>(
    'select tableoid::regclass::text as part from decisions limit 1',
  );
  const part = rows[0]?.part ?? '';
  await t.rejects(owner.query(`create unique index concurrently ${part}_zz on ${part} (caller)`), { code: '23505' });

  const folder = await laterMigrations(t, ADDED);
  const writer = await connect(t, urls.writer);
  await writer.query('begin');
  await writer.query(...decision({ caller: 'search' }).insert);
  const migrated = migrate({ url: urls.owner, folder, patience: { lockTimeoutMs: 200, pauseMs: 50, tries: 400 } });
  await writer.query(...decision({ caller: 'portal' }).insert);
  await writer.query('commit');
  await migrated;
  t.strictSame(await unfinished(owner), []);
  await owner.query('set enable_seqscan = off');
  const plan = await owner.query<{ 'QUERY PLAN': string }>(
    `explain select id from decisions where caller = 'dms' order by id desc limit 10`,
  );
  t.match(plan.rows.map((row) => row['QUERY PLAN']).join('\n'), `${part}_zz`);

  await owner.query(`select ensure_partitions(now() + interval '1 year', 1)`);
  t.strictSame(await unfinished(owner), [], 'partitions to come get theirs at once');
  await migrate({ url: urls.owner, folder });
  t.strictSame(await unfinished(owner), []);
});
