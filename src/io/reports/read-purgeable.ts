// Reads what a purge of payloads goes by: the columns of records, the approvals, the purges before, the policy set in force. It must
// never read what a request said.
import { sql, type Kysely } from 'kysely';
import { recordHash } from '../../core/record/hash.ts';
import { uuidv7Floor } from '../../core/record/uuid.ts';
import type { Candidate } from '../../core/purge.ts';
import { PURGEABLE_KINDS } from '../../model/retention.ts';
import type { DecisionRow, Tables } from '../../model/tables.ts';
import { objectOf, parseStored, textOf, type StoredObject } from './stored.ts';

export interface CandidateQuery {
  /** Milliseconds since 1970. */
  readonly before: number;
  readonly subject: string | null;
}

export type GivenApproval = Tables['approvals'] & {
  /** Its record is there, unchanged, and says the same. */
  readonly proven: boolean;
  /** What it was spent on; null while it is not. */
  readonly use: string | null;
};

export interface PurgeableReader {
  /** In the order of their ids. */
  candidates(query: CandidateQuery): AsyncGenerator<readonly Candidate[]>;
  /** Purge records since the time, unchanged ones only, oldest first. */
  purgesSince(time: number): Promise<readonly { readonly id: string; readonly record: StoredObject }[]>;
  approvals(ids: readonly string[]): Promise<readonly GivenApproval[]>;
  /** Of the policy set that was loaded last; null: none ever was. */
  revisionInForce(): Promise<string | null>;
}

type Row = Pick<
  DecisionRow,
  'id' | 'writer' | 'seq' | 'at' | 'kind' | 'subject_id' | 'matter_id' | 'client_id' | 'resource_type' | 'resource_id'
>;

const CHUNK = 10_000;

export function createPurgeableReader(queries: Kysely<Tables>): PurgeableReader {
  const rows = queries
    .selectFrom('decisions')
    .select(['id', 'writer', 'seq', 'at', 'kind', 'subject_id', 'matter_id', 'client_id'])
    .select(['resource_type', 'resource_id'])
    .where('kind', 'in', PURGEABLE_KINDS)
    .orderBy('id')
    .orderBy('writer')
    .limit(CHUNK);

  /** With the bytes of those whose bytes have the committed hash. */
  const intact = async (ids: readonly string[]): Promise<ReadonlyMap<string, StoredObject>> => {
    if (ids.length === 0) return new Map();
    const found = await queries
      .selectFrom('decisions as d')
      .innerJoin('commitments as c', (join) => join.onRef('c.writer', '=', 'd.writer').onRef('c.seq', '=', 'd.seq'))
      .select(['d.id', 'd.bytes', 'c.hash'])
      .where('d.id', 'in', ids)
      .execute();
    const unchanged = found.filter(({ bytes, hash }) => recordHash(bytes).equals(hash));
    return new Map(unchanged.map(({ id, bytes }) => [id, parseStored(bytes)]));
  };

  return {
    async *candidates({ before, subject }) {
      let last: Row | undefined;
      for (;;) {
        let query = rows.where('id', '<', uuidv7Floor(before));
        if (subject !== null) query = query.where('subject_id', '=', subject);
        if (last !== undefined) query = query.where(sql<boolean>`(id, writer) > (${last.id}, ${last.writer})`);
        const chunk: readonly Row[] = await query.execute();
        yield chunk.map(candidateOf);
        if (chunk.length < CHUNK) return;
        last = chunk.at(-1);
      }
    },
    async purgesSince(time) {
      const found = await queries
        .selectFrom('decisions')
        .select('id')
        .where('kind', '=', 'purge')
        .where('id', '>=', uuidv7Floor(time))
        .orderBy('id')
        .execute();
      return [...(await intact(found.map(({ id }) => id)))]
        .map(([id, record]) => ({ id, record }))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    async approvals(ids) {
      if (ids.length === 0) return [];
      const found = await queries
        .selectFrom('approvals as a')
        .leftJoin('approval_uses as u', 'u.approval_id', 'a.id')
        .selectAll('a')
        .select('u.evaluation_id as use')
        .where('a.id', 'in', ids)
        .execute();
      const records = await intact(ids);
      return found.map((one) => ({ ...one, proven: isProven(one, records.get(one.id)) }));
    },
    async revisionInForce() {
      const row = await queries
        .selectFrom('decisions')
        .select('revision')
        .where('kind', '=', 'policy_loaded')
        .orderBy('id', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row?.revision ?? null;
    },
  };
}

/** The table is a copy; what counts is the record, which nobody can write afterwards. */
function isProven(row: Tables['approvals'], record: StoredObject | undefined): boolean {
  if (record === undefined || record['kind'] !== 'approval' || record['outcome'] !== 'allow') return false;
  const [subject, resource] = [objectOf(record['subject']), objectOf(record['resource'])];
  const approval = objectOf(record['approval']);
  return (
    subject['id'] === row.approver &&
    approval['requester'] === row.requester &&
    textOf(approval['expires_at']) === row.expires_at.toISOString() &&
    JSON.stringify(approval['roles']) === JSON.stringify(row.roles) &&
    record['action'] === row.action &&
    resource['type'] === row.resource_type &&
    resource['id'] === row.resource_id
  );
}

function candidateOf(row: Row): Candidate {
  return {
    id: row.id,
    writer: row.writer,
    seq: row.seq,
    at: row.at.getTime(),
    kind: row.kind,
    subject: row.subject_id,
    matter: row.matter_id,
    client: row.client_id,
    resourceType: row.resource_type,
    resourceId: row.resource_id,
  };
}
