// The lane of refused tokens: bounded, and counted instead of listed beyond a rate. It must never wait, throw, or crowd out decisions.
import { uuidv7 } from '../../core/record/uuid.ts';
import { NO_COLUMNS, type RecordEntry } from '../../model/record.ts';

export interface RefusedLimits {
  /** Entries of their own, on average and at once; what exceeds both is counted. */
  readonly perSecond: number;
  readonly burst: number;
  /** Waiting to be committed. */
  readonly maxWaiting: number;
  /** Different pairs of reason and issuer that are counted apart. */
  readonly maxCounters: number;
  /** How long is counted before the count is recorded. */
  readonly countMs: number;
}

export interface RefusedLane {
  add(entry: RecordEntry): void;
  /** What is to be recorded next, at most so many, none of a time after `notAfter`; counts when they are due or asked for. */
  take(limit: number, allCounts: boolean, notAfter?: number): RecordEntry[];
  waiting(): number;
  isCounting(): boolean;
  /** Refusals that were counted instead of listed, since the start. */
  counted(): number;
}

interface Counter {
  readonly reason: string;
  readonly issuer: string | null;
  readonly firstAt: number;
  lastAt: number;
  count: number;
}

const OTHER_REASON = 'other';
const MAX_TEXT = 256;

/** `now` is the service's clock: milliseconds since 1970. */
export function createRefusedLane(now: () => number, limits: RefusedLimits): RefusedLane {
  let waiting: RecordEntry[] = [];
  let counters = new Map<string, Counter>();
  let counted = 0;
  let countingSince = 0;
  let tokens = limits.burst;
  let filledAt = now();

  /** A token bucket. */
  function mayList(): boolean {
    const time = now();
    tokens = Math.min(limits.burst, tokens + (Math.max(0, time - filledAt) / 1000) * limits.perSecond);
    filledAt = time;
    if (tokens < 1 || waiting.length >= limits.maxWaiting) return false;
    tokens -= 1;
    return true;
  }

  function count(entry: RecordEntry): void {
    counted++;
    if (counters.size === 0) countingSince = now();
    let reason = textOf(entry.body['reason']) ?? OTHER_REASON;
    let issuer = textOf(entry.body['issuer']);
    let key = `${reason}\n${issuer ?? ''}`;
    if (!counters.has(key) && counters.size >= limits.maxCounters) {
      // Whoever makes up issuers must not make up memory.
      [reason, issuer, key] = [OTHER_REASON, null, OTHER_REASON];
    }
    const counter = counters.get(key);
    if (counter === undefined) counters.set(key, { reason, issuer, firstAt: entry.at, lastAt: entry.at, count: 1 });
    else {
      counter.count++;
      counter.lastAt = Math.max(counter.lastAt, entry.at);
    }
  }

  function takeCounts(): void {
    const at = now();
    for (const { reason, issuer, firstAt, lastAt, count } of counters.values()) {
      const times = { first_at: new Date(firstAt).toISOString(), last_at: new Date(lastAt).toISOString() };
      waiting.push({
        kind: 'refused',
        id: uuidv7(at),
        at,
        body: { count, ...times, issuer, reason },
        columns: NO_COLUMNS,
      });
    }
    counters = new Map();
  }

  /** What was stamped before the clock was set back would pull the time of the next writer ahead, and its decisions with it. */
  function restamp(): void {
    const at = now();
    if (!waiting.some((entry) => entry.at > at)) return;
    waiting = waiting.map((entry) => (entry.at > at ? { ...entry, id: uuidv7(at), at } : entry));
  }

  return {
    add: (entry) => {
      if (mayList()) waiting.push(entry);
      else count(entry);
    },
    take: (limit, allCounts, notAfter = Number.POSITIVE_INFINITY) => {
      restamp();
      const isDue = counters.size > 0 && (allCounts || Math.abs(now() - countingSince) >= limits.countMs);
      if (isDue && now() <= notAfter) takeCounts();
      const later = waiting.findIndex((entry) => entry.at > notAfter);
      const count = Math.min(limit, later < 0 ? waiting.length : later);
      const taken = waiting.slice(0, count);
      waiting = waiting.slice(count);
      return taken;
    },
    waiting: () => waiting.length + counters.size,
    isCounting: () => counters.size > 0,
    counted: () => counted,
  };
}

/** Only what can be recorded: the issuer of a refused token is whatever somebody wrote into it. */
function textOf(value: unknown): string | null {
  const isUsable = typeof value === 'string' && value !== '' && value.length <= MAX_TEXT;
  return isUsable && value.isWellFormed() && !value.includes('\u0000') ? value : null;
}
