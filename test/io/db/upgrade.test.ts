// Old and new versions on one schema: what each accepts, what waits for the last old one, and that a migration never stands long
// before a table.
import t from 'tap';
import { migrate } from '../../../src/io/db/migrate.ts';
import { readSchema, requireSchema } from '../../../src/io/db/schema.ts';
import { KNOWN, laterMigrations, numberAfter } from '../../helpers/migrations.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';
import { decision } from '../../helpers/rows.ts';

const EXPAND = `-- More.\n-- compatible-with: ${numberAfter(0)}\nalter table public.decisions add column note text;`;
const CONTRACT = `-- Less.\n-- contract: no version since the last one writes it\n-- compatible-with: ${numberAfter(2)}
alter table public.decisions drop column note;`;
const FORWARD = `-- More again.\n-- compatible-with: ${numberAfter(2)}\ncreate table public.notes (id uuid primary key);`;
const QUICK = { lockTimeoutMs: 100, pauseMs: 50, tries: 100 };

t.test('expand: both versions work; contract: only the new one', async (t) => {
  const { urls } = await createDatabase(t);
  const writer = await connect(t, urls.writer);
  const next = await laterMigrations(t, EXPAND);
  await t.rejects(
    requireSchema(writer, next),
    { message: `the database is at schema ${KNOWN} of ${KNOWN + 1}; run \`privity migrate\` first` },
    'the new version does not start before the migration',
  );
  t.match(await migrate({ url: urls.owner, folder: next, expandOnly: true }), {
    applied: [`${numberAfter(1)}_later.sql`],
    left: [],
    version: KNOWN + 1,
  });
  await t.resolves(requireSchema(writer, next), 'the new version works');
  await t.resolves(requireSchema(writer), 'so does the old one');
  t.match(await readSchema(writer), { applied: KNOWN + 1, known: KNOWN, compatibleWith: KNOWN });
  await t.resolves(writer.query(...decision().insert), 'what the old one writes is taken');
  t.match(
    await migrate({ url: urls.owner }),
    { applied: [], version: KNOWN + 1 },
    'an old version that is rolled back to finds nothing to migrate',
  );

  const after = await laterMigrations(t, EXPAND, CONTRACT);
  await t.resolves(requireSchema(writer, after), 'the version after needs no contracting first');
  t.match(await migrate({ url: urls.owner, folder: after, expandOnly: true }), {
    applied: [],
    left: [`${numberAfter(2)}_later.sql`],
    version: KNOWN + 1,
  });
  await t.resolves(requireSchema(writer), 'and the oldest one still works');
  t.match(await migrate({ url: urls.owner, folder: after }), { applied: [`${numberAfter(2)}_later.sql`], left: [] });
  await t.resolves(requireSchema(writer, after));
  const words = `the database is at schema ${KNOWN + 2}, and this version of Privity knows ${KNOWN}; start the newer version`;
  await t.rejects(requireSchema(writer), { message: words });
  await t.rejects(migrate({ url: urls.owner }), { message: words });
});

t.test('a version that needs what comes after a contracting migration waits for both', async (t) => {
  const { urls } = await createDatabase(t);
  const folder = await laterMigrations(t, EXPAND, CONTRACT, FORWARD);
  t.match(await migrate({ url: urls.owner, folder, expandOnly: true }), {
    applied: [`${numberAfter(1)}_later.sql`],
    left: [`${numberAfter(2)}_later.sql`, `${numberAfter(3)}_later.sql`],
  });
  const writer = await connect(t, urls.writer);
  await t.rejects(requireSchema(writer, folder), /run `privity migrate` first/);
  t.match(await migrate({ url: urls.owner, folder }), { version: KNOWN + 3 });
  await t.resolves(requireSchema(writer, folder));
});

t.test('an empty database gets everything at once', async (t) => {
  const { urls, superuserUrl } = await createDatabase(t);
  const superuser = await connect(t, superuserUrl);
  await superuser.query('drop schema public cascade; create schema public authorization privity_owner');
  const folder = await laterMigrations(t, EXPAND, CONTRACT);
  t.match(await migrate({ url: urls.owner, folder, expandOnly: true }), { left: [], version: KNOWN + 2 });
});

t.test('a database of before migrations said with what they work learns it', async (t) => {
  const { urls } = await createDatabase(t);
  const owner = await connect(t, urls.owner);
  await owner.query('alter table schema_migrations drop column compatible_with');
  const writer = await connect(t, urls.writer);
  await t.resolves(requireSchema(writer));
  await migrate({ url: urls.owner });
  const { rows } = await writer.query('select distinct compatible_with - version as gap from schema_migrations');
  t.strictSame(rows, [{ gap: 0 }]);
});

t.test(
  'a table that others hold is waited for in short tries, so that nobody stands behind them for long',
  async (t) => {
    const { urls } = await createDatabase(t);
    const folder = await laterMigrations(t, EXPAND);
    const report = await connect(t, urls.reader);
    const writer = await connect(t, urls.writer);
    await report.query('begin');
    await report.query('select count(*) from decisions');
    const tries: number[] = [];
    const done = migrate({
      url: urls.owner,
      folder,
      patience: QUICK,
      onWait: (what, tried) => {
        t.equal(what, `migration \`${numberAfter(1)}_later.sql\``);
        tries.push(tried);
        // Between two tries others get through, while the long transaction still holds the table.
        void writer.query(...decision().insert).then(() => (tries.length > 2 ? report.query('commit') : undefined));
      },
    });
    t.match(await done, { applied: [`${numberAfter(1)}_later.sql`] });
    t.ok(tries.length > 2);
    const { rows } = await report.query<{ n: number }>('select count(*)::int as n from decisions');
    t.ok((rows[0]?.n ?? 0) > 2, 'what was written meanwhile is there');
  },
);

t.test('a table that is never let go ends the migration, with nothing changed', async (t) => {
  const { urls } = await createDatabase(t);
  const folder = await laterMigrations(t, EXPAND);
  const report = await connect(t, urls.reader);
  await report.query('begin');
  await report.query('select count(*) from decisions');
  await t.rejects(
    migrate({ url: urls.owner, folder, patience: { ...QUICK, tries: 2 } }),
    /a table is locked by others, in 2 tries; nothing of it was changed; end the transaction/,
  );
  t.match(await readSchema(report), { applied: KNOWN });
});
