// Many clients at once, each with one request after the other, and a list of every exchange. It must never stop because the service
// does, nor ask faster than it is answered.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TearsDown } from '../helpers/postgres.ts';
import { type Attempt, type Exchange, exchange } from './exchange.ts';
import type { Random } from './random.ts';

export interface Load {
  /** In the order in which they ended. */
  readonly exchanges: readonly Exchange[];
  /** Where requests go from now on; clients take turns. */
  aim(...urls: readonly string[]): void;
  /** Resolves when that many more requests were answered with 200. */
  more(answers: number): Promise<void>;
  /** Resolves when every client has ended its last exchange. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly urls: readonly string[];
  readonly clients: number;
  readonly random: Random;
  /** What is asked next. Sees the exchanges so far. */
  readonly next: (exchanges: readonly Exchange[]) => Attempt;
}

const PAUSE_MS = 80;
/** Every so many requests come over a connection of their own. */
const OWN_CONNECTION = 20;

export function startLoad(t: TearsDown, { urls, clients, random, next }: LoadOptions): Load {
  const exchanges: Exchange[] = [];
  const waiting: { readonly at: number; readonly resolve: () => void }[] = [];
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
  const single = new http.Agent({ keepAlive: false });
  let targets = urls;
  let answered = 0;
  let isOver = false;

  async function client(index: number): Promise<void> {
    for (let turn = 0; !isOver; turn++) {
      const url = targets[(index + turn) % targets.length] ?? '';
      const done = await exchange(random.below(OWN_CONNECTION) === 0 ? single : agent, url, next(exchanges));
      exchanges.push(done);
      if (done.answer?.status === 200) answered++;
      for (const one of waiting) if (one.at <= answered) one.resolve();
      if (done.answer === null || done.answer.status === 503) await sleep(PAUSE_MS + random.below(PAUSE_MS));
    }
  }

  const running = Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
  const stop = async (): Promise<void> => {
    isOver = true;
    await running;
    agent.destroy();
  };
  t.teardown(stop);

  return {
    exchanges,
    aim: (...to) => void (targets = to),
    more: (answers) => new Promise((resolve) => waiting.push({ at: answered + answers, resolve })),
    stop,
  };
}
