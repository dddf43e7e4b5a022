// The loop that commits batch after batch over one connection: one at a time, the same one until its fate is known. It must never
// send a later batch before, nor tell a requester that a record is committed which is not.
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecorderClock } from './clock.ts';
import { sendBatch } from './commit.ts';
import type { AlarmCode, Counters, ReportEvent } from './events.ts';
import { type Failure, isPartitionMissing } from './failure.ts';
import { again, entriesInFlight, type Flight, flightOf } from './flight.ts';
import type { Lineage, OpeningReason } from './lineage.ts';
import type { Link } from './link.ts';
import type { Rejections } from './rejections.ts';
import type { Session } from './session.ts';
import type { Settlement } from './settlement.ts';
import { createDrain } from './spool/drain.ts';
import type { Spooler } from './spool/spooler.ts';
import type { Supply } from './supply.ts';
import { createTrials } from './trials.ts';
import type { Trouble } from './trouble.ts';
import { isPatient, type Unit } from './unit.ts';
import { createWaker } from './waker.ts';

export interface DeliveryDeps {
  readonly link: Link;
  readonly lineage: Lineage;
  readonly supply: Supply;
  readonly trouble: Trouble;
  readonly clock: RecorderClock;
  readonly counters: Counters;
  readonly rejections: Rejections;
  readonly settlement: Settlement;
  /** Null: what cannot be committed is not answered. */
  readonly spooler: Spooler | null;
  readonly report: ReportEvent;
  /** Never rejects. */
  readonly ensurePartitions: () => Promise<void>;
  readonly sendTimeoutMs: number;
  readonly idleProbeMs: number;
}

export interface Delivery {
  /** Runs until `close` or `stop`. */
  run(): Promise<void>;
  wake(): void;
  flight(): Flight | null;
  /** It is in the journal, as its first. */
  markSafe(): void;
  isClosing(): boolean;
  /** The calls in flight; they may be rejected, the batch stays in flight. */
  inFlight(): readonly Unit[];
  /** Their entries, and those of others in the batch. */
  inFlightEntries(): number;
  /** On the monotonic clock; null if nothing is in flight. */
  inFlightSince(): number | null;
  /** The writer's last record is committed, or there is no writer to close. */
  isClosed(): boolean;
  /** Delivers what is there, then ends. */
  close(): void;
  /** Ends at once. */
  stop(): void;
}

const TRANSIENT_TRIES = 5;
const TRANSIENT_PAUSE_MS = 20;
const BLOCKED_PROBE_MS = 500;
const LONGEST_TIMEOUT_FACTOR = 8;

export function createDelivery(deps: DeliveryDeps): Delivery {
  const { link, lineage, supply, trouble, clock, counters, rejections, settlement, spooler, report } = deps;
  const { sendTimeoutMs } = deps;
  const waker = createWaker();
  const stopping = new AbortController();
  const trials = createTrials({ ...deps, refuse, raise });
  const drain = spooler === null ? null : createDrain({ ...deps, spooler, startOver });
  let flight: Flight | null = null;
  let isGreeted = false;
  let isClosing = false;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted && !mayLeave()) await step();
    await link.end();
  }

  async function step(): Promise<void> {
    const session = link.session();
    if (session === null) {
      isGreeted = false;
      if (await link.connect(stopping.signal)) counters.sessions++;
    } else if (trouble.code() !== null) await recover(session);
    else if (!isGreeted) await greet(session);
    else if (flight !== null) await send(session, flight);
    else if (clock.isCorrected()) startOver('clock_corrected');
    else if (clock.verdict() === 'blocked') await holdStill(session);
    else if (lineage.needsMending()) await trials.mend();
    else if (!(await load())) await idle(session);
  }

  /** Closing, with nothing left that can be done. */
  function mayLeave(): boolean {
    if (!isClosing || (flight !== null && flight.journaled === 0)) return false;
    const isStuck = link.session() === null || trouble.code() !== null || clock.verdict() === 'blocked';
    if (settlement.isClosed()) return isStuck || spooler?.isHolding() !== true;
    const isSpooling = spooler !== null && spooler.failure() === null && clock.verdict() !== 'blocked';
    return isStuck && !supply.hasCalls() && !(isSpooling && lineage.isOpen());
  }

  /** Makes the next batch; false if there is nothing to write. */
  async function load(): Promise<boolean> {
    // Everything queues behind what the journal holds.
    if (spooler?.isHolding() === true) flight = (await drain?.load()) ?? null;
    else flight = spooler?.takeHeld() ?? null;
    if (flight !== null || spooler?.isHolding() === true) return flight !== null;
    const chain = lineage.open();
    let units: readonly Unit[] = lineage.isOpen() ? supply.take(isClosing) : [lineage.openingUnit(chain)];
    let isOwn = !lineage.isOpen();
    if (units.length === 0 && isClosing) {
      units = [lineage.closingUnit()];
      isOwn = true;
    }
    if (units.length === 0) return false;
    const batch = chain.seal(units.flatMap((unit) => unit.entries));
    flight = flightOf({ batch, units, isOwn, since: performance.now() });
    return true;
  }

  async function send(session: Session, sent: Flight): Promise<void> {
    const patience = sendTimeoutMs * Math.min(2 ** sent.tries, LONGEST_TIMEOUT_FACTOR);
    const outcome = await sendBatch(session, sent.attempt, clock, patience);
    await spooler?.quiet();
    // It may have come into the journal meanwhile.
    const current = flight ?? sent;
    if (drain !== null && current.journaled > 0) {
      const verdict = await drain.judge(current, outcome);
      flight = verdict === 'again' ? again(current) : null;
      return;
    }
    switch (outcome.fate) {
      case 'committed':
        arrive(current);
        break;
      case 'not_durable':
        if (spooler === null) {
          rejections.rejectCalls(current.units, 'database_refuses');
          arrive(current);
        } else flight = again(current);
        link.drop(false, 'fsync_off');
        break;
      case 'head_lost':
      case 'chain_conflict':
        raise(outcome.fate, current.attempt.batch.head.seq);
        break;
      case 'unknown':
        link.drop(true, outcome.failure.code);
        counters.retries++;
        flight = again(current);
        break;
      case 'undecided':
        // Over another session, which may find the server process gone that could still be at it.
        link.drop(false, outcome.failure.code);
        await delayOrRefuse(current, outcome.failure);
        break;
      case 'rolled_back':
        await rollBack(current, outcome.failure);
        break;
    }
  }

  function arrive(current: Flight): void {
    const { batch } = current.attempt;
    const chain = lineage.current();
    chain?.advance(batch);
    chain?.deliver(batch.head);
    flight = null;
    link.prove();
    trouble.end();
    settlement.settle(current);
  }

  async function rollBack(current: Flight, failure: Failure): Promise<void> {
    if (failure.fate !== 'data') return delayOrRefuse(current, failure);
    if (isPartitionMissing(failure) && !current.isMended) {
      flight = { ...current, isMended: true };
      return deps.ensurePartitions();
    }
    flight = null;
    if (current.units.length > 1) {
      counters.splits++;
      supply.putBackHalves(current.units);
      return;
    }
    report({ level: 'error', code: 'entry_rejected', detail: { cause: failure.code } });
    rejections.rejectAll(current.units, 'poison');
    if (current.isOwn) refuse(failure.code);
  }

  async function delayOrRefuse(current: Flight, failure: Failure): Promise<void> {
    if (failure.fate === 'transient' && current.tries < TRANSIENT_TRIES) {
      flight = { ...current, tries: current.tries + 1 };
      return pause(TRANSIENT_PAUSE_MS * current.tries);
    }
    // The journal takes it: as it is, for it may be on its way there.
    if (spooler !== null) return refuse(failure.code);
    rejections.rejectCalls(current.units, 'database_refuses');
    if (!current.attempt.again) {
      flight = null;
      if (!current.isOwn) supply.putBack(current.units.filter(isPatient));
    }
    refuse(failure.code);
  }

  /** Nothing is accepted until a trial shows that the database takes records again. */
  function refuse(code: string): void {
    trouble.begin(code);
    if (spooler === null) rejections.rejectWaiting('database_refuses');
    else spooler.wake();
  }

  async function recover(session: Session): Promise<void> {
    await pause(trouble.pauseMs());
    if (!isGreeted && !(await greet(session))) return;
    if (lineage.needsMending() && !(await trials.mend())) return;
    // What has to be written anyway is the best trial.
    if (flight === null && (!lineage.isOpen() || spooler?.isHolding() === true)) await load();
    const chain = lineage.current();
    if (flight !== null) await send(session, flight);
    else if (chain !== null && (await trials.write(session, chain))) trouble.end();
  }

  /** MUST come before anything else on a new session: its server may be one that lacks our last batches. */
  async function greet(session: Session): Promise<boolean> {
    isGreeted = await trials.look(session);
    return isGreeted;
  }

  async function idle(session: Session): Promise<void> {
    if (!(await waker.wait(deps.idleProbeMs))) await trials.look(session);
  }

  async function holdStill(session: Session): Promise<void> {
    rejections.rejectWaiting('clock_skew');
    await pause(BLOCKED_PROBE_MS);
    await trials.look(session);
  }

  function raise(code: AlarmCode, seq: number): void {
    counters.alarms[code]++;
    lineage.raise(code, seq);
    startOver(code);
  }

  /** A new writer opens. What was in flight gets no receipt. */
  function startOver(reason: OpeningReason): void {
    // What is in the journal has been answered: it goes into the database, whoever wrote it.
    const units = flight === null || flight.journaled > 0 ? [] : flight.units;
    if (flight?.journaled === 0) flight = null;
    spooler?.forget();
    rejections.rejectAll(units, 'writer_lost');
    // What still waits was stamped by a clock that was wrong, or before the new writer opens: it could not keep its time.
    rejections.rejectWaiting(reason === 'clock_corrected' ? 'clock_skew' : 'writer_lost');
    if (reason === 'clock_corrected') {
      clock.restart();
      report({ level: 'warn', code: 'clock_corrected', detail: { skew_ms: Math.round(clock.skew()) } });
    }
    lineage.replace(reason);
  }

  function pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined);
  }

  return {
    run,
    wake: () => {
      waker.wake();
      spooler?.wake();
    },
    flight: () => flight,
    markSafe: () => void (flight = flight && { ...flight, units: [], journaled: 1 }),
    isClosing: () => isClosing,
    inFlight: () => [...(flight?.units ?? []), ...(spooler?.writing() ?? [])],
    inFlightEntries: () => entriesInFlight(flight, spooler?.writing() ?? []),
    inFlightSince: () => flight?.since ?? null,
    isClosed: () => settlement.isClosed() || !lineage.isOpen(),
    close: () => {
      isClosing = true;
      waker.wake();
      spooler?.wake();
    },
    stop: () => {
      stopping.abort();
      waker.wake();
      link.session()?.abandon();
    },
  };
}
