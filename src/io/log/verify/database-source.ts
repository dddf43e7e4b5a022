// Reads the log from the database for a verification, with the reader's rights, as it was at one moment. It must never write, nor have
// the database compare anything: what it says is only copied.
import type pg from 'pg';
import { COLUMNS } from '../../../core/record/columns.ts';
import type { LeafFact } from '../../../core/verification/examine.ts';
import { copyOut, readRows, type RowReader } from './copy-out.ts';
import type { Span } from './record-threads.ts';
import type { Around, CommitmentRow, LogSource, OwnCheckpoint } from './source.ts';
import { createUuidReader } from './uuid-text.ts';

/** In the order that record-worker.ts reads. */
const RECORDS = `select writer, seq, id, at, kind, bytes, ${COLUMNS.join(', ')} from public.decisions`;
const LEAVES = 'select leaf_index, writer, seq, hash from public.leaves order by leaf_index';
const COMMITMENTS = `select c.writer, c.seq, c.hash, h.hash, h.signature
  from public.commitments c left join public.heads h on h.writer = c.writer and h.seq = c.seq order by c.writer, c.seq`;
const HEADS_ALONE = `select h.writer, h.seq, null::bytea, h.hash, h.signature from public.heads h
  where not exists (select from public.commitments c where c.writer = h.writer and c.seq = h.seq) order by h.writer, h.seq`;

interface Snapshot {
  readonly client: pg.Client;
  readonly id: string;
}

/** @param connect opens a connection without limits on how long a query takes */
export async function openDatabaseSource(connect: () => Promise<pg.Client>): Promise<LogSource> {
  const main = await begin(connect, null);
  const { client } = main;
  const others: pg.Client[] = [];
  // What is compared with another list as both are read needs a connection of its own.
  const beside = async (): Promise<pg.Client> => {
    const other = await begin(connect, main.id);
    others.push(other.client);
    return other.client;
  };
  const amount = await estimate(client);
  return {
    isComplete: true,
    amount,
    async records(give, only) {
      for await (const block of copyOut(client, only === null ? RECORDS : `${RECORDS} where ${inSpans(only)}`)) {
        await give('copy', block);
      }
    },
    leaves: () =>
      rowsOf(client, LEAVES, (row, readUuid) => {
        const index = row.int8();
        const writer = readUuid(row);
        return { index, writer, seq: row.int8(), hash: row.bytes() ?? Buffer.alloc(0) };
      }),
    async *commitments() {
      const read = (row: FieldReader, readUuid: (row: FieldReader) => string): CommitmentRow => {
        const writer = readUuid(row);
        const [seq, hash, head, signature] = [row.int8(), row.bytes(), row.bytes(), row.bytes()];
        return { writer, seq, hash, head: head === null || signature === null ? null : { hash: head, signature } };
      };
      yield* rowsOf(client, COMMITMENTS, read);
      yield* rowsOf(client, HEADS_ALONE, read);
    },
    async around(spans) {
      const found: Around[] = [];
      for (const span of spans) found.push(await readAround(client, span));
      return found;
    },
    own: {
      async *checkpoints() {
        const select = 'select size, root, note from public.checkpoints order by size';
        yield* rowsOf(await beside(), select, (row): OwnCheckpoint => {
          const [size, root] = [row.int8(), row.bytes() ?? Buffer.alloc(0)];
          return { size, root, note: row.bytes()?.toString('utf8') ?? '' };
        });
      },
      nodes: () =>
        rowsOf(client, 'select level::bigint, node_index, hash from public.tree_nodes', (row) => {
          const [level, index] = [row.int8(), row.int8()];
          return { level, index, hash: row.bytes() ?? Buffer.alloc(0) };
        }),
      policyFiles: () =>
        rowsOf(client, 'select hash, content from public.policy_blobs order by hash', (row) => {
          const hash = row.bytes() ?? Buffer.alloc(0);
          return { hash, content: row.bytes() ?? Buffer.alloc(0) };
        }),
      policySets: () =>
        rowsOf(client, 'select revision, manifest::text from public.policy_sets order by at', (row) => {
          const revision = row.bytes()?.toString('utf8') ?? '';
          return { revision, manifest: parseManifest(row.bytes()?.toString('utf8') ?? '') };
        }),
    },
    async close() {
      await Promise.all([client, ...others].map((one) => one.end().catch(() => undefined)));
    },
  };
}

async function begin(connect: () => Promise<pg.Client>, snapshot: string | null): Promise<Snapshot> {
  const client = await connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    // Names mean what PostgreSQL itself means by them, whoever owns the database.
    await client.query(`set local search_path = pg_catalog; set local statement_timeout = 0;
      set local idle_in_transaction_session_timeout = 0`);
    if (snapshot !== null) {
      await client.query(`set transaction snapshot '${snapshot.replaceAll("'", '')}'`);
      return { client, id: snapshot };
    }
    const { rows } = await client.query<{ id: string }>('select pg_export_snapshot() as id');
    return { client, id: rows[0]?.id ?? '' };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

async function estimate(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ sealed: number }>(
    'select coalesce(max(leaf_index) + 1, 0) as sealed from public.leaves',
  );
  return rows[0]?.sealed ?? 0;
}

/** Writers come from the database: only what is a UUID and a number goes into the query. */
function inSpans(spans: readonly Span[]): string {
  const conditions = spans.map(({ writer, from, until }) => {
    if (!/^[0-9a-f-]{36}$/.test(writer)) throw new TypeError('not a writer');
    return `(writer = '${writer}' and seq >= ${from} and seq < ${until})`;
  });
  return conditions.join(' or ');
}

async function readAround(client: pg.Client, { writer, from, until }: Span): Promise<Around> {
  const values = [writer, String(Math.max(0, from - 1)), String(until + 1)];
  const commitments = await client.query<{ seq: number; hash: Buffer }>(
    'select seq, hash from public.commitments where writer = $1 and seq >= $2 and seq < $3',
    values,
  );
  const leaves = await client.query<{ seq: number; leaf_index: number; hash: Buffer }>(
    'select seq, leaf_index, hash from public.leaves where writer = $1 and seq >= $2 and seq < $3 order by leaf_index',
    values,
  );
  const bySeq = new Map<number, LeafFact[]>();
  for (const { seq, leaf_index: index, hash } of leaves.rows) {
    bySeq.set(seq, [...(bySeq.get(seq) ?? []), { index, hash: hash.toString('hex') }]);
  }
  return { commitments: new Map(commitments.rows.map(({ seq, hash }) => [seq, hash.toString('hex')])), leaves: bySeq };
}

interface FieldReader {
  readonly block: Buffer;
  readonly rows: RowReader;
  int8(): number;
  /** A part of the block; null for null. */
  bytes(): Buffer | null;
}

async function* rowsOf<T>(
  client: pg.Client,
  select: string,
  read: (row: FieldReader, readUuid: (row: FieldReader) => string) => T,
): AsyncGenerator<readonly T[]> {
  const uuids = createUuidReader();
  const readUuid = ({ block, rows }: FieldReader): string => {
    rows.nextField();
    return uuids(block, rows.at);
  };
  for await (const block of copyOut(client, select)) {
    const rows = readRows(block);
    const row: FieldReader = {
      block,
      rows,
      int8() {
        rows.nextField();
        return block.readInt32BE(rows.at) * 2 ** 32 + block.readUInt32BE(rows.at + 4);
      },
      bytes() {
        const length = rows.nextField();
        return length < 0 ? null : block.subarray(rows.at, rows.at + length);
      },
    };
    const found: T[] = [];
    while (rows.nextRow()) found.push(read(row, readUuid));
    yield found;
  }
}

function parseManifest(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
