// What /metrics says: everything of its table, in a form that Prometheus reads, true to what happened, and nothing that would tell one
// deny from another (P7). The dashboard and the alert rules name only what is there.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { parse } from 'yaml';
import { METRICS, type MetricSpec } from '../src/metrics-table.ts';
import { createBuckets, createCells, observe, writeText } from '../src/metrics-text.ts';
import { document, OFFICE, startApp, type TestApp } from './helpers/app.ts';
import { startPrivatePostgres } from './helpers/postgres.ts';
import { startReceiver } from './helpers/webhook.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)$/;

const textOf = async (rig: TestApp): Promise<string> => (await rig.inject({ method: 'GET', url: '/metrics' })).body;

function readMetrics(text: string): ReadonlyMap<string, number> {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`not a line of metrics: ${line}`);
    if (series.has(name + labels)) throw new Error(`twice: ${name}${labels}`);
    series.set(name + labels, Number(value.replace('Inf', 'Infinity')));
  }
  return series;
}

const metricsOf = async (rig: TestApp): Promise<ReadonlyMap<string, number>> => readMetrics(await textOf(rig));

/** The names a rule or panel may use. */
function exposedNames(text: string): ReadonlySet<string> {
  const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  return new Set(names);
}

/** Names of metrics in an expression, which labels and functions are not called like. */
function namesIn(expression: string): readonly string[] {
  const bare = expression.replaceAll(/"[^"]*"/g, '""').replaceAll(/\[[^\]]*\]/g, '');
  return [...bare.matchAll(/[a-z_][a-z0-9_]*/gi)]
    .map(([name]) => name)
    .filter((name) => /^(privity|process|nodejs)_/.test(name));
}

t.test('text of numbers', async (t) => {
  const families = createBuckets([0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 5]) observe(families.of('a"b\\c\nd'), value);
  const cells = createCells();
  cells.of('x').value = 2;
  const text = writeText(
    new Map([['privity_records_total', cells]]),
    new Map([['privity_stage_duration_seconds', families]]),
    [['privity_ready', 1]],
  );
  const label = 'stage="a\\"b\\\\c\\nd"';
  t.match(text, `privity_stage_duration_seconds_bucket{${label},le="0.1"} 2\n`);
  t.match(text, `privity_stage_duration_seconds_bucket{${label},le="1"} 3\n`);
  t.match(text, `privity_stage_duration_seconds_bucket{${label},le="+Inf"} 4\n`);
  t.match(text, `privity_stage_duration_seconds_sum{${label}} 5.65\n`);
  t.match(text, `privity_stage_duration_seconds_count{${label}} 4\n`);
  t.match(text, 'privity_records_total{kind="x"} 2\n');
  t.match(text, '# TYPE privity_ready gauge\nprivity_ready 1\n');
  t.doesNotThrow(() => readMetrics(text));
  for (let index = 0; index < 5_000; index++) cells.of(`made up ${index}`).value += 1;
  t.ok(cells.cells.size <= 2_001, 'label values are bounded');
  t.ok(cells.of('other').value > 2_000);
});

t.test('every metric of the table is there, and what it names is there', async (t) => {
  const rig = await startApp(t);
  await rig.ask('u-okafor', { action: { name: 'read' }, resource: document('D-1'), context: OFFICE });
  const { headers, body: text } = await rig.inject({ method: 'GET', url: '/metrics' });
  t.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  t.equal(headers['cache-control'], 'no-store');
  const exposed = exposedNames(text);
  const series = readMetrics(text);
  for (const [name, { type, help }] of Object.entries(METRICS) as [string, MetricSpec][]) {
    t.ok(exposed.has(name), name);
    t.ok(help.length > 5, `${name} says what it is`);
    if (type === 'counter') t.match(name, /_total$/);
  }
  const without = Object.keys(METRICS).filter((name) => ![...series.keys()].some((one) => one.startsWith(name)));
  t.strictSame(
    without,
    [
      'privity_refused_tokens_total',
      'privity_rate_limited_total',
      'privity_spool_bytes',
      'privity_spool_limit_bytes',
      'privity_spool_batches',
      'privity_spool_records',
      'privity_spool_oldest_seconds',
      'privity_spooled_records_total',
      'privity_sealed_records',
      'privity_published_records',
      'privity_sealing_behind_seconds',
      'privity_shadow_policy_info',
      'privity_shadow_policy_failing',
      'privity_shadow_policy_loads_total',
      'privity_shadow_decisions_total',
    ],
    'nothing of these happened',
  );
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    t.ok(exposed.has(name), name);
  }

  const alerts = readFileSync(`${ROOT}deploy/prometheus/alerts.yaml`, 'utf8');
  const { groups } = parse(alerts) as {
    groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  t.ok(rules.length > 10);
  const monitoring = readFileSync(`${ROOT}docs/monitoring.md`, 'utf8');
  for (const { alert, expr, annotations } of rules) {
    const names = namesIn(expr);
    t.ok(names.length > 0 || alert === 'PrivityDown', alert);
    t.strictSame(
      names.filter((name) => !exposed.has(name)),
      [],
      alert,
    );
    for (const [, code = ''] of expr.matchAll(/privity_degraded\{code="(\w+)"/g)) {
      t.ok(series.has(`privity_degraded{code="${code}"}`), code);
    }
    t.equal(annotations['runbook'], `docs/monitoring.md#${alert.toLowerCase()}`);
    t.match(monitoring, new RegExp(`^### ${alert}$`, 'm'), `${alert} is explained`);
  }
  const board = readFileSync(`${ROOT}deploy/grafana/privity.json`, 'utf8');
  const expressions = [...board.matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g)].map(
    ([, expr]) => JSON.parse(`"${expr}"`) as string,
  );
  t.ok(expressions.length > 30);
  for (const expr of expressions)
    t.strictSame(
      namesIn(expr).filter((name) => !exposed.has(name)),
      [],
      expr,
    );
});

const promtool = process.env['PROMTOOL'] ?? 'promtool';
const hasPromtool = spawnSync(promtool, ['--version']).status === 0;
const skip = hasPromtool ? false : 'promtool (of the package `prometheus`) is not installed';

t.test('promtool finds nothing wrong', { skip }, async (t) => {
  const rig = await startApp(t);
  await rig.ask('u-okafor', { action: { name: 'read' }, resource: document('D-1'), context: OFFICE });
  execFileSync(promtool, ['check', 'rules', `${ROOT}deploy/prometheus/alerts.yaml`]);
  const own = (await textOf(rig)).split('# HELP process_cpu')[0] ?? '';
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input: own, encoding: 'utf8' });
  t.equal(status, 0, stdout + stderr);
});

async function breakGlass(rig: TestApp): Promise<void> {
  const context = { ...OFFICE, break_glass_reason: 'Hearing at nine' };
  const { body } = await rig.ask('u-quinn', { action: { name: 'read' }, resource: document('D-1'), context });
  if (body.decision !== true) throw new Error(JSON.stringify(body));
}

t.test('what happens is counted', async (t) => {
  const rig = await startApp(t);
  const question = { action: { name: 'read' }, resource: document('D-1'), context: OFFICE };
  t.equal((await rig.ask('u-okafor', question)).body.decision, true);
  t.equal(
    (await rig.ask('u-okafor', { ...question, resource: document('D-1', { matter_id: 'M-9' }) })).body.decision,
    false,
  );
  await rig.ask('u-okafor', { ...question, action: 5 });
  await rig.inject({ method: 'GET', url: '/v1/nothing/here' });
  await rig.inject({ method: 'GET', url: '/v1/policy', headers: { authorization: 'Bearer x.y.z' } });
  await rig.inject({ method: 'GET', url: '/v1/policy' });
  const series = await metricsOf(rig);
  for (const [name, value] of [
    ['privity_ready', 1],
    ['privity_degraded{code="writer_key_not_kept"}', 1],
    ['privity_degraded{code="policies_not_reloaded"}', 0],
    ['privity_problem{code="database_unreachable"}', 0],
    ['privity_decisions_total{outcome="allow",caller="dms"}', 1],
    ['privity_decisions_total{outcome="deny",caller="dms"}', 1],
    ['privity_records_total{kind="decision"}', 2],
    ['privity_records_total{kind="writer_opened"}', 1],
    ['privity_records_total{kind="policy_loaded"}', 1],
    ['privity_http_responses_total{route="/v1/authorize",status="200"}', 2],
    ['privity_http_responses_total{route="/v1/authorize",status="400"}', 1],
    ['privity_http_responses_total{route="none",status="404"}', 1],
    ['privity_http_request_duration_seconds_count{route="/v1/authorize"}', 3],
    ['privity_stage_duration_seconds_count{stage="authenticate"}', 3],
    ['privity_stage_duration_seconds_count{stage="commit"}', 2],
    ['privity_problems_total{code="malformed_request"}', 1],
    ['privity_problems_total{code="token_refused"}', 2],
    ['privity_problems_total{code="internal_error"}', 0],
    ['privity_refused_tokens_total{reason="missing"}', 1],
    ['privity_refused_tokens_total{reason="malformed"}', 1],
    ['privity_policy_loads_total{result="activated"}', 1],
    ['privity_recorder_alarms_total{code="head_lost"}', 0],
  ] as const) {
    t.equal(series.get(name), value, name);
  }
  const { revision, commit } = rig.app.policies.state();
  t.equal(series.get(`privity_policy_info{revision="${revision}",commit="${commit ?? ''}"}`), 1);
  t.ok((series.get('privity_recorder_batch_entries_count') ?? 0) >= 4);
  for (const { issuer } of rig.app.policies.current().issuers) {
    t.equal(series.get(`privity_issuer_keys_usable{issuer="${issuer}"}`), 1);
  }
});

t.test('a wall, an unknown matter and a default deny count alike', async (t) => {
  const rig = await startApp(t);
  const counts = async (): Promise<ReadonlyMap<string, number>> =>
    new Map(
      [...(await metricsOf(rig))].filter(
        // What time, memory and the machine say is not about the answer; of durations the number of them is.
        ([name]) =>
          name.startsWith('privity_') && !/_(?:seconds|bytes|bucket|sum)\b/.test(name.replace(/_count\b.*/, '_n')),
      ),
    );
  const differences: unknown[] = [];
  // u-voss is screened from M-1001; nobody knows M-424242; no rule speaks of levitating.
  for (const question of [
    { action: { name: 'read' }, resource: document('D-1'), context: OFFICE },
    { action: { name: 'read' }, resource: document('D-1', { matter_id: 'M-424242' }), context: OFFICE },
    { action: { name: 'levitate' }, resource: document('D-1', { matter_id: 'M-1003' }), context: OFFICE },
  ]) {
    const before = await counts();
    const { status, body } = await rig.ask('u-voss', question);
    t.equal(status, 200);
    t.equal(body.decision, false);
    const after = await counts();
    differences.push(
      [...after].flatMap(([name, value]) =>
        (before.get(name) ?? 0) === value ? [] : [[name, value - (before.get(name) ?? 0)]],
      ),
    );
  }
  t.ok(Array.isArray(differences[0]) && differences[0].length > 3);
  t.strictSame(differences[1], differences[0]);
  t.strictSame(differences[2], differences[0]);
});

t.test('what goes wrong shows', async (t) => {
  const server = await startPrivatePostgres(t);
  const receiver = await startReceiver(t);
  receiver.behave(500);
  const rig = await startApp(t, {
    urls: server.urls,
    environment: { WEBHOOK_URL: receiver.url },
    extras: {
      courier: { pollMs: 20, firstRetryMs: 20, seatMs: 50 },
      recorder: { limits: { deadlineMs: 300 } },
    },
  });
  const until = async (name: string, isSo: (value: number) => boolean): Promise<void> => {
    for (;;) {
      const value = (await metricsOf(rig)).get(name);
      if (value !== undefined && isSo(value)) break;
      await sleep(20);
    }
  };
  await breakGlass(rig);
  await until('privity_degraded{code="webhook_failing"}', (value) => value === 1);
  await until('privity_webhook_backlog', (value) => value === 1);
  await until('privity_webhook_oldest_undelivered_seconds', (value) => value > 0);
  await until('privity_webhook_failures_total', (value) => value > 0);
  receiver.behave(204);
  await until('privity_webhook_backlog', (value) => value === 0);
  await until('privity_webhook_delivered_total', (value) => value === 1);

  await server.kill('SIGKILL');
  await until('privity_ready', (value) => value === 0);
  await until('privity_problem{code="database_unreachable"}', (value) => value === 1);
  t.equal(
    (await rig.ask('u-okafor', { action: { name: 'read' }, resource: document('D-1'), context: OFFICE })).status,
    503,
  );
  await until('privity_problems_total{code="cannot_record"}', (value) => value > 0);
  await server.start();
  await until('privity_ready', (value) => value === 1);
  await until('privity_problem{code="database_unreachable"}', (value) => value === 0);
});
