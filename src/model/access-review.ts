// The shape of reviews/*.yaml: who looked at which right, when, and what was decided. It must never hold behaviour.
import { Type, type Static } from 'typebox';
import { Identifier, oneOf, Slug, strict, Timestamp, Version } from './firm.ts';

export const REVIEW_SCOPES = ['rules', 'roles', 'grants', 'teams', 'walls'] as const;
export const RIGHT_DECISIONS = ['keep', 'revoke', 'change'] as const;

const Day = Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', description: 'a date such as 2027-06-30' });
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) => Type.Union([type, Type.Null()]);

export const ReviewedRight = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: 1_000, description: 'of the right; the same in every review' }),
    holder: orNull(
      Type.String({ minLength: 1, maxLength: 256, description: 'person who has it; null: whoever has the role' }),
    ),
    role: Type.Optional(Slug),
    right: Type.String({ minLength: 1, description: 'what it lets its holder do' }),
    source: Type.String({ description: 'file:line at the start' }),
    hash: Type.String({ pattern: '^sha256:[0-9a-f]{64}$', description: 'of what the right said at the start' }),
    uses: orNull(Type.Integer({ minimum: 0, description: 'in the window; null: records do not show it' })),
    last_used: orNull(Timestamp),
    proposed_reviewer: orNull(Identifier),
    state: oneOf(['open', 'decided']),
    reviewer: Type.Optional(Identifier),
    reviewed_at: Type.Optional(Timestamp),
    decision: Type.Optional(oneOf(RIGHT_DECISIONS)),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 })),
  },
  strict,
);

export const AccessReview = Type.Object(
  {
    id: Slug,
    scope: oneOf(REVIEW_SCOPES),
    started_at: Timestamp,
    due: Day,
    only_reviewer: Type.Optional({
      ...Identifier,
      description: 'only rights for which they were proposed as the reviewer',
    }),
    revision: Type.String({ description: 'of the policy set that was reviewed' }),
    commit: orNull(Type.String()),
    window: orNull(
      Type.Object(
        {
          from: Timestamp,
          to: Timestamp,
          judged_from: { ...Timestamp, description: 'from here on the log was whole' },
        },
        { ...strict, description: 'of the log that use was read from; null: it was not read' },
      ),
    ),
    closed_at: Type.Optional(Timestamp),
    closed_by: Type.Optional(Identifier),
    rights: Type.Array(ReviewedRight),
  },
  strict,
);

export const ReviewFile = Type.Object(
  { version: Version, review: AccessReview },
  { ...strict, title: 'Privity access review' },
);

export type ReviewScope = (typeof REVIEW_SCOPES)[number];
export type RightDecision = (typeof RIGHT_DECISIONS)[number];
export type ReviewedRight = Static<typeof ReviewedRight>;
export type AccessReview = Static<typeof AccessReview>;
export type ReviewFile = Static<typeof ReviewFile>;
