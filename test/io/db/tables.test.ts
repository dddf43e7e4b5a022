// The table types that queries are written against are those of the migrated database.
import t from 'tap';
import { RECORD_KINDS } from '../../../src/model/record.ts';
import { TABLES } from '../../../src/model/tables.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';
import { decision } from '../../helpers/rows.ts';

const database = await createDatabase(t);
const owner = await connect(t, database.urls.owner);

t.test('columns, types and nullability are those of the database, in its order', async (t) => {
  const { rows } = await owner.query<{ name: string; columns: [string, string][] }>(
    `select c.relname as name,
            json_agg(json_build_array(a.attname, regexp_replace(format_type(a.atttypid, a.atttypmod), 'timestamp with time zone',
              'timestamptz') || case when a.attnotnull then ' not null' else '' end) order by a.attnum) as columns
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      group by c.relname`,
  );
  const found = Object.fromEntries(rows.map((row) => [row.name, row.columns]));
  const declared = Object.fromEntries(Object.entries(TABLES).map(([name, columns]) => [name, Object.entries(columns)]));
  t.strictSame(found, declared);
});

t.test('every kind of record can be written, and no other', async (t) => {
  for (const kind of RECORD_KINDS) await t.resolves(owner.query(...decision({ kind, outcome: null }).insert), kind);
  await t.rejects(owner.query(...decision({ kind: 'gossip' }).insert), { code: '23514' });
  await t.rejects(owner.query(...decision({ outcome: 'maybe' }).insert), { code: '23514' });
});
