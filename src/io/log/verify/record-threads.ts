// Spreads blocks of records over threads, which do nearly all the work of a verification. It must never give answers in another order
// than the blocks were given, nor leave a thread behind.
import { Worker } from 'node:worker_threads';
import { readBlock } from './read-block.ts';
import type { BlockFormat, RecordsAnswer, RecordsJob, Span } from './record-answer.ts';

export interface RecordThreads {
  /** Resolves when a thread can take it; `onAnswer` is called in the order of the blocks. */
  give(format: BlockFormat, block: Buffer<ArrayBuffer>, only: readonly Span[] | null): Promise<void>;
  /** Resolves when every answer was given. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Blocks that each thread has before it. */
const AHEAD = 2;

export function createRecordThreads(count: number, onAnswer: (answer: RecordsAnswer) => void): RecordThreads {
  if (count === 0) {
    return {
      give: async (format, block, only) =>
        onAnswer(readBlock({ format, block: block.buffer, length: block.length, only })),
      drain: async () => undefined,
      close: async () => undefined,
    };
  }
  let failure: Error | undefined;
  const queue: { answer: RecordsAnswer | null }[] = [];
  let wake = (): void => undefined;
  const threads = Array.from({ length: count }, () => {
    const waiting: { answer: RecordsAnswer | null }[] = [];
    const worker = new Worker(new URL('./record-worker.ts', import.meta.url));
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
