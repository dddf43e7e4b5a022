// Reads everything that the database holds, as it was at one moment, in the format of a backup. It must never leave out a table, nor
// hold more than a few blocks.
import type pg from 'pg';
import { TABLES } from '../../../model/tables.ts';
import { createBlockPool } from '../verify/block-pool.ts';
import { copyOut } from '../verify/copy-out.ts';
import { headerFrame, lengthFrame, type BackupHeader } from './frames.ts';

/** Those that hold what was recorded; a migration makes the rest. */
export const BACKED_UP = Object.entries(TABLES)
  .filter(([name]) => name !== 'schema_migrations')
  .map(([name, columns]) => ({ name, columns: Object.keys(columns) }));

const END = lengthFrame(0);

/** @param client of the reader, without limits on how long a query takes; a transaction stays open on it */
export async function* dump(
  client: pg.ClientBase,
  version: string,
  onBytes: (table: string, bytes: number) => void,
): AsyncGenerator<Buffer> {
  await client.query('begin isolation level repeatable read read only');
  await client.query('set local search_path = pg_catalog; set local statement_timeout = 0');
  yield headerFrame(await readHeader(client, version));
  // Blocks go on to a stream that says nothing of when it is done with them, so none is ever given back.
  const pool = createBlockPool();
  for (const { name, columns } of BACKED_UP) {
    const select = `select ${columns.map(quoted).join(', ')} from public.${name}`;
    for await (const block of copyOut(client, select, pool)) {
      onBytes(name, block.length);
      yield lengthFrame(block.length);
      yield block;
    }
    yield END;
  }
  await client.query('commit');
}

async function readHeader(client: pg.ClientBase, version: string): Promise<BackupHeader> {
  const { rows } = await client.query<{ at: Date; schema: number; months: string[] }>(
    `select now() as at, (select max(version) from public.schema_migrations) as schema,
       array(select replace(substr(c.relname, 11), '_', '-') from pg_inherits i join pg_class c on c.oid = i.inhrelid
              where i.inhparent = 'public.decisions'::regclass and c.relname ~ '^decisions_\\d{4}_\\d{2}$' order by 1) as months`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the database does not say what it holds');
  const { at, schema, months } = row;
  return { at: at.toISOString(), version, schema, months, tables: BACKED_UP };
}

/** `commit` is a word of SQL. */
export function quoted(column: string): string {
  return `"${column}"`;
}
