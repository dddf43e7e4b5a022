// Puts batches of one writer that follow each other together, so that a database that is back takes many with one commit. It must
// never change a record or leave out a signed head.
import type { SealedBatch } from '../writer-chain.ts';

export function mergeBatches(batches: readonly SealedBatch[]): SealedBatch {
  const [first, ...others] = batches;
  if (first === undefined) throw new RangeError('there is no batch to send');
  let last = first;
  for (const next of others) {
    const follows = next.writer === last.writer && next.previous?.hash.equals(last.head.hash) === true;
    if (!follows) throw new Error('a batch of the journal does not follow the one before it');
    last = next;
  }
  if (others.length === 0) return first;
  return {
    ...last,
    records: batches.flatMap((batch) => batch.records),
    previous: first.previous,
    earlierHeads: batches.slice(0, -1).map(({ head, signature }) => ({ ...head, signature })),
  };
}
