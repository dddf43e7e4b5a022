// Writes what proves a log's records: commitments and heads as they were committed, leaves, inner nodes and checkpoints as a sealer that
// looks every second leaves them. It must never be used on a log that is there already, for it empties these tables.
import type pg from 'pg';
import { writeCheckpoint } from '../src/core/sealing/checkpoint.ts';
import type { NoteSigner } from '../src/core/sealing/signed-note.ts';
import { createCompactRange } from '../src/core/sealing/tree.ts';
import { uuidBytes } from '../src/core/record/uuid.ts';
import { type CopyIn, openCopyIn } from '../src/io/log/backup/copy-in.ts';
import type { Place } from '../src/io/log/sealing/places.ts';
import type { MonthProofs } from './log-month.ts';

export interface ProofWriter {
  /** Months in their order. */
  month(proofs: MonthProofs): Promise<void>;
  /** @returns how many of each there are */
  close(): Promise<Counts>;
}

export interface Counts {
  readonly records: number;
  readonly heads: number;
  readonly checkpoints: number;
}

export interface ProofDeps {
  readonly connect: () => Promise<pg.Client>;
  readonly signer: NoteSigner;
  readonly place: Place;
}

const TABLES = {
  commitments: 'writer, seq, hash',
  heads: 'writer, seq, hash, signature',
  leaves: 'leaf_index, writer, seq, hash',
  tree_nodes: 'level, node_index, hash',
  checkpoints: 'size, root, note, at',
} as const;

const HASH = 32;
const SIGNATURE = 64;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const POSTGRES_EPOCH_MS = 946_684_800_000;

export async function openProofWriter({ connect, signer, place }: ProofDeps): Promise<ProofWriter> {
  const tables = await openTables(connect);
  const counts = { records: 0, heads: 0, checkpoints: 0 };
  const tree = createCompactRange((level, index, node) => {
    tables.tree_nodes.row(3).int2(level).int8(index).bytes(node);
  });
  let published = 0;

  async function seal(at: number): Promise<void> {
    const [size, root] = [tree.size(), tree.root()];
    const note = writeCheckpoint({ origin: signer.name, size, root }, [signer]);
    const micros = (at - POSTGRES_EPOCH_MS) * 1000;
    tables.checkpoints.row(4).int8(size).bytes(root).bytes(Buffer.from(note)).int8(micros);
    counts.checkpoints++;
    if (at - published < HOUR_MS) return;
    published = at;
    await place.publish(note, at);
  }

  /** The order in which a sealer finds them: by writer, each in its own order. */
  function addLeaves(proofs: MonthProofs, batches: readonly Batch[]): void {
    const { writers } = proofs;
    for (const { index, at } of batches.toSorted((a, b) => order(writers, proofs, a) - order(writers, proofs, b))) {
      const writer = writerBytes(writers, proofs.writerOf[index] ?? 0);
      for (let one = 0; one < (proofs.sizes[index] ?? 0); one++) {
        const leaf = proofs.hashes.slice((at + one) * HASH, (at + one + 1) * HASH);
        const seq = (proofs.firstSeq[index] ?? 0) + one;
        tables.leaves.row(4).int8(tree.size()).bytes(writer).int8(seq).bytes(leaf);
        tree.append(leaf);
      }
    }
  }

  return {
    async month(proofs) {
      let waiting: Batch[] = [];
      let second = 0;
      let at = 0;
      for (const [index, time] of proofs.times.entries()) {
        const now = Math.floor(time / SECOND_MS);
        if (now !== second && waiting.length > 0) {
          addLeaves(proofs, waiting);
          waiting = [];
          await seal((second + 1) * SECOND_MS);
        }
        second = now;
        const size = proofs.sizes[index] ?? 0;
        const first = proofs.firstSeq[index] ?? 0;
        const writer = writerBytes(proofs.writers, proofs.writerOf[index] ?? 0);
        for (let one = 0; one < size; one++) {
          const from = (at + one) * HASH;
          tables.commitments
            .row(3)
            .bytes(writer)
            .int8(first + one)
            .bytes(proofs.hashes, from, from + HASH);
        }
        const last = (at + size - 1) * HASH;
        tables.heads
          .row(4)
          .bytes(writer)
          .int8(first + size - 1)
          .bytes(proofs.hashes, last, last + HASH)
          .bytes(proofs.signatures, index * SIGNATURE, (index + 1) * SIGNATURE);
        waiting.push({ index, at });
        at += size;
        if (tables.areFull()) await tables.flush();
      }
      addLeaves(proofs, waiting);
      published = 0;
      await seal((second + 1) * SECOND_MS);
      counts.records += proofs.records;
      counts.heads += proofs.times.length;
    },
    async close() {
      await tables.close();
      return counts;
    },
  };
}

interface Batch {
  readonly index: number;
  /** Place of its first hash. */
  readonly at: number;
}

const ranks = new WeakMap<readonly string[], readonly number[]>();

function order(writers: readonly string[], { writerOf }: MonthProofs, { index }: Batch): number {
  let known = ranks.get(writers);
  if (known === undefined) {
    const sorted = writers.toSorted();
    known = writers.map((writer) => sorted.indexOf(writer));
    ranks.set(writers, known);
  }
  return known[writerOf[index] ?? 0] ?? 0;
}

const bytesOf = new Map<string, Buffer>();

function writerBytes(writers: readonly string[], index: number): Buffer {
  const id = writers[index] ?? '';
  const known = bytesOf.get(id) ?? uuidBytes(id);
  bytesOf.set(id, known);
  return known;
}

/** All in transactions of their own, for as long as the log is being written. */
async function openTables(connect: () => Promise<pg.Client>) {
  const names = Object.keys(TABLES) as (keyof typeof TABLES)[];
  const open = await Promise.all(
    names.map(async (name) => {
      const client = await connect();
      await client.query('begin; set local session_replication_role = replica');
      await client.query(`truncate only public.${name}`);
      const copy = await openCopyIn(client, `public.${name} (${TABLES[name]})`, ['freeze']);
      return [name, createTable(client, copy)] as const;
    }),
  );
  const tables = Object.fromEntries(open) as Record<keyof typeof TABLES, Table>;
  const all = Object.values(tables);
  return {
    ...tables,
    areFull: () => all.some((table) => table.isFull()),
    flush: async () => {
      for (const table of all) await table.flush();
    },
    close: async () => {
      for (const table of all) await table.close();
    },
  };
}

type Table = ReturnType<typeof createTable>;
const FULL = 2 ** 20;

function createTable(client: pg.Client, copy: CopyIn) {
  // What one second holds goes in before anybody asks whether it is full.
  const block = Buffer.alloc(4 * FULL);
  let at = 0;
  const flush = async (): Promise<void> => {
    const full = block.subarray(0, at);
    at = 0;
    await copy.write(full);
  };
  // Nothing is made for a field: a log has hundreds of millions of them.
  const fields = {
    int2(value: number) {
      at = block.writeInt32BE(2, at);
      at = block.writeInt16BE(value, at);
      return fields;
    },
    int8(value: number) {
      at = block.writeInt32BE(8, at);
      at = block.writeInt32BE(Math.floor(value / 2 ** 32), at);
      at = block.writeUInt32BE(value % 2 ** 32, at);
      return fields;
    },
    bytes(source: Uint8Array, from = 0, to = source.length) {
      at = block.writeInt32BE(to - from, at);
      for (let index = from; index < to; index++) block[at++] = source[index] ?? 0;
      return fields;
    },
  };
  return {
    row(count: number) {
      at = block.writeInt16BE(count, at);
      return fields;
    },
    isFull: () => at > FULL,
    flush,
    async close(): Promise<void> {
      await flush();
      await copy.end();
      await client.query('commit');
      await client.end();
    },
  };
}
