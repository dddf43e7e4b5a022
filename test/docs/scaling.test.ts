// What docs/scaling.md tells operators to type is carried out: its SQL on a database of its own, its commands; and its figures name no
// setting that the benchmark does not use.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { privity, REPOSITORY } from '../cli/privity.ts';
import { ensurePartitions } from '../../src/io/db/partitions.ts';
import { connect, createDatabase } from '../helpers/postgres.ts';

const markdown = await readFile(path.join(REPOSITORY, 'docs/scaling.md'), 'utf8');
const blocks = [...markdown.matchAll(/^ *```(\w+) operator\n([\s\S]*?)^ *```$/gm)].map(
  ([, language = '', text = '']) => ({
    language,
    lines: text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  }),
);
const of = (language: string): readonly string[] =>
  blocks.filter((one) => one.language === language).flatMap(({ lines }) => lines);
const database = await createDatabase(t);

t.test('every block is carried out here', async (t) => {
  t.equal(markdown.match(/^ *```\w/gm)?.length, blocks.length);
  t.ok(blocks.every(({ language }) => ['sql', 'console', 'sh'].includes(language)));
});

t.test('SQL: a month is detached, moved and attached again', async (t) => {
  const owner = await connect(t, database.urls.owner);
  await ensurePartitions(owner, new Date('2026-01-10T00:00:00Z'), 0);
  const partitions = async (): Promise<number> =>
    (await owner.query(`select from pg_inherits where inhrelid = 'public.decisions_2026_01'::regclass`)).rowCount ?? 0;
  t.equal(await partitions(), 1);
  let bounds = '';
  for (const statement of of('sql')) {
    const { rows } = await owner.query<{ pg_get_expr?: string }>(statement);
    bounds = rows[0]?.pg_get_expr ?? bounds;
  }
  t.match(bounds, /^FOR VALUES FROM/);
  t.equal(await partitions(), 0);
  const [attach] = /`(alter table public\.decisions attach partition \S+)`/.exec(markdown)?.slice(1) ?? [];
  await owner.query(`${attach} ${bounds}`);
  t.equal(await partitions(), 1);
});

t.test('commands', async (t) => {
  const commands = of('console').map((line) => line.replace(/^\$ privity /, ''));
  t.strictSame(commands, ['migrate --citus']);
  // What it does on a cluster: test/io/db/citus.test.ts.
  const { code, err } = await privity(['migrate', '--citus'], { env: { DATABASE_OWNER_URL: database.urls.owner } });
  t.equal(code, 2);
  t.match(err, 'this database has no Citus');
});

t.test('the settings it recommends are those that were measured', async (t) => {
  const stand = await readFile(path.join(REPOSITORY, 'bench/log-stand.ts'), 'utf8');
  for (const name of ['shared_buffers', 'effective_cache_size', 'maintenance_work_mem', 'checkpoint_timeout']) {
    t.match(markdown, `\`${name}\``);
    t.match(stand, `${name}: `);
  }
  t.match(markdown, '`4GB`, `15min`');
  t.match(stand, "max_wal_size: '4GB'");
});
