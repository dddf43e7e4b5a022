// The door to the record: `append` resolves when everything it was given is committed, and rejects otherwise (P1). It must never
// resolve earlier, wait without a bound, or let one requester's entry spoil another's.
import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Receipt, RecordEntry } from '../../model/record.ts';
import { type Clock, type ClockLimits, type ClockVerdict, createClock } from './clock.ts';
import { createDelivery } from './delivery.ts';
import { createCounters, type OnCommit, type RecorderEvent, type ReportEvent } from './events.ts';
import { createLineage } from './lineage.ts';
import { createLink } from './link.ts';
import { createRefusedLane, type RefusedLimits } from './refused-lane.ts';
import { createRejections } from './rejections.ts';
import { createSettlement } from './settlement.ts';
import type { Journal } from './spool/journal.ts';
import { createSpooler, type Spooler } from './spool/spooler.ts';
import { barrier, describeState, type RecorderState, type StateSources } from './state.ts';
import { createSupply, type SupplyLimits } from './supply.ts';
import { createTrouble } from './trouble.ts';
import { type Call, createCall } from './unit.ts';
import { createUpkeep } from './upkeep.ts';

export interface RecorderDeps {
  /** Opens a connection as the writer; called again whenever one is lost. Its errors must reject within a bounded time. */
  readonly connect: () => Promise<pg.Client>;
  /** Private Ed25519 key that certifies each writer's own key. */
  readonly certifier: KeyObject;
  /** Version of the service, for `writer_opened`. */
  readonly engine: string;
  /** Entries beyond which the doors take nothing more; what was let in before then is still taken, up to a largest call. */
  readonly maxWaiting?: number;
  /** Sees to it that partitions exist ahead of time; called at the start, daily, and when one is missing. */
  readonly ensurePartitions: () => Promise<void>;
  readonly report: ReportEvent;
  readonly onCommit?: OnCommit;
  /** Takes what Postgres does not take in time (spool mode); absent: then there is no answer. Whoever opened it closes it. */
  readonly journal?: Journal | undefined;
  /** After an alarm, before the next writer opens: puts back what decisions need (RECORD.md); its entries are recorded with the opening. */
  readonly restore?: () => Promise<readonly RecordEntry[]>;
  /** The system's clock in milliseconds since 1970. */
  readonly wallClock?: () => number;
  readonly limits?: Partial<RecorderLimits>;
}

export interface RecorderLimits {
  /** How long a requester waits for its 503. */
  readonly deadlineMs: number;
  /** How long a statement may take before the connection is given up. */
  readonly sendTimeoutMs: number;
  /** How long a requester waits for Postgres before the journal takes the record, if there is one. */
  readonly spoolAfterMs: number;
  readonly idleProbeMs: number;
  readonly closeMs: number;
  readonly queue: SupplyLimits;
  readonly clock: ClockLimits;
  readonly refused: RefusedLimits;
}

export interface Recorder {
  /** One commit for all entries, in their order. Rejects with `cannot_record`, `overloaded` or `shutting_down`. */
  append(entries: readonly RecordEntry[]): Promise<readonly Receipt[]>;
  /** For refused tokens: never waits, never throws, and may end in a count. `body.reason` and `body.issuer` are what is counted by. */
  appendRefused(entry: RecordEntry): void;
  /** The clock that decisions and records share. */
  readonly clock: Clock;
  /** Entries that wait for their commit, those in flight included: cheap enough to ask for every request. */
  waiting(): number;
  state(): RecorderState;
  /** Resolves when records can be written, at once if they can. */
  ready(): Promise<void>;
  /** Records what was accepted, then ends; bounded in time. False: the writer's chain stayed open. */
  close(): Promise<boolean>;
}

export const RECORDER_LIMITS: RecorderLimits = {
  deadlineMs: 5_000,
  sendTimeoutMs: 10_000,
  spoolAfterMs: 1_000,
  idleProbeMs: 3_000,
  closeMs: 10_000,
  queue: { maxEntries: 9_000, maxBytes: 64 * 2 ** 20, batchEntries: 512, batchBytes: 4 * 2 ** 20 },
  clock: { degradedMs: 2_000, blockedMs: 30_000 },
  refused: { perSecond: 20, burst: 200, maxWaiting: 500, maxCounters: 200, countMs: 5_000 },
};

/** Questions in one request. */
const LARGEST_CALL = 1_000;
const SWEEP_MS = 100;
const READY_POLL_MS = 10;
const END_GRACE_MS = 1_500;

export function createRecorder(deps: RecorderDeps): Recorder {
  const limits: RecorderLimits = { ...RECORDER_LIMITS, ...deps.limits };
  const queue =
    deps.maxWaiting === undefined ? limits.queue : { ...limits.queue, maxEntries: deps.maxWaiting + LARGEST_CALL };
  const counters = createCounters();
  const clock = createClock(deps.wallClock ?? Date.now, limits.clock);
  const link = createLink(deps.connect, deps.report);
  const lineage = createLineage({ ...deps, clock });
  const lane = createRefusedLane(clock.now, limits.refused);
  const supply = createSupply(queue, lane, () => void counters.refusedLost++);
  const trouble = createTrouble(deps.report);
  const rejections = createRejections(supply, counters);
  const upkeep = createUpkeep(deps.ensurePartitions, deps.report);
  let isLeftOpen = false;
  let skewTold: ClockVerdict = 'fine';
  let phase: 'running' | 'closing' | 'failed' = 'running';

  const settlement = createSettlement({ ...deps, clock, counters, rejections });
  const parts = { link, lineage, supply, trouble, clock, counters, settlement };
  const spooler = openSpooler();
  const delivery = createDelivery({
    ...deps,
    ...limits,
    ...parts,
    rejections,
    spooler,
    ensurePartitions: upkeep.ensure,
  });
  const sources: StateSources = {
    ...parts,
    spooler,
    lane,
    deadlineMs: limits.deadlineMs,
    queueLimitEntries: queue.maxEntries,
    inFlightSince: delivery.inFlightSince,
    inFlightEntries: delivery.inFlightEntries,
    phase: () => phase,
    arePartitionsAhead: upkeep.areAhead,
  };

  const sweep = setInterval(() => {
    const now = performance.now();
    tellSkew();
    rejections.rejectWaiting('deadline', now);
    rejections.rejectCalls(delivery.inFlight(), 'deadline', now);
  }, SWEEP_MS).unref();
  void upkeep.ensure();
  const delivered = delivery.run().catch(fail);
  void delivered.finally(() => spooler?.stop());
  const finished = Promise.all([delivered, spooler?.run().catch(fail)]).finally(windUp);

  function openSpooler(): Spooler | null {
    const { journal } = deps;
    if (journal === undefined) return null;
    const { deadlineMs } = limits;
    return createSpooler({
      ...deps,
      ...parts,
      journal,
      rejections,
      deadlineMs,
      afterMs: Math.min(limits.spoolAfterMs, deadlineMs / 2),
      limits: { entries: queue.batchEntries, bytes: queue.batchBytes },
      flight: () => delivery.flight(),
      onFlightSafe: () => delivery.markSafe(),
      isClosing: () => delivery.isClosing(),
      wakeDelivery: () => delivery.wake(),
    });
  }

  function tellSkew(): void {
    const verdict = clock.verdict();
    if (verdict === skewTold) return;
    skewTold = verdict;
    const level = verdict === 'blocked' ? 'error' : verdict === 'degraded' ? 'warn' : 'info';
    const code = verdict === 'fine' ? 'clock_right' : 'clock_skew';
    deps.report({ level, code, detail: { verdict, skew_ms: Math.round(clock.skew()) } });
  }

  /** A mistake in this program, not in the world around it. */
  function fail(error: unknown): void {
    phase = 'failed';
    delivery.stop();
    deps.report({ level: 'error', code: 'recorder_failed', detail: { cause: String(error) } });
  }

  function windUp(): void {
    clearInterval(sweep);
    upkeep.stop();
    spooler?.conclude();
    rejections.rejectAll(delivery.inFlight(), 'closing');
    rejections.rejectWaiting('closing');
  }

  async function append(entries: readonly RecordEntry[]): Promise<readonly Receipt[]> {
    const cause = barrier(sources);
    if (cause !== null) throw rejections.refuse(cause, entries.length);
    if (entries.length === 0) return [];
    const call = prepare(entries);
    if (!supply.offer(call.unit)) throw rejections.refuse('queue_full', entries.length);
    delivery.wake();
    return call.receipts;
  }

  function prepare(entries: readonly RecordEntry[]): Call {
    try {
      const now = clock.now();
      const stray = entries.find((entry) => Math.abs(entry.at - now) > limits.clock.blockedMs);
      if (stray !== undefined) throw new TypeError('cannot be recorded: /at is not of the present');
      return createCall(entries, performance.now() + limits.deadlineMs);
    } catch (error) {
      throw rejections.refuse('unrecordable', entries.length, error);
    }
  }

  async function ready(): Promise<void> {
    while (!describeState(sources).ready) {
      if (phase !== 'running') throw rejections.refuse('closing', 0);
      await sleep(READY_POLL_MS);
    }
  }

  async function close(): Promise<boolean> {
    if (phase === 'running') phase = 'closing';
    delivery.close();
    const timer = setTimeout(delivery.stop, limits.closeMs);
    const bound = sleep(limits.closeMs + END_GRACE_MS, undefined, { ref: false });
    await Promise.race([finished, bound]);
    clearTimeout(timer);
    if (!delivery.isClosed() && !isLeftOpen) {
      isLeftOpen = true;
      deps.report({ level: 'error', code: 'writer_left_open', detail: leftOpen() });
    }
    return !isLeftOpen;
  }

  /** `unresolved`: entries that were sent, that nobody got an answer for, and that the log may hold. */
  function leftOpen(): RecorderEvent['detail'] {
    const { writer, databaseCode } = describeState(sources);
    const unresolved = delivery.inFlight().reduce((sum, unit) => sum + unit.entries.length, 0);
    return { writer, cause: databaseCode ?? 'no_answer', unresolved };
  }

  return {
    append,
    appendRefused: (entry) => {
      lane.add(entry);
      delivery.wake();
    },
    clock: { now: clock.now },
    waiting: () => supply.entries() + delivery.inFlightEntries(),
    state: () => describeState(sources),
    ready,
    close,
  };
}
