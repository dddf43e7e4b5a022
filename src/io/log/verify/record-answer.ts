// What is asked of blocks of records and of checkpoints, and what is found in them, in shapes that pass from thread to thread. It must never
// hold behaviour.
import type { PurgedRange } from '../../../core/record/purged.ts';
import type { RecordFact } from '../../../core/verification/examine.ts';
import type { Place } from '../../../core/verification/finding.ts';

/** Places `[from, until)` of a writer. */
export interface Span {
  readonly writer: string;
  readonly from: number;
  readonly until: number;
}

/** `copy`: rows of PostgreSQL's COPY; `lines`: lines of a verification export. */
export type BlockFormat = 'copy' | 'lines';

export interface RecordsJob {
  readonly format: BlockFormat;
  readonly block: ArrayBuffer;
  readonly length: number;
  /** Facts about every record in these spans, and nothing else; null for all records without facts. */
  readonly only: readonly Span[] | null;
}

export interface Opening extends Place {
  /** What the record says of the writer's key, not looked at yet. */
  readonly key: unknown;
  /** The head of the writer before, which that one knew to be committed. */
  readonly follows: Followed | null;
}

/** A place of another writer, with what was committed there. */
export interface Followed extends Place {
  /** Lower-case hex. */
  readonly hash: string;
}

export interface Purge extends Place {
  readonly ranges: readonly PurgedRange[];
}

export interface PlacedFact extends Place {
  readonly fact: RecordFact;
}

export interface RecordsAnswer {
  /** To be used again. */
  readonly block: ArrayBuffer;
  count: number;
  readonly writers: readonly string[];
  readonly writerOf: Uint32Array<ArrayBuffer>;
  readonly seqs: Float64Array<ArrayBuffer>;
  readonly times: Float64Array<ArrayBuffer>;
  /** 32 bytes for each record. */
  readonly hashes: Uint8Array<ArrayBuffer>;
  /** Of the record before, as each names it; zeros where it names none. */
  readonly prevs: Uint8Array<ArrayBuffer>;
  /** Records about which something is wrong on its own. */
  readonly odd: Place[];
  readonly openings: Opening[];
  /** First records of writers that do not open them. */
  readonly notOpenings: Place[];
  readonly purges: Purge[];
  readonly revisions: readonly string[];
  readonly facts: PlacedFact[];
  /** What is wrong with a line; null: nothing. */
  broken: string | null;
}

/** Signed checkpoints. */
export interface NotesJob {
  readonly notes: readonly string[];
  /** Verifier keys, as `writeVerifier` writes them: a key itself is at home in one thread. */
  readonly keys: readonly string[];
}

/** Of each note what it says. */
export interface NotesAnswer {
  /** -1 where none of the keys has signed it, or it is no checkpoint. */
  readonly sizes: readonly number[];
  /** 32 bytes for each. */
  readonly roots: Uint8Array<ArrayBuffer>;
}
