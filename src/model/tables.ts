// The database's tables as the migrations make them: column, type, nullability, in their order. It must agree with the
// migrated database (test/io/db/tables.test.ts) and never hold behaviour.

export const TABLES = {
  decisions: {
    id: 'uuid not null',
    writer: 'uuid not null',
    seq: 'bigint not null',
    at: 'timestamptz not null',
    kind: 'text not null',
    outcome: 'text',
    subject_id: 'text',
    actor_id: 'text',
    caller: 'text',
    source_system: 'text',
    action: 'text',
    resource_type: 'text',
    resource_id: 'text',
    matter_id: 'text',
    client_id: 'text',
    decided_by: 'text[] not null',
    walls: 'text[] not null',
    grants: 'text[] not null',
    obligations: 'text[] not null',
    revision: 'text',
    request_id: 'text',
    bytes: 'bytea not null',
  },
  commitments: { writer: 'uuid not null', seq: 'bigint not null', hash: 'bytea not null' },
  heads: { writer: 'uuid not null', seq: 'bigint not null', hash: 'bytea not null', signature: 'bytea not null' },
  leaves: {
    leaf_index: 'bigint not null',
    writer: 'uuid not null',
    seq: 'bigint not null',
    hash: 'bytea not null',
  },
  checkpoints: { size: 'bigint not null', root: 'bytea not null', note: 'text not null', at: 'timestamptz not null' },
  tree_nodes: { level: 'smallint not null', node_index: 'bigint not null', hash: 'bytea not null' },
  policy_blobs: { hash: 'bytea not null', content: 'bytea not null' },
  policy_sets: { revision: 'text not null', commit: 'text', manifest: 'jsonb not null', at: 'timestamptz not null' },
  approvals: {
    id: 'uuid not null',
    approver: 'text not null',
    roles: 'text[] not null',
    requester: 'text not null',
    action: 'text not null',
    resource_type: 'text not null',
    resource_id: 'text not null',
    matter_id: 'text',
    client_id: 'text',
    expires_at: 'timestamptz not null',
    at: 'timestamptz not null',
  },
  approval_uses: { approval_id: 'uuid not null', evaluation_id: 'uuid not null', at: 'timestamptz not null' },
  deliveries: { record_id: 'uuid not null', at: 'timestamptz not null' },
  schema_migrations: {
    version: 'integer not null',
    name: 'text not null',
    checksum: 'text not null',
    at: 'timestamptz not null',
    compatible_with: 'integer not null',
  },
} as const;

/** What the database's types are in this program; `bigint` is read as a number, and refused beyond 2^53. */
interface Values {
  uuid: string;
  text: string;
  integer: number;
  smallint: number;
  bigint: number;
  bytea: Buffer;
  timestamptz: Date;
  jsonb: Readonly<Record<string, unknown>>;
  'text[]': readonly string[];
}

type Value<Column extends string> = Column extends `${infer Type extends keyof Values} not null`
  ? Values[Type]
  : Column extends keyof Values
    ? Values[Column] | null
    : never;

type Row<Columns extends Readonly<Record<string, string>>> = { [Name in keyof Columns]: Value<Columns[Name]> };

/** The database as kysely's queries see it. */
export type Tables = { [Name in keyof typeof TABLES]: Row<(typeof TABLES)[Name]> };

/** One record with its payload. */
export type DecisionRow = Tables['decisions'];
