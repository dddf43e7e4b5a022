// Reads from the log which accesses have to be reviewed, newest first, and which reviews were given. It must never judge who may see them,
// nor trust a column where the bytes speak.
import { sql, type Kysely } from 'kysely';
import { REVIEW_ACTION } from '../../core/judge-review.ts';
import { reviewOf, type GivenReview } from '../../core/record/review-record.ts';
import { isUuid } from '../../core/record/uuid.ts';
import { reviewDue } from '../../core/review.ts';
import type { Tables } from '../../model/tables.ts';
import { cannotRead, objectOf, parseStored, textOf, textsOf } from './stored.ts';

/** One access of which its record says that somebody has to look at it. */
export interface ReviewedAccess {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly due: number;
  readonly subject: { readonly id: string; readonly actor: string | null };
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string };
  readonly matter: string | null;
  readonly client: string | null;
  readonly decidedBy: readonly string[];
  readonly obligations: readonly string[];
}

export interface ReviewReader {
  /**
   * In order from the newest, or from the one before the record `after`.
   * @throws PrivityError `overloaded` while the database does not answer
   */
  from(after: string | null, limit: number): Promise<readonly ReviewedAccess[]>;
  /** Null where there is no such record, or nobody has to review it. @throws PrivityError `overloaded` */
  access(id: string): Promise<ReviewedAccess | null>;
  /** Reviews that were accepted, oldest first, by the id of the access. @throws PrivityError `overloaded` */
  given(accesses: readonly string[]): Promise<ReadonlyMap<string, readonly GivenReview[]>>;
}

/** Nobody reviews one access more often; what is beyond says no more. */
const MOST_REVIEWS = 10_000;

export function createReviewReader(queries: Kysely<Tables>): ReviewReader {
  // The first condition is that of the index `decisions_duties`, word for word.
  const toReview = () =>
    queries
      .selectFrom('decisions as d')
      .select(['d.id', 'd.at', 'd.bytes'])
      .where(sql<boolean>`d.obligations <> '{}'`)
      .where(sql<boolean>`exists (select from unnest(d.obligations) as code where code like 'review:%')`);

  return {
    async from(after, limit) {
      const query = after === null ? toReview() : toReview().where('d.id', '<', after);
      const rows = await query.orderBy('d.id', 'desc').limit(limit).execute().catch(fail);
      return rows.map(({ id, at, bytes }) => accessOf(id, at.getTime(), parseStored(bytes)));
    },

    async access(id) {
      if (!isUuid(id)) return null;
      const row = await toReview().where('d.id', '=', id).limit(1).executeTakeFirst().catch(fail);
      return row === undefined ? null : accessOf(row.id, row.at.getTime(), parseStored(row.bytes));
    },

    async given(accesses) {
      if (accesses.length === 0) return new Map();
      const rows = await queries
        .selectFrom('decisions as d')
        .select(['d.id', 'd.bytes'])
        .where('d.resource_id', 'in', [...accesses])
        .where('d.kind', '=', 'approval')
        .where('d.action', '=', REVIEW_ACTION)
        .orderBy('d.id')
        .limit(MOST_REVIEWS)
        .execute()
        .catch(fail);
      const wanted = new Set(accesses);
      const found = rows.flatMap(({ bytes }) => reviewOf(parseStored(bytes)) ?? []);
      return Map.groupBy(
        found.filter(({ of }) => wanted.has(of)),
        ({ of }) => of,
      );
    },
  };
}

function fail(cause: unknown): never {
  throw cannotRead(cause);
}

function accessOf(id: string, at: number, record: Readonly<Record<string, unknown>>): ReviewedAccess {
  const subject = objectOf(record['subject']);
  const resource = objectOf(record['resource']);
  const obligations = textsOf(record['obligations']);
  return {
    id,
    at,
    due: reviewDue(obligations, at) ?? at,
    subject: { id: textOf(subject['id']) ?? '', actor: textOf(subject['actor']) },
    action: textOf(record['action']) ?? '',
    resource: { type: textOf(resource['type']) ?? '', id: textOf(resource['id']) ?? '' },
    matter: textOf(record['matter']),
    client: textOf(record['client']),
    decidedBy: textsOf(record['decided_by']),
    obligations,
  };
}
