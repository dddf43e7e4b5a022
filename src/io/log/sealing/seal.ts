// Seals what is committed: one transaction that gives records their place in the tree and signs its new root (RECORD.md, "Sealing").
// It must never sign a tree that does not extend what was published, nor skip a record of a writer to seal a later one.
import type pg from 'pg';
import { type Checkpoint, peekCheckpoint, readCheckpoint, writeCheckpoint } from '../../../core/sealing/checkpoint.ts';
import { type NoteSigner, verifierOf } from '../../../core/sealing/signed-note.ts';
import { completedNodes, type Hash, rootAt } from '../../../core/sealing/tree.ts';
import { byteaArray, int8Array, uuidArray } from '../binary-arrays.ts';
import { DURABLE_COMMIT } from '../session.ts';
import { findWaiting, type Waiting } from './find-waiting.ts';
import { type LoadedNodes, loadNodes } from './tree-store.ts';

/** Why nothing may be signed: each means that somebody has changed the database, or set it back. */
export type SealingAlarm =
  /** What was published is longer than what the database has. */
  | 'database_rewound'
  /** The database has another history than what was published. */
  | 'history_differs'
  /** What was published is no checkpoint that our keys have signed. */
  | 'published_not_ours'
  /** The leaves are not those of the last checkpoint in the database. */
  | 'tree_differs';

/** The operator has to look; trying again changes nothing by itself. */
export class SealingStopped extends Error {
  readonly alarm: SealingAlarm;

  constructor(alarm: SealingAlarm, detail: string) {
    super(detail);
    this.name = 'SealingStopped';
    this.alarm = alarm;
  }
}

export interface SealOptions {
  /** Name of the log, the first line of every checkpoint. */
  readonly origin: string;
  /** The first signs from now on; others, of a rotation, as well. */
  readonly signers: readonly [NoteSigner, ...NoteSigner[]];
  /** The last checkpoint at every place where it was published, as it stands there. */
  readonly published: readonly { readonly place: string; readonly note: string }[];
  /** Leaves of one checkpoint at most. */
  readonly limit: number;
}

export interface Sealed {
  /** The last checkpoint in the database; null while there is none. */
  readonly note: string | null;
  readonly size: number;
  /** Leaves that this call added. */
  readonly added: number;
  /** More is waiting. */
  readonly isPartial: boolean;
  /** Writers of which a record is missing, so that what follows it cannot be sealed. */
  readonly gaps: readonly { readonly writer: string; readonly missing: number }[];
}

/**
 * Adds what is committed and not sealed yet, in one transaction.
 * @throws SealingStopped when the database does not extend what was published
 */
export async function seal(client: pg.ClientBase, options: SealOptions): Promise<Sealed> {
  await client.query('begin');
  try {
    await client.query(`select ${DURABLE_COMMIT}`);
    await client.query(`select pg_advisory_xact_lock(hashtextextended('privity.sealing', 0))`);
    const result = await sealLocked(client, options);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

async function sealLocked(client: pg.ClientBase, options: SealOptions): Promise<Sealed> {
  const last = await lastCheckpoint(client);
  const size = last?.size ?? 0;
  await requireExtension(client, size, last, options);

  const { batch, gaps } = contiguous(await findWaiting(client, options.limit + 1));
  const taken = batch.slice(0, options.limit);
  if (taken.length === 0) return { note: last?.note ?? null, size, added: 0, isPartial: false, gaps };

  const nodes = await loadNodes(client, size, []);
  taken.forEach(({ hash }, offset) => nodes.put(0, size + offset, hash));
  await insertLeaves(client, size, taken);
  await insertNodes(client, nodes, size, taken.length);
  const grown: Checkpoint = {
    origin: options.origin,
    size: size + taken.length,
    root: rootAt(nodes, size + taken.length),
  };
  const note = writeCheckpoint(grown, options.signers);
  await client.query('insert into public.checkpoints (size, root, note, at) values ($1, $2, $3, clock_timestamp())', [
    String(grown.size),
    grown.root,
    note,
  ]);
  return { note, size: grown.size, added: taken.length, isPartial: batch.length > taken.length, gaps };
}

interface KeptCheckpoint {
  readonly size: number;
  readonly root: Hash;
  readonly note: string;
}

/** The last that was signed, if the leaves are those it was signed over. */
async function lastCheckpoint(client: pg.ClientBase): Promise<KeptCheckpoint | null> {
  const { rows } = await client.query<{ size: number | string; root: Buffer; note: string; leaves: number | string }>(
    `select size, root, note, (select coalesce(max(leaf_index) + 1, 0) from public.leaves) as leaves
       from public.checkpoints order by size desc limit 1`,
  );
  const [row] = rows;
  if (row === undefined) {
    const { rowCount } = await client.query('select from public.leaves limit 1');
    if (rowCount === 0) return null;
    throw new SealingStopped('tree_differs', 'there are leaves, but no checkpoint');
  }
  const [size, leaves] = [Number(row.size), Number(row.leaves)];
  if (size !== leaves) {
    throw new SealingStopped('tree_differs', `the last checkpoint is over ${size} leaves, the database has ${leaves}`);
  }
  const root = rootAt(await loadNodes(client, size, []), size);
  if (!row.root.equals(root)) throw new SealingStopped('tree_differs', `the leaves do not make the root of ${size}`);
  return { size, root, note: row.note };
}

/** Never sign what somebody could use beside what is out already (C2SP tlog-checkpoint: a log must not sign inconsistent trees). */
async function requireExtension(
  client: pg.ClientBase,
  size: number,
  last: KeptCheckpoint | null,
  { origin, signers, published }: SealOptions,
): Promise<void> {
  const verifiers = signers.map(verifierOf);
  for (const { place, note } of published) {
    const out = readCheckpoint(note, verifiers);
    if (out === null || out.origin !== origin) {
      const said = peekCheckpoint(note);
      const words =
        said === null
          ? 'is no checkpoint'
          : `(${said.origin}, ${said.size} leaves) is not signed by our keys for ${origin}`;
      throw new SealingStopped('published_not_ours', `what was published last at ${place} ${words}`);
    }
    if (note === last?.note) continue;
    if (out.size > size) {
      const words = `${out.size} leaves were published at ${place}, the database has ${size}`;
      throw new SealingStopped('database_rewound', words);
    }
    const here = rootAt(await loadNodes(client, size, out.size === 0 ? [] : [out.size - 1]), out.size);
    if (Buffer.compare(here, out.root) !== 0) {
      throw new SealingStopped(
        'history_differs',
        `the first ${out.size} leaves are not those that were published at ${place}`,
      );
    }
  }
}

/** Up to the first gap of each writer. */
function contiguous(waiting: readonly Waiting[]): {
  readonly batch: readonly Waiting[];
  readonly gaps: Sealed['gaps'];
} {
  const gaps = new Map<string, number>();
  const next = new Map<string, number>();
  const batch = waiting.filter(({ writer, seq, sealed }) => {
    const expected = next.get(writer) ?? sealed + 1;
    if (gaps.has(writer)) return false;
    if (seq !== expected) {
      gaps.set(writer, expected);
      return false;
    }
    next.set(writer, seq + 1);
    return true;
  });
  return { batch, gaps: [...gaps].map(([writer, missing]) => ({ writer, missing })) };
}

async function insertLeaves(client: pg.ClientBase, size: number, leaves: readonly Waiting[]): Promise<void> {
  await client.query(
    `insert into public.leaves (leaf_index, writer, seq, hash)
     select * from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bytea[])`,
    [
      int8Array(leaves.map((_, offset) => size + offset)),
      uuidArray(leaves.map(({ writer }) => writer)),
      int8Array(leaves.map(({ seq }) => seq)),
      byteaArray(leaves.map(({ hash }) => hash)),
    ],
  );
}

async function insertNodes(client: pg.ClientBase, nodes: LoadedNodes, size: number, added: number): Promise<void> {
  const completed = completedNodes(nodes, size, added);
  for (const { level, index, hash } of completed) nodes.put(level, index, hash);
  if (completed.length === 0) return;
  await client.query(
    `insert into public.tree_nodes (level, node_index, hash)
     select level::smallint, node_index, hash from unnest($1::bigint[], $2::bigint[], $3::bytea[]) as n (level, node_index, hash)`,
    [
      int8Array(completed.map(({ level }) => level)),
      int8Array(completed.map(({ index }) => index)),
      byteaArray(completed.map(({ hash }) => Buffer.from(hash))),
    ],
  );
}
