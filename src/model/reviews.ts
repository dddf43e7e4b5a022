// The wire shapes of reviews: the list of accesses that somebody has to look at, and what was made of them. It must never hold behaviour.
import { Type, type Static } from 'typebox';
import { SubjectToken } from './evaluation.ts';

const closed = { additionalProperties: false } as const;
const NullableText = Type.Unsafe<string | null>({ type: ['string', 'null'] });

export const REVIEWS_LIMIT = 200;
export const REVIEWS_DEFAULT = 50;

export const REVIEW_OUTCOMES = ['justified', 'not_justified', 'follow_up'] as const;
/** `follow_up`: somebody has looked at it and something is still to be done. */
export const REVIEW_STATES = ['open', 'follow_up', 'done'] as const;

const Outcome = Type.Unsafe<(typeof REVIEW_OUTCOMES)[number]>({ type: 'string', enum: [...REVIEW_OUTCOMES] });
const State = Type.Unsafe<(typeof REVIEW_STATES)[number]>({
  type: 'string',
  enum: [...REVIEW_STATES],
  description: 'by the newest review; open while there is none',
});

/** Texts, as a query string has them: nothing is coerced. */
export const ReviewsQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.String({
        pattern: '^([1-9]|[1-9][0-9]|1[0-9][0-9]|200)$',
        description: `how many to give at most: 1 to ${REVIEWS_LIMIT}; ${REVIEWS_DEFAULT} unless told`,
      }),
    ),
    after: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
        description: '`next` of the page before',
      }),
    ),
    state: Type.Optional(State),
  },
  closed,
);

const GivenReview = Type.Object(
  {
    review_id: Type.String({ format: 'uuid', description: 'also the id of its record' }),
    at: Type.String({ format: 'date-time' }),
    by: Type.String(),
    outcome: Outcome,
    reason: Type.String(),
  },
  closed,
);

const Review = Type.Object(
  {
    evaluation_id: Type.String({ format: 'uuid' }),
    at: Type.String({ format: 'date-time' }),
    due: Type.String({ format: 'date-time' }),
    state: State,
    overdue: Type.Boolean({ description: 'due before now, and nobody has reviewed it' }),
    subject: Type.Object({ id: Type.String(), actor: NullableText }, closed),
    action: Type.String(),
    resource: Type.Object({ type: Type.String(), id: Type.String() }, closed),
    matter: NullableText,
    client: NullableText,
    decided_by: Type.Array(Type.String()),
    obligations: Type.Array(Type.String()),
    reviews: Type.Array(GivenReview, { description: 'oldest first; none replaces another' }),
  },
  closed,
);

export const ReviewsAnswer = Type.Object(
  {
    reviews: Type.Array(Review),
    next: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'for `after`, to go on with older ones; null at the end',
    }),
  },
  { ...closed, $id: 'ReviewsAnswer', description: 'Accesses that have to be reviewed, newest first' },
);

export const ReviewParams = Type.Object(
  { evaluation_id: Type.String({ minLength: 1, description: 'of the access, as the list has it' }) },
  closed,
);

export const ReviewRequest = Type.Object(
  {
    subject_token: Type.Optional(SubjectToken),
    outcome: Outcome,
    reason: Type.String({ minLength: 10, maxLength: 2_000, description: 'what was found; auditors read it' }),
  },
  { ...closed, $id: 'ReviewRequest', description: 'What the subject found when reviewing the access' },
);

export const ReviewAnswer = Type.Object(
  {
    review_id: Type.String({ format: 'uuid', description: 'also the id of its record' }),
    evaluation_id: Type.String({ format: 'uuid' }),
    at: Type.String({ format: 'date-time' }),
    outcome: Outcome,
  },
  { ...closed, $id: 'ReviewAnswer', description: 'The review is recorded' },
);

export type ReviewOutcome = (typeof REVIEW_OUTCOMES)[number];
export type ReviewState = (typeof REVIEW_STATES)[number];
export type ReviewParams = Static<typeof ReviewParams>;
export type ReviewRequest = Static<typeof ReviewRequest>;
export type ReviewAnswer = Static<typeof ReviewAnswer>;
export type ReviewsQuery = Static<typeof ReviewsQuery>;
export type Review = Static<typeof Review>;
export type ReviewsAnswer = Static<typeof ReviewsAnswer>;
