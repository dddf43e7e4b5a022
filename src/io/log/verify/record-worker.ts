// The thread behind record-threads.ts: goes through one block after the other and posts what it found. It must never do anything else.
import { parentPort } from 'node:worker_threads';
import { readBlock } from './read-block.ts';
import type { RecordsJob } from './record-answer.ts';

parentPort?.on('message', (job: RecordsJob) => {
  const answer = readBlock(job);
  const { block, writerOf, seqs, times, hashes, prevs } = answer;
  const memory = [writerOf, seqs, times, hashes, prevs].map((list) => list.buffer);
  parentPort?.postMessage(answer, [block, ...memory]);
});
