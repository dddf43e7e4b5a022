// In charge of which writer is writing: its first and last record, why another one took over, and what that one puts back. It must
// never go on with a writer that has been replaced.
import type { KeyObject } from 'node:crypto';
import { uuidv7 } from '../../core/record/uuid.ts';
import { NO_COLUMNS, type RecordEntry } from '../../model/record.ts';
import type { Clock } from './clock.ts';
import type { Alarm, AlarmCode, ReportEvent } from './events.ts';
import { createPatientUnit, type Unit } from './unit.ts';
import { openWriterChain, type WriterChain } from './writer-chain.ts';
import type { WriterCertificate } from './writer-key.ts';

export type OpeningReason = 'start' | 'clock_corrected' | AlarmCode;

export interface Lineage {
  /** Null until `open`, and after `replace`. */
  current(): WriterChain | null;
  /** The current writer's chain, or a new one's. */
  open(): WriterChain;
  /** Whether the writer's first record is committed. */
  isOpen(): boolean;
  openingUnit(chain: WriterChain): Unit;
  closingUnit(): Unit;
  /** After an alarm: the database may lack more than records. */
  needsMending(): boolean;
  /** Puts that back, for the next writer to record. Rejects if it could not. */
  mend(): Promise<void>;
  /** The chain cannot go on. */
  replace(reason: OpeningReason): void;
  /** About the current writer, or the one that is named. */
  raise(code: AlarmCode, seq: number, writer?: string): void;
  alarms(): readonly Alarm[];
}

export interface LineageDeps {
  readonly certifier: KeyObject;
  /** Version of the service. */
  readonly engine: string;
  readonly clock: Clock;
  readonly report: ReportEvent;
  /** Puts back what decisions need and the database may have lost; what it returns is recorded as the next writer opens. */
  readonly restore?: (() => Promise<readonly RecordEntry[]>) | undefined;
}

const KEPT_ALARMS = 20;

export function createLineage({ certifier, engine, clock, report, restore }: LineageDeps): Lineage {
  let chain: WriterChain | null = null;
  let previous: string | null = null;
  let previousHead: { readonly seq: number; readonly hash: string } | null = null;
  let needsMending = false;
  let restored: readonly RecordEntry[] = [];
  let reason: OpeningReason = 'start';
  /** Since then everything that is accepted is for the next writer, whose first record MUST not be younger than it. */
  let replacedAt: number | null = null;
  let alarms: readonly Alarm[] = [];

  function own(kind: RecordEntry['kind'], body: RecordEntry['body'], others: readonly RecordEntry[] = []): Unit {
    const at = kind === 'writer_opened' ? openingAt() : clock.now();
    return createPatientUnit([{ kind, id: uuidv7(at), at, body, columns: NO_COLUMNS }, ...others], () => undefined);
  }

  function openingAt(): number {
    return replacedAt ?? clock.now();
  }

  function opening(key: WriterCertificate): RecordEntry['body'] {
    return { engine, key, previous, previous_head: previousHead, reason };
  }

  return {
    current: () => chain,
    open: () => (chain ??= openWriterChain(certifier, openingAt())),
    isOpen: () => (chain?.acknowledged() ?? null) !== null,
    openingUnit: (opened) => own('writer_opened', opening(opened.certificate), restored),
    closingUnit: () => own('writer_closed', {}),
    needsMending: () => needsMending,
    mend: async () => {
      restored = (await restore?.()) ?? [];
      needsMending = false;
    },
    replace: (cause) => {
      const head = chain?.acknowledged() ?? null;
      if (chain !== null && head !== null) {
        previous = chain.writer;
        previousHead = { seq: head.seq, hash: head.hash.toString('hex') };
      }
      reason = cause;
      replacedAt = clock.now();
      restored = [];
      needsMending ||= cause === 'head_lost' || cause === 'chain_conflict';
      chain = null;
    },
    raise: (code, seq, writer = chain?.writer ?? '') => {
      const alarm = { code, at: clock.now(), writer, seq };
      alarms = [...alarms, alarm].slice(-KEPT_ALARMS);
      report({ level: 'error', code, detail: { writer: alarm.writer, seq } });
    },
    alarms: () => alarms,
  };
}
