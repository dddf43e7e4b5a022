// Parses long YAML in a thread of its own: its parser cannot pause. It must never leave a thread behind.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { YamlTree } from './yaml-file.ts';

export interface YamlQuestion {
  readonly path: string;
  readonly text: string;
}

export interface YamlAnswer {
  readonly tree: YamlTree | null;
  readonly problems: readonly Diagnostic[];
}

/** One file after the other. The thread starts with the first file and must be closed by whoever made it. */
export interface YamlThread {
  read(question: YamlQuestion): Promise<YamlAnswer>;
  close(): Promise<void>;
}

export function createYamlThread(): YamlThread {
  let worker: Worker | undefined;
  return {
    async read(question) {
      worker ??= new Worker(new URL('./yaml-worker.ts', import.meta.url));
      const gaveUp = new AbortController();
      const answer = once(worker, 'message', { signal: gaveUp.signal });
      const ended = once(worker, 'exit', { signal: gaveUp.signal }).then(() => {
        throw new Error(`the thread that parses ${question.path} ended without an answer`);
      });
      worker.postMessage(question);
      try {
        const [first] = (await Promise.race([answer, ended])) as [YamlAnswer];
        return first;
      } finally {
        gaveUp.abort();
        await Promise.allSettled([answer, ended]);
      }
    },
    async close() {
      await worker?.terminate();
      worker = undefined;
    },
  };
}
