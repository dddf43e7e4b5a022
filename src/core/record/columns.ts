// Which columns the bytes of each kind of record stand for. It must never say more of a record than the record says itself.
import { NO_COLUMNS, RECORD_KINDS, type RecordColumns, type RecordKind } from '../../model/record.ts';

type Column = keyof RecordColumns;
type Paths = Readonly<Partial<Record<Column, readonly string[]>>>;

/** What is judged like a decision says the same in the same places. */
const JUDGED: Paths = {
  outcome: ['outcome'],
  subject_id: ['subject', 'id'],
  actor_id: ['subject', 'actor'],
  caller: ['caller', 'id'],
  source_system: ['caller', 'source_system'],
  action: ['action'],
  resource_type: ['resource', 'type'],
  resource_id: ['resource', 'id'],
  matter_id: ['matter'],
  client_id: ['client'],
  decided_by: ['decided_by'],
  walls: ['walls'],
  grants: ['grants'],
  obligations: ['obligations'],
  revision: ['policy', 'revision'],
  request_id: ['request_id'],
};

/** Where the bytes of a kind hold what stands in a column; a column that is not named here is empty. */
export const COLUMN_PATHS: Readonly<Record<RecordKind, Paths>> = {
  decision: JUDGED,
  read: JUDGED,
  search: JUDGED,
  filter: JUDGED,
  approval: JUDGED,
  refused: { caller: ['caller'], revision: ['policy', 'revision'], request_id: ['request_id'] },
  policy_loaded: { revision: ['policy', 'revision'] },
  purge: {},
  writer_opened: {},
  writer_closed: {},
};

export const COLUMNS = Object.keys(NO_COLUMNS) as readonly Column[];

const KINDS: ReadonlySet<string> = new Set(RECORD_KINDS);

/** What the bytes of a record say of each column; null for a kind that is not known. */
export function columnsOf(record: Readonly<Record<string, unknown>>): Readonly<Record<Column, unknown>> | null {
  const { kind } = record;
  if (!isKind(kind)) return null;
  const paths = COLUMN_PATHS[kind];
  const columns: Record<Column, unknown> = { ...NO_COLUMNS };
  for (const column of COLUMNS) {
    const path = paths[column];
    if (path !== undefined) columns[column] = valueAt(record, path) ?? NO_COLUMNS[column];
  }
  return columns;
}

export function isKind(kind: unknown): kind is RecordKind {
  return typeof kind === 'string' && KINDS.has(kind);
}

function valueAt(record: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined),
    record,
  );
}
