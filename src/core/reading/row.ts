// What a list shows of a record, as its bytes say it: the members of the log's view, and the fewer of an access report. It must never
// show reasons, walls, obligations or other readers in an access report.
import type { FoundRecord, View } from '../../model/search.ts';
import { columnsOf } from '../record/columns.ts';
import { formatTimestamp } from '../time.ts';
import { timeOfId } from './resume.ts';

export interface LogRow {
  readonly id: string;
  /** Of the column; counts only where the bytes say nothing. */
  readonly kind: string;
  readonly record: Readonly<Record<string, unknown>>;
}

export function foundRecord(view: View, row: LogRow): FoundRecord {
  return view === 'log' ? inLog(row) : inReport(row);
}

function inReport({ id, record }: LogRow): FoundRecord {
  const columns = columnsOf(record);
  const text = (name: 'subject_id' | 'actor_id' | 'source_system' | 'action' | 'resource_type' | 'resource_id') =>
    textOf(columns?.[name]);
  return {
    id,
    at: timeOf(id, record),
    outcome: textOf(columns?.outcome),
    subject: { id: text('subject_id'), actor: text('actor_id') },
    source_system: text('source_system'),
    action: text('action'),
    resource: { type: text('resource_type'), id: text('resource_id') },
    matter: textOf(columns?.matter_id),
    client: textOf(columns?.client_id),
  };
}

function inLog(row: LogRow): FoundRecord {
  const columns = columnsOf(row.record);
  const { id, at, outcome, subject, ...rest } = inReport(row);
  return {
    id,
    at,
    kind: textOf(row.record['kind']) ?? row.kind,
    outcome,
    subject,
    caller: textOf(columns?.caller),
    ...rest,
    decided_by: textsOf(columns?.decided_by),
    walls: textsOf(columns?.walls),
    grants: textsOf(columns?.grants),
    obligations: textsOf(columns?.obligations),
    revision: textOf(columns?.revision),
    request_id: textOf(columns?.request_id),
  };
}

export function timeOf(id: string, record: LogRow['record']): string {
  const { at } = record;
  return typeof at === 'string' ? at : formatTimestamp(timeOfId(id));
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
