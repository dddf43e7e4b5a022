// What a replay reads: records as bytes, block by block, from wherever they are kept. It must never hold behaviour.
import type { ReplayRange } from '../../../src/cli/audit/replay-range.ts';
import type { RecordKind } from '../../../src/model/record.ts';

/** Records of which a replay says something; all others decide nothing. */
export const REPLAYED_KINDS: readonly RecordKind[] = ['decision', 'read', 'approval', 'search', 'filter'];

export type RecordQuery = ReplayRange;

/** The record that `next` went to stands at `[from, to)` of the block. */
export interface RecordBlock {
  readonly block: Buffer;
  readonly from: number;
  readonly to: number;
  next(): boolean;
  /** Nothing of it is looked at any more. */
  release(): void;
}

export interface RecordSource {
  /** In words, such as `the database`. */
  readonly name: string;
  /** About how many there are; null where that cannot be told. */
  readonly expected: number | null;
  /** Share that was read, where how many there are cannot be told; otherwise null. */
  readonly share: () => number | null;
  /** Records whose payload was purged since, at most: those are in no block. */
  readonly purged: number;
  /** In no order. Whether a record is of the range is told by whoever reads it, where the source does not. */
  blocks(): AsyncIterable<RecordBlock>;
  /** Null: the blocks hold what was asked for and nothing else. */
  readonly filter: RecordQuery | null;
  close(): Promise<void>;
}
