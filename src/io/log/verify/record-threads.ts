// Spreads blocks of records over threads, which do nearly all the work of a verification. It must never give answers in another order
// than the blocks were given, nor leave a thread behind.
import { Worker } from 'node:worker_threads';
import type { PurgedRange } from '../../../core/record/purged.ts';
import type { Lanes } from '../../../core/verification/digest.ts';
import type { RecordFact } from '../../../core/verification/examine.ts';
import type { Place } from '../../../core/verification/finding.ts';

/** Places `[from, until)` of a writer. */
export interface Span {
  readonly writer: string;
  readonly from: number;
  readonly until: number;
}

/** `copy`: rows of PostgreSQL's COPY; `lines`: lines of a verification export. */
export type BlockFormat = 'copy' | 'lines';

export interface RecordsJob {
  readonly format: BlockFormat;
  readonly block: ArrayBuffer;
  readonly length: number;
  /** Facts about every record in these spans, and nothing else; null for all records without facts. */
  readonly only: readonly Span[] | null;
}

export interface Opening extends Place {
  /** What the record says of the writer's key, not looked at yet. */
  readonly key: unknown;
}

export interface Purge extends Place {
  readonly ranges: readonly PurgedRange[];
}

export interface PlacedFact extends Place {
  readonly fact: RecordFact;
}

export interface RecordsAnswer {
  /** To be used again. */
  readonly block: ArrayBuffer;
  count: number;
  readonly writers: readonly string[];
  readonly writerOf: Uint32Array<ArrayBuffer>;
  readonly seqs: Float64Array<ArrayBuffer>;
  readonly times: Float64Array<ArrayBuffer>;
  readonly sums: Lanes;
  /** Records about which something is wrong on its own. */
  readonly odd: Place[];
  readonly openings: Opening[];
  readonly purges: Purge[];
  readonly revisions: readonly string[];
  readonly facts: PlacedFact[];
}

export interface RecordThreads {
  /** Resolves when a thread can take it; `onAnswer` is called in the order of the blocks. */
  give(format: BlockFormat, block: Buffer<ArrayBuffer>, only: readonly Span[] | null): Promise<void>;
  /** Resolves when every answer was given. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Blocks that each thread has before it. */
const AHEAD = 2;

export function createRecordThreads(
  count: number,
  key: Uint8Array,
  onAnswer: (answer: RecordsAnswer) => void,
): RecordThreads {
  let failure: Error | undefined;
  const queue: { answer: RecordsAnswer | null }[] = [];
  let wake = (): void => undefined;
  const threads = Array.from({ length: count }, () => {
    const waiting: { answer: RecordsAnswer | null }[] = [];
    const worker = new Worker(new URL('./record-worker.ts', import.meta.url), { workerData: key });
    const fail = (error: Error): void => {
      failure ??= error;
      wake();
    };
    worker.on('error', fail);
    worker.on('exit', () => fail(new Error('a thread that verifies records has ended')));
    worker.on('message', (answer: RecordsAnswer) => {
      const slot = waiting.shift();
      if (slot !== undefined) slot.answer = answer;
      wake();
    });
    return { worker, waiting };
  });

  /** Hands on what is there, in order, and waits until `isEnough`. */
  async function settle(isEnough: () => boolean): Promise<void> {
    for (;;) {
      for (let first = queue[0]; first?.answer != null; first = queue[0]) {
        queue.shift();
        onAnswer(first.answer);
      }
      if (failure !== undefined) throw failure;
      if (isEnough()) return;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  const idlest = () => threads.reduce((best, one) => (one.waiting.length < best.waiting.length ? one : best));
  return {
    async give(format, block, only) {
      await settle(() => idlest().waiting.length < AHEAD && queue.length < count * AHEAD * 2);
      const slot = { answer: null };
      const { worker, waiting } = idlest();
      queue.push(slot);
      waiting.push(slot);
      const job: RecordsJob = { format, block: block.buffer, length: block.length, only };
      worker.postMessage(job, [block.buffer]);
    },
    drain: () => settle(() => queue.length === 0),
    async close() {
      for (const { worker } of threads) worker.removeAllListeners('exit');
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}
