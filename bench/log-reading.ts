// Reads a long log through the real service, as an auditor and a responsible attorney would, and times it. It must never take a page or
// an export for good that is short of rows.
import { Agent, get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { AUDITOR } from './log-prototypes.ts';
import type { LogStand } from './log-stand.ts';

export interface Timings {
  /** Milliseconds, ascending. */
  readonly first: readonly number[];
  /** The same questions once more. */
  readonly again: readonly number[];
}

export interface Streamed {
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
}

export interface LogReader {
  /** The last 100 decisions about each. */
  latest(filter: 'subject' | 'matter', ids: readonly string[]): Promise<Timings>;
  /** One matter's access report of a span of time, as CSV, by whoever is responsible for it. */
  report(matter: string, from: Date, until: Date): Promise<Streamed>;
  /** @param from null: from the beginning */
  export(format: 'ndjson' | 'csv' | 'ocsf', from: Date | null, until: Date): Promise<Streamed>;
  close(): void;
}

const PAGE = 100;
const LINE_END = 0x0a;

export async function openLogReader(stand: LogStand, url: string): Promise<LogReader> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const callerOf = (id: string) => {
    const found = stand.set.callers.find((caller) => caller.id === id);
    if (found === undefined) throw new Error(`no caller ${id}`);
    return found;
  };
  const auditor = await stand.issuer.personToken(stand.set, callerOf('log-review'), 'u-auditor-1', AUDITOR);

  async function ask(target: URL, token: string): Promise<IncomingMessage> {
    const request = get(target, { agent, headers: { authorization: `Bearer ${token}` } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  }

  async function page(words: Readonly<Record<string, string>>): Promise<number> {
    const began = performance.now();
    const response = await ask(new URL(`/v1/decisions?${new URLSearchParams(words).toString()}`, url), auditor);
    const body = Buffer.concat(await response.toArray()).toString('utf8');
    const ms = performance.now() - began;
    const { decisions } = JSON.parse(body) as { readonly decisions?: readonly unknown[] };
    if (decisions?.length !== PAGE) throw new Error(`${response.statusCode}: ${body.slice(0, 500)}`);
    return ms;
  }

  async function stream(words: Readonly<Record<string, string>>, token: string): Promise<Streamed> {
    const began = performance.now();
    const target = new URL(`/v1/decisions/export?${new URLSearchParams(words).toString()}`, url);
    const response = await ask(target, token);
    let [rows, bytes] = [words['format'] === 'csv' ? -1 : 0, 0];
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      for (let at = chunk.indexOf(LINE_END); at >= 0; at = chunk.indexOf(LINE_END, at + 1)) rows++;
    }
    if (response.statusCode !== 200 || !response.complete) throw new Error(`${target.href}: ${response.statusCode}`);
    return { rows, bytes, seconds: (performance.now() - began) / 1_000 };
  }

  return {
    async latest(filter, ids) {
      const rounds: number[][] = [];
      for (let round = 0; round < 2; round++) {
        const times: number[] = [];
        for (const id of ids) times.push(await page({ [filter]: id, limit: String(PAGE), kind: 'decision' }));
        rounds.push(times.toSorted((a, b) => a - b));
      }
      const [first = [], again = []] = rounds;
      return { first, again };
    },
    async report(matter, from, until) {
      const entry = stand.firm.matters.find(({ id }) => id === matter);
      const person = stand.firm.people.find(({ id }) => id === entry?.responsible);
      if (person === undefined) throw new Error(`nobody is responsible for ${matter}`);
      const token = await stand.issuer.personToken(stand.set, callerOf('dms'), person.id, person.claims);
      const span = { from: from.toISOString(), to: until.toISOString() };
      return stream({ view: 'access_report', matter, format: 'csv', order: 'oldest', ...span }, token);
    },
    export: (format, from, until) =>
      stream(
        { format, order: 'oldest', ...(from === null ? {} : { from: from.toISOString() }), to: until.toISOString() },
        auditor,
      ),
    close: () => agent.destroy(),
  };
}
