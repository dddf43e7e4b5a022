// The generator of overload, a process of its own: it asks at the pace it is told, whether or not it is answered, as the callers of a
// busy firm do. It must never slow down because the service does, nor call an answer what none was.
import { readFile } from 'node:fs/promises';
import { openConnection, requestBytes, type Connection } from './connection.ts';

export interface OverloadJob {
  /** Of the service. */
  readonly url: string;
  /** JSON: a list of { authorization, body }. */
  readonly requestsFile: string;
  readonly perSecond: number;
  readonly seconds: number;
  readonly maxConnections: number;
}

export interface OverloadResult {
  readonly seconds: number;
  readonly offered: number;
  /** Not even asked: every connection was waiting for an answer. */
  readonly unsent: number;
  readonly accepted: number;
  /** Answered 503 or 429. */
  readonly shed: number;
  readonly failed: number;
  /** Milliseconds: p50 and p99. */
  readonly latency: readonly [number, number];
  readonly health: readonly [number, number];
  readonly healthAnswers: number;
  readonly healthFailures: number;
  readonly ids: readonly string[];
}

export interface Capacity {
  /** Answers in a second, when every connection asks as soon as it is answered. */
  readonly perSecond: number;
  /** Of one processor, by the service. */
  readonly cpu: number;
}

export interface OverloadRow extends OverloadResult {
  readonly times: number;
  /** Answered in each second. */
  readonly goodput: number;
  readonly cpu: number;
}

export type OverloadReply = { readonly result: OverloadResult } | { readonly failure: string };

const TICK_MS = 2;
const HEALTH_MS = 50;
const ID = '"evaluation_id":"';
const ID_LENGTH = 36;

async function run({ url, requestsFile, perSecond, seconds, maxConnections }: OverloadJob): Promise<OverloadResult> {
  const questions = JSON.parse(await readFile(requestsFile, 'utf8')) as { authorization: string; body: string }[];
  const door = new URL(`${url}/v1/authorize`);
  const requests = questions.map(({ authorization, body }) => requestBytes(door, authorization, body));
  const first = Buffer.from(`GET /livez HTTP/1.1\r\nhost: ${door.host}\r\n\r\n`);
  const latencies: number[] = [];
  const health: number[] = [];
  const ids: string[] = [];
  const free: Connection[] = [];
  let [offered, unsent, shed, failed, waiting, opened, healthFailures] = [0, 0, 0, 0, 0, 0, 0];
  const open = async (): Promise<void> => {
    opened += 1;
    const line = await openConnection(door, () => {
      failed += 1;
      opened -= 1;
    });
    // A connection on which nothing was ever asked is closed after a while.
    await new Promise<void>((answered) => line.ask(first, () => answered()));
    free.push(line);
  };
  // Connections are there before the load: opening thousands at once measures the system, not the service.
  for (let at = 0; at < maxConnections; at += 64) {
    await Promise.all(Array.from({ length: Math.min(64, maxConnections - at) }, open));
  }

  const begun = performance.now();
  const end = begun + seconds * 1_000;
  const ask = (): void => {
    offered += 1;
    const line = free.pop();
    if (line === undefined) {
      unsent += 1;
      return;
    }
    const asked = performance.now();
    waiting += 1;
    line.ask(requests[offered % requests.length] ?? Buffer.alloc(0), ({ status, body }) => {
      waiting -= 1;
      free.push(line);
      if (status === 200) {
        latencies.push(performance.now() - asked);
        const at = body.indexOf(ID) + ID.length;
        ids.push(body.toString('latin1', at, at + ID_LENGTH));
      } else if (status === 503 || status === 429) shed += 1;
      else failed += 1;
    });
  };
  const probing = probeHealth(url, end, health, () => (healthFailures += 1));
  await new Promise<void>((done) => {
    const tick = setInterval(() => {
      const now = performance.now();
      const due = Math.floor(((Math.min(now, end) - begun) / 1_000) * perSecond);
      while (offered < due) ask();
      if (now < end) return;
      clearInterval(tick);
      done();
    }, TICK_MS);
  });
  const took = (performance.now() - begun) / 1_000;
  await probing;
  // Answers that are on their way still count: each has its record.
  const grace = performance.now() + 5_000;
  while (waiting > 0 && performance.now() < grace) await new Promise((next) => setTimeout(next, 20));
  for (const line of free) line.close();
  return {
    seconds: took,
    offered,
    unsent,
    accepted: latencies.length,
    shed,
    failed: failed + waiting,
    latency: quantiles(latencies),
    health: quantiles(health),
    healthAnswers: health.length,
    healthFailures,
    ids,
  };
}

/** As a prober does it: a connection for each question. */
async function probeHealth(url: string, end: number, times: number[], onFailure: () => void): Promise<void> {
  while (performance.now() < end) {
    const asked = performance.now();
    try {
      const answer = await fetch(`${url}/readyz`, { headers: { connection: 'close' } });
      await answer.text();
      if (answer.ok) times.push(performance.now() - asked);
      else onFailure();
    } catch {
      onFailure();
    }
    await new Promise((next) => setTimeout(next, HEALTH_MS));
  }
}

function quantiles(values: readonly number[]): readonly [number, number] {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return [at(0.5), at(0.99)];
}

process.on('message', (job: OverloadJob) => {
  run(job).then(
    (result) => process.send?.({ result } satisfies OverloadReply),
    (error: unknown) => process.send?.({ failure: String(error) } satisfies OverloadReply),
  );
});
process.on('disconnect', () => process.exit(0));
