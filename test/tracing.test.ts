// Traces: off unless configured and then not even loaded; on, they say where the time of a request went and nothing of whom it was about.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { document, OFFICE, startApp } from './helpers/app.ts';
import { attributesOf, startCollector, type CollectedSpan, type Collector } from './helpers/collector.ts';

const QUESTION = { action: { name: 'read' }, resource: document('D-1'), context: OFFICE };
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

const named = ({ spans }: Collector, name: string): readonly CollectedSpan[] =>
  spans.filter((span) => span.name === name);
const below = ({ spans }: Collector, { spanId }: CollectedSpan): readonly string[] =>
  spans.filter((span) => span.parentSpanId === spanId).map(({ name }) => name);

t.test('spans of requests reach the collector', async (t) => {
  const collector = await startCollector(t);
  const rig = await startApp(t, { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/` } });
  const sampled = { traceparent: `00-${TRACE}-${PARENT}-01` };
  const answer = await rig.ask('u-okafor', QUESTION, { headers: sampled });
  t.equal(answer.headers['traceparent'], sampled.traceparent);
  await rig.ask('u-okafor', QUESTION, { headers: { traceparent: `00-${'1'.repeat(32)}-${PARENT}-00` } });
  const alone = await rig.ask('u-voss', QUESTION);
  const evaluations = [1, 2].map(() => ({ action: QUESTION.action, resource: QUESTION.resource }));
  await rig.ask('u-okafor', { context: OFFICE, evaluations }, { path: '/v1/authorize/batch' });
  await rig.inject({ method: 'GET', url: '/v1/policy', headers: { authorization: 'Bearer x' } });
  await rig.app.stop();

  t.match(collector.resources[0], { 'service.name': 'privity', 'service.version': /^\d/ });
  const requests = named(collector, 'POST /v1/authorize');
  t.equal(requests.length, 2, 'but not the one whose caller does not want it');
  const [first, second] = requests as [CollectedSpan, CollectedSpan];
  t.match(first, { traceId: TRACE, parentSpanId: PARENT, kind: 2 });
  const { revision } = rig.app.policies.current();
  t.strictSame(attributesOf(first), {
    'http.request.method': 'POST',
    'http.route': '/v1/authorize',
    'http.response.status_code': 200,
    'url.scheme': 'http',
    'pdp.caller': 'dms',
    'pdp.policy.version': revision,
    'pdp.decision': 'allow',
  });
  t.strictSame(below(collector, first), ['pdp.authenticate', 'pdp.evaluate', 'pdp.commit']);
  for (const span of collector.spans) t.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano), span.name);
  t.ok(collector.spans.every(({ traceId, parentSpanId }) => parentSpanId !== PARENT || traceId === TRACE));

  t.match(attributesOf(second), { 'pdp.decision': 'deny' });
  t.notOk(second.parentSpanId, 'a trace that begins here');
  const record = await rig.record(String(alone.body.context?.['evaluation_id']));
  t.equal(record['trace_id'], second.traceId, 'whose id is in the record');
  const [batch] = named(collector, 'POST /v1/authorize/batch');
  t.match(batch && attributesOf(batch), { 'pdp.decisions.allowed': 2, 'pdp.decisions.denied': 0 });
  const [refused] = named(collector, 'GET /v1/policy');
  t.match(refused && attributesOf(refused), { 'error.type': 'token_refused', 'http.response.status_code': 401 });
  t.strictSame(refused && below(collector, refused), []);
});

t.test('a collector that refuses costs spans, never answers', async (t) => {
  const collector = await startCollector(t);
  collector.answer(400);
  const rig = await startApp(t, { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
  for (let round = 0; round < 3; round++) t.equal((await rig.ask('u-okafor', QUESTION)).status, 200);
  for (;;) {
    const { body } = await rig.inject({ method: 'GET', url: '/metrics' });
    if (/^privity_traces_dropped_total [1-9]/m.test(body)) break;
    await new Promise((next) => setTimeout(next, 50));
  }
  t.match(
    rig.log.find(({ code }) => code === 'traces_not_sent'),
    { level: 'warn' },
  );
});

t.test('only the share that is asked for is sampled', async (t) => {
  const collector = await startCollector(t);
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER_ARG: '0' };
  const rig = await startApp(t, { environment });
  await rig.ask('u-okafor', QUESTION);
  await rig.ask('u-okafor', QUESTION, { headers: { traceparent: `00-${TRACE}-${PARENT}-01` } });
  await rig.app.stop();
  t.strictSame(
    named(collector, 'POST /v1/authorize').map(({ traceId }) => traceId),
    [TRACE],
    'a caller’s own trace all the same',
  );
});

t.test('off: nothing of it is loaded', async (t) => {
  const tracing = new URL('../src/tracing.ts', import.meta.url).href;
  const script = `
    import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ resolve: (name, context, next) => { seen.push(name); return next(name, context); } });
    const { openTracing } = await import(${JSON.stringify(tracing)});
    const log = { warn() {}, info() {} };
    const off = await openTracing({ OTEL_TRACES_SAMPLER_ARG: 1 }, '1', log);
    const before = seen.filter((name) => name.startsWith('@opentelemetry/'));
    const on = await openTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_TRACES_SAMPLER_ARG: 1 }, '1', log);
    const after = seen.filter((name) => name.startsWith('@opentelemetry/'));
    await on.close();
    console.log(JSON.stringify([off, before, after.length > 3]));`;
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { cwd });
  t.strictSame(JSON.parse(stdout), [null, [], true]);
});
