// Reads the state of every part when /metrics is asked for. It must never ask a part for anything that waits, nor leave out what
// readiness would say: every code of /readyz is a metric.
import type { IdentityState } from './io/identity/identify.ts';
import type { RejectionCause } from './io/log/events.ts';
import type { SealerState } from './io/log/sealing/sealer.ts';
import type { RecorderState } from './io/log/state.ts';
import type { CourierState } from './io/reports/courier.ts';
import type { Sample } from './metrics-text.ts';
import type { ShadowState } from './shadow-policies.ts';

export interface MetricSources {
  readonly health: { problems(): readonly string[]; degraded(): readonly string[] };
  readonly recorder: { state(): RecorderState };
  readonly identity: { state(): IdentityState };
  readonly policies: {
    state(): { readonly revision: string | null; readonly commit: string | null; readonly since: number | null };
    current(): { readonly findings: readonly unknown[] };
  };
  /** Null without SHADOW_POLICIES_DIR. */
  readonly shadow: { state(): ShadowState } | null;
  readonly duties: { state(): CourierState };
  /** Null where this instance does not seal. */
  readonly sealing: { state(): Omit<SealerState, 'problems'> } | null;
  readonly pools: Readonly<Record<string, { readonly totalCount: number; readonly waitingCount: number }>>;
  readonly connections: () => number;
  readonly spansDropped: () => number;
  readonly log: { lost(): number };
}

/** Codes that /readyz may give, so that a rule about one finds a series before it happens first. Others join when they do. */
const KNOWN_PROBLEMS = new Set([
  'shutting_down',
  'no_policies',
  'no_usable_issuer',
  'starting',
  'closing',
  'failed',
  'clock_skew',
  'database_unreachable',
  'database_refuses',
  'database_stalled',
  'spool_full',
  'spool_failed',
  'spool_blocked',
]);
const KNOWN_DEGRADED = new Set([
  'writer_key_not_kept',
  'policies_not_reloaded',
  'issuer_without_keys',
  'issuer_keys_not_refreshed',
  'clock_skew',
  'partitions_not_ahead',
  'refused_tokens_counted',
  'head_lost',
  'chain_conflict',
  'webhook_failing',
  'tls_not_reloaded',
  'tls_certificate_expires_soon',
  'log_not_written',
  'spooling',
  'spool_full',
  'spool_failed',
  'spool_blocked',
  'database_unreachable',
  'database_refuses',
  'database_stalled',
  'database_rewound',
  'history_differs',
  'published_not_ours',
  'tree_differs',
  'sealing_failed',
  'checkpoints_not_published',
  'records_missing',
  'log_not_written',
]);

export function readGauges(sources: MetricSources): readonly Sample[] {
  const { health, duties, pools, connections, spansDropped } = sources;
  const problems = health.problems();
  const webhook = duties.state();
  return [
    ['privity_ready', problems.length === 0 ? 1 : 0],
    ...codes('privity_problem', KNOWN_PROBLEMS, problems),
    ...codes('privity_degraded', KNOWN_DEGRADED, health.degraded()),
    ['privity_connections', connections()],
    ...ofRecorder(sources.recorder.state()),
    ...ofSpool(sources.recorder.state().spool),
    ...ofSealing(sources.sealing),
    ...ofPolicies(sources.policies),
    ...ofShadow(sources.shadow),
    ...ofIdentity(sources.identity.state()),
    ...Object.entries(pools).flatMap(([pool, { totalCount, waitingCount }]): Sample[] => [
      ['privity_database_connections', totalCount, pool],
      ['privity_database_waiting', waitingCount, pool],
    ]),
    ['privity_webhook_backlog', webhook.backlog],
    ['privity_webhook_oldest_undelivered_seconds', webhook.oldestSeconds],
    ['privity_webhook_delivered_total', webhook.delivered],
    ['privity_webhook_failures_total', webhook.failures],
    ['privity_traces_dropped_total', spansDropped()],
    ['privity_log_lines_lost_total', sources.log.lost()],
  ];
}

function codes(name: 'privity_problem' | 'privity_degraded', known: Set<string>, now: readonly string[]): Sample[] {
  for (const code of now) known.add(code);
  return [...known].map((code): Sample => [name, now.includes(code) ? 1 : 0, code]);
}

function ofRecorder(state: RecorderState): Sample[] {
  const { counters, alarms } = state;
  const causes = Object.entries(counters.rejected) as [RejectionCause, number][];
  return [
    ['privity_recorder_queue_entries', state.queuedEntries],
    ['privity_recorder_queue_bytes', state.queuedBytes],
    ['privity_recorder_queue_limit_entries', state.queueLimitEntries],
    ['privity_recorder_in_flight_entries', state.inFlightEntries],
    ['privity_recorder_in_flight_seconds', state.inFlightMs / 1000],
    ...causes.map(([cause, count]): Sample => ['privity_recorder_rejected_entries_total', count, cause]),
    ['privity_recorder_retries_total', counters.retries],
    ['privity_recorder_splits_total', counters.splits],
    ['privity_recorder_sessions_total', counters.sessions],
    ...(['head_lost', 'chain_conflict'] as const).map((code): Sample => [
      'privity_recorder_alarms_total',
      alarms.filter((alarm) => alarm.code === code).length,
      code,
    ]),
    ['privity_refused_lane_waiting', state.refusedWaiting],
    ['privity_refused_lane_counted_total', state.refusedCounted],
    ['privity_refused_lane_lost_total', counters.refusedLost],
    ['privity_clock_skew_seconds', state.skewMs / 1000],
  ];
}

function ofSpool(spool: RecorderState['spool']): Sample[] {
  if (spool === null) return [];
  const { bytes, maxBytes, batches, entries, oldestAt, spooled } = spool;
  return [
    ['privity_spool_bytes', bytes],
    ['privity_spool_limit_bytes', maxBytes],
    ['privity_spool_batches', batches],
    ['privity_spool_records', entries],
    ['privity_spool_oldest_seconds', oldestAt === null ? 0 : Math.max(0, Date.now() - oldestAt) / 1000],
    ['privity_spooled_records_total', spooled],
  ];
}

function ofSealing(sealing: MetricSources['sealing']): Sample[] {
  if (sealing === null) return [];
  const { sealed, published, behindMs } = sealing.state();
  return [
    ['privity_sealed_records', sealed],
    ['privity_published_records', published],
    ...(behindMs === null ? [] : [['privity_sealing_behind_seconds', behindMs / 1000] as const]),
  ];
}

function ofPolicies(policies: MetricSources['policies']): Sample[] {
  const { revision, commit, since } = policies.state();
  if (revision === null) return [];
  return [
    ['privity_policy_info', 1, revision, commit ?? ''],
    ['privity_policy_in_force_since_timestamp_seconds', (since ?? 0) / 1000],
    ['privity_policy_findings', policies.current().findings.length],
  ];
}

function ofShadow(shadow: MetricSources['shadow']): Sample[] {
  if (shadow === null) return [];
  const { revision, commit, isFailing, loads, judged, notJudged, dropped } = shadow.state();
  return [
    ...(revision === null ? [] : [['privity_shadow_policy_info', 1, revision, commit ?? ''] as const]),
    ['privity_shadow_policy_failing', isFailing ? 1 : 0],
    ...[...loads].map(([result, count]): Sample => ['privity_shadow_policy_loads_total', count, result]),
    ['privity_shadow_decisions_total', judged, 'judged'],
    ['privity_shadow_decisions_total', notJudged, 'not_judged'],
    ['privity_shadow_decisions_total', dropped, 'dropped'],
  ];
}

function ofIdentity({ issuers, cache }: IdentityState): Sample[] {
  return [
    ...issuers.flatMap(({ issuer, keys, usable, ageSeconds }): Sample[] => [
      ['privity_issuer_keys', keys, issuer],
      ['privity_issuer_keys_usable', usable ? 1 : 0, issuer],
      ...(ageSeconds === null ? [] : [['privity_issuer_keys_age_seconds', ageSeconds, issuer] as const]),
    ]),
    ['privity_token_cache_entries', cache.entries],
    ['privity_token_cache_bytes', cache.bytes],
  ];
}
