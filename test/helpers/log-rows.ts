// Records of the example firm put into the log in bulk, as rows with bytes and columns that agree. It must never be used where chains,
// commitments or proofs matter: it makes none.
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { canonicalize } from '../../src/core/record/canonical.ts';
import { columnsOf } from '../../src/core/record/columns.ts';
import { NO_COLUMNS } from '../../src/model/record.ts';
import { uuidAt } from './rows.ts';

type Json = Readonly<Record<string, unknown>>;

export interface MadeRecord {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly said: Json;
}

const WRITER = randomUUID();
let sequence = 0;

/** A decision as it is recorded, with these members instead of its own. */
export function madeDecision(at: number, changes: Json = {}): MadeRecord {
  const id = uuidAt(new Date(at));
  sequence += 1;
  return {
    id,
    at,
    said: {
      v: 1,
      id,
      kind: 'decision',
      writer: WRITER,
      seq: sequence,
      prev: '0'.repeat(64),
      nonce: '0'.repeat(32),
      at: new Date(at).toISOString(),
      outcome: 'allow',
      subject: { id: 'u-lind', actor: null, attributes: {} },
      caller: { id: 'dms', own: true, source_system: 'dms' },
      action: 'read',
      resource: { type: 'document', id: 'D-1', properties: {} },
      matter: 'M-1001',
      client: 'C-100',
      context: {},
      decided_by: ['team-lawyers'],
      free_text: [],
      walls: [],
      grants: [],
      obligations: [],
      policy: { revision: 'sha256:1', commit: null, engine: '1' },
      request_id: 'r-1',
      ...changes,
    },
  };
}

const COLUMNS = Object.entries(NO_COLUMNS).map(([name, empty]) => [name, Array.isArray(empty)] as const);
const INSERT = `insert into decisions (id, writer, seq, at, kind, ${COLUMNS.map(([name]) => name).join(', ')}, bytes)
  select (r->>'id')::uuid, (r->>'writer')::uuid, (r->>'seq')::bigint, (r->>'at')::timestamptz, r->>'kind',
    ${COLUMNS.map(([name, isList]) => (isList ? `array(select jsonb_array_elements_text(r->'${name}'))` : `r->>'${name}'`)).join(', ')},
    convert_to(r->>'bytes', 'utf8')
  from jsonb_array_elements($1::jsonb) as r`;
const AT_ONCE = 1_000;

/** @param changes columns that are to disagree with the bytes, and `bytes` themselves */
export async function putRecords(
  writer: pg.ClientBase,
  records: readonly MadeRecord[],
  changes: Json = {},
): Promise<void> {
  for (let from = 0; from < records.length; from += AT_ONCE) {
    const rows = records.slice(from, from + AT_ONCE).map(({ id, said }) => {
      const { writer: by, seq, at, kind } = said;
      return { id, writer: by, seq, at, kind, ...columnsOf(said), bytes: canonicalize(said), ...changes };
    });
    await writer.query(INSERT, [JSON.stringify(rows)]);
  }
}

const LIKE = `insert into decisions (id, writer, seq, at, kind, ${COLUMNS.map(([name]) => name).join(', ')}, bytes)
  select new.id, d.writer, d.seq + n, d.at + n * interval '1 millisecond', d.kind, ${COLUMNS.map(([name]) => `d.${name}`).join(', ')},
    convert_to(replace(convert_from(d.bytes, 'utf8'), d.id::text, new.id::text), 'utf8')
  from decisions d, generate_series(1, $2) as n,
    lateral (select (lpad(to_hex((extract(epoch from d.at) * 1000)::bigint + n), 12, '0') || '7000' || '8' || lpad(to_hex(n), 15, '0'))::uuid as id) as new
  where d.id = $1`;

/** So many like this one, each a millisecond later: made by the database, for tests that need much. */
export async function putManyRecords(owner: pg.ClientBase, like: MadeRecord, count: number): Promise<void> {
  await putRecords(owner, [like]);
  sequence += count;
  await owner.query(LIKE, [like.id, count - 1]);
}
