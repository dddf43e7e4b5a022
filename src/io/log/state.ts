// What readiness and metrics learn about the recorder: codes and plain numbers. It must never say anything of what is recorded.
import type { RecorderClock } from './clock.ts';
import type { Alarm, Counters, RejectionCause } from './events.ts';
import type { Lineage } from './lineage.ts';
import type { Link } from './link.ts';
import type { RefusedLane } from './refused-lane.ts';
import type { Spooler, SpoolFailure, SpoolState } from './spool/spooler.ts';
import type { Supply } from './supply.ts';
import type { Trouble } from './trouble.ts';

/** Why records cannot be written. */
export type RecorderProblem = 'starting' | 'closing' | 'failed' | 'clock_skew' | DatabaseProblem | SpoolFailure;
type DatabaseProblem = 'database_unreachable' | 'database_refuses' | 'database_stalled';

/** What does not stop the recorder, but needs an operator. `spooling`: records wait in the journal for the database. */
export type RecorderWarning =
  | 'clock_skew'
  | 'partitions_not_ahead'
  | 'refused_tokens_counted'
  | 'spooling'
  | DatabaseProblem
  | SpoolFailure
  | AlarmWarning;
type AlarmWarning = Alarm['code'];

export interface RecorderState {
  readonly ready: boolean;
  readonly problems: readonly RecorderProblem[];
  readonly degraded: readonly RecorderWarning[];
  /** SQLSTATE or a word, such as `fsync_off` or `read_only`, behind a problem of the database. */
  readonly databaseCode: string | null;
  readonly writer: string | null;
  readonly queuedEntries: number;
  readonly queuedBytes: number;
  readonly queueLimitEntries: number;
  readonly inFlightEntries: number;
  /** Age of the batch that is being committed; 0 if there is none. */
  readonly inFlightMs: number;
  /** Milliseconds that our clock is ahead of (positive) or behind the database's. */
  readonly skewMs: number;
  readonly refusedWaiting: number;
  readonly refusedCounted: number;
  readonly counters: Counters;
  readonly alarms: readonly Alarm[];
  /** Null: there is no journal. */
  readonly spool: SpoolState | null;
}

export interface StateSources {
  readonly spooler: Spooler | null;
  readonly link: Link;
  readonly lineage: Lineage;
  readonly lane: RefusedLane;
  readonly supply: Supply;
  readonly trouble: Trouble;
  readonly clock: RecorderClock;
  readonly counters: Counters;
  readonly deadlineMs: number;
  readonly queueLimitEntries: number;
  readonly inFlightSince: () => number | null;
  readonly inFlightEntries: () => number;
  readonly phase: () => 'running' | 'closing' | 'failed';
  readonly arePartitionsAhead: () => boolean;
}

/** Why nothing is accepted at present; null if it is. */
export function barrier(sources: StateSources): RejectionCause | null {
  const { link, lineage, trouble, clock, spooler, deadlineMs, inFlightSince, phase } = sources;
  const current = phase();
  if (current !== 'running') return current;
  if (clock.verdict() === 'blocked') return 'clock_skew';
  if (trouble.code() !== null && spooler === null) return 'database_refuses';
  // What was decided before the next writer opens could not keep its time.
  if (lineage.needsMending()) return 'writer_lost';
  const failure = spooler?.failure();
  if (failure === null) return null;
  if (failure !== undefined && spooler?.isHolding() === true) return failure;
  if (trouble.code() !== null) return 'database_refuses';
  // Up to the deadline a requester waits for the database to come back; beyond it nobody is kept waiting in vain.
  const isOver = (since: number | null): boolean => since !== null && performance.now() - since > deadlineMs;
  return isOver(link.downSince()) || isOver(inFlightSince()) ? 'database_unreachable' : null;
}

export function describeState(sources: StateSources): RecorderState {
  const { link, lineage, lane, supply, trouble, clock, counters, inFlightSince } = sources;
  const since = inFlightSince();
  const problems = problemsOf(sources);
  return {
    ready: problems.length === 0,
    problems,
    degraded: warningsOf(sources),
    databaseCode: trouble.code() ?? link.downCode(),
    writer: lineage.current()?.writer ?? null,
    queuedEntries: supply.entries(),
    queuedBytes: supply.bytes(),
    queueLimitEntries: sources.queueLimitEntries,
    inFlightEntries: sources.inFlightEntries(),
    inFlightMs: since === null ? 0 : performance.now() - since,
    skewMs: Math.round(clock.skew()),
    refusedWaiting: lane.waiting(),
    refusedCounted: lane.counted(),
    counters: { ...counters, rejected: { ...counters.rejected }, alarms: { ...counters.alarms } },
    alarms: lineage.alarms(),
    spool: sources.spooler?.state() ?? null,
  };
}

function problemsOf(sources: StateSources): readonly RecorderProblem[] {
  const { lineage, clock, counters, link, spooler, phase } = sources;
  const problems: RecorderProblem[] = [];
  const current = phase();
  if (current !== 'running') problems.push(current);
  if (clock.verdict() === 'blocked') problems.push('clock_skew');
  if (!isCarried(sources)) {
    const isNew = counters.sessions === 0 && link.downCode() === null;
    problems.push(
      ...databaseProblems(sources).map((one) => (one === 'database_unreachable' && isNew ? 'starting' : one)),
    );
    const failure = spooler?.failure() ?? null;
    if (failure !== null && (problems.length > 0 || spooler?.isHolding() === true)) problems.push(failure);
  }
  if (!lineage.isOpen() && problems.length === 0) problems.push('starting');
  return problems;
}

/** Whether the journal takes what the database does not. */
function isCarried({ spooler, lineage }: StateSources): boolean {
  return spooler !== null && spooler.failure() === null && !lineage.needsMending();
}

function databaseProblems({ link, trouble, deadlineMs, inFlightSince }: StateSources): readonly DatabaseProblem[] {
  const problems: DatabaseProblem[] = [];
  if (link.downSince() !== null) problems.push('database_unreachable');
  if (trouble.code() !== null) problems.push('database_refuses');
  const since = inFlightSince();
  if (since !== null && performance.now() - since > deadlineMs) problems.push('database_stalled');
  return problems;
}

function warningsOf(sources: StateSources): readonly RecorderWarning[] {
  const { lineage, lane, clock, spooler, arePartitionsAhead } = sources;
  const warnings = new Set<RecorderWarning>(lineage.alarms().map((alarm) => alarm.code));
  if (clock.verdict() !== 'fine') warnings.add('clock_skew');
  if (!arePartitionsAhead()) warnings.add('partitions_not_ahead');
  if (lane.isCounting()) warnings.add('refused_tokens_counted');
  if (spooler === null) return [...warnings];
  if (spooler.isHolding()) warnings.add('spooling');
  if (isCarried(sources)) for (const problem of databaseProblems(sources)) warnings.add(problem);
  const failure = spooler.failure();
  if (failure !== null) warnings.add(failure);
  return [...warnings];
}
