// The wire shapes of the list of accesses that have to be reviewed. It must never hold behaviour.
import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;
const NullableText = Type.Unsafe<string | null>({ type: ['string', 'null'] });

export const REVIEWS_LIMIT = 200;
export const REVIEWS_DEFAULT = 50;

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
  },
  closed,
);

const Review = Type.Object(
  {
    evaluation_id: Type.String({ format: 'uuid' }),
    at: Type.String({ format: 'date-time' }),
    due: Type.String({ format: 'date-time' }),
    overdue: Type.Boolean({ description: 'due before now; whether somebody has looked at it is not known here' }),
    subject: Type.Object({ id: Type.String(), actor: NullableText }, closed),
    action: Type.String(),
    resource: Type.Object({ type: Type.String(), id: Type.String() }, closed),
    matter: NullableText,
    client: NullableText,
    decided_by: Type.Array(Type.String()),
    obligations: Type.Array(Type.String()),
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

export type ReviewsQuery = Static<typeof ReviewsQuery>;
export type Review = Static<typeof Review>;
export type ReviewsAnswer = Static<typeof ReviewsAnswer>;
