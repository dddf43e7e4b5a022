// Spreads blocks of records and signed checkpoints over threads, which do nearly all the work of a verification. It must never give answers
// of one list in another order than they were asked, nor leave a thread behind.
import { Worker } from 'node:worker_threads';
import { readNotes } from './checkpoint-notes.ts';
import { readBlock } from './read-block.ts';
import type { NotesAnswer, NotesJob, RecordsAnswer, RecordsJob } from './record-answer.ts';

export interface VerifyThreads {
  records(job: RecordsJob): Promise<RecordsAnswer>;
  notes(job: NotesJob): Promise<NotesAnswer>;
  /** So many jobs of a list keep every thread busy. */
  readonly atOnce: number;
  close(): Promise<void>;
}

export type VerifyJob =
  { readonly what: 'records'; readonly job: RecordsJob } | { readonly what: 'notes'; readonly job: NotesJob };
export type VerifyAnswer =
  | { readonly what: 'records'; readonly answer: RecordsAnswer }
  | { readonly what: 'notes'; readonly answer: NotesAnswer };

/** Jobs of one list that each thread has before it: one that it does, one that waits, one whose answer is on its way. */
const AHEAD = 3;

/** @param count none: everything is done as it is asked */
export function createVerifyThreads(count: number): VerifyThreads {
  if (count === 0) {
    return {
      records: async (job) => readBlock(job),
      notes: async (job) => readNotes(job),
      atOnce: 1,
      close: async () => undefined,
    };
  }
  const threads = Array.from({ length: count }, startThread);
  const idlest = () => threads.reduce((best, one) => (one.waiting() < best.waiting() ? one : best));
  return {
    async records(job) {
      const given = await idlest().ask({ what: 'records', job }, [job.block]);
      if (given.what !== 'records') throw new Error('a thread gave another answer than was asked for');
      return given.answer;
    },
    async notes(job) {
      const given = await idlest().ask({ what: 'notes', job }, []);
      if (given.what !== 'notes') throw new Error('a thread gave another answer than was asked for');
      return given.answer;
    },
    atOnce: count * AHEAD,
    close: async () => void (await Promise.all(threads.map((thread) => thread.end()))),
  };
}

/** A thread gives its answers in the order in which it was asked. */
function startThread() {
  const waiting: PromiseWithResolvers<VerifyAnswer>[] = [];
  const worker = new Worker(new URL('./verify-worker.ts', import.meta.url));
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    failure ??= error;
    for (const one of waiting.splice(0)) one.reject(failure);
  };
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('a thread of the verification has ended')));
  worker.on('message', (answer: VerifyAnswer) => waiting.shift()?.resolve(answer));
  return {
    waiting: () => waiting.length,
    async ask(job: VerifyJob, memory: readonly ArrayBuffer[]): Promise<VerifyAnswer> {
      if (failure !== undefined) throw failure;
      const answer = Promise.withResolvers<VerifyAnswer>();
      waiting.push(answer);
      worker.postMessage(job, memory);
      return answer.promise;
    },
    async end() {
      worker.removeAllListeners('exit');
      await worker.terminate();
    },
  };
}

/** What `ask` makes of each, in their order, with at most so many asked at once. */
export async function* inOrder<In, Out>(
  all: AsyncIterable<In>,
  ask: (one: In) => Promise<Out>,
  atOnce: number,
): AsyncGenerator<Out> {
  const asked: Promise<Out>[] = [];
  for await (const one of all) {
    const answer = ask(one);
    // Nobody may ever come to it, where one before it fails.
    answer.catch(() => undefined);
    asked.push(answer);
    const first = asked.length < atOnce ? undefined : asked.shift();
    if (first !== undefined) yield await first;
  }
  for (const answer of asked) yield await answer;
}
