// The shapes of what the log holds (RECORD.md). It must never hold behaviour.

export const RECORD_KINDS = [
  'decision',
  'refused',
  'read',
  'search',
  'filter',
  'approval',
  'purge',
  'policy_loaded',
  'writer_opened',
  'writer_closed',
] as const;

export type RecordKind = (typeof RECORD_KINDS)[number];

/** What a part of the service asks the writer to record; the writer adds v, writer, seq, prev and nonce. */
export interface RecordEntry {
  readonly kind: RecordKind;
  /** UUIDv7; of a decision its evaluation id. */
  readonly id: string;
  /** Milliseconds since 1970, UTC. */
  readonly at: number;
  /** Members of this kind; JSON values only, no undefined. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Copies for the query columns; the verifier compares them with the bytes. */
  readonly columns: RecordColumns;
}

export interface RecordColumns {
  readonly outcome: 'allow' | 'deny' | null;
  readonly subject_id: string | null;
  readonly actor_id: string | null;
  readonly caller: string | null;
  readonly source_system: string | null;
  readonly action: string | null;
  readonly resource_type: string | null;
  readonly resource_id: string | null;
  readonly matter_id: string | null;
  readonly client_id: string | null;
  readonly decided_by: readonly string[];
  readonly walls: readonly string[];
  readonly grants: readonly string[];
  readonly obligations: readonly string[];
  readonly revision: string | null;
  readonly request_id: string | null;
}

/** Proof that a record is committed. */
export interface Receipt {
  readonly id: string;
  readonly writer: string;
  readonly seq: number;
}

export const NO_COLUMNS: RecordColumns = {
  outcome: null,
  subject_id: null,
  actor_id: null,
  caller: null,
  source_system: null,
  action: null,
  resource_type: null,
  resource_id: null,
  matter_id: null,
  client_id: null,
  decided_by: [],
  walls: [],
  grants: [],
  obligations: [],
  revision: null,
  request_id: null,
};
