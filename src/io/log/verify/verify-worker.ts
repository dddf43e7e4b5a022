// The thread behind verify-threads.ts: goes through one job after the other and posts what it found. It must never do anything else.
import { parentPort } from 'node:worker_threads';
import { readNotes } from './checkpoint-notes.ts';
import { readBlock } from './read-block.ts';
import type { VerifyAnswer, VerifyJob } from './verify-threads.ts';

parentPort?.on('message', (asked: VerifyJob) => {
  if (asked.what === 'notes') {
    parentPort?.postMessage({ what: 'notes', answer: readNotes(asked.job) } satisfies VerifyAnswer);
    return;
  }
  const answer = readBlock(asked.job);
  const { block, writerOf, seqs, times, hashes, prevs } = answer;
  const memory = [writerOf, seqs, times, hashes, prevs].map((list) => list.buffer);
  parentPort?.postMessage({ what: 'records', answer } satisfies VerifyAnswer, [block, ...memory]);
});
