// The doors to the accesses that somebody has to review: the list, derived from the log alone, and what a reviewer found. It must never let
// a row that the reader may not see show in a list, a count, a cursor or an answer.
import type { FastifyInstance } from 'fastify';
import type { AuthorizeDeps } from '../authorize.ts';
import type { PolicySet } from '../core/policy-set.ts';
import { noteReading } from '../core/reading/reading-places.ts';
import type { GivenReview } from '../core/record/review-record.ts';
import { reviewState } from '../core/review.ts';
import { formatTimestamp } from '../core/time.ts';
import { giveReview } from '../give-review.ts';
import type { ReviewedAccess, ReviewReader } from '../io/reports/read-reviews.ts';
import { PrivityError } from '../model/errors.ts';
import {
  REVIEWS_DEFAULT,
  ReviewParams,
  ReviewsQuery,
  type Review,
  type ReviewAnswer,
  type ReviewRequest,
  type ReviewsAnswer,
  type ReviewState,
} from '../model/reviews.ts';
import { askingOf, type Gate } from './authenticate.ts';
import { printable } from './decisions-door.ts';
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
      const { after = null, limit: text, state = null } = request.query;
      const limit = text === undefined ? REVIEWS_DEFAULT : Number(text);
      const reader = await readerOf(gate, deps, request);
      // One more than is given tells whether there is more, and only of what the reader may see.
      const found = reader.permits(LIST)
        ? await readPermitted(askingOf(request).set, reader, reviews, { after, state, wanted: limit + 1 })
        : [];
      const given = found.slice(0, limit);
      const note = noteReading(askingOf(request).set);
      for (const { access } of given) note.add(access.matter, access.client);
      const asked = { what: 'reviews', after, limit, ...(state === null ? {} : { state }), ...note.members() };
      const permitted = await reader.mayRead({ ...LIST, asked, rows: given.length });
      if (!permitted) throw new PrivityError('not_found');
      const now = deps.clock.now();
      const next = found.length > limit ? (given.at(-1)?.access.id ?? null) : null;
      return { reviews: given.map((one) => reviewOf(one, now)), next };
    },
  );
  app.post<{ Params: ReviewParams; Body: ReviewRequest }>(
    '/v1/reviews/:evaluation_id',
    {
      schema: {
        ...describe('giveReview'),
        params: ReviewParams,
        body: shared('ReviewRequest'),
        response: { 201: shared('ReviewAnswer') },
      },
    },
    async (request, reply): Promise<ReviewAnswer> => {
      const asking = askingOf(request);
      const { subject_token: token, outcome, reason } = request.body;
      const { caller, subject } = await gate.subjectOf(request, asking, token);
      const { evaluation_id: asked } = request.params;
      const access = await reviews.access(asked);
      const { id, traceId, arrivedAt } = request;
      const given = await giveReview(
        deps,
        asking.set,
        { caller, subject, requestId: id, traceId, arrivedAt },
        {
          access,
          asked: printable(asked),
          places: placesOf(asking.set, access?.matter, access?.client),
          outcome,
          reason,
        },
      );
      if (given === 'nothing') throw new PrivityError('not_found');
      if (given === 'refused') throw new PrivityError('review_refused');
      void reply.code(201);
      return { review_id: given.id, evaluation_id: asked, at: formatTimestamp(given.at), outcome };
    },
  );
  done();
}

const CHUNK = 200;

interface Reviewed {
  readonly access: ReviewedAccess;
  readonly given: readonly GivenReview[];
}

async function readPermitted(
  set: PolicySet,
  reader: Reader,
  reviews: ReviewReader,
  page: { readonly after: string | null; readonly state: ReviewState | null; readonly wanted: number },
): Promise<readonly Reviewed[]> {
  const permitted: Reviewed[] = [];
  let { after } = page;
  for (;;) {
    const chunk = await reviews.from(after, CHUNK);
    const visible = chunk.filter(({ id, matter, client }) =>
      reader.permits({
        action: 'list',
        resource: { type: 'decision_log', id },
        places: placesOf(set, matter, client),
      }),
    );
    const given = await reviews.given(visible.map(({ id }) => id));
    for (const access of visible) {
      const own = given.get(access.id) ?? [];
      if (page.state !== null && reviewState(own) !== page.state) continue;
      permitted.push({ access, given: own });
      if (permitted.length === page.wanted) return permitted;
    }
    if (chunk.length < CHUNK) return permitted;
    after = chunk.at(-1)?.id ?? null;
  }
}

function reviewOf({ access, given }: Reviewed, now: number): Review {
  const { id, at, due, subject, action, resource, matter, client, decidedBy, obligations } = access;
  return {
    evaluation_id: id,
    at: formatTimestamp(at),
    due: formatTimestamp(due),
    state: reviewState(given),
    overdue: due < now && given.length === 0,
    subject: { id: subject.id, actor: subject.actor },
    action,
    resource: { type: resource.type, id: resource.id },
    matter,
    client,
    decided_by: [...decidedBy],
    obligations: [...obligations],
    reviews: given.map((one) => ({
      review_id: one.id,
      at: formatTimestamp(one.at),
      by: one.by,
      outcome: one.outcome,
      reason: one.reason,
    })),
  };
}
