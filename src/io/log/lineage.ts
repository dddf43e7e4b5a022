// In charge of which writer is writing: its first and last record, and why another one took over. It must never go on with a writer
// that has been replaced.
import type { KeyObject } from 'node:crypto';
import { uuidv7 } from '../../core/record/uuid.ts';
import { NO_COLUMNS, type RecordEntry } from '../../model/record.ts';
import type { Clock } from './clock.ts';
import type { Alarm, AlarmCode, ReportEvent } from './events.ts';
import { createPatientUnit, type Unit } from './unit.ts';
import { openWriterChain, type WriterChain } from './writer-chain.ts';

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
  /** The chain cannot go on. */
  replace(reason: OpeningReason): void;
  raise(code: AlarmCode, seq: number): void;
  alarms(): readonly Alarm[];
}

export interface LineageDeps {
  readonly certifier: KeyObject;
  /** Version of the service. */
  readonly engine: string;
  readonly clock: Clock;
  readonly report: ReportEvent;
}

const KEPT_ALARMS = 20;

export function createLineage({ certifier, engine, clock, report }: LineageDeps): Lineage {
  let chain: WriterChain | null = null;
  let previous: string | null = null;
  let reason: OpeningReason = 'start';
  let alarms: readonly Alarm[] = [];

  function own(kind: RecordEntry['kind'], body: RecordEntry['body']): Unit {
    const at = clock.now();
    return createPatientUnit({ kind, id: uuidv7(at), at, body, columns: NO_COLUMNS }, () => undefined);
  }

  return {
    current: () => chain,
    open: () => (chain ??= openWriterChain(certifier, clock.now())),
    isOpen: () => (chain?.acknowledged() ?? null) !== null,
    openingUnit: (opened) => own('writer_opened', { engine, key: opened.certificate, previous, reason }),
    closingUnit: () => own('writer_closed', {}),
    replace: (cause) => {
      previous = chain?.writer ?? previous;
      reason = cause;
      chain = null;
    },
    raise: (code, seq) => {
      const alarm = { code, at: clock.now(), writer: chain?.writer ?? '', seq };
      alarms = [...alarms, alarm].slice(-KEPT_ALARMS);
      report({ level: 'error', code, detail: { writer: alarm.writer, seq } });
    },
    alarms: () => alarms,
  };
}
