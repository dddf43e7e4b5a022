// What a verification reads, whether it comes from the database or from an export. It must never hold behaviour.
import type { Hash } from '../../../core/sealing/tree.ts';
import type { LeafFact } from '../../../core/verification/examine.ts';
import type { BlockFormat, Span } from './record-threads.ts';

export interface LeafRow {
  readonly index: number;
  readonly writer: string;
  readonly seq: number;
  readonly hash: Buffer;
}

export interface HeadRow {
  /** What was signed. */
  readonly hash: Buffer;
  readonly signature: Buffer;
}

/** Null: there is a head for this place, and nothing else. */
export interface CommitmentRow {
  readonly writer: string;
  readonly seq: number;
  readonly hash: Buffer | null;
  readonly head: HeadRow | null;
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

export type GiveBlock = (format: BlockFormat, block: Buffer<ArrayBuffer>) => Promise<void>;

/**
 * The three lists are read in this order: records, leaves, commitments; what is read again of spans comes after them.
 * @throws SourceBroken for a file that is no whole export
 */
export interface LogSource {
  /** Every record that has not been purged is there; false for what only one reader may see. */
  readonly isComplete: boolean;
  /** Of records and leaves together, about; what is read counts up to it. */
  readonly amount: number;
  /** In any order. */
  records(give: GiveBlock, only: readonly Span[] | null): Promise<void>;
  /** In the order of the tree. */
  leaves(): AsyncIterable<readonly LeafRow[]>;
  /** By writer and sequence. */
  commitments(): AsyncIterable<readonly CommitmentRow[]>;
  around(spans: readonly Span[]): Promise<readonly Around[]>;
  /** What only a database has; null for an export. */
  readonly own: {
    /** By size. */
    checkpoints(): AsyncIterable<readonly OwnCheckpoint[]>;
    nodes(): AsyncIterable<readonly OwnNode[]>;
    policyFiles(): AsyncIterable<readonly PolicyFileRow[]>;
    policySets(): AsyncIterable<readonly PolicySetRow[]>;
  } | null;
  close(): Promise<void>;
}

/** The export is no whole one: it was cut off, or a line of it was changed. */
export class SourceBroken extends Error {}

/** A sequence of roots that is compared with the tree as it grows. */
export interface KnownRoot {
  readonly size: number;
  readonly root: Hash;
}
