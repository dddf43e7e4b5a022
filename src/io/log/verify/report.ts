// What a verification tells in the end. It must never call a log intact of which something was found, nor hide what could not be looked at.
import type { Finding } from '../../../core/verification/finding.ts';
import type { SourceBroken } from './source.ts';

export interface VerifyReport {
  readonly verdict: 'intact' | 'broken';
  /** The first in the order of the tree; null: nothing was found. */
  readonly first: Finding | null;
  /** At most a hundred, the first among them. */
  readonly findings: readonly Finding[];
  /** Findings that are not listed; a lower bound where stretches were not looked at one by one. */
  readonly more: number;
  readonly counts: {
    readonly records: number;
    readonly commitments: number;
    readonly leaves: number;
    readonly writers: number;
    readonly heads: number;
    /** Commitments whose records are gone, as sealed purge records say. */
    readonly purged: number;
    /** Commitments without a place in the tree yet. */
    readonly unsealed: number;
    /** Leaves under a signed checkpoint that was found to fit. */
    readonly proven: number;
    readonly published: number;
    readonly ownCheckpoints: number;
    readonly policySets: number;
  };
  /** What was not looked at, and why; what is no tampering and should be known. */
  readonly notes: readonly string[];
}

export const MOST_LISTED = 100;

/** Of an export that could not be read to its end: nothing else can be said about it. */
export function reportOfBroken({ message, isCut }: SourceBroken): VerifyReport {
  const first: Finding = {
    kind: isCut ? 'cut_tail' : 'edit',
    thing: 'export',
    place: null,
    leaf: null,
    id: null,
    detail: message,
  };
  const counts = {
    records: 0,
    commitments: 0,
    leaves: 0,
    writers: 0,
    heads: 0,
    purged: 0,
    unsealed: 0,
    proven: 0,
    published: 0,
    ownCheckpoints: 0,
    policySets: 0,
  };
  return { verdict: 'broken', first, findings: [first], more: 0, counts, notes: [] };
}
