// Rows as the tables want them, for tests that are about the database and not about what a record says.
import { randomBytes, randomUUID } from 'node:crypto';

export interface TestRow {
  readonly values: Readonly<Record<string, unknown>>;
  /** The arguments for `client.query`. */
  readonly insert: [statement: string, values: unknown[]];
}

/** A UUIDv7 of the given time (RFC 9562, 5.7). */
export function uuidAt(time: Date): string {
  const milliseconds = time.getTime().toString(16).padStart(12, '0');
  const random = randomBytes(10).toString('hex');
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6, 18)}`;
}

export function decision(changes: Readonly<Record<string, unknown>> = {}, at = new Date()): TestRow {
  return row('decisions', {
    id: uuidAt(at),
    writer: randomUUID(),
    seq: 0,
    at,
    kind: 'decision',
    outcome: 'allow',
    subject_id: 'u-anna',
    matter_id: 'M-1001',
    decided_by: ['default-deny'],
    walls: [],
    grants: [],
    obligations: [],
    bytes: Buffer.from('{}'),
    ...changes,
  });
}

export function commitment(of: TestRow): TestRow {
  return row('commitments', { writer: of.values['writer'], seq: of.values['seq'], hash: randomBytes(32) });
}

export function head(of: TestRow): TestRow {
  return row('heads', { ...commitment(of).values, signature: randomBytes(64) });
}

export function approval(): TestRow {
  const at = new Date();
  return row('approvals', {
    id: uuidAt(at),
    approver: 'u-paul',
    roles: ['partner'],
    requester: 'u-anna',
    action: 'download',
    resource_type: 'document',
    resource_id: 'D-9001',
    expires_at: new Date(at.getTime() + 3_600_000),
    at,
  });
}

function row(table: string, values: Readonly<Record<string, unknown>>): TestRow {
  const names = Object.keys(values);
  const places = names.map((_, index) => `$${index + 1}`);
  return {
    values,
    insert: [`insert into ${table} (${names.join(', ')}) values (${places.join(', ')})`, Object.values(values)],
  };
}
