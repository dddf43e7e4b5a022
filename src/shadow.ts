// A dry run: decides again, under a second set and after the answer, what was decided, and records where it would have answered otherwise. It
// must never answer, hold up an answer, fail one, or take more of the process than its share.
import type { Logger } from 'pino';
import { decideInShadow, type Shadowed } from './core/shadow.ts';
import type { PolicySet } from './core/policy-set.ts';
import type { DecisionEvent } from './core/record/decision-record.ts';
import { shadowEntry, type LeftOut } from './core/record/shadow-record.ts';
import { uuidv7 } from './core/record/uuid.ts';
import type { RecordEntry } from './model/record.ts';

export interface ShadowDeps {
  /** The shadow set; null while there is none. */
  readonly current: () => PolicySet | null;
  readonly recorder: { append(entries: readonly RecordEntry[]): Promise<unknown> };
  readonly clock: { now(): number };
  readonly log: Pick<Logger, 'warn'>;
  readonly limits?: Partial<ShadowLimits>;
}

export interface ShadowLimits {
  /** Decisions that may wait to be judged. */
  readonly queue: number;
  /** Milliseconds of judging at a time; afterwards others have three times as long. */
  readonly sliceMs: number;
  /** Differences that get a record of their own: so many a second, and so many at once. */
  readonly perSecond: number;
  readonly burst: number;
  /** Between two lots of records: when one is written does not tell which request it is about. */
  readonly lotMs: number;
}

export interface ShadowCounters {
  /** Decided under the shadow set. How many of them differ is in the log, for those who may read it. */
  readonly judged: number;
  /** There was no shadow set, or it failed. */
  readonly notJudged: number;
  /** Came faster than they could be judged. */
  readonly dropped: number;
}

export interface Shadow {
  /** Takes what has been decided, committed and is being answered. Never waits, never throws. */
  offer(liveRevision: string, decided: readonly DecisionEvent[]): void;
  counters(): ShadowCounters;
  /** What waits is given up, what is being recorded is waited for. */
  close(): Promise<void>;
}

const LIMITS: ShadowLimits = { queue: 4_000, sliceMs: 2, perSecond: 20, burst: 200, lotMs: 5_000 };
const OTHERS_SHARE = 3;
const SECOND = 1_000;

interface Difference {
  readonly entry: RecordEntry;
  readonly direction: keyof LeftOut;
  readonly leftOut: LeftOut;
}

interface Waiting {
  readonly live: DecisionEvent;
  readonly liveRevision: string;
}

export function createShadow(deps: ShadowDeps): Shadow {
  const { queue: most, sliceMs, perSecond, burst, lotMs } = { ...LIMITS, ...deps.limits };
  let queue: Waiting[] = [];
  let next = 0;
  let timer: NodeJS.Timeout | null = null;
  let lotTimer: NodeJS.Timeout | null = null;
  let recording: Promise<void> = Promise.resolve();
  let lot: Difference[] = [];
  let leftOut = { newly_allowed: 0, newly_denied: 0 };
  let allowance = burst;
  let allowedAt = performance.now();
  let isClosed = false;
  let lastFailure = '';
  const counters = { judged: 0, notJudged: 0, dropped: 0 };

  function schedule(ms: number): void {
    timer ??= setTimeout(work, ms).unref();
  }

  function work(): void {
    timer = null;
    const began = performance.now();
    for (let one = queue[next]; one !== undefined; one = queue[next]) {
      next += 1;
      judge(one);
      if (performance.now() - began >= sliceMs) break;
    }
    // What was judged is let go of, also while there is always more.
    queue = queue.slice(next);
    next = 0;
    if (queue.length > 0) schedule((performance.now() - began) * OTHERS_SHARE);
  }

  function judge({ live, liveRevision }: Waiting): void {
    const set = deps.current();
    if (set === null) {
      counters.notJudged += 1;
      return;
    }
    try {
      const shadowed = decideInShadow(set, live);
      if (shadowed.difference !== null) note(set, live, liveRevision, shadowed, shadowed.difference);
      counters.judged += 1;
    } catch (error) {
      counters.notJudged += 1;
      tell('the shadow set failed', error);
    }
  }

  function note(
    set: PolicySet,
    live: DecisionEvent,
    liveRevision: string,
    { decision, fields }: Shadowed,
    direction: keyof LeftOut,
  ): void {
    if (!mayRecord()) {
      leftOut[direction] += 1;
    } else {
      const at = deps.clock.now();
      const event = { id: uuidv7(at), at, live, liveRevision, decision, fields, direction, leftOut };
      lot.push({ entry: shadowEntry(set, event), direction, leftOut });
      leftOut = { newly_allowed: 0, newly_denied: 0 };
    }
    lotTimer ??= setTimeout(() => void record(), lotMs).unref();
  }

  /** As refused tokens are: a set that denies everything must not double the log. */
  function mayRecord(): boolean {
    const now = performance.now();
    allowance = Math.min(burst, allowance + ((now - allowedAt) * perSecond) / SECOND);
    allowedAt = now;
    if (allowance < 1) return false;
    allowance -= 1;
    return true;
  }

  function record(): Promise<void> {
    lotTimer = null;
    const differences = lot;
    lot = [];
    if (differences.length > 0) recording = recording.then(() => append(differences));
    return recording;
  }

  async function append(differences: readonly Difference[]): Promise<void> {
    try {
      // Time within a writer never goes back: each is recorded when it is recorded.
      const at = deps.clock.now();
      await deps.recorder.append(differences.map(({ entry }) => ({ ...entry, at })));
    } catch (error) {
      // Counted in the next that can be recorded.
      for (const { direction, leftOut: before } of differences) {
        leftOut.newly_allowed += before.newly_allowed;
        leftOut.newly_denied += before.newly_denied;
        leftOut[direction] += 1;
      }
      tell('differences of the dry run could not be recorded', error);
    }
  }

  /** Once for each kind of failure in a row. */
  function tell(what: string, error: unknown): void {
    const failure = `${what}: ${error instanceof Error ? error.message : String(error)}`;
    if (failure === lastFailure) return;
    lastFailure = failure;
    deps.log.warn({ err: error }, what);
  }

  return {
    offer(liveRevision, decided) {
      if (isClosed) return;
      for (const live of decided) {
        if (queue.length - next >= most) counters.dropped += 1;
        else queue.push({ live, liveRevision });
      }
      schedule(0);
    },
    counters: () => ({ ...counters }),
    async close() {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
      if (lotTimer !== null) clearTimeout(lotTimer);
      counters.dropped += queue.length - next;
      await record();
    },
  };
}
