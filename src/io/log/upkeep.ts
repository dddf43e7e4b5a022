// In charge of asking for partitions ahead of time: at the start, daily, and sooner after a failure. It must never stop records
// from being written while there are partitions to take them.
import type { ReportEvent } from './events.ts';
import { judgeFailure } from './failure.ts';

export interface Upkeep {
  /** Never rejects. */
  ensure(): Promise<void>;
  /** Whether the last attempt succeeded; true before the first. */
  areAhead(): boolean;
  stop(): void;
}

const DAY_MS = 86_400_000;
const RETRY_MS = 60_000;

export function createUpkeep(ensurePartitions: () => Promise<void>, report: ReportEvent): Upkeep {
  let areAhead = true;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function ensure(): Promise<void> {
    clearTimeout(timer);
    try {
      await ensurePartitions();
      areAhead = true;
    } catch (error) {
      areAhead = false;
      report({ level: 'error', code: 'partitions_failed', detail: { cause: judgeFailure(error).code } });
    }
    clearTimeout(timer);
    if (!isStopped) timer = setTimeout(() => void ensure(), areAhead ? DAY_MS : RETRY_MS).unref();
  }

  return {
    ensure,
    areAhead: () => areAhead,
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
