// An OpenTelemetry collector on loopback: takes OTLP over HTTP as JSON. It must never be reachable from elsewhere.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { TearsDown } from './postgres.ts';

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code?: number };
}

interface Traces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: CollectedSpan['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly CollectedSpan[] }[];
  }[];
}

export interface Collector {
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** Everything that arrived, as text. */
  readonly arrived: readonly string[];
  readonly resources: readonly Readonly<Record<string, unknown>>[];
  /** Status of the answers from now on. */
  answer(status: number): void;
}

export async function startCollector(t: TearsDown): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const arrived: string[] = [];
  const resources: Readonly<Record<string, unknown>>[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    void json(request).then((traces) => {
      take(request.url ?? '', traces as Traces);
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  const take = (path: string, traces: Traces): void => {
    if (path === '/v1/traces' && status === 200) {
      arrived.push(JSON.stringify(traces));
      for (const { resource, scopeSpans } of traces.resourceSpans) {
        resources.push(attributesOf(resource));
        for (const scope of scopeSpans) spans.push(...scope.spans);
      }
    }
  };
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(
    () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, spans, arrived, resources, answer: (next) => void (status = next) };
}

export function attributesOf({ attributes }: Pick<CollectedSpan, 'attributes'>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
