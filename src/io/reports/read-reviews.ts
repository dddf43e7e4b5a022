// Reads from the log which accesses have to be reviewed, newest first. It must never judge who may see them, nor trust a column where
// the bytes speak.
import { sql, type Kysely } from 'kysely';
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
}

export function createReviewReader(queries: Kysely<Tables>): ReviewReader {
  return {
    async from(after, limit) {
      // The first condition is that of the index `decisions_duties`, word for word.
      let query = queries
        .selectFrom('decisions as d')
        .select(['d.id', 'd.at', 'd.bytes'])
        .where(sql<boolean>`d.obligations <> '{}'`)
        .where(sql<boolean>`exists (select from unnest(d.obligations) as code where code like 'review:%')`);
      if (after !== null) query = query.where('d.id', '<', after);
      const rows = await query
        .orderBy('d.id', 'desc')
        .limit(limit)
        .execute()
        .catch((cause: unknown) => {
          throw cannotRead(cause);
        });
      return rows.map(({ id, at, bytes }) => accessOf(id, at.getTime(), parseStored(bytes)));
    },
  };
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
