// The batch in flight: sealed, sent or about to be, and immutable from then on. It must never stand for two batches.
import { batchQueries } from './batch-statement.ts';
import type { Attempt } from './commit.ts';
import type { Settled } from './settlement.ts';
import type { Unit } from './unit.ts';

export interface Flight extends Settled {
  readonly attempt: Attempt;
  readonly tries: number;
  readonly isMended: boolean;
  /** How many of the journal's batches it is; 0: it is not in the journal. */
  readonly journaled: number;
}

/** What the journal holds may be in the database already. */
export function flightOf(made: Settled, journaled = 0): Flight {
  const { batch } = made;
  const attempt = { batch, queries: batchQueries(batch), again: journaled > 0 };
  return { ...made, attempt, tries: 0, isMended: false, journaled };
}

/** To be sent again: what is there already stays. */
export function again(flight: Flight): Flight {
  return { ...flight, tries: flight.tries + 1, attempt: { ...flight.attempt, again: true } };
}

/** Entries of a batch whose requesters wait for it, and of others that wait for the journal. */
export function entriesInFlight(flight: Flight | null, others: readonly Unit[]): number {
  const sent = flight === null || flight.journaled > 0 ? 0 : flight.batch.records.length;
  return others.reduce((sum, unit) => sum + unit.entries.length, sent);
}
