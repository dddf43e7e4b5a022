// What follows once a batch is durable: counts, receipts, and what operators hear of a writer's first and last record. It must never
// be called before.
import type { RecorderClock } from './clock.ts';
import type { Counters, OnCommit, ReportEvent } from './events.ts';
import type { Rejections } from './rejections.ts';
import type { Unit } from './unit.ts';
import type { SealedBatch } from './writer-chain.ts';

/** A batch and those who wait for it. */
export interface Settled {
  readonly batch: SealedBatch;
  readonly units: readonly Unit[];
  /** When it was sealed, on the monotonic clock. */
  readonly since: number;
  /** The writer's own first or last record. */
  readonly isOwn: boolean;
}

export interface Settlement {
  settle(settled: Settled): void;
  /** The current writer's last record is durable. */
  isClosed(): boolean;
}

export interface SettlementDeps {
  readonly clock: RecorderClock;
  readonly counters: Counters;
  readonly rejections: Rejections;
  readonly report: ReportEvent;
  readonly onCommit?: OnCommit;
}

export function createSettlement({ clock, counters, rejections, report, onCommit }: SettlementDeps): Settlement {
  let isClosed = false;

  return {
    settle: ({ batch, units, since, isOwn }) => {
      counters.batches++;
      counters.entries += batch.records.length;
      counters.lastBatchEntries = batch.records.length;
      counters.lastCommitMs = performance.now() - since;
      onCommit?.(batch.records, counters.lastCommitMs);
      // Durable, but at a time that is far off: nobody may act on it.
      if (clock.verdict() === 'blocked') rejections.rejectCalls(units, 'clock_skew');
      let index = 0;
      for (const unit of units) {
        const records = batch.records.slice(index, (index += unit.entries.length));
        unit.commit(records.map(({ entry, seq }) => ({ id: entry.id, writer: batch.writer, seq })));
      }
      if (!isOwn) return;
      isClosed = batch.previous !== null;
      report({ level: 'info', code: isClosed ? 'writer_closed' : 'writer_opened', detail: { writer: batch.writer } });
    },
    isClosed: () => isClosed,
  };
}
