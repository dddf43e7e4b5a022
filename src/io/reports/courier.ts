// Brings duties of Privity (alerts, reviews) from the log to the webhook, at least once, by one instance at a time. It must never note a
// delivery before a 2xx, lose a duty because a receiver is away, or hold up others for one event that is refused.
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { uuidv7Floor, uuidv7Time } from '../../core/record/uuid.ts';
import { dutyEvent, type DutyEvent } from './duty-event.ts';
import { createDutyLog, takeSeat, type Backlog, type Seat } from './duty-desk.ts';
import type { PostEvent } from './webhook.ts';

export interface CourierDeps {
  readonly reading: pg.Pool;
  /** Opens a connection as the writer. */
  readonly connect: () => Promise<pg.Client>;
  readonly post: PostEvent;
  /** Obligations that policy leaves to the callers. */
  readonly callersDuties: () => readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly report: (event: CourierEvent) => void;
  readonly times?: Partial<CourierTimes>;
}

export interface CourierTimes {
  /** Between two looks at the log, while nothing calls for one sooner. */
  readonly pollMs: number;
  /** Between two tries to be the instance that posts. */
  readonly seatMs: number;
  /** Before an event is posted again; doubles with every failure. */
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** How old a duty may be and still be posted. */
  readonly windowMs: number;
  /** Records may be committed that much after the time in their ids; later ones are found by a look at the whole window. */
  readonly lateMs: number;
  readonly wholeWindowMs: number;
}

export interface CourierEvent {
  readonly code: 'webhook_failing' | 'webhook_works';
  readonly reason: string;
}

export interface CourierState {
  /** Records that still have duties, as far as this instance has looked; 0 where another one delivers. */
  readonly backlog: number;
  /** Age of the oldest of them. */
  readonly oldestSeconds: number;
  /** Since the start. */
  readonly delivered: number;
  readonly failures: number;
}

export interface Courier {
  /** A record with duties was committed just now. Never waits. */
  nudge(): void;
  isFailing(): boolean;
  state(): CourierState;
  /** Bounded in time; what is not posted yet is found again at the next start. */
  close(): Promise<void>;
}

export const COURIER_TIMES: CourierTimes = {
  pollMs: 1_000,
  seatMs: 5_000,
  firstRetryMs: 1_000,
  longestRetryMs: 60_000,
  windowMs: 7 * 86_400_000,
  lateMs: 15 * 60_000,
  wholeWindowMs: 10 * 60_000,
};

const NO_BACKLOG: Backlog = { count: 0, oldest: null };
const PAGE = 100;
const AT_ONCE = 8;

interface Retry {
  readonly failures: number;
  readonly notBefore: number;
}

export function createCourier(deps: CourierDeps): Courier {
  const times: CourierTimes = { ...COURIER_TIMES, ...deps.times };
  const log = createDutyLog(deps.reading);
  const stop = new AbortController();
  const retries = new Map<string, Retry>();
  /** Taken by the receiver, not noted yet. */
  const unnoted = new Set<string>();
  let seat: Seat | null = null;
  /** Rounds in a row that failed as a whole: receiver or database away. */
  let down = 0;
  /** Everything before is delivered, or of no concern. */
  let settledUntil = 0;
  let lookedAtAll = Number.NEGATIVE_INFINITY;
  let wasFailing = false;
  let backlog = NO_BACKLOG;
  let delivered = 0;
  let failed = 0;
  /** Why something failed last; for operators. */
  let trouble = '';
  let wake: () => void = () => undefined;
  let isWoken = false;
  const finished = run();

  const isFailing = (): boolean => down > 0 || retries.size > 0;

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        if (seat?.isLost() !== false) seat = await takeSeat(deps.connect);
        if (seat === null) leaveToOthers();
        else await round(seat);
      } catch (error) {
        down += 1;
        trouble = error instanceof Error && 'code' in error ? String(error.code) : 'database';
      }
      tellChanges();
      await measureBacklog();
      // However many duties come in meanwhile: a receiver that is away is not asked more often than this.
      if (down > 0) await sleep(times.pollMs, undefined, { signal: stop.signal }).catch(() => undefined);
      await nap(down > 0 ? backoff(down) : seat === null ? times.seatMs : times.pollMs);
    }
    await seat?.leave();
  }

  /** Only while something is not delivered; a database that is away leaves the last count standing. */
  async function measureBacklog(): Promise<void> {
    if (!isFailing() || seat === null) {
      backlog = NO_BACKLOG;
      return;
    }
    try {
      backlog = await log.backlog(windowStart(), deps.callersDuties());
    } catch {
      // The next round says what is wrong.
    }
  }

  function windowStart(): string {
    return uuidv7Floor(Math.max(0, deps.now() - times.windowMs));
  }

  function leaveToOthers(): void {
    down = 0;
    retries.clear();
    unnoted.clear();
    settledUntil = 0;
  }

  /** Posts what is due, first what was never tried: an event that fails again and again must not keep others waiting. */
  async function round(holder: Seat): Promise<void> {
    const startedAt = deps.now();
    const all = startedAt - lookedAtAll >= times.wholeWindowMs;
    const first = windowStart();
    const settled = uuidv7Floor(Math.max(0, settledUntil));
    const again: DutyEvent[] = [];
    const seen = new Set<string>();
    let after = all || settled < first ? first : settled;
    for (let isLast = false; !isLast;) {
      const page = await log.pending(after, deps.callersDuties(), PAGE);
      for (const { id } of page) seen.add(id);
      const events = page.flatMap(({ id, record }) => (isDue(id) ? (dutyEvent(id, record) ?? []) : []));
      again.push(...events.filter(({ id }) => retries.has(id)));
      const fresh = events.filter(({ id }) => !retries.has(id));
      if (!(await postAll(holder, fresh))) return;
      after = page.at(-1)?.id ?? after;
      isLast = page.length < PAGE;
    }
    const failures = ({ id }: DutyEvent): number => retries.get(id)?.failures ?? 0;
    again.sort((a, b) => failures(a) - failures(b));
    if (!(await postAll(holder, again))) return;
    down = 0;
    if (retries.size === 0) settledUntil = startedAt - times.lateMs;
    if (!all) return;
    lookedAtAll = startedAt;
    for (const id of retries.keys()) if (!seen.has(id)) retries.delete(id);
  }

  /** Stops, and says so, when nothing is taken any more. */
  async function postAll(holder: Seat, events: readonly DutyEvent[]): Promise<boolean> {
    if (events.length === 0) return true;
    const delivered = await holder.delivered(events.map(({ id }) => id));
    for (const id of delivered) retries.delete(id);
    const open = events.filter(({ id }) => !delivered.has(id));
    while (open.length > 0) {
      const isThere = await postSome(holder, open.splice(0, down > 0 ? 1 : AT_ONCE));
      if (!isThere || stop.signal.aborted) return false;
    }
    return true;
  }

  /** False: the receiver took nothing, and would take nothing else. */
  async function postSome(holder: Seat, events: readonly DutyEvent[]): Promise<boolean> {
    const posted = await Promise.all(
      events.map(async (event) =>
        unnoted.has(event.id) ? { result: 'taken', reason: '' } : await deps.post(event, stop.signal),
      ),
    );
    if (stop.signal.aborted && posted.every(({ result }) => result !== 'taken')) return false;
    const taken = events.filter((_, index) => posted[index]?.result === 'taken').map(({ id }) => id);
    for (const id of taken) unnoted.add(id);
    failed += posted.length - taken.length;
    if (taken.length > 0) await holder.note(taken, new Date(deps.now()));
    delivered += taken.length;
    if (taken.length > 0 && down > 0) {
      down = 0;
      for (const [id, { failures }] of retries) retries.set(id, { failures, notBefore: 0 });
    }
    for (const id of taken) {
      unnoted.delete(id);
      retries.delete(id);
    }
    for (const { id } of events) if (!taken.includes(id)) putOff(id);
    trouble = posted.find(({ result }) => result !== 'taken')?.reason ?? trouble;
    const isAway = taken.length === 0 && posted.some(({ result }) => result === 'failed');
    if (isAway) down += 1;
    return !isAway;
  }

  function isDue(id: string): boolean {
    const retry = retries.get(id);
    return retry === undefined || retry.notBefore <= performance.now();
  }

  function putOff(id: string): void {
    const failures = (retries.get(id)?.failures ?? 0) + 1;
    retries.set(id, { failures, notBefore: performance.now() + backoff(failures) });
  }

  function backoff(failures: number): number {
    return Math.min(times.longestRetryMs, times.firstRetryMs * 2 ** Math.min(failures - 1, 30));
  }

  function tellChanges(): void {
    if (isFailing() === wasFailing) return;
    wasFailing = isFailing();
    deps.report({ code: wasFailing ? 'webhook_failing' : 'webhook_works', reason: wasFailing ? trouble : '' });
  }

  /** Until then, or until somebody wakes it. */
  async function nap(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    wake = resolve;
    if (isWoken || stop.signal.aborted) resolve();
    await promise;
    isWoken = false;
    clearTimeout(timer);
  }

  return {
    nudge: () => {
      if (seat === null) return;
      isWoken = true;
      wake();
    },
    isFailing,
    state: () => ({
      backlog: backlog.count,
      oldestSeconds: backlog.oldest === null ? 0 : Math.max(0, (deps.now() - uuidv7Time(backlog.oldest)) / 1000),
      delivered,
      failures: failed,
    }),
    async close() {
      stop.abort();
      wake();
      await finished;
    },
  };
}
