// Writes batches to the journal while Postgres does not take them, and gives their requesters the receipts (P1). It must never write
// a batch before one that was sent and whose fate is unknown, nor go on when the journal cannot be relied on.
import type { RecorderClock } from '../clock.ts';
import type { ReportEvent } from '../events.ts';
import type { Lineage } from '../lineage.ts';
import type { Link } from '../link.ts';
import type { Rejections } from '../rejections.ts';
import { type Flight, flightOf } from '../flight.ts';
import type { Settled, Settlement } from '../settlement.ts';
import type { Supply } from '../supply.ts';
import type { Trouble } from '../trouble.ts';
import { isPatient, type Unit } from '../unit.ts';
import { createWaker } from '../waker.ts';
import type { WriterChain } from '../writer-chain.ts';
import type { Journal, JournalState, WaitingBatch } from './journal.ts';
import { fitsColumns } from './storable.ts';

export interface SpoolerDeps {
  readonly journal: Journal;
  readonly lineage: Lineage;
  readonly link: Link;
  readonly supply: Supply;
  readonly trouble: Trouble;
  readonly clock: RecorderClock;
  readonly rejections: Rejections;
  readonly settlement: Settlement;
  readonly report: ReportEvent;
  readonly deadlineMs: number;
  /** How long a requester waits for Postgres before the journal takes its record. */
  readonly afterMs: number;
  readonly limits: { readonly entries: number; readonly bytes: number };
  /** What the delivery has sent or is about to. */
  readonly flight: () => Flight | null;
  /** That batch is in the journal now, as its first. */
  readonly onFlightSafe: () => void;
  readonly isClosing: () => boolean;
  readonly wakeDelivery: () => void;
}

/** Why the journal takes nothing. */
export type SpoolFailure = 'spool_full' | 'spool_failed' | 'spool_blocked';

export interface Spooler {
  /** Until `stop`. */
  run(): Promise<void>;
  stop(): void;
  wake(): void;
  /** Resolves when nothing is being written: only then may anything be decided about the batch in flight. */
  quiet(): Promise<void>;
  /** Everything has to queue behind what it holds. */
  isHolding(): boolean;
  next(isCautious: boolean): Promise<WaitingBatch | null>;
  drop(batches: number): Promise<void>;
  /** A batch that the journal may or may not hold: nothing may be sent before it once the journal is empty. */
  takeHeld(): Flight | null;
  /** The chain it belongs to is given up. */
  forget(): void;
  /** What it holds cannot be brought into the database, or not be read; null: it can. */
  block(code: string | null): void;
  failure(): SpoolFailure | null;
  writing(): readonly Unit[];
  state(): SpoolState;
  /** Tells what is left, at the end. */
  conclude(): void;
}

export interface SpoolState extends Omit<JournalState, 'failure'> {
  readonly failure: SpoolFailure | null;
  /** Records that went through the journal since the start. */
  readonly spooled: number;
}

const POLL_MS = 50;
const RETRY_MS = 1_000;
/** Of `afterMs`: how long a requester waits while a database that answers takes what the journal holds. */
const HEAD_START = 0.2;

export function createSpooler(deps: SpoolerDeps): Spooler {
  const { journal, lineage, link, supply, trouble, clock, rejections, settlement, report } = deps;
  const waker = createWaker();
  let isStopped = false;
  let busy: Promise<void> | null = null;
  let writing: readonly Unit[] = [];
  let held: Settled | null = null;
  let blockedBy: string | null = null;
  let failureTold: string | null = null;
  let probedAt = 0;
  let spooled = 0;
  let spooledBefore = 0;
  let since = journal.batches() > 0 ? performance.now() : null;

  function isOver(moment: number | null, afterMs = deps.afterMs): boolean {
    return moment !== null && performance.now() - moment > afterMs;
  }

  function failure(): SpoolFailure | null {
    if (blockedBy !== null) return 'spool_blocked';
    const { failure: code } = journal.state();
    if (code !== null) return code === 'full' ? 'spool_full' : 'spool_failed';
    return held === null ? null : 'spool_failed';
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      await retry();
      if (!(await step())) await waker.wait(POLL_MS);
    }
  }

  async function retry(): Promise<void> {
    if (journal.state().failure === null || performance.now() - probedAt < RETRY_MS) return;
    probedAt = performance.now();
    await journal.probe();
    tellFailure();
  }

  async function step(): Promise<boolean> {
    const flight = deps.flight();
    const unsafe = flight !== null && flight.journaled === 0 ? flight : null;
    if (!isDue(flight, unsafe)) return false;
    const cause = failure();
    if (cause !== null) {
      rejections.rejectWaiting(cause);
      rejections.rejectCalls(unsafe?.units ?? [], cause);
      return false;
    }
    if (unsafe !== null) return write(lineage.current(), unsafe, true);
    const made = make();
    return made === null ? false : write(lineage.current(), made, false);
  }

  /** Postgres does not answer in time, or what it has not got yet must come first. */
  function isDue(flight: Flight | null, unsafe: Flight | null): boolean {
    if (lineage.needsMending() || clock.verdict() === 'blocked') return false;
    const isAway = trouble.code() !== null || link.downSince() !== null;
    if (journal.batches() > 0) {
      // All of it is on its way into a database that answers: what comes now waits, and goes there itself.
      const isSlow = isOver(flight?.since ?? null);
      const isCaughtUp = flight !== null && flight.journaled === journal.batches() && !isSlow;
      if (isAway || isCaughtUp) return isAway;
      // Some of it is. Those who are answered from the journal at once ask again at once: they could outrun the database for ever.
      const hasWaited = isOver(oldestSince(), deps.afterMs * HEAD_START);
      return hasWaited || isSlow || deps.isClosing() || !lineage.isOpen();
    }
    const mustClose = deps.isClosing() && !settlement.isClosed();
    if (unsafe === null && !supply.hasCalls() && lineage.isOpen() && !mustClose) return false;
    if (trouble.code() !== null || (mustClose && isAway)) return true;
    return isOver(link.downSince()) || isOver(unsafe?.since ?? null) || isOver(oldestSince());
  }

  /** When the first of those who wait came. */
  function oldestSince(): number {
    return supply.oldestDeadline() - deps.deadlineMs;
  }

  function make(): Settled | null {
    if (settlement.isClosed()) return null;
    const chain = lineage.open();
    const isOpen = lineage.isOpen();
    const taken = isOpen ? supply.take(deps.isClosing()) : [lineage.openingUnit(chain)];
    const units = taken.filter(fitsColumns);
    rejections.rejectAll(
      taken.filter((unit) => !units.includes(unit)),
      'poison',
    );
    const mustClose = units.length === 0 && isOpen && deps.isClosing() && !settlement.isClosed();
    if (mustClose) units.push(lineage.closingUnit());
    if (units.length === 0) return null;
    const batch = chain.seal(units.flatMap((unit) => unit.entries));
    return { batch, units, since: performance.now(), isOwn: !isOpen || mustClose };
  }

  async function write(chain: WriterChain | null, made: Settled, isFlight: boolean): Promise<boolean> {
    const done = Promise.withResolvers<void>();
    [busy, writing] = [done.promise, isFlight ? [] : made.units];
    try {
      const result = await journal.append(made.batch);
      // It was given up meanwhile, with its writer; that the log holds it all the same does no harm.
      const isGivenUp = isFlight && deps.flight()?.batch !== made.batch;
      if (result.fate === 'safe' && !isGivenUp) arrive(chain, made, isFlight);
      else if (result.fate !== 'safe' && !isGivenUp) fail(made, isFlight, result.fate === 'unknown');
      tellFailure();
    } finally {
      [busy, writing] = [null, []];
      done.resolve();
      deps.wakeDelivery();
    }
    return true;
  }

  function arrive(chain: WriterChain | null, made: Settled, isFlight: boolean): void {
    if (since === null) {
      [since, spooledBefore] = [performance.now(), spooled];
      const cause = trouble.code() ?? link.downCode() ?? 'no_answer';
      report({ level: 'warn', code: 'spooling_began', detail: { cause } });
    }
    spooled += made.batch.records.length;
    chain?.advance(made.batch);
    if (isFlight) deps.onFlightSafe();
    settlement.settle(made);
  }

  function fail(made: Settled, isFlight: boolean, mayBeThere: boolean): void {
    const cause = journal.state().failure === 'full' ? 'spool_full' : 'spool_failed';
    rejections.rejectCalls(made.units, cause);
    if (isFlight) return;
    if (mayBeThere) held = made;
    else if (!made.isOwn) supply.putBack(made.units.filter(isPatient));
  }

  function tellFailure(): void {
    const code = blockedBy ?? journal.state().failure;
    if (code === failureTold) return;
    failureTold = code;
    const found = failure() ?? 'spool_usable';
    const { batches, bytes } = journal.state();
    report({ level: code === null ? 'info' : 'error', code: found, detail: { cause: code, batches, bytes } });
  }

  return {
    run,
    stop: () => {
      isStopped = true;
      waker.wake();
    },
    wake: () => {
      // Otherwise there is nothing for it to do at once.
      if (journal.batches() > 0 || trouble.code() !== null || link.downSince() !== null || deps.isClosing())
        waker.wake();
    },
    quiet: async () => {
      while (busy !== null) await busy;
    },
    isHolding: () => journal.batches() > 0 || busy !== null,
    next: (isCautious) => journal.next(isCautious ? { entries: 1, bytes: 1 } : deps.limits),
    drop: async (batches) => {
      await journal.drop(batches);
      tellFailure();
      if (journal.batches() > 0 || since === null) return;
      const seconds = Math.round((performance.now() - since) / 1000);
      since = null;
      report({ level: 'info', code: 'spooling_ended', detail: { seconds, records: spooled - spooledBefore } });
    },
    takeHeld: () => {
      const taken = held;
      held = null;
      return taken && flightOf(taken);
    },
    forget: () => void (held = null),
    block: (code) => {
      blockedBy = code;
      tellFailure();
    },
    failure,
    writing: () => writing,
    state: () => ({ ...journal.state(), failure: failure(), spooled }),
    conclude: () => {
      const { batches, entries, bytes } = journal.state();
      if (batches > 0) report({ level: 'warn', code: 'spool_not_empty', detail: { batches, records: entries, bytes } });
    },
  };
}
