// Goes through the commitments: gapless for each writer, the same hashes as records and leaves have, with their signed heads. It must
// never decide what was done to a place where something is wrong, only that it has to be looked at.
import { createFold, type Fold, isSameHash } from '../../../core/verification/fold.ts';
import { SEGMENT, segmentName, type Tally, type WriterTally } from '../../../core/verification/tally.ts';
import type { HeadSignatures } from './head-signatures.ts';
import type { Followed } from './record-answer.ts';
import type { CommitmentRows, HeadRow, LogSource } from './source.ts';
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
  /** `hash`: signed by the writer, over another hash than the commitment's; `alone`: there is no commitment. */
  readonly why: 'signature' | 'hash' | 'alone';
  /** Last sequence number before it under a head over the commitment's own hash; -1: none. */
  readonly after: number;
}

/** What the first record of a writer says of the one before, and the log does not hold. */
export interface Unfollowed extends Followed {
  readonly by: string;
  /** A commitment is there, of another hash. */
  readonly isThere: boolean;
}

export interface ChainResult {
  readonly commitments: number;
  readonly heads: number;
  readonly writers: ReadonlyMap<string, WriterEnd>;
  /** Segments that have to be looked at, as `segmentName`. */
  readonly odd: ReadonlySet<string>;
  readonly badHeads: readonly BadHead[];
  readonly unfollowed: readonly Unfollowed[];
  /** Commitments without a record. */
  readonly missing: number;
}

export interface ChainOptions {
  readonly tally: Tally;
  readonly sealed: ReadonlyMap<string, SealedWriter>;
  readonly signatures: HeadSignatures;
  /** By the writer that says so in its first record. */
  readonly follows: ReadonlyMap<string, Followed>;
  /** Only the last head of each writer is verified. */
  readonly lastHeadsOnly: boolean;
  /** Whether the record of a commitment may be missing. */
  readonly mayMiss: (writer: string, seq: number) => boolean;
  readonly onCommitments: (count: number) => void;
}

const MOST_BAD = 1_000;
const HASH_BYTES = 32;

/** The writer whose commitments are read, and the folds of the segment among them. */
interface Running {
  readonly writer: string;
  readonly end: WriterEnd;
  readonly records: WriterTally | null;
  readonly sealed: SealedWriter | undefined;
  readonly followed: readonly (readonly [by: string, Followed])[];
  segment: number;
  /** Of places that have a record, and of those that have a leaf. */
  withRecord: Fold;
  withLeaf: Fold;
  readonly last: Uint8Array;
  /** Under a head over the same hash. */
  agreed: number;
  lastHead: { readonly seq: number; readonly head: HeadRow; readonly isSame: boolean } | null;
}

export async function passChains(source: LogSource, options: ChainOptions): Promise<ChainResult> {
  const { tally, sealed, signatures, lastHeadsOnly } = options;
  const writers = new Map<string, WriterEnd>();
  const odd = new Set<string>();
  const visited = new Set<string>();
  const badHeads: BadHead[] = [];
  const unfollowed: Unfollowed[] = [];
  const followed = Map.groupBy(options.follows, ([, { writer }]) => writer);
  const count = { commitments: 0, heads: 0, missing: 0 };
  const empty = createFold().digest();
  let running: Running | null = null;

  function verifyHead(writer: string, seq: number, head: HeadRow, isSame: boolean | null, end: WriterEnd) {
    const after = running?.writer === writer ? running.agreed : -1;
    if (running?.writer === writer && isSame === true) running.agreed = seq;
    return signatures.check(writer, seq, head, (holds) => {
      const why = holds === false ? 'signature' : isSame === null ? 'alone' : 'hash';
      // Of a writer of whom there is nothing else nobody could tell whether it holds: it is still a head without a commitment.
      if (holds === null && !(isSame === null && end.committed === 0)) end.isUnknown = true;
      else if (holds && isSame === true) end.signed = Math.max(end.signed, seq);
      else if (badHeads.length < MOST_BAD) badHeads.push({ writer, seq, why, after });
    });
  }

  function finishSegment({ writer, segment, records, sealed: own, withRecord, withLeaf }: Running): void {
    const name = segmentName(writer, segment * SEGMENT);
    visited.add(name);
    const ofRecords = records?.folds.get(segment)?.digest() ?? empty;
    const ofLeaves = own?.folds.get(segment)?.digest() ?? empty;
    if (withRecord.digest() !== ofRecords || withLeaf.digest() !== ofLeaves) odd.add(name);
  }

  async function finishWriter(): Promise<void> {
    if (running === null) return;
    finishSegment(running);
    const { writer, end, lastHead } = running;
    if (lastHead !== null) await verifyHead(writer, lastHead.seq, lastHead.head, lastHead.isSame, end);
  }

  function begin(writer: string): Running {
    const end = unknownEnd();
    writers.set(writer, end);
    const folds = { segment: 0, withRecord: createFold(), withLeaf: createFold() };
    const last = new Uint8Array(HASH_BYTES);
    return {
      writer,
      end,
      records: tally.of(writer),
      sealed: sealed.get(writer),
      followed: followed.get(writer) ?? [],
      ...folds,
      last,
      agreed: -1,
      lastHead: null,
    };
  }

  /** Everything about a commitment that needs no waiting. */
  function take(row: CommitmentRows, of: Running): void {
    const { writer, seq, block, hashAt } = row;
    const segment = Math.floor(seq / SEGMENT);
    if (segment !== of.segment) {
      finishSegment(of);
      Object.assign(of, { segment, withRecord: createFold(), withLeaf: createFold() });
    }
    if (seq !== of.end.committed) odd.add(segmentName(writer, seq)).add(segmentName(writer, of.end.committed));
    of.end.committed = seq + 1;
    if (of.records?.has(seq) === true) {
      of.withRecord.add(block, hashAt);
      const named = of.records.prevAfterHole(seq);
      if (named !== null && !isSameHash(named, 0, of.last, 0)) odd.add(segmentName(writer, seq));
    } else {
      count.missing++;
      if (!options.mayMiss(writer, seq)) odd.add(segmentName(writer, seq));
    }
    if (seq < (of.sealed?.sealed ?? 0)) of.withLeaf.add(block, hashAt);
    for (const [by, follows] of of.followed) {
      if (follows.seq !== seq || follows.hash === block.toString('hex', hashAt, hashAt + HASH_BYTES)) continue;
      unfollowed.push({ ...follows, by, isThere: true });
    }
    for (let index = 0; index < HASH_BYTES; index++) of.last[index] = block[hashAt + index] ?? 0;
  }

  for await (const rows of source.commitments()) {
    const before = count.commitments;
    while (rows.next()) {
      const { writer, seq, head } = rows;
      if (head !== null) count.heads++;
      if (rows.hashAt < 0) {
        const end = running?.writer === writer ? running.end : writers.get(writer);
        const isOther = end !== undefined && seq < end.committed;
        if (isOther) odd.add(segmentName(writer, seq));
        if (head !== null) await verifyHead(writer, seq, head, isOther ? false : null, end ?? unknownEnd());
        continue;
      }
      count.commitments++;
      if (running?.writer !== writer) {
        await finishWriter();
        running = begin(writer);
      }
      take(rows, running);
      if (head === null) continue;
      const isSame = isSameHash(head.hash, 0, rows.block, rows.hashAt);
      if (!isSame) odd.add(segmentName(writer, seq));
      if (lastHeadsOnly) running.lastHead = { seq, head, isSame };
      else await verifyHead(writer, seq, head, isSame, running.end);
    }
    options.onCommitments(count.commitments - before);
  }
  await finishWriter();
  await signatures.drain();
  for (const name of notVisited(tally, sealed, visited)) odd.add(name);
  for (const [by, follows] of options.follows) {
    if (follows.seq >= (writers.get(follows.writer)?.committed ?? 0))
      unfollowed.push({ ...follows, by, isThere: false });
  }
  return { ...count, writers, odd: odd.union(tally.odd), badHeads, unfollowed };
}

function unknownEnd(): WriterEnd {
  return { committed: 0, signed: -1, isUnknown: false };
}

/** Segments of records and leaves for which there is no commitment at all. */
function* notVisited(
  tally: Tally,
  sealed: ReadonlyMap<string, SealedWriter>,
  visited: ReadonlySet<string>,
): Iterable<string> {
  for (const list of [tally.writers, sealed]) {
    for (const [writer, { folds }] of list) {
      for (const segment of folds.keys()) {
        const name = segmentName(writer, segment * SEGMENT);
        if (!visited.has(name)) yield name;
      }
    }
  }
}
