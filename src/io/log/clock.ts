// The one clock of the service, and how far it is off the database's. It must never go back while a writer is open, and nothing
// may be answered by a clock that is far off.

export interface Clock {
  /** Milliseconds since 1970. Follows the system's clock; while that is behind what was given out already, time stands still. */
  now(): number;
}

export type ClockVerdict = 'fine' | 'degraded' | 'blocked';

export interface RecorderClock extends Clock {
  /** What the system's clock says, even if it went back. */
  wall(): number;
  /** Takes in the database's time, read between two readings of `wall`. */
  compare(database: number, before: number, after: number): void;
  verdict(): ClockVerdict;
  /** Milliseconds ahead (positive) or behind the database, of the worse of the system's clock and `now`. */
  skew(): number;
  /**
   * The last comparison found the system's clock right, but either it was far off before or `now` has run ahead of it: time for
   * a new writer.
   */
  isCorrected(): boolean;
  /** Begins anew at the system's time, for a new writer. */
  restart(): void;
}

export interface ClockLimits {
  readonly degradedMs: number;
  readonly blockedMs: number;
}

export function createClock(wall: () => number, limits: ClockLimits): RecorderClock {
  let latest = Number.NEGATIVE_INFINITY;
  let wallSkew = 0;
  let isBlocked = false;
  let isCorrected = false;

  const now = (): number => {
    const time = Math.floor(wall());
    if (time > latest) latest = time;
    return latest;
  };
  /** By how much time given out is ahead of the system's clock, which must have gone back then. */
  const lead = (): number => now() - Math.floor(wall());
  const skew = (): number => {
    const own = wallSkew + lead();
    return Math.abs(own) > Math.abs(wallSkew) ? own : wallSkew;
  };

  return {
    now,
    wall,
    compare: (database, before, after) => {
      // The database's reading lies between ours, so only what is outside of them is skew, however long the answer took.
      // If the system's clock went back between them, the later reading counts.
      if (database > after || before > after) wallSkew = after - database;
      else wallSkew = Math.max(0, before - database);
      const limit = isBlocked ? limits.blockedMs : limits.degradedMs;
      isCorrected = Math.abs(wallSkew) <= limit && (isBlocked || lead() > limits.degradedMs);
    },
    verdict: () => {
      const off = Math.abs(skew());
      // Until a new writer opens, also if the clock has come right by itself.
      if (off > limits.blockedMs) isBlocked = true;
      return isBlocked ? 'blocked' : off > limits.degradedMs ? 'degraded' : 'fine';
    },
    skew,
    isCorrected: () => isCorrected,
    restart: () => {
      latest = Number.NEGATIVE_INFINITY;
      isBlocked = false;
      isCorrected = false;
    },
  };
}
