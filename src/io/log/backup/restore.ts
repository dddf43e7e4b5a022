// Writes a backup into an empty database of the same schema, all of it or nothing. It must never add to a database that holds anything.
import type pg from 'pg';
import { DURABLE_COMMIT } from '../session.ts';
import { openCopyIn, type CopyIn } from './copy-in.ts';
import { BACKED_UP, quoted } from './dump.ts';
import { readFrames, type BackupHeader } from './frames.ts';

export interface Restored {
  readonly header: BackupHeader;
  /** By table. */
  readonly rows: ReadonlyMap<string, number>;
}

/**
 * @param client of an account that may act as the owner of the tables; migrated before
 * @throws Error in a sentence; the database is then as it was
 */
export async function restore(
  client: pg.ClientBase,
  ownerRole: string,
  source: AsyncIterable<Buffer>,
  onTable: (table: string) => void,
): Promise<Restored> {
  await client.query('begin');
  let copy: CopyIn | null = null;
  try {
    await client.query(`set local role ${ownerRole}; set local search_path = pg_catalog; select ${DURABLE_COMMIT}`);
    await requireEmpty(client);
    const rows = new Map<string, number>();
    let header: BackupHeader | undefined;
    for await (const piece of readFrames(source)) {
      if (piece.is === 'header') {
        header = piece.header;
        await prepare(client, header);
        continue;
      }
      const columns = BACKED_UP.find(({ name }) => name === piece.table)?.columns ?? [];
      copy ??= await openCopyIn(client, `public.${piece.table} (${columns.map(quoted).join(', ')})`);
      if (piece.is === 'rows') {
        await copy.write(piece.block);
        continue;
      }
      rows.set(piece.table, await copy.end());
      copy = null;
      onTable(piece.table);
    }
    if (header === undefined) throw new Error('the backup is empty');
    await client.query('commit');
    return { header, rows };
  } catch (error) {
    await copy?.fail();
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

async function requireEmpty(client: pg.ClientBase): Promise<void> {
  for (const { name } of BACKED_UP) {
    const { rowCount } = await client.query(`select from public.${name} limit 1`);
    if (rowCount !== 0) {
      throw new Error(`the table ${name} holds rows already; a backup is restored into an empty, migrated database`);
    }
  }
}

async function prepare(client: pg.ClientBase, { schema, months, tables }: BackupHeader): Promise<void> {
  const { rows } = await client.query<{ schema: number }>(
    'select max(version) as schema from public.schema_migrations',
  );
  const own = rows[0]?.schema;
  if (own !== schema || JSON.stringify(tables) !== JSON.stringify(BACKED_UP)) {
    throw new Error(
      `the backup is of schema ${schema}, the database of ${own ?? 0}: restore with the version of Privity that made it, then migrate`,
    );
  }
  for (const month of months) {
    await client.query('select public.ensure_partitions($1::timestamptz, 0)', [`${month}-01T00:00:00Z`]);
  }
}
