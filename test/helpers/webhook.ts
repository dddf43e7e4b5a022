// A receiver of webhooks on loopback that can answer in every way receivers do. It must never be reachable from elsewhere.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TearsDown } from './postgres.ts';

type Json = Readonly<Record<string, unknown>>;

/** A status, or one of the ways in which there is none; a function decides by the event. */
export type Answer = number | 'silent' | 'reset' | 'redirect' | 'endless';
export type Behaviour = Answer | ((event: Json) => Answer);

export interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: Json;
  readonly path: string;
}

export interface Receiver {
  readonly url: string;
  /** Everything that arrived, taken or not, in order. */
  readonly arrived: readonly Delivery[];
  /** Ids of the events that were answered with 2xx, in order. */
  taken(): readonly string[];
  behave(behaviour: Behaviour): void;
  /** Most requests that were open at the same time. */
  mostAtOnce(): number;
}

export async function startReceiver(t: TearsDown): Promise<Receiver> {
  const arrived: Delivery[] = [];
  const taken: string[] = [];
  let behaviour: Behaviour = 204;
  let open = 0;
  let most = 0;
  const server = createServer((request, response) => {
    let body = '';
    most = Math.max(most, (open += 1));
    response.on('close', () => (open -= 1));
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const event = JSON.parse(body === '' ? '{}' : body) as Json;
      arrived.push({ headers: request.headers, body, event, path: request.url ?? '' });
      const answer = typeof behaviour === 'function' ? behaviour(event) : behaviour;
      if (typeof answer === 'number' && answer >= 200 && answer < 300) taken.push(String(event['id']));
      respond(response, answer);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(
    () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/duties`,
    arrived,
    taken: () => taken,
    behave(next) {
      behaviour = next;
    },
    mostAtOnce: () => most,
  };
}

function respond(response: ServerResponse, answer: Answer): void {
  switch (answer) {
    case 'silent':
      return;
    case 'reset':
      response.destroy();
      return;
    case 'redirect':
      response.writeHead(307, { location: '/elsewhere' }).end();
      return;
    case 'endless':
      response.writeHead(200).write('x');
      return;
    default:
      response.writeHead(answer).end();
  }
}
