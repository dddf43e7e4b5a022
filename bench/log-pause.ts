// Detaches the oldest partition of a log while the service decides and records, and tells how long an answer took meanwhile. It must
// never leave the partition detached.
import { Agent, type IncomingMessage, request as send } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogStand } from './log-stand.ts';
import type { MixedRequest } from './mix.ts';

export interface Phase {
  readonly seconds: number;
  readonly answers: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly longest: number;
}

export interface Pauses {
  readonly partition: string;
  readonly before: Phase;
  readonly detaching: Phase;
  readonly attaching: Phase;
}

const CALLERS = 4;
const CALM_MS = 5_000;

export async function detachBeside(stand: LogStand, url: string, asked: readonly MixedRequest[]): Promise<Pauses> {
  const load = startLoad(url, asked);
  const client = await stand.connect(stand.postgres.superuserUrl);
  try {
    await sleep(CALM_MS / 5);
    const before = await load.during(() => sleep(CALM_MS));
    const { rows } = await client.query<{ partition: string; bound: string }>(
      `select c.relname as partition, pg_get_expr(c.relpartbound, c.oid) as bound
         from pg_inherits join pg_class c on c.oid = inhrelid
        where inhparent = 'public.decisions'::regclass order by c.relname limit 1`,
    );
    const [{ partition, bound } = { partition: '', bound: '' }] = rows;
    const detaching = await load.during(() =>
      client.query(`alter table public.decisions detach partition public.${partition} concurrently`),
    );
    const attaching = await load.during(() =>
      client.query(`alter table public.decisions attach partition public.${partition} ${bound}`),
    );
    return { partition, before, detaching, attaching };
  } finally {
    await load.stop();
    await client.end();
  }
}

function startLoad(url: string, asked: readonly MixedRequest[]) {
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
  let times: number[] = [];
  let isOver = false;
  let turn = 0;
  const callers = Array.from({ length: CALLERS }, async () => {
    while (!isOver) {
      const one = asked[turn++ % asked.length];
      if (one === undefined) throw new Error('nothing to ask');
      const began = performance.now();
      const sent = send(new URL('/v1/authorize', url), {
        agent,
        method: 'POST',
        headers: { authorization: one.authorization, 'content-type': 'application/json' },
      });
      sent.end(one.body);
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      const body = Buffer.concat(await response.toArray()).toString('utf8');
      if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${body}`);
      times.push(performance.now() - began);
    }
  });
  const failed = Promise.all(callers).then(() => undefined);
  failed.catch(() => undefined);
  return {
    /** What is under way when it ends counts with it. */
    async during(work: () => Promise<unknown>): Promise<Phase> {
      times = [];
      const began = performance.now();
      await Promise.race([work(), failed]);
      const seconds = (performance.now() - began) / 1_000;
      await Promise.race([sleep(200), failed]);
      const sorted = times.toSorted((a, b) => a - b);
      return { seconds, answers: sorted.length, p50: sorted[sorted.length >> 1] ?? 0, longest: sorted.at(-1) ?? 0 };
    },
    async stop(): Promise<void> {
      isOver = true;
      await failed.finally(() => agent.destroy());
    },
  };
}
