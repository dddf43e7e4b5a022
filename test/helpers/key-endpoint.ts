// A JWKS endpoint on loopback that can go wrong in every way such endpoints do. It must never be reachable from elsewhere.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

type Json = Readonly<Record<string, unknown>>;

/** The part of tap's `t` that is needed here. */
export interface TearsDown {
  teardown(clear: () => Promise<void>): unknown;
}

/** How the endpoint answers: as it should, or in one of the ways that endpoints go wrong. */
export type Behaviour =
  | 'keys'
  | 'html'
  | 'huge'
  | 'compressed-bomb'
  | 'redirect'
  | 'error'
  | 'silent'
  | 'drip'
  | 'reset'
  | { readonly body: string | Json; readonly type?: string };

export interface KeyEndpoint {
  readonly url: string;
  /** Requests that reached the endpoint so far. */
  readonly requests: () => number;
  behave(behaviour: Behaviour): void;
  /** What is published from now on. */
  publish(...keys: readonly Json[]): void;
}

export async function startKeyEndpoint(t: TearsDown): Promise<KeyEndpoint> {
  let published: readonly Json[] = [];
  let behaviour: Behaviour = 'keys';
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    answer(response, behaviour, published);
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
    url: `http://127.0.0.1:${port}/jwks`,
    requests: () => requests,
    behave(next) {
      behaviour = next;
    },
    publish(...keys) {
      published = keys;
    },
  };
}

function answer(response: ServerResponse, behaviour: Behaviour, keys: readonly Json[]): void {
  const json = { 'content-type': 'application/json' };
  const body = JSON.stringify({ keys });
  if (typeof behaviour === 'object') {
    const text = typeof behaviour.body === 'string' ? behaviour.body : JSON.stringify(behaviour.body);
    response.writeHead(200, { 'content-type': behaviour.type ?? 'application/json' }).end(text);
    return;
  }
  switch (behaviour) {
    case 'keys':
      response.writeHead(200, json).end(body);
      return;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in first</html>');
      return;
    case 'huge':
      response.writeHead(200, json).end(JSON.stringify({ keys, padding: 'x'.repeat(4 * 1024 * 1024) }));
      return;
    case 'compressed-bomb':
      response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(bomb(body));
      return;
    case 'redirect':
      response.writeHead(302, { location: '/jwks?again' }).end();
      return;
    case 'error':
      response.writeHead(503, json).end('{}');
      return;
    case 'silent':
      return;
    case 'drip':
      response.writeHead(200, json).write(body.slice(0, 10));
      return;
    case 'reset':
      response.destroy();
  }
}

function bomb(body: string): Buffer {
  return gzipSync(Buffer.concat([Buffer.from(body), Buffer.alloc(16 * 1024 * 1024, ' ')]));
}
