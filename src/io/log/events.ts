// What the recorder tells operators and counts. It must never carry what a record says about anyone.
import type { RecordEntry } from '../../model/record.ts';

export interface RecorderEvent {
  readonly level: 'info' | 'warn' | 'error';
  readonly code: EventCode;
  readonly detail: Readonly<Record<string, string | number | null>>;
}

export type EventCode =
  | 'writer_opened'
  | 'writer_closed'
  | 'writer_left_open'
  | 'connected'
  | 'connection_lost'
  | 'cannot_connect'
  | 'database_refuses'
  | 'database_accepts'
  | 'entry_rejected'
  | 'partitions_failed'
  | 'clock_skew'
  | 'clock_right'
  | 'clock_corrected'
  | 'recorder_failed'
  | SpoolCode
  | AlarmCode;

export type SpoolCode =
  | 'spooling_began'
  | 'spooling_ended'
  | 'spool_full'
  | 'spool_failed'
  | 'spool_blocked'
  | 'spool_usable'
  | 'spool_not_empty';

/**
 * Something that must not happen while the database keeps its promises:
 * - `head_lost`: our last committed batch is not there any more;
 * - `chain_conflict`: other rows, or only some of ours, are where a batch of ours belongs.
 */
export type AlarmCode = 'head_lost' | 'chain_conflict';

export interface Alarm {
  readonly code: AlarmCode;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly writer: string;
  /** Of the record that is missing or in conflict. */
  readonly seq: number;
}

export type ReportEvent = (event: RecorderEvent) => void;

/** Told of every batch that is committed, or safe in the journal, before its requesters are. Must not throw. `ms` is how long it took. */
export type OnCommit = (records: readonly { readonly entry: RecordEntry }[], ms: number) => void;

/** Since the start of the process, except for what is named last. */
export interface Counters {
  entries: number;
  batches: number;
  /** Batches sent again because their fate was unknown. */
  retries: number;
  splits: number;
  /** Sessions opened. */
  sessions: number;
  /** Entries whose requesters got a 503, by cause. */
  rejected: Record<RejectionCause, number>;
  /** Refused tokens of which not even the count could be recorded. */
  refusedLost: number;
  alarms: Record<AlarmCode, number>;
  lastBatchEntries: number;
  lastCommitMs: number;
}

export type RejectionCause =
  | 'unrecordable'
  | 'queue_full'
  | 'deadline'
  | 'database_unreachable'
  | 'database_refuses'
  | 'poison'
  | 'clock_skew'
  | 'writer_lost'
  | 'spool_full'
  | 'spool_failed'
  | 'spool_blocked'
  | 'closing'
  | 'failed';

export function createCounters(): Counters {
  return {
    entries: 0,
    batches: 0,
    retries: 0,
    splits: 0,
    sessions: 0,
    rejected: {
      unrecordable: 0,
      queue_full: 0,
      deadline: 0,
      database_unreachable: 0,
      database_refuses: 0,
      poison: 0,
      clock_skew: 0,
      writer_lost: 0,
      spool_full: 0,
      spool_failed: 0,
      spool_blocked: 0,
      closing: 0,
      failed: 0,
    },
    refusedLost: 0,
    alarms: { head_lost: 0, chain_conflict: 0 },
    lastBatchEntries: 0,
    lastCommitMs: 0,
  };
}
