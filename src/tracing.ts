// Makes OpenTelemetry spans of requests after they are answered, where a collector is configured; its packages are loaded only then.
// It must never put into a span whom or what a request was about, wait for the collector, or keep more than a bounded queue for it.
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { Config } from './environment.ts';
import type { Stages } from './stages.ts';

/** What a span may say of a request. */
export interface TracedRequest {
  readonly method: string;
  readonly route: string;
  readonly scheme: string;
  readonly status: number;
  readonly traceId: string | null;
  /** As it was sent. */
  readonly traceparent: string | undefined;
  /** Null before a caller is known. */
  readonly caller: string | null;
  readonly revision: string | null;
}

export interface Tracing {
  /** For a request whose caller did not begin a trace. */
  newTraceId(): string;
  answered(request: TracedRequest, stages: Stages, now: number): void;
  /** Spans that did not reach the collector. */
  dropped(): number;
  /** Sends what is left; bounded in time. */
  close(): Promise<void>;
}

const QUEUE = 4_096;
const BATCH = 512;
const DELAY_MS = 2_000;
const EXPORT_TIMEOUT_MS = 5_000;
const NAME = 'privity';

/** Null: no collector is configured, and nothing is loaded. */
export async function openTracing(config: Config, version: string, log: Logger): Promise<Tracing | null> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: ratio } = config;
  if (endpoint === undefined) return null;
  const api = await import('@opentelemetry/api');
  const sdk = await import('@opentelemetry/sdk-trace');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');

  const random = new sdk.RandomIdGenerator();
  let traceId = '';
  let waiting = 0;
  let lost = 0;
  let isFailing = false;
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: EXPORT_TIMEOUT_MS,
    concurrencyLimit: 2,
  });
  const counting: ConstructorParameters<typeof sdk.BatchSpanProcessor>[0]['exporter'] = {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        waiting -= spans.length;
        const failed = result.error !== undefined;
        if (failed) lost += spans.length;
        if (failed !== isFailing) {
          isFailing = failed;
          if (failed) log.warn({ code: 'traces_not_sent', reason: codeOf(result.error) }, 'traces');
          else log.info({ code: 'traces_sent' }, 'traces');
        }
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': NAME, 'service.version': version }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(ratio) }),
    // A request's trace id is in its record before there is a span.
    idGenerator: { generateTraceId: () => traceId, generateSpanId: () => random.generateSpanId() },
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: counting,
        maxQueueSize: QUEUE,
        maxExportBatchSize: BATCH,
        scheduledDelayMillis: DELAY_MS,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
  });
  const tracer = provider.getTracer(NAME, version);

  function contextOf(request: TracedRequest): Context {
    const parent = parentOf(request);
    if (parent === null) return api.ROOT_CONTEXT;
    return api.trace.setSpanContext(api.ROOT_CONTEXT, { ...parent, isRemote: true });
  }

  return {
    newTraceId: () => random.generateTraceId(),
    answered(request, stages, now) {
      traceId = request.traceId ?? random.generateTraceId();
      const span = tracer.startSpan(
        `${request.method} ${request.route}`,
        {
          kind: api.SpanKind.SERVER,
          startTime: wallTime(stages.arrived),
          attributes: attributesOf(request, stages),
        },
        contextOf(request),
      );
      if (!span.isRecording()) return;
      // The library drops silently what does not fit; so it is not even given it.
      const names = stagesOf(stages);
      if (waiting + names.length + 1 > QUEUE) {
        lost += names.length + 1;
        return;
      }
      waiting += names.length + 1;
      if (request.status >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR });
      endStages(tracer, api.trace.setSpan(api.ROOT_CONTEXT, span), names);
      span.end(wallTime(now));
    },
    dropped: () => lost,
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, EXPORT_TIMEOUT_MS);
      await Promise.race([provider.shutdown().catch(() => undefined), promise]);
      clearTimeout(timer);
    },
  };
}

/** Spans are in the time of the machine, stages in the time since the start. */
function wallTime(moment: number): number {
  return performance.timeOrigin + moment;
}

type StageSpan = readonly [name: string, from: number, to: number];

function stagesOf({ arrived, authenticated, began, decided, committed }: Stages): readonly StageSpan[] {
  const all: readonly StageSpan[] = [
    ['pdp.authenticate', arrived, authenticated],
    ['pdp.evaluate', began, decided],
    ['pdp.commit', decided, committed],
  ];
  return all.filter(([, from, to]) => from > 0 && to > 0);
}

function endStages(tracer: Tracer, parent: Context, names: readonly StageSpan[]): void {
  for (const [name, from, to] of names) {
    const span: Span = tracer.startSpan(name, { startTime: wallTime(from) }, parent);
    span.end(wallTime(to));
  }
}

/** Systems, codes and counts: nobody's name, no matter, no rule. */
function attributesOf({ method, route, scheme, status, caller, revision }: TracedRequest, stages: Stages): Attributes {
  const { allowed, denied, problem } = stages;
  return {
    'http.request.method': method,
    'http.route': route,
    'http.response.status_code': status,
    'url.scheme': scheme,
    ...(problem === null ? {} : { 'error.type': problem }),
    ...(caller === null ? {} : { 'pdp.caller': caller }),
    ...(revision === null ? {} : { 'pdp.policy.version': revision }),
    ...(allowed + denied === 1 ? { 'pdp.decision': allowed === 1 ? 'allow' : 'deny' } : {}),
    ...(allowed + denied > 1 ? { 'pdp.decisions.allowed': allowed, 'pdp.decisions.denied': denied } : {}),
  };
}

const PARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-([0-9a-f]{16})-([0-9a-f]{2})/;

/** W3C Trace Context, of a traceparent that was found valid. */
function parentOf({
  traceparent,
  traceId,
}: TracedRequest): { traceId: string; spanId: string; traceFlags: number } | null {
  if (traceparent === undefined || traceId === null) return null;
  const [, spanId, flags] = PARENT.exec(traceparent) ?? [];
  if (spanId === undefined || flags === undefined || !traceparent.includes(traceId)) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 };
}

/** A code: messages name hosts and addresses. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'failed';
}
