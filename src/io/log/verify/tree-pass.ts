// Goes through the leaves: their numbers, their order within each writer, the nodes above them, and the roots that were signed. It must
// never take the database's own word for a root.
import { type CompactRange, createCompactRange } from '../../../core/sealing/tree.ts';
import type { NoteVerifier } from '../../../core/sealing/signed-note.ts';
import { createFold, type Fold } from '../../../core/verification/fold.ts';
import type { Finding } from '../../../core/verification/finding.ts';
import { SEGMENT } from '../../../core/verification/tally.ts';
import { type JudgedCheckpoint, judgedCheckpoints } from './own-checkpoints.ts';
import type { KnownRoot, LeafRows, LogSource } from './source.ts';
import type { VerifyThreads } from './verify-threads.ts';

export interface SealedWriter {
  /** After its last leaf. */
  sealed: number;
  readonly folds: Map<number, Fold>;
}

export interface TreeResult {
  readonly size: number;
  readonly writers: ReadonlyMap<string, SealedWriter>;
  /** Leaves below are those under a signed checkpoint, of the published ones if there are any. */
  readonly trusted: number;
  /** Signed checkpoints whose root the leaves do not make, by size. */
  readonly differing: readonly number[];
  /** The largest size that a checkpoint of the database has; null for an export. */
  readonly ownSize: number | null;
  readonly ownCheckpoints: number;
  readonly findings: readonly Finding[];
  /** Writers' places that have to be looked at. */
  readonly odd: readonly { readonly writer: string; readonly seq: number }[];
}

export interface TreeOptions {
  readonly published: readonly KnownRoot[];
  /** Of whom checkpoints have to be signed; null: signatures are not looked at. */
  readonly verifiers: readonly NoteVerifier[] | null;
  readonly threads: VerifyThreads;
  readonly onLeaves: (count: number) => void;
}

const MOST_FINDINGS = 1_000;

/** Where a writer's leaves left their order first. */
interface Jump {
  readonly seq: number;
  readonly index: number;
}

export async function passTree(source: LogSource, options: TreeOptions): Promise<TreeResult> {
  const findings: Finding[] = [];
  const odd: { writer: string; seq: number }[] = [];
  const found = (finding: Omit<Finding, 'id'>): void => {
    if (findings.length < MOST_FINDINGS) findings.push({ ...finding, id: null });
  };
  const nodes = await readNodes(source);
  const tree = createCompactRange((level, index, hash) => {
    if (nodes === null) return;
    const key = `${level}/${index}`;
    const kept = nodes.get(key);
    nodes.delete(key);
    if (kept?.equals(hash) === true) return;
    const words = kept === undefined ? 'is missing' : 'is not the hash of the leaves below it';
    found({
      kind: kept === undefined ? 'deletion' : 'edit',
      thing: 'tree node',
      place: null,
      leaf: null,
      detail: `node ${key} ${words}`,
    });
  });
  const roots = createRoots(source, options, found);
  await roots.start();
  const writers = new Map<string, SealedWriter>();
  const jumps = new Map<string, Jump>();
  let expected = 0;
  for await (const rows of source.leaves()) {
    let count = 0;
    for (; rows.next(); count++) {
      if (rows.index !== expected) {
        const detail = `leaves ${expected} to ${rows.index - 1} are missing`;
        found({ kind: 'deletion', thing: 'leaf', place: null, leaf: expected, detail });
      }
      expected = rows.index + 1;
      tree.append(rows.block, rows.hashAt);
      takeLeaf(rows, writers, jumps, odd, found);
      if (roots.next() <= tree.size()) await roots.compare(tree);
    }
    options.onLeaves(count);
  }
  const size = tree.size();
  for (const key of nodes?.keys() ?? []) {
    found({
      kind: 'insertion',
      thing: 'tree node',
      place: null,
      leaf: null,
      detail: `node ${key} has no leaves below it`,
    });
  }
  return { size, writers, findings, odd, ...(await roots.end()) };
}

function takeLeaf(
  row: LeafRows,
  writers: Map<string, SealedWriter>,
  jumps: Map<string, Jump>,
  odd: { writer: string; seq: number }[],
  found: (finding: Omit<Finding, 'id'>) => void,
): void {
  const { writer, seq, index } = row;
  let known = writers.get(writer);
  if (known === undefined) {
    known = { sealed: 0, folds: new Map() };
    writers.set(writer, known);
  }
  if (seq !== known.sealed && odd.length < MOST_FINDINGS) odd.push({ writer, seq }, { writer, seq: known.sealed });
  if (seq > known.sealed) {
    if (!jumps.has(writer)) jumps.set(writer, { seq, index });
  } else if (seq < known.sealed) {
    const first = jumps.get(writer) ?? { seq, index };
    const detail = `leaf ${index} is of sequence number ${seq} of the same writer, and comes after it`;
    const place = { writer, seq: first.seq };
    found({ kind: 'reordering', thing: 'leaf', place, leaf: Math.min(first.index, index), detail });
  }
  known.sealed = Math.max(known.sealed, seq + 1);
  const segment = Math.floor(seq / SEGMENT);
  let fold = known.folds.get(segment);
  if (fold === undefined) {
    fold = createFold();
    known.folds.set(segment, fold);
  }
  fold.add(row.block, row.hashAt);
}

async function readNodes({ own }: LogSource): Promise<Map<string, Buffer> | null> {
  if (own === null) return null;
  const nodes = new Map<string, Buffer>();
  for await (const rows of own.nodes()) {
    for (const { level, index, hash } of rows) nodes.set(`${level}/${index}`, Buffer.from(hash));
  }
  return nodes;
}

/** Signed roots, published and the database's own, each compared when the tree has its size. */
function createRoots(
  source: LogSource,
  { published, verifiers, threads }: TreeOptions,
  found: (finding: Omit<Finding, 'id'>) => void,
) {
  const iterator = source.own === null ? undefined : judgedCheckpoints(source.own.checkpoints(), verifiers, threads);
  const differing = new Set<number>();
  const matching = { published: 0, own: 0 };
  let batch: readonly JudgedCheckpoint[] = [];
  let place = 0;
  let at = 0;
  let ownCheckpoints = 0;
  let ownSize = 0;

  const current = (): JudgedCheckpoint | undefined => batch[place];
  async function advance(): Promise<void> {
    place++;
    while (iterator !== undefined && place >= batch.length) {
      const { value, done } = await iterator.next();
      if (done === true) return void (batch = []);
      [batch, place] = [value, 0];
    }
  }

  /** Null: it is no evidence. */
  function rootOfOwn({ size, root, word }: JudgedCheckpoint): Buffer | null {
    ownCheckpoints++;
    ownSize = Math.max(ownSize, size);
    const forged = (detail: string): null => {
      found({ kind: 'forged_checkpoint', thing: 'checkpoint', place: null, leaf: null, detail });
      return null;
    };
    const name = `the database’s checkpoint over ${size} records`;
    if (word === 'unsigned') return forged(`${name} is not signed by the keys given`);
    return word === 'otherwise' ? forged(`${name} says otherwise in its note`) : root;
  }

  return {
    start: async () => {
      place = -1;
      await advance();
    },
    next: () => Math.min(published[at]?.size ?? Number.POSITIVE_INFINITY, current()?.size ?? Number.POSITIVE_INFINITY),
    async compare(tree: CompactRange): Promise<void> {
      const size = tree.size();
      const root = tree.root();
      const judge = (other: Uint8Array, which: 'published' | 'own'): void => {
        if (Buffer.compare(other, root) === 0) matching[which] = size;
        else differing.add(size);
      };
      for (let one = published[at]; one !== undefined && one.size <= size; one = published[++at]) {
        if (one.size === size) judge(one.root, 'published');
      }
      for (let one = current(); one !== undefined && one.size <= size; one = current()) {
        const known = rootOfOwn(one);
        if (known !== null && one.size === size) judge(known, 'own');
        await advance();
      }
    },
    async end() {
      for (let one = current(); one !== undefined; one = current()) {
        rootOfOwn(one);
        await advance();
      }
      const trusted = published.length > 0 ? matching.published : matching.own;
      const sizes = [...differing].toSorted((a, b) => a - b);
      return { trusted, differing: sizes, ownSize: iterator === undefined ? null : ownSize, ownCheckpoints };
    },
  };
}
