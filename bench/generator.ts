// The load generator, a process of its own: many connections, each asking the next question as soon as the last is answered. It must
// never count an answer that is not a 200, nor end with a question open: what it counted is what was answered.
import { readFile } from 'node:fs/promises';
import { openConnection, requestBytes } from './connection.ts';

export interface LoadJob {
  /** The door. */
  readonly url: string;
  /** JSON: a list of { authorization, body }. */
  readonly requestsFile: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly answers: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Evaluation ids in the answers. */
  readonly ids: readonly string[];
}

export type LoadReply = { readonly result: LoadResult } | { readonly failure: string };

const ID = '"evaluation_id":"';
const ID_LENGTH = 36;

const files = new Map<string, readonly { readonly authorization: string; readonly body: string }[]>();

async function run({ url, requestsFile, connections, seconds }: LoadJob): Promise<LoadResult> {
  const questions = files.get(requestsFile) ?? JSON.parse(await readFile(requestsFile, 'utf8'));
  files.set(requestsFile, questions);
  const door = new URL(url);
  const requests = [...questions].map(({ authorization, body }) => requestBytes(door, authorization, body));
  const latencies: number[] = [];
  const ids: string[] = [];
  let open = 0;
  let failed: Error | null = null;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (error: Error): void => {
    failed ??= error;
    reject(failed);
  };
  const lines = await Promise.all(Array.from({ length: connections }, () => openConnection(door, fail)));

  const begun = performance.now();
  const end = begun + seconds * 1_000;
  for (const [index, line] of lines.entries()) {
    let place = Math.floor((index * requests.length) / connections);
    const next = (): void => {
      const asked = performance.now();
      if (asked >= end || failed !== null) {
        open -= 1;
        if (open === 0) resolve();
        return;
      }
      place = (place + 1) % requests.length;
      line.ask(requests[place] ?? Buffer.alloc(0), ({ status, body }) => {
        if (status !== 200) return fail(new Error(`answered ${status}: ${body.toString()}`));
        latencies.push(performance.now() - asked);
        takeIds(body, ids);
        next();
      });
    };
    open += 1;
    next();
  }
  await promise;
  const took = (performance.now() - begun) / 1_000;
  for (const line of lines) line.close();
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { answers: sorted.length, seconds: took, p50: at(0.5), p99: at(0.99), ids };
}

/** A batch has many. */
function takeIds(body: Buffer, ids: string[]): void {
  for (let at = body.indexOf(ID); at >= 0; at = body.indexOf(ID, at + ID_LENGTH)) {
    const start = at + ID.length;
    ids.push(body.toString('latin1', start, start + ID_LENGTH));
  }
}

process.on('message', (job: LoadJob) => {
  run(job).then(
    (result) => process.send?.({ result } satisfies LoadReply),
    (error: unknown) => process.send?.({ failure: String(error) } satisfies LoadReply),
  );
});
process.on('disconnect', () => process.exit(0));
