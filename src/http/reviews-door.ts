// The door to the accesses that somebody has to review, derived from the log alone. It must never let a row that the reader may not see
// show in a list, a count or a cursor.
import type { FastifyInstance } from 'fastify';
import type { AuthorizeDeps } from '../authorize.ts';
import type { PolicySet } from '../core/policy-set.ts';
import { noteReading } from '../core/reading/reading-places.ts';
import { formatTimestamp } from '../core/time.ts';
import type { ReviewedAccess, ReviewReader } from '../io/reports/read-reviews.ts';
import { PrivityError } from '../model/errors.ts';
import { REVIEWS_DEFAULT, ReviewsQuery, type Review, type ReviewsAnswer } from '../model/reviews.ts';
import { askingOf, type Gate } from './authenticate.ts';
import { describe, shared } from './openapi.ts';
import { NOWHERE, placesOf, readerOf, type Reader } from './own-question.ts';

export interface ReviewsDoorOptions {
  readonly gate: Gate;
  readonly deps: AuthorizeDeps;
  readonly reviews: ReviewReader;
}

/** The list as a whole, apart from what stands in it. */
const LIST = { action: 'list', resource: { type: 'decision_log', id: 'reviews' }, places: NOWHERE } as const;

export function reviewsDoor(app: FastifyInstance, options: ReviewsDoorOptions, done: () => void): void {
  const { gate, deps, reviews } = options;
  app.get<{ Querystring: ReviewsQuery }>(
    '/v1/reviews',
    {
      schema: { ...describe('listReviews'), querystring: ReviewsQuery, response: { 200: shared('ReviewsAnswer') } },
    },
    async (request): Promise<ReviewsAnswer> => {
      const { after = null, limit: text } = request.query;
      const limit = text === undefined ? REVIEWS_DEFAULT : Number(text);
      const reader = await readerOf(gate, deps, request);
      // One more than is given tells whether there is more, and only of what the reader may see.
      const found = reader.permits(LIST)
        ? await readPermitted(askingOf(request).set, reader, reviews, after, limit + 1)
        : [];
      const given = found.slice(0, limit);
      const note = noteReading(askingOf(request).set);
      for (const { matter, client } of given) note.add(matter, client);
      const asked = { what: 'reviews', after, limit, ...note.members() };
      const permitted = await reader.mayRead({ ...LIST, asked, rows: given.length });
      if (!permitted) throw new PrivityError('not_found');
      const now = deps.clock.now();
      const next = found.length > limit ? (given.at(-1)?.id ?? null) : null;
      return { reviews: given.map((one) => reviewOf(one, now)), next };
    },
  );
  done();
}

const CHUNK = 200;

async function readPermitted(
  set: PolicySet,
  reader: Reader,
  reviews: ReviewReader,
  start: string | null,
  wanted: number,
): Promise<readonly ReviewedAccess[]> {
  const permitted: ReviewedAccess[] = [];
  let after = start;
  for (;;) {
    const chunk = await reviews.from(after, CHUNK);
    for (const one of chunk) {
      const resource = { type: 'decision_log', id: one.id };
      if (!reader.permits({ action: 'list', resource, places: placesOf(set, one.matter, one.client) })) continue;
      permitted.push(one);
      if (permitted.length === wanted) return permitted;
    }
    if (chunk.length < CHUNK) return permitted;
    after = chunk.at(-1)?.id ?? null;
  }
}

function reviewOf(access: ReviewedAccess, now: number): Review {
  const { id, at, due, subject, action, resource, matter, client, decidedBy, obligations } = access;
  return {
    evaluation_id: id,
    at: formatTimestamp(at),
    due: formatTimestamp(due),
    overdue: due < now,
    subject: { id: subject.id, actor: subject.actor },
    action,
    resource: { type: resource.type, id: resource.id },
    matter,
    client,
    decided_by: [...decidedBy],
    obligations: [...obligations],
  };
}
