// The one table of what /metrics says: names, kinds, labels, meanings; docs/monitoring.md is generated from here. It must never hold
// a metric or label that names rules, walls, people or matters, or that lets an asker tell one deny from another (P7).

export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[];
}

/** Seconds; as OpenTelemetry has them for HTTP, with steps below for a service that answers in fractions of a millisecond. */
const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;
const ENTRIES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] as const;

function counter(help: string, ...labels: readonly string[]): MetricSpec {
  return { type: 'counter', help, labels };
}
function gauge(help: string, ...labels: readonly string[]): MetricSpec {
  return { type: 'gauge', help, labels };
}
function histogram(help: string, buckets: readonly number[], ...labels: readonly string[]): MetricSpec {
  return { type: 'histogram', help, labels, buckets };
}

export const METRICS = {
  privity_info: gauge('1, with the version of the service', 'version'),
  privity_ready: gauge('1 while /readyz says that the service can answer'),
  privity_problem: gauge('1 for each reason why the service cannot answer', 'code'),
  privity_degraded: gauge('1 for each thing that is worse than it should be', 'code'),

  privity_decisions_total: counter('Committed decisions', 'outcome', 'caller'),
  privity_records_total: counter('Committed records, of every kind', 'kind'),
  privity_http_request_duration_seconds: histogram('From the headers of a request to its answer', SECONDS, 'route'),
  privity_http_responses_total: counter('Answers', 'route', 'status'),
  privity_stage_duration_seconds: histogram(
    'Where the time of a decision goes: authenticate, receive (body and subject), decide (facts, decision, record), commit, answer',
    SECONDS,
    'stage',
  ),
  privity_problems_total: counter('Answers with a problem, by its code', 'code'),
  privity_refused_tokens_total: counter('Tokens that were refused, by class of reason', 'reason'),
  privity_rate_limited_total: counter('Requests of a caller beyond its rate', 'caller'),
  privity_shed_total: counter(
    'Requests that were not looked at because the service was busy: no decision, no record',
    'cause',
  ),
  privity_connections: gauge('Open connections of callers'),
  privity_connections_dropped_total: counter('Connections that were not accepted because there were too many'),

  privity_recorder_queue_entries: gauge('Records that wait to be committed'),
  privity_recorder_queue_bytes: gauge('Their size'),
  privity_recorder_queue_limit_entries: gauge(
    'Records that may wait at most; beyond `MAX_WAITING` requests are turned away before',
  ),
  privity_recorder_in_flight_entries: gauge('Records in the batch that is being committed'),
  privity_recorder_in_flight_seconds: gauge('Age of the batch that is being committed; 0 without one'),
  privity_recorder_batch_entries: histogram('Records in a committed batch', ENTRIES),
  privity_recorder_commit_duration_seconds: histogram('From the first sending of a batch to its commit', SECONDS),
  privity_recorder_rejected_entries_total: counter(
    'Records that could not be committed: their requesters got a 503',
    'cause',
  ),
  privity_recorder_retries_total: counter('Batches sent again because their fate was unknown'),
  privity_recorder_splits_total: counter('Batches split because the database refused something in them'),
  privity_recorder_sessions_total: counter('Database sessions the recorder has opened'),
  privity_recorder_alarms_total: counter('Times the database broke its word: see docs/monitoring.md', 'code'),
  privity_refused_lane_waiting: gauge('Refused tokens that wait to be recorded'),
  privity_refused_lane_counted_total: counter('Refused tokens recorded as a count instead of one by one'),
  privity_refused_lane_lost_total: counter('Refused tokens of which not even the count could be recorded'),
  privity_clock_skew_seconds: gauge('How far our clock is ahead of the database’s'),

  privity_spool_bytes: gauge('Size of the journal of spool mode'),
  privity_spool_limit_bytes: gauge('`SPOOL_MAX`: beyond it no decision leaves the service'),
  privity_spool_batches: gauge('Batches in the journal that wait for the database'),
  privity_spool_records: gauge('Their records'),
  privity_spool_oldest_seconds: gauge('Age of the oldest of them'),
  privity_spooled_records_total: counter('Records that went through the journal'),

  privity_sealed_records: gauge('Records under the last checkpoint of this instance, if it seals'),
  privity_published_records: gauge('Records under the last checkpoint that is published everywhere'),
  privity_sealing_behind_seconds: gauge('Time since everything committed was sealed and published'),

  privity_policy_info: gauge('1, with the policy set in force', 'revision', 'commit'),
  privity_policy_in_force_since_timestamp_seconds: gauge('When the policy set in force came into force'),
  privity_policy_last_load_timestamp_seconds: gauge('When the policies were last loaded without an error'),
  privity_policy_loads_total: counter('Loads of the policies', 'result'),
  privity_policy_findings: gauge('Findings about the policy set in force'),

  privity_shadow_policy_info: gauge(
    '1, with the policy set of the dry run (`SHADOW_POLICIES_DIR`)',
    'revision',
    'commit',
  ),
  privity_shadow_policy_failing: gauge('1 while the last load of the policies of the dry run failed'),
  privity_shadow_policy_loads_total: counter('Loads of the policies of the dry run', 'result'),
  privity_shadow_decisions_total: counter(
    'Decisions of the dry run: judged, not_judged, dropped; how many differ stands in the log alone',
    'result',
  ),

  privity_issuer_keys: gauge('Keys of an issuer that can be used', 'issuer'),
  privity_issuer_keys_usable: gauge('1 while tokens of the issuer can be verified', 'issuer'),
  privity_issuer_keys_age_seconds: gauge('Time since the keys of an issuer were last fetched', 'issuer'),
  privity_issuer_key_fetches_total: counter('Fetches of an issuer’s keys', 'issuer', 'result'),
  privity_token_cache_entries: gauge('Verified tokens that are remembered'),
  privity_token_cache_bytes: gauge('Their estimated size'),

  privity_database_connections: gauge('Open connections of a pool', 'pool'),
  privity_database_waiting: gauge('Requests that wait for a connection of a pool', 'pool'),

  privity_webhook_backlog: gauge(
    'Duties that are not delivered, as far as this instance has looked; 0 where another one delivers',
  ),
  privity_webhook_oldest_undelivered_seconds: gauge('Age of the oldest of them'),
  privity_webhook_delivered_total: counter('Duties that the webhook has taken'),
  privity_webhook_failures_total: counter('Posts to the webhook that failed'),

  privity_traces_dropped_total: counter('Spans that were given up because the collector is away or slow'),
  privity_log_lines_lost_total: counter('Lines of the log that standard output did not take'),
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricName = keyof typeof METRICS;
