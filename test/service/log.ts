// Reads everything that the database holds of the log, with every writer's chain verified and every policy set that decided unpacked.
// It must never ask the service, nor skip a row.
import { hash as digest, type KeyObject } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import type pg from 'pg';
import { partsIn } from '../../src/core/kept-parts.ts';
import { columnsOf } from '../../src/core/record/columns.ts';
import { openClient } from '../../src/io/db/database.ts';
import {
  type ChainHead,
  type ChainProblem,
  type ChainRow,
  type JsonObject,
  type StoredRecord,
  previousHeadOf,
  verifyChain,
} from '../../src/io/log/verify-chain.ts';

export interface LoggedRecord {
  readonly id: string;
  readonly kind: string;
  readonly writer: string;
  readonly seq: number;
  /** What the bytes say. */
  readonly said: JsonObject;
}

export interface ServiceLog {
  /** By writer and sequence. */
  readonly records: readonly LoggedRecord[];
  readonly writers: readonly string[];
  /** Everything that is wrong with rows, chains, heads, columns and kept policy sets. */
  readonly problems: readonly string[];
}

interface JoinedRow extends pg.QueryResultRow, Omit<StoredRecord, 'id' | 'seq'> {
  readonly writer: string;
  readonly seq: number;
  readonly hash: Buffer | null;
  readonly id: string | null;
}

type HeadRow = ChainHead & { readonly writer: string };

/** A full join: a row without its commitment shows as well as a commitment without its row. */
const ROWS = `select d.*, coalesce(c.writer, d.writer) as writer, coalesce(c.seq, d.seq) as seq, c.hash
  from commitments c full join decisions d on d.writer = c.writer and d.seq = c.seq
  order by coalesce(c.writer, d.writer), coalesce(c.seq, d.seq)`;

export async function readServiceLog(superuserUrl: string, certifier: KeyObject): Promise<ServiceLog> {
  const client = await openClient({ url: superuserUrl, applicationName: 'privity tests', onError: () => undefined });
  try {
    // Where the disk is full there is no room to sort on it.
    await client.query("set work_mem = '1GB'");
    const { rows } = await client.query<JoinedRow>(ROWS);
    const heads = await client.query<HeadRow>('select writer, seq, hash, signature from heads order by writer, seq');
    const byWriter = Map.groupBy(rows, (row) => row.writer);
    const headsByWriter = Map.groupBy(heads.rows, (head) => head.writer);
    const problems = [...headsByWriter.keys()]
      .filter((writer) => !byWriter.has(writer))
      .map((one) => `${one}: heads only`);
    for (const row of rows) {
      if (row.id === null) problems.push(`${row.writer} ${row.seq}: a commitment without its record`);
      if (row.hash === null) problems.push(`${row.writer} ${row.seq}: a record without its commitment`);
    }
    const records = rows.flatMap(logged);
    const followed = new Map(records.flatMap(({ said }) => previousHeadOf(said) ?? []).map((one) => [one.writer, one]));
    // Also those of which nothing is left but their successor's word.
    for (const writer of new Set([...byWriter.keys(), ...followed.keys()])) {
      const said = followed.get(writer);
      const own = { rows: (byWriter.get(writer) ?? []).map(chainRow), heads: headsByWriter.get(writer) ?? [] };
      const chain = { writer, certifier, columnsOf, ...own, ...(said === undefined ? {} : { followed: said }) };
      problems.push(...verifyChain(chain).problems.map((problem) => describe(writer, problem)));
    }
    problems.push(...(await unkept(client, records)));
    return { records, writers: [...byWriter.keys()], problems };
  } finally {
    await client.end();
  }
}

/** What is missing of the sets that the records name: without it they cannot be replayed. */
async function unkept(client: pg.Client, records: readonly LoggedRecord[]): Promise<readonly string[]> {
  const sets = await client.query<{ revision: string; manifest: Readonly<Record<string, string>> }>(
    'select revision, manifest from policy_sets',
  );
  const blobs = await client.query<{ content: Buffer }>('select content from policy_blobs');
  const packed = blobs.rows
    .filter(({ content }) => partsIn(content) === null)
    .map(({ content }) => inflateSync(content));
  const byName = new Map(packed.map((bytes) => [digest('sha256', bytes), bytes]));
  const inParts = blobs.rows.flatMap(({ content }) => {
    const parts = partsIn(content)?.map((part) => byName.get(part.toString('hex')) ?? Buffer.alloc(0));
    return parts === undefined ? [] : [digest('sha256', Buffer.concat(parts))];
  });
  const contents = new Set([...byName.keys(), ...inParts]);
  const kept = new Map(sets.rows.map(({ revision, manifest }) => [revision, Object.entries(manifest)]));
  const named = records.map(({ said }) => (said['policy'] as JsonObject | undefined)?.['revision']);
  return [...new Set(named)].flatMap((revision) => {
    if (typeof revision !== 'string') return [];
    const files = kept.get(revision) ?? [];
    if (files.length === 0) return [`${revision}: this set was not kept`];
    return files.filter(([, hash]) => !contents.has(hash)).map(([name]) => `${revision}: ${name} was not kept`);
  });
}

function describe(writer: string, { seq, problem, detail }: ChainProblem): string {
  return `${writer} ${seq}: ${problem} ${detail}`;
}

function chainRow({ id, hash, ...row }: JoinedRow): ChainRow {
  return { seq: row.seq, hash: hash ?? Buffer.alloc(0), record: id === null ? null : { ...row, id } };
}

function logged(row: JoinedRow): readonly LoggedRecord[] {
  const { id, kind, writer, seq, bytes } = row;
  return id === null ? [] : [{ id, kind, writer, seq, said: JSON.parse(Buffer.from(bytes).toString()) as JsonObject }];
}
