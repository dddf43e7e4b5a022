// Goes through the commitments: gapless for each writer, equal to what the records sum up to and to the leaves, with their signed heads.
// It must never decide what was done to a place where something is wrong, only that it has to be looked at.
import {
  createFold,
  createPlaceDigest,
  type Fold,
  LANES,
  type PlaceDigest,
} from '../../../core/verification/digest.ts';
import { SEGMENT, type Tally } from '../../../core/verification/tally.ts';
import type { HeadSignatures } from './head-signatures.ts';
import type { CommitmentRow, LogSource } from './source.ts';
import type { SealedWriter } from './tree-pass.ts';

export interface WriterEnd {
  /** After its last commitment. */
  committed: number;
  /** Last sequence number under a head whose signature holds; -1: none. */
  signed: number;
  /** Its heads cannot be judged: its key is not known. */
  isUnknown: boolean;
}

export interface BadHead {
  readonly writer: string;
  readonly seq: number;
  /** `hash`: signed by the writer, over another hash than the commitment's. */
  readonly why: 'signature' | 'hash' | 'alone';
}

export interface ChainResult {
  readonly commitments: number;
  readonly heads: number;
  readonly writers: ReadonlyMap<string, WriterEnd>;
  /** Segments that have to be looked at, as `writer/index`. */
  readonly odd: ReadonlySet<string>;
  readonly badHeads: readonly BadHead[];
  /** Commitments without a record. */
  readonly missing: number;
}

export interface ChainOptions {
  readonly tally: Tally;
  readonly key: Uint8Array;
  readonly sealed: ReadonlyMap<string, SealedWriter>;
  readonly signatures: HeadSignatures;
  /** Only the last head of each writer is verified. */
  readonly lastHeadsOnly: boolean;
  /** Whether the record of a commitment may be missing. */
  readonly mayMiss: (writer: string, seq: number) => boolean;
  readonly onCommitments: (count: number) => void;
}

const MOST_BAD = 1_000;

/** Sums and folds of the segment that is being read. */
interface Running {
  readonly writer: string;
  readonly index: number;
  readonly sum: Uint32Array<ArrayBuffer>;
  /** With a record. */
  present: number;
  /** Of places that are sealed. */
  readonly fold: Fold;
}

export async function passChains(source: LogSource, options: ChainOptions): Promise<ChainResult> {
  const { tally, sealed, signatures, lastHeadsOnly, mayMiss } = options;
  const digest = createPlaceDigest(options.key);
  const writers = new Map<string, WriterEnd>();
  const odd = new Set<string>();
  const visited = new Set<string>();
  const badHeads: BadHead[] = [];
  const count = { commitments: 0, heads: 0, missing: 0 };
  let running: Running | null = null;
  let end: WriterEnd = { committed: 0, signed: -1, isUnknown: false };
  let previous: CommitmentRow | null = null;
  let lastHead: CommitmentRow | null = null;
  let writerBytes = Buffer.alloc(16);

  const suspect = (writer: string, seq: number): unknown => odd.add(segmentName(writer, Math.floor(seq / SEGMENT)));
  const bad = (writer: string, seq: number, why: BadHead['why']): void => {
    if (badHeads.length < MOST_BAD) badHeads.push({ writer, seq, why });
  };

  async function verifyHead({ writer, seq, hash, head }: CommitmentRow, owner: WriterEnd): Promise<void> {
    if (head === null) return;
    const isSame = hash?.equals(head.hash) === true;
    await signatures.check(writer, seq, head, (holds) => {
      if (holds === null) owner.isUnknown = true;
      else if (!holds) bad(writer, seq, 'signature');
      else if (hash === null) bad(writer, seq, 'alone');
      else if (!isSame) bad(writer, seq, 'hash');
      else owner.signed = Math.max(owner.signed, seq);
    });
  }

  function finishSegment(): void {
    if (running === null) return;
    const { writer, index, sum, present, fold } = running;
    visited.add(segmentName(writer, index));
    const segment = tally.segment(writer, index);
    const isSum =
      segment === undefined
        ? present === 0
        : present === segment.count && segment.sum.every((lane, i) => lane === sum[i]);
    const leafFold = sealed.get(writer)?.folds.get(index)?.digest() ?? createFold().digest();
    if (!isSum || leafFold !== fold.digest()) odd.add(segmentName(writer, index));
    running = null;
  }

  async function takeRow(row: CommitmentRow): Promise<void> {
    const { writer, seq, hash, head } = row;
    if (head !== null) count.heads++;
    if (hash === null) return verifyHead(row, writers.get(writer) ?? { committed: 0, signed: -1, isUnknown: false });
    count.commitments++;
    if (previous?.writer !== writer) {
      finishSegment();
      if (lastHead !== null) await verifyHead(lastHead, end);
      lastHead = null;
      end = { committed: 0, signed: -1, isUnknown: false };
      writers.set(writer, end);
      previous = null;
      writerBytes = Buffer.from(writer.replaceAll('-', ''), 'hex');
    }
    const index = Math.floor(seq / SEGMENT);
    if (running?.index !== index) finishSegment();
    running ??= { writer, index, sum: new Uint32Array(LANES), present: 0, fold: createFold() };
    if (seq !== end.committed) {
      suspect(writer, seq);
      suspect(writer, end.committed);
    }
    end.committed = seq + 1;
    addPlace(digest, running, writerBytes, row, previous, tally.has(writer, seq));
    if (!tally.has(writer, seq)) {
      count.missing++;
      if (!mayMiss(writer, seq)) suspect(writer, seq);
    }
    if (seq < (sealed.get(writer)?.sealed ?? 0)) running.fold.add(hash);
    if (head !== null) {
      if (!head.hash.equals(hash)) suspect(writer, seq);
      if (!lastHeadsOnly) await verifyHead(row, end);
      else lastHead = row;
    }
    previous = row;
  }

  for await (const rows of source.commitments()) {
    for (const row of rows) await takeRow(row);
    options.onCommitments(rows.length);
  }
  finishSegment();
  if (lastHead !== null) await verifyHead(lastHead, end);
  await signatures.drain();
  for (const { writer, index, segment } of tally.all()) {
    const name = segmentName(writer, index);
    if (segment.isOdd || !visited.has(name)) odd.add(name);
  }
  for (const [writer, { folds }] of sealed) {
    for (const index of folds.keys()) {
      if (!visited.has(segmentName(writer, index))) odd.add(segmentName(writer, index));
    }
  }
  return { ...count, writers, odd, badHeads };
}

export function segmentName(writer: string, index: number): string {
  return `${writer}/${index}`;
}

function addPlace(
  digest: PlaceDigest,
  running: Running,
  writer: Uint8Array,
  { seq, hash }: CommitmentRow,
  previous: CommitmentRow | null,
  isPresent: boolean,
): void {
  if (!isPresent || hash === null) return;
  running.present++;
  const before = seq === 0 ? null : (previous?.hash ?? null);
  digest.add(writer, seq, hash, before, running.sum, 0);
}
