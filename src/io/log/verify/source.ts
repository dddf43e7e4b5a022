// What a verification reads, whether it comes from the database or from an export. It must never hold behaviour.
import type { Hash } from '../../../core/sealing/tree.ts';
import type { LeafFact } from '../../../core/verification/examine.ts';
import type { BlockFormat, Span } from './record-answer.ts';

/** Goes through many rows without making something for each: what it shows is the row that `next` went to. */
export interface LeafRows {
  next(): boolean;
  readonly index: number;
  readonly writer: string;
  readonly seq: number;
  /** The hash is the 32 bytes at `hashAt`. */
  readonly block: Buffer;
  readonly hashAt: number;
}

export interface CommitmentRows {
  next(): boolean;
  readonly writer: string;
  readonly seq: number;
  readonly block: Buffer;
  /** -1: there is a head for this place, and nothing else. */
  readonly hashAt: number;
  readonly head: HeadRow | null;
}

export interface HeadRow {
  /** What was signed. */
  readonly hash: Buffer;
  readonly signature: Buffer;
}

/** A checkpoint that the database keeps. */
export interface OwnCheckpoint {
  readonly size: number;
  readonly root: Buffer;
  readonly note: string;
}

export interface OwnNode {
  readonly level: number;
  readonly index: number;
  readonly hash: Buffer;
}

/** Commitments and leaves of a span, and one place before and after it. */
export interface Around {
  readonly commitments: ReadonlyMap<number, string>;
  readonly leaves: ReadonlyMap<number, readonly LeafFact[]>;
}

export interface PolicyFileRow {
  readonly hash: Buffer;
  /** As kept, compressed. */
  readonly content: Buffer;
}

export interface PolicySetRow {
  readonly revision: string;
  readonly manifest: Readonly<Record<string, unknown>>;
}

/** To be handed over to a thread. */
export interface RecordBlock {
  readonly format: BlockFormat;
  readonly block: Buffer<ArrayBuffer>;
}

/**
 * The three lists are read in this order: records, leaves (or both at once), commitments; what is read again of spans comes after them.
 * @throws SourceBroken for a file that is no whole export
 */
export interface LogSource {
  /** Every record that has not been purged is there; false for what only one reader may see. */
  readonly isComplete: boolean;
  /** Name of the log, where the source says it. */
  readonly origin: string | null;
  /** Records, about. */
  readonly amount: number;
  /** Leaves can be read while records are. */
  readonly isReadAtOnce: boolean;
  /** In any order; with `only` at least those of the spans. */
  records(only: readonly Span[] | null): AsyncIterable<RecordBlock>;
  /** Gives back the memory of a block that was gone through. */
  reuse(block: ArrayBuffer): void;
  /** In the order of the tree. */
  leaves(): AsyncIterable<LeafRows>;
  /** By writer and sequence. */
  commitments(): AsyncIterable<CommitmentRows>;
  around(spans: readonly Span[]): Promise<readonly Around[]>;
  /** What only a database has; null for an export. */
  readonly own: {
    /** By size. */
    checkpoints(): AsyncIterable<readonly OwnCheckpoint[]>;
    nodes(): AsyncIterable<readonly OwnNode[]>;
    policyFiles(): AsyncIterable<readonly PolicyFileRow[]>;
    /** Those with these hashes, lower-case hex, once more. */
    policyParts(names: readonly string[]): AsyncIterable<readonly PolicyFileRow[]>;
    policySets(): AsyncIterable<readonly PolicySetRow[]>;
  } | null;
  close(): Promise<void>;
}

/** The export is no whole one: it was cut off, or something in it was changed. */
export class SourceBroken extends Error {
  readonly isCut: boolean;

  constructor(message: string, isCut = false) {
    super(message);
    this.name = 'SourceBroken';
    this.isCut = isCut;
  }
}

/** A sequence of roots that is compared with the tree as it grows. */
export interface KnownRoot {
  readonly size: number;
  readonly root: Hash;
}
