// What somebody can do who owns the database, and with it perhaps keys: compute a history anew that agrees with itself. It must never
// be less thorough than such a person would be.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { canonicalize } from '../../src/core/record/canonical.ts';
import { columnsOf } from '../../src/core/record/columns.ts';
import { recordHash } from '../../src/core/record/hash.ts';
import { writeCheckpoint } from '../../src/core/sealing/checkpoint.ts';
import { createCompactRange } from '../../src/core/sealing/tree.ts';
import { certifyWriter, headText } from '../../src/io/log/writer-key.ts';
import { certifier } from '../helpers/recorder.ts';
import { ORIGIN, type Rig, signer } from './rig.ts';

type Json = Record<string, unknown>;

export interface Recomputation {
  readonly writer: string;
  readonly from: number;
  readonly change: (record: Json) => Json;
  /** What the forger has: the key that certifies writers, so that heads hold; the checkpoint key. */
  readonly keys?: { readonly certifier?: boolean; readonly checkpoint?: boolean };
  readonly tables?: { readonly commitments?: boolean; readonly leaves?: boolean };
}

/** Changes one record and everything that follows from it, as far as the forger's keys reach. */
export async function recompute(
  rig: Rig,
  { writer, from, change, keys = {}, tables = {} }: Recomputation,
): Promise<void> {
  const start = keys.certifier === true ? 0 : from;
  const { rows } = await rig.tamper(
    'select seq::int, bytes from decisions where writer = $1 and seq >= $2 order by seq',
    [writer, start],
  );
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  let prev: string | undefined;
  const hashes = new Map<number, Buffer>();
  for (const { seq, bytes } of rows as { readonly seq: number; readonly bytes: Buffer }[]) {
    let record = JSON.parse(bytes.toString()) as Json;
    if (seq === 0 && keys.certifier === true) record = { ...record, key: certifyWriter(certifier, writer, publicKey) };
    if (seq === from) record = change(record);
    if (prev !== undefined) record = { ...record, prev };
    const changed = Buffer.from(canonicalize(record));
    const hash = recordHash(changed);
    prev = hash.toString('hex');
    hashes.set(seq, hash);
    const columns = columnsOf(record);
    await rig.tamper(
      'update decisions set bytes = $3, outcome = $4, subject_id = $5, matter_id = $6 where writer = $1 and seq = $2',
      [writer, seq, changed, columns?.outcome, columns?.subject_id, columns?.matter_id],
    );
  }
  for (const [seq, hash] of hashes) {
    if (tables.commitments !== false)
      await rig.tamper('update commitments set hash = $3 where writer = $1 and seq = $2', [writer, seq, hash]);
    if (tables.leaves !== false)
      await rig.tamper('update leaves set hash = $3 where writer = $1 and seq = $2', [writer, seq, hash]);
  }
  if (keys.certifier === true) await signHeads(rig, writer, hashes, privateKey);
  if (tables.leaves !== false) await rebuildTree(rig, keys.checkpoint === true);
}

async function signHeads(rig: Rig, writer: string, hashes: ReadonlyMap<number, Buffer>, key: KeyObject): Promise<void> {
  const { rows } = await rig.tamper('select seq::int from heads where writer = $1', [writer]);
  for (const { seq } of rows as { readonly seq: number }[]) {
    const hash = hashes.get(seq) ?? Buffer.alloc(32);
    const signature = sign(null, headText(writer, seq, hash), key);
    await rig.tamper('update heads set hash = $3, signature = $4 where writer = $1 and seq = $2', [
      writer,
      seq,
      hash,
      signature,
    ]);
  }
}

/** Nodes above the leaves, and the checkpoints of the database: signed anew, or taken away. */
export async function rebuildTree(rig: Rig, isSigned: boolean): Promise<void> {
  const { rows: leaves } = await rig.tamper('select hash from leaves order by leaf_index');
  const { rows: sizes } = await rig.tamper('select size::int from checkpoints order by size');
  await rig.tamper('delete from tree_nodes');
  const nodes: [number, number, Buffer][] = [];
  const tree = createCompactRange((level, index, hash) => {
    nodes.push([level, index, Buffer.from(hash)]);
  });
  const wanted = new Set((sizes as { readonly size: number }[]).map(({ size }) => size));
  for (const { hash } of leaves as { readonly hash: Buffer }[]) {
    tree.append(Buffer.from(hash));
    if (!wanted.has(tree.size())) continue;
    const [size, root] = [tree.size(), tree.root()];
    const note = writeCheckpoint({ origin: ORIGIN, size, root }, [signer]);
    if (isSigned) await rig.tamper('update checkpoints set root = $2, note = $3 where size = $1', [size, root, note]);
  }
  for (const node of nodes)
    await rig.tamper('insert into tree_nodes (level, node_index, hash) values ($1, $2, $3)', node);
}
