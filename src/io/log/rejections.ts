// In charge of telling requesters that there is no record, hence no answer, and of counting them. It must never tell one twice, nor why in more words than the public table has.
import { PrivityError } from '../../model/errors.ts';
import type { Counters, RejectionCause } from './events.ts';
import type { Supply } from './supply.ts';
import { isPatient, type Unit } from './unit.ts';

export interface Rejections {
  /** For a call that was not even accepted. */
  refuse(cause: RejectionCause, entries: number, error?: unknown): PrivityError;
  /** The calls that wait in the supply; with `now` those that are due. */
  rejectWaiting(cause: RejectionCause, now?: number): void;
  /** The calls among the units; with `now` those that are due. */
  rejectCalls(units: readonly Unit[], cause: RejectionCause, now?: number): void;
  /** Also what nobody waits for: it is lost. */
  rejectAll(units: readonly Unit[], cause: RejectionCause): void;
}

const RETRY_AFTER_SECONDS: Readonly<Record<RejectionCause, number>> = {
  unrecordable: 1,
  queue_full: 1,
  deadline: 1,
  database_unreachable: 2,
  database_refuses: 5,
  poison: 1,
  clock_skew: 5,
  writer_lost: 1,
  spool_full: 5,
  spool_failed: 5,
  spool_blocked: 5,
  closing: 1,
  failed: 5,
};

export function createRejections(supply: Supply, counters: Counters): Rejections {
  function rejectCalls(units: readonly Unit[], cause: RejectionCause, now = Number.POSITIVE_INFINITY): void {
    for (const unit of units) {
      if (isPatient(unit) || unit.isSettled() || unit.deadline > now) continue;
      unit.reject(errorOf(cause));
      counters.rejected[cause] += unit.entries.length;
    }
  }

  return {
    refuse: (cause, entries, error) => {
      counters.rejected[cause] += entries;
      return errorOf(cause, error);
    },
    rejectWaiting: (cause, now) => {
      counters.rejected[cause] += supply.reject(errorOf(cause), now);
    },
    rejectCalls,
    rejectAll: (units, cause) => {
      rejectCalls(units, cause);
      for (const unit of units) if (isPatient(unit)) unit.reject(errorOf(cause));
    },
  };
}

function errorOf(cause: RejectionCause, error?: unknown): PrivityError {
  const retryAfterSeconds = RETRY_AFTER_SECONDS[cause];
  if (cause === 'closing') return new PrivityError('shutting_down', { retryAfterSeconds, internal: cause });
  return new PrivityError(cause === 'queue_full' ? 'overloaded' : 'cannot_record', {
    retryAfterSeconds,
    internal: cause,
    ...(error === undefined ? {} : { cause: error }),
  });
}
