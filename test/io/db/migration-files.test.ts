// The files of the migrations: never changed once committed, numbered, each says with which code the database works after it, and none
// that runs beside services holds them up.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { MIGRATIONS, readMigrations } from '../../../src/io/db/migration-files.ts';
import { judgeExpanding } from './expanding.ts';

/** They make the first schema, on which no service works yet. */
const FIRST_SCHEMA = 5;

t.test('no committed migration has changed: what changes comes as a new file', async (t) => {
  // As `sha256sum` writes it; a new file is added with: cd migrations && sha256sum *.sql > ../test/io/db/migrations.sha256
  const list = await readFile(new URL('migrations.sha256', import.meta.url), 'utf8');
  const committed = list.trim().split('\n');
  const names = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).toSorted();
  const found = names.map(async (name) => {
    const bytes = await readFile(new URL(name, MIGRATIONS));
    return `${createHash('sha256').update(bytes).digest('hex')}  ${name}`;
  });
  t.strictSame(await Promise.all(found), committed);
});

t.test(
  'migrations after the first schema say with what they work, and hold nobody up unless they contract',
  async (t) => {
    const migrations = await readMigrations();
    t.ok(migrations.length > FIRST_SCHEMA);
    for (const { name, version, sql, compatibleWith, isContract } of migrations) {
      if (version <= FIRST_SCHEMA || isContract) continue;
      t.ok(
        compatibleWith < version,
        `${name}: code of the schema before works after it (-- compatible-with: …), or it is marked -- contract`,
      );
      t.strictSame(judgeExpanding(sql), [], `${name}: may run beside services`);
    }
  },
);

t.test('what may run beside services', async (t) => {
  const judge = (sql: string): number => judgeExpanding(sql).length;
  const short = [
    `create table public.notes (id uuid primary key); create index on public.notes (id); grant select on public.notes to x;
     create trigger guard before update on public.notes for each statement execute function public.refuse_change();
     alter table public.notes alter column id set storage external; -- drop table public.decisions`,
    'alter table public.decisions add column note text',
    'create index by_caller on only public.decisions (caller, id)',
    `alter table public.decisions add column a bigint default 0, add column b text[] default '{}'`,
    'alter table public.decisions add constraint c check (seq > 0) not valid',
    'alter table public.decisions validate constraint c',
    `create or replace function public.f() returns void language sql as $$ delete from public.decisions; $$`,
  ];
  for (const sql of short) t.strictSame(judgeExpanding(sql), [], sql);
  const heavy = [
    'create index on public.decisions (caller)',
    'create unique index by_caller on public.decisions (caller)',
    'alter table public.decisions alter column seq type numeric',
    'alter table public.decisions alter column note set not null',
    'alter table public.decisions add column note text not null',
    'alter table public.decisions add column note uuid default gen_random_uuid()',
    'alter table public.decisions add column note text unique',
    'alter table public.decisions add column note text, drop column outcome',
    'alter table public.decisions add constraint c check (seq > 0)',
    'alter table public.decisions add constraint c check (seq > 0) not valid, validate constraint c',
    'alter table public.decisions drop column outcome',
    'alter table public.decisions rename column outcome to result',
    `update public.decisions set outcome = 'deny'`,
    'drop table public.heads',
    'lock table public.decisions',
    'vacuum full public.decisions',
    'revoke insert on public.decisions from privity_writer',
    `do $$ begin drop table public.decisions; end $$`,
  ];
  for (const sql of heavy) t.equal(judge(sql), 1, sql);
});

t.test('what a header says', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-migrations-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const read = async (...files: string[]) => {
    for (const [index, sql] of files.entries()) await writeFile(path.join(folder, `00000${index + 1}_x.sql`), sql);
    return readMigrations(pathToFileURL(`${folder}/`));
  };
  const found = await read(
    '-- The first.\nselect 1;\n-- compatible-with: 000001 stands too late, and so does\n-- contract',
    '-- More.\n-- compatible-with: 000001\n\nselect 1;',
    '-- Less.\n-- contract: nobody reads it since 2.0\n-- compatible-with: 000003\nselect 1;',
  );
  t.match(found, [
    { version: 1, compatibleWith: 1, isContract: false },
    { version: 2, compatibleWith: 1, isContract: false },
    { version: 3, compatibleWith: 3, isContract: true },
  ]);
  await t.rejects(read('-- compatible-with: 000002'), /must be a schema from 000001 to its own/);
  await t.rejects(read('-- compatible-with: soon'), /`compatible-with: soon`/);
});
