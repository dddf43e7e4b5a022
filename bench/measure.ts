// Drives what is measured, in turns, and adds up what each turn cost. It must never compare figures of different runs.
import { decide } from '../src/core/decide.ts';
import type { PolicySet } from '../src/core/policy-set.ts';
import { openConnection, requestBytes, type Answer } from './connection.ts';
import type { Mix } from './mix.ts';
import { cpuSeconds, type Generator } from './processes.ts';

export interface Target {
  readonly generator: Generator;
  readonly url: string;
  readonly requestsFile: string;
  readonly connections: number;
  readonly seconds: number;
  readonly servicePid: number;
  readonly postgresPid: number;
}

export interface Figures {
  /** One for each round. */
  readonly perSecond: readonly number[];
  readonly p50: readonly number[];
  readonly p99: readonly number[];
  answers: number;
  decisions: number;
  seconds: number;
  cpu: { service: number; postgres: number; generator: number };
}

const WARM_UP = 0.6;

/** Every target once in each round, one after the other, so that all see the same machine. */
export async function measure(targets: readonly Target[], rounds: number, ids: string[]): Promise<readonly Figures[]> {
  for (const target of targets) {
    const { ids: warm } = await target.generator.load({ ...target, seconds: target.seconds * WARM_UP });
    for (const id of warm) ids.push(id);
  }
  const figures = targets.map((): Figures & { perSecond: number[]; p50: number[]; p99: number[] } => ({
    perSecond: [],
    p50: [],
    p99: [],
    answers: 0,
    decisions: 0,
    seconds: 0,
    cpu: { service: 0, postgres: 0, generator: 0 },
  }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, target] of targets.entries()) {
      const sum = figures[index];
      if (sum === undefined) continue;
      const before = cpuOf(target);
      const result = await target.generator.load(target);
      const after = cpuOf(target);
      for (const id of result.ids) ids.push(id);
      sum.perSecond.push(result.answers / result.seconds);
      sum.p50.push(result.p50);
      sum.p99.push(result.p99);
      sum.answers += result.answers;
      sum.decisions += result.ids.length;
      sum.seconds += result.seconds;
      for (const name of ['service', 'postgres', 'generator'] as const) sum.cpu[name] += after[name] - before[name];
    }
  }
  return figures;
}

function cpuOf({ servicePid, postgresPid, generator }: Target): Figures['cpu'] {
  return {
    service: cpuSeconds(servicePid),
    postgres: cpuSeconds(postgresPid, true),
    generator: cpuSeconds(generator.pid),
  };
}

/** Every request of the mix once. @returns their number. @throws when an answer is not what decide says in this process */
export async function compareAnswers(set: PolicySet, url: string, { requests }: Mix): Promise<number> {
  const door = new URL(`${url}/v1/authorize`);
  const { promise: lost, reject } = Promise.withResolvers<never>();
  lost.catch(() => undefined);
  const line = await openConnection(door, reject);
  for (const { authorization, body, request } of requests) {
    const answered = new Promise<Answer>((resolve) => line.ask(requestBytes(door, authorization, body), resolve));
    const answer = await Promise.race([answered, lost]);
    const text = answer.body.toString();
    const expected = decide(set, { ...request, now: Date.now() }).outcome === 'allow';
    const { decision } = JSON.parse(text) as { readonly decision?: boolean };
    if (answer.status !== 200 || decision !== expected) {
      throw new Error(`${answer.status} ${text} instead of ${expected} for ${body}`);
    }
  }
  line.close();
  return requests.length;
}
