// Counts what happens and tells it as Prometheus text. The hot path only adds to numbers that are there already; everything that can
// be read from the state of a part is read when somebody asks. It must never wait, throw into a request, or keep what a request said.
import { collectDefaultMetrics, register as processRegistry } from '@prometheus-io/client';
import type { LoadOutcome } from './io/policies/store.ts';
import { readGauges, type MetricSources } from './metrics-gauges.ts';
import { METRICS, type MetricName, type MetricSpec } from './metrics-table.ts';
import {
  createBuckets,
  createCells,
  observe,
  writeText,
  type Buckets,
  type Cell,
  type Family,
} from './metrics-text.ts';
import { ERRORS, type ErrorCode, type RefusalReason } from './model/errors.ts';
import type { RecordEntry } from './model/record.ts';
import type { Stages } from './stages.ts';

/** Why a request was not looked at. */
export type ShedCause = 'waiting_records' | 'busy_loop';

export interface Metrics {
  /** A request of a route was answered. */
  answered(route: string, status: number, stages: Stages, now: number): void;
  /** A batch was committed. */
  committed(records: readonly { readonly entry: RecordEntry }[], ms: number): void;
  problem(code: ErrorCode, reason: RefusalReason | undefined): void;
  rateLimited(caller: string): void;
  shed(cause: ShedCause): void;
  connectionDropped(): void;
  policiesLoaded(result: LoadOutcome['result'], at: number): void;
  keysFetched(issuer: string, isGood: boolean): void;
  /** What gauges are read from, as soon as it is there. */
  watch(sources: MetricSources): void;
  text(): Promise<string>;
}

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

interface RouteCells {
  readonly duration: Buckets;
  readonly statuses: Map<number, Cell>;
}

export function createMetrics(version: string): Metrics {
  const counters = new Map<MetricName, Family<Cell>>();
  const histograms = new Map<MetricName, Family<Buckets>>();
  const counter = (name: MetricName): Family<Cell> => {
    const family = createCells();
    counters.set(name, family);
    return family;
  };
  const histogram = (name: MetricName): Family<Buckets> => {
    const { buckets = [] }: MetricSpec = METRICS[name];
    const family = createBuckets(buckets);
    histograms.set(name, family);
    return family;
  };

  const decisions = counter('privity_decisions_total');
  const records = counter('privity_records_total');
  const durations = histogram('privity_http_request_duration_seconds');
  const responses = counter('privity_http_responses_total');
  const stageTimes = histogram('privity_stage_duration_seconds');
  const [authenticate, receive, decide, commit, answer] = (
    ['authenticate', 'receive', 'decide', 'commit', 'answer'] as const
  ).map((stage) => stageTimes.of(stage)) as [Buckets, Buckets, Buckets, Buckets, Buckets];
  const problems = counter('privity_problems_total');
  for (const code of Object.keys(ERRORS)) problems.of(code);
  const refused = counter('privity_refused_tokens_total');
  const limited = counter('privity_rate_limited_total');
  const shed = counter('privity_shed_total');
  const shedBy = { waiting_records: shed.of('waiting_records'), busy_loop: shed.of('busy_loop') };
  const dropped = counter('privity_connections_dropped_total').of();
  const batchEntries = histogram('privity_recorder_batch_entries').of();
  const commitTimes = histogram('privity_recorder_commit_duration_seconds').of();
  const loads = counter('privity_policy_loads_total');
  const fetches = counter('privity_issuer_key_fetches_total');

  const routes = new Map<string, RouteCells>();
  const outcomes = new Map<string, Readonly<Record<'allow' | 'deny', Cell>>>();
  const kinds = new Map<RecordEntry['kind'], Cell>();
  let lastLoad: number | null = null;
  let sources: MetricSources | null = null;

  function cellsOf(route: string): RouteCells {
    const known = routes.get(route);
    if (known !== undefined) return known;
    const made = { duration: durations.of(route), statuses: new Map<number, Cell>() };
    routes.set(route, made);
    return made;
  }

  function kindOf(kind: RecordEntry['kind']): Cell {
    const known = kinds.get(kind) ?? records.of(kind);
    kinds.set(kind, known);
    return known;
  }

  function outcomesOf(caller: string): Readonly<Record<'allow' | 'deny', Cell>> {
    const known = outcomes.get(caller);
    if (known !== undefined) return known;
    const made = { allow: decisions.of('allow', caller), deny: decisions.of('deny', caller) };
    outcomes.set(caller, made);
    return made;
  }

  return {
    answered(route, status, stages, now) {
      const { duration, statuses } = cellsOf(route);
      observe(duration, (now - stages.arrived) / 1000);
      const known = statuses.get(status) ?? responses.of(route, String(status));
      statuses.set(status, known);
      known.value += 1;
      if (stages.authenticated === 0) return;
      observe(authenticate, (stages.authenticated - stages.arrived) / 1000);
      if (stages.decided === 0) return;
      observe(receive, (stages.began - stages.authenticated) / 1000);
      observe(decide, (stages.decided - stages.began) / 1000);
      if (stages.committed === 0) return;
      observe(commit, (stages.committed - stages.decided) / 1000);
      observe(answer, (now - stages.committed) / 1000);
    },
    committed(batch, ms) {
      observe(batchEntries, batch.length);
      observe(commitTimes, ms / 1000);
      for (const { entry } of batch) {
        kindOf(entry.kind).value += 1;
        const { outcome, caller } = entry.columns;
        if (outcome !== null && entry.kind === 'decision') outcomesOf(caller ?? '')[outcome].value += 1;
      }
    },
    problem(code, reason) {
      problems.of(code).value += 1;
      if (code === 'token_refused') refused.of(reason ?? 'malformed').value += 1;
    },
    rateLimited: (caller) => void (limited.of(caller).value += 1),
    shed: (cause) => void (shedBy[cause].value += 1),
    connectionDropped: () => void (dropped.value += 1),
    policiesLoaded(result, at) {
      loads.of(result).value += 1;
      if (result === 'activated' || result === 'unchanged') lastLoad = at;
    },
    keysFetched: (issuer, isGood) => void (fetches.of(issuer, isGood ? 'good' : 'failed').value += 1),
    watch: (given) => void (sources = given),
    async text() {
      const own = writeText(counters, histograms, [
        ['privity_info', 1, version],
        ...(lastLoad === null ? [] : [['privity_policy_last_load_timestamp_seconds', lastLoad / 1000] as const]),
        ...(sources === null ? [] : readGauges(sources)),
      ]);
      return own + (await processMetrics().metrics());
    },
  };
}

let collecting: typeof processRegistry | null = null;

/** Of the process, whatever runs in it: collected once. */
function processMetrics(): typeof processRegistry {
  if (collecting === null) collectDefaultMetrics({ register: processRegistry });
  collecting = processRegistry;
  return collecting;
}
