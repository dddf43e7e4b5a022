// Reads the log from the database for a verification, with the reader's rights, as it was at one moment. It must never write, nor have
// the database compare anything: what it says is only copied.
import type pg from 'pg';
import { COLUMNS } from '../../../core/record/columns.ts';
import type { LeafFact } from '../../../core/verification/examine.ts';
import { createBlockPool } from './block-pool.ts';
import { copyOut, readRows, type RowReader } from './copy-out.ts';
import type { Span } from './record-answer.ts';
import type { Around, CommitmentRows, HeadRow, LeafRows, LogSource, OwnCheckpoint } from './source.ts';
import { createUuidReader } from './uuid-text.ts';

/** In the order that read-block.ts reads. */
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
  let besideRecords: Promise<pg.Client> | undefined;
  const forTree = (): Promise<pg.Client> => (besideRecords ??= beside());
  const amount = await estimate(client).catch(async (error: unknown) => {
    await client.end().catch(() => undefined);
    throw error;
  });
  const pool = createBlockPool();
  const fresh = createBlockPool(); // nothing is given back: what is kept of a row is a part of its block
  return {
    isComplete: true,
    origin: null,
    amount,
    isReadAtOnce: true,
    async *records(only) {
      const select = only === null ? RECORDS : `${RECORDS} where ${inSpans(only)}`;
      for await (const block of copyOut(client, select, pool)) yield { format: 'copy', block };
    },
    reuse: pool.giveBack,
    async *leaves() {
      for await (const block of copyOut(await forTree(), LEAVES, fresh)) yield readLeaves(block);
    },
    async *commitments() {
      for await (const block of copyOut(client, COMMITMENTS, fresh)) yield readCommitments(block);
      for await (const block of copyOut(client, HEADS_ALONE, fresh)) yield readCommitments(block);
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
          const [size, root] = [row.int8(), row.bytes()];
          return { size, root, note: row.bytes().toString('utf8') };
        });
      },
      async *nodes() {
        const select = 'select level::bigint, node_index, hash from public.tree_nodes';
        yield* rowsOf(await forTree(), select, (row) => {
          const [level, index] = [row.int8(), row.int8()];
          return { level, index, hash: row.bytes() };
        });
      },
      policyFiles: () =>
        rowsOf(client, 'select hash, content from public.policy_blobs order by hash', (row) => {
          const hash = row.bytes();
          return { hash, content: row.bytes() };
        }),
      policyParts: (names) => {
        const hashes = names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map((name) => `'\\x${name}'`);
        const select = `select hash, content from public.policy_blobs where hash = any(array[${hashes.join(', ')}]::bytea[])`;
        return rowsOf(client, select, (row) => {
          const hash = row.bytes();
          return { hash, content: row.bytes() };
        });
      },
      policySets: () =>
        rowsOf(client, 'select revision, manifest::text from public.policy_sets order by at', (row) => {
          const revision = row.bytes().toString('utf8');
          return { revision, manifest: parseManifest(row.bytes().toString('utf8')) };
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
  const { rows } = await client.query<{ sealed: number }>('select count(*) as sealed from public.leaves');
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

function readLeaves(block: Buffer): LeafRows {
  const rows = readRows(block);
  const readUuid = createUuidReader();
  const leaf = {
    index: 0,
    writer: '',
    seq: 0,
    block,
    hashAt: 0,
    next() {
      if (!rows.nextRow()) return false;
      leaf.index = readInt8(block, rows);
      rows.nextField();
      leaf.writer = readUuid(block, rows.at);
      leaf.seq = readInt8(block, rows);
      rows.nextField();
      leaf.hashAt = rows.at;
      return true;
    },
  };
  return leaf;
}

function readCommitments(block: Buffer): CommitmentRows {
  const rows = readRows(block);
  const readUuid = createUuidReader();
  const commitment = {
    writer: '',
    seq: 0,
    block,
    hashAt: 0,
    head: null as HeadRow | null,
    next() {
      if (!rows.nextRow()) return false;
      rows.nextField();
      commitment.writer = readUuid(block, rows.at);
      commitment.seq = readInt8(block, rows);
      commitment.hashAt = rows.nextField() < 0 ? -1 : rows.at;
      const hash = readBytes(block, rows);
      const signature = readBytes(block, rows);
      commitment.head = hash === null || signature === null ? null : { hash, signature };
      return true;
    },
  };
  return commitment;
}

function readInt8(block: Buffer, rows: RowReader): number {
  rows.nextField();
  return block.readInt32BE(rows.at) * 2 ** 32 + block.readUInt32BE(rows.at + 4);
}

function readBytes(block: Buffer, rows: RowReader): Buffer | null {
  const length = rows.nextField();
  return length < 0 ? null : block.subarray(rows.at, rows.at + length);
}

interface FieldReader {
  int8(): number;
  /** A part of the block; empty for null. */
  bytes(): Buffer;
}

/** For lists that are short beside the others. */
async function* rowsOf<T>(
  client: pg.Client,
  select: string,
  read: (row: FieldReader) => T,
): AsyncGenerator<readonly T[]> {
  for await (const block of copyOut(client, select, createBlockPool())) {
    const rows = readRows(block);
    const row: FieldReader = {
      int8: () => readInt8(block, rows),
      bytes: () => readBytes(block, rows) ?? Buffer.alloc(0),
    };
    const found: T[] = [];
    while (rows.nextRow()) found.push(read(row));
    yield found;
  }
}

function parseManifest(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
