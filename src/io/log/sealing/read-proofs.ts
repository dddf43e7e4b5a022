// Reads checkpoints and proofs of the sealed log, with the reader's rights. It must never look at a record, nor judge who asks.
import type pg from 'pg';
import { writeProof } from '../../../core/sealing/checkpoint.ts';
import { consistencyProof, type Hash, inclusionProof } from '../../../core/sealing/tree.ts';
import { PrivityError } from '../../../model/errors.ts';
import { loadNodes } from './tree-store.ts';

export interface KeptCheckpoint {
  readonly size: number;
  readonly root: Buffer;
  readonly note: string;
  readonly at: Date;
}

/** Every method throws a PrivityError `overloaded` while the database does not answer. */
export interface ProofReader {
  /** Newest first; only those over fewer leaves than `before`, if that is given. */
  checkpoints(before: number | null, limit: number): Promise<readonly KeptCheckpoint[]>;
  /** That the tree of `second` leaves begins with the tree of `first`; null where there are not that many. */
  consistency(first: number, second: number): Promise<readonly Hash[] | null>;
  /** The place of a record under the newest checkpoint (C2SP tlog-proof); null while it is not sealed. */
  proofOf(writer: string, seq: number): Promise<string | null>;
}

type Client = Pick<pg.ClientBase, 'query'>;

export function createProofReader(pool: pg.Pool): ProofReader {
  return {
    checkpoints: (before, limit) => reading(pool, (client) => readCheckpoints(client, before, limit)),
    async consistency(first, second) {
      const nodes = await reading(pool, async (client) => {
        const [last] = await readCheckpoints(client, null, 1);
        return second > (last?.size ?? 0) ? null : loadNodes(client, second, first === 0 ? [] : [first - 1]);
      });
      return nodes === null ? null : consistencyProof(nodes, first, second);
    },
    async proofOf(writer, seq) {
      const found = await reading(pool, async (client) => {
        const [last] = await readCheckpoints(client, null, 1);
        const index = await readIndex(client, writer, seq);
        if (last === undefined || index === null || index >= last.size) return null;
        return { index, last, nodes: await loadNodes(client, last.size, [index]) };
      });
      if (found === null) return null;
      const { index, last, nodes } = found;
      return writeProof({ index, path: inclusionProof(nodes, index, last.size), checkpoint: last.note });
    },
  };
}

/** A connection that failed is not given back as good. */
async function reading<T>(pool: pg.Pool, read: (client: Client) => Promise<T>): Promise<T> {
  let release: ((error?: Error) => void) | undefined;
  try {
    const client = await pool.connect();
    release = (error) => client.release(error);
    const result = await read(client);
    release();
    return result;
  } catch (cause) {
    release?.(cause instanceof Error ? cause : new Error(String(cause)));
    throw new PrivityError('overloaded', { detail: 'the log cannot be read just now', retryAfterSeconds: 2, cause });
  }
}

async function readIndex(client: Client, writer: string, seq: number): Promise<number | null> {
  const { rows } = await client.query<{ leaf_index: number }>(
    'select leaf_index from public.leaves where writer = $1 and seq = $2',
    [writer, String(seq)],
  );
  return rows[0]?.leaf_index ?? null;
}

async function readCheckpoints(
  client: Client,
  before: number | null,
  limit: number,
): Promise<readonly KeptCheckpoint[]> {
  const { rows } = await client.query<KeptCheckpoint>(
    `select size, root, note, at from public.checkpoints where $1::bigint is null or size < $1 order by size desc limit $2`,
    [before, limit],
  );
  return rows;
}
