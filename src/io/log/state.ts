// What readiness and metrics learn about the recorder: codes and plain numbers. It must never say anything of what is recorded.
import type { RecorderClock } from './clock.ts';
import type { Alarm, Counters, RejectionCause } from './events.ts';
import type { Lineage } from './lineage.ts';
import type { Link } from './link.ts';
import type { RefusedLane } from './refused-lane.ts';
import type { Supply } from './supply.ts';
import type { Trouble } from './trouble.ts';

/** Why records cannot be written. */
export type RecorderProblem =
  'starting' | 'closing' | 'failed' | 'clock_skew' | 'database_unreachable' | 'database_refuses' | 'database_stalled';

/** What does not stop the recorder, but needs an operator. */
export type RecorderWarning = 'clock_skew' | 'partitions_not_ahead' | 'refused_tokens_counted' | AlarmWarning;
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
}

export interface StateSources {
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
  const { link, lineage, trouble, clock, deadlineMs, inFlightSince, phase } = sources;
  const current = phase();
  if (current !== 'running') return current;
  if (clock.verdict() === 'blocked') return 'clock_skew';
  if (trouble.code() !== null) return 'database_refuses';
  // What was decided before the next writer opens could not keep its time.
  if (lineage.needsMending()) return 'writer_lost';
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
  };
}

function problemsOf(sources: StateSources): readonly RecorderProblem[] {
  const { link, lineage, trouble, clock, counters, deadlineMs, inFlightSince, phase } = sources;
  const problems: RecorderProblem[] = [];
  const current = phase();
  if (current !== 'running') problems.push(current);
  if (link.downSince() !== null) {
    problems.push(counters.sessions === 0 && link.downCode() === null ? 'starting' : 'database_unreachable');
  }
  if (trouble.code() !== null) problems.push('database_refuses');
  if (clock.verdict() === 'blocked') problems.push('clock_skew');
  const since = inFlightSince();
  if (since !== null && performance.now() - since > deadlineMs) problems.push('database_stalled');
  if (!lineage.isOpen() && problems.length === 0) problems.push('starting');
  return problems;
}

function warningsOf({ lineage, lane, clock, arePartitionsAhead }: StateSources): readonly RecorderWarning[] {
  const warnings = new Set<RecorderWarning>(lineage.alarms().map((alarm) => alarm.code));
  if (clock.verdict() !== 'fine') warnings.add('clock_skew');
  if (!arePartitionsAhead()) warnings.add('partitions_not_ahead');
  if (lane.isCounting()) warnings.add('refused_tokens_counted');
  return [...warnings];
}
