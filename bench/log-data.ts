// Writes a log of millions of records, as the service and its sealer leave it, into a migrated database that has none. It must never
// write what `privity audit verify` would find anything wrong with.
import { Worker } from 'node:worker_threads';
import type pg from 'pg';
import type { NoteSigner } from '../src/core/sealing/signed-note.ts';
import { ensurePartitions } from '../src/io/db/partitions.ts';
import type { Place } from '../src/io/log/sealing/places.ts';
import type { MonthJob, MonthProofs, MonthsOf } from './log-month.ts';
import { type Counts, openProofWriter } from './log-proofs.ts';
import type { Prototypes } from './log-prototypes.ts';

export interface LogDataOptions {
  readonly superuserUrl: string;
  readonly connect: (url: string) => Promise<pg.Client>;
  readonly prototypes: Prototypes;
  readonly revision: string;
  /** PEM of the key that certifies writers. */
  readonly certifier: string;
  readonly signer: NoteSigner;
  /** Where a checkpoint an hour is published. */
  readonly place: Place;
  readonly records: number;
  readonly months: number;
  readonly seed: number;
  readonly threads: number;
  /** Nothing is recorded after it. */
  readonly now: number;
  readonly onMonth: (partition: string, records: number) => void;
}

export interface Month extends MonthJob {
  /** First day, UTC. */
  readonly start: Date;
}

/** The last of them ends now. */
export function monthsOf({
  now,
  months,
  records,
  seed,
}: Pick<LogDataOptions, 'now' | 'months' | 'records' | 'seed'>): readonly Month[] {
  const today = new Date(now);
  const start = (back: number): Date => new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - back));
  const spans = Array.from({ length: months }, (_, index) => {
    const back = months - 1 - index;
    return { start: start(back), until: back === 0 ? now : start(back - 1).getTime() };
  });
  const total = spans.reduce((sum, { start: from, until }) => sum + until - from.getTime(), 0);
  return spans.map(({ start: first, until }, index) => ({
    start: first,
    partition: `decisions_${first.toISOString().slice(0, 7).replace('-', '_')}`,
    from: first.getTime(),
    until,
    records: Math.round((records * (until - first.getTime())) / total),
    seed: seed + index,
  }));
}

export async function writeLog(options: LogDataOptions): Promise<Counts> {
  const { superuserUrl, connect, prototypes, revision, certifier, signer, place, threads, onMonth } = options;
  const months = monthsOf(options);
  const client = await connect(superuserUrl);
  try {
    const { rows } = await client.query<{ any: boolean }>('select exists (select from public.commitments) as any');
    if (rows[0]?.any === true) throw new Error('this database has a log already');
    for (const { start } of months) await ensurePartitions(client, start, 0);
  } finally {
    await client.end();
  }
  const proofs = await openProofWriter({ connect: () => connect(superuserUrl), signer, place });
  const workers = createWorkers({ superuserUrl, prototypes, revision, certifier }, Math.min(threads, months.length));
  try {
    const done: (PromiseWithResolvers<MonthProofs> | undefined)[] = months.map(() => Promise.withResolvers());
    for (const one of done) one?.promise.catch(() => undefined);
    // As many at once as there are threads; what proves them follows in their order.
    const queue = [...months.entries()];
    const running = workers.all.map(async (worker) => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [index, { start: _, ...job }] = next;
        await workers.write(worker, job).then(done[index]?.resolve, done[index]?.reject);
      }
    });
    for (const [index, { partition }] of months.entries()) {
      const written = await done[index]?.promise;
      // What proves a month is 80 MB for two million records: not kept longer than needed.
      done[index] = undefined;
      if (written === undefined) continue;
      await proofs.month(written);
      onMonth(partition, written.records);
    }
    await Promise.all(running);
  } finally {
    await workers.close();
  }
  return proofs.close();
}

function createWorkers(shared: MonthsOf, count: number) {
  const all = Array.from(
    { length: count },
    () => new Worker(new URL('log-month.ts', import.meta.url), { workerData: shared }),
  );
  return {
    all,
    async write(worker: Worker, job: MonthJob): Promise<MonthProofs> {
      const answer = await new Promise<{ readonly proofs?: MonthProofs; readonly failure?: string }>(
        (resolve, reject) => {
          worker.once('message', resolve);
          worker.once('error', reject);
          worker.postMessage(job);
        },
      );
      if (answer.proofs === undefined) throw new Error(`${job.partition}: ${answer.failure ?? 'no answer'}`);
      return answer.proofs;
    },
    async close(): Promise<void> {
      await Promise.all(all.map((worker) => worker.terminate()));
    },
  };
}
