// Builds on partitions the indexes that a migration gave their parent, beside whoever writes to them. It must never hold up a writer, nor
// leave half an index behind that nobody finishes.
import type pg from 'pg';

interface Missing {
  /** Of the parent. */
  readonly index: string;
  readonly definition: string;
  readonly partition: string;
}

const MISSING = `select i.relname as index, pg_get_indexdef(x.indexrelid) as definition, p.relname as partition
  from pg_index x
  join pg_class i on i.oid = x.indexrelid
  join pg_inherits h on h.inhparent = x.indrelid
  join pg_class p on p.oid = h.inhrelid
  where x.indrelid = 'public.decisions'::regclass and not x.indisvalid
    and not exists (select from pg_inherits a join pg_index c on c.indexrelid = a.inhrelid
                    where a.inhparent = x.indexrelid and c.indrelid = p.oid)
  order by p.relname desc, i.relname`;
const LEFT_INVALID = `select from pg_index where indexrelid = to_regclass($1) and not indisvalid`;

export type Patiently = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/** @returns what was built; safe to run again after it was interrupted */
export async function completePartitionIndexes(
  client: pg.ClientBase,
  patiently: Patiently,
): Promise<readonly string[]> {
  const { rows } = await client.query<Missing>(MISSING);
  const built: string[] = [];
  for (const { index, definition, partition } of rows) {
    const name = `${partition}_${index.replace(/^decisions_/, '')}`;
    await buildAside(client, name, definition, partition);
    await patiently(`index \`${name}\``, () =>
      client.query(`alter index public.${quoted(index)} attach partition public.${quoted(name)}`),
    );
    built.push(name);
  }
  return built;
}

async function buildAside(client: pg.ClientBase, name: string, definition: string, partition: string): Promise<void> {
  const timeout = await client.query<{ lock_timeout: string }>('show lock_timeout');
  // Waits for transactions that began before it, and makes nobody wait meanwhile.
  await client.query('set lock_timeout = 0');
  try {
    if ((await client.query(LEFT_INVALID, [`public.${quoted(name)}`])).rowCount !== 0) {
      await client.query(`drop index concurrently public.${quoted(name)}`);
    }
    await client.query(definitionOn(definition, name, partition));
  } finally {
    await client.query(`select set_config('lock_timeout', $1, false)`, [timeout.rows[0]?.lock_timeout ?? '0']);
  }
}

/** As `pg_get_indexdef` writes it, with its name and table replaced. */
function definitionOn(definition: string, name: string, partition: string): string {
  const found = /^CREATE INDEX \S+ ON ONLY public\.decisions (USING .*)$/s.exec(definition);
  if (found?.[1] === undefined) throw new Error(`no plain index of the log: ${definition}`);
  return `create index concurrently if not exists ${quoted(name)} on public.${quoted(partition)} ${found[1]}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
