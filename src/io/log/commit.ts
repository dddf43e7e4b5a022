// In charge of sending a batch and of finding out what became of it. It must never call a batch committed that is not there whole,
// nor rolled back while an earlier attempt may still be committed.
import {
  type BatchQueries,
  type BatchRow,
  followsHead,
  judgeRow,
  judgeStored,
  lookUpQuery,
} from './batch-statement.ts';
import type { RecorderClock } from './clock.ts';
import { type Failure, judgeFailure } from './failure.ts';
import type { Session } from './session.ts';
import type { SealedBatch } from './writer-chain.ts';

/** A batch on its way. */
export interface Attempt {
  readonly batch: SealedBatch;
  readonly queries: BatchQueries;
  /** The fate of an earlier attempt is unknown: the same rows go out again, and what is there stays. */
  readonly again: boolean;
}

/**
 * - `committed`;
 * - `not_durable`: committed, by a server that does not fsync any more: nobody may act on it;
 * - `rolled_back`: it is certain that nothing of it is there;
 * - `unknown`: the connection is no good any more;
 * - `undecided`: this attempt was rolled back, but an earlier one may have been committed; the connection is good;
 * - `head_lost`, `chain_conflict`: alarms; the chain cannot go on.
 */
export type Outcome =
  | { readonly fate: 'committed' | 'not_durable' | 'head_lost' | 'chain_conflict' }
  | { readonly fate: 'rolled_back' | 'unknown' | 'undecided'; readonly failure: Failure };

export async function sendBatch(
  session: Session,
  attempt: Attempt,
  clock: RecorderClock,
  timeoutMs: number,
): Promise<Outcome> {
  const { batch, queries, again } = attempt;
  const before = clock.wall();
  try {
    const { rows } = await session.query<BatchRow>(again ? queries.writeAgain : queries.write, timeoutMs);
    const row = rows[0];
    if (row === undefined) return { fate: 'chain_conflict' };
    clock.compare(row.now, before, clock.wall());
    const written = judgeRow(batch, row);
    const committed = row.fsync === 'on' ? 'committed' : 'not_durable';
    if (written === 'written') return { fate: followsHead(batch, row) ? committed : 'head_lost' };
    // Batches put together may have been committed one by one before: then the rest of them has just been added.
    const mayBePart = batch.earlierHeads !== undefined;
    if (!again || (written === 'partly' && !mayBePart)) return { fate: 'chain_conflict' };
    return { fate: (await lookUp(session, batch, timeoutMs)) === 'same' ? committed : 'chain_conflict' };
  } catch (error) {
    return judgeError(session, attempt, judgeFailure(error), timeoutMs);
  }
}

async function judgeError(session: Session, attempt: Attempt, failure: Failure, timeoutMs: number): Promise<Outcome> {
  if (failure.fate === 'unknown') return { fate: 'unknown', failure };
  try {
    // A session that answers after the error was not ended by it: the statement's transaction is rolled back.
    const stored = await lookUp(session, attempt.batch, timeoutMs);
    if (stored === 'same') return { fate: 'committed' };
    if (stored === 'other' || failure.fate === 'taken') return { fate: 'chain_conflict' };
    const isCertain = !attempt.again || session.ghosts.length === 0;
    return { fate: isCertain ? 'rolled_back' : 'undecided', failure };
  } catch (error) {
    const second = judgeFailure(error);
    if (second.fate === 'unknown') return { fate: 'unknown', failure: second };
    // It answers, although not with what was asked.
    return { fate: attempt.again ? 'undecided' : 'rolled_back', failure };
  }
}

async function lookUp(session: Session, batch: SealedBatch, timeoutMs: number): Promise<'same' | 'absent' | 'other'> {
  const { rows } = await session.query<Parameters<typeof judgeStored>[1][number]>(lookUpQuery(batch), timeoutMs);
  return judgeStored(batch, rows);
}
