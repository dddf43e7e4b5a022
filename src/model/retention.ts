// The shapes of retention.yaml, and of a request to remove payloads from the log. It must never hold behaviour.
import { Type, type Static } from 'typebox';
import { Identifier, oneOf, Slug, strict, Timestamp, Version } from './firm.ts';

/** Kinds whose payload ends with its retention. The others say nothing of a request, and proofs need some of them. */
export const PURGEABLE_KINDS = ['decision', 'refused', 'read', 'search', 'filter', 'approval'] as const;

const Period = Type.String({ description: 'whole years, months or days, such as P7Y, P18M or P90D' });

const Class = Type.Object(
  {
    id: Slug,
    title: Type.Optional(Type.String()),
    kinds: Type.Optional(Type.Array(oneOf(PURGEABLE_KINDS), { minItems: 1, description: 'kinds of records' })),
    practice_groups: Type.Optional(
      Type.Array(Type.String(), { minItems: 1, description: 'of the matter, as policy data has it' }),
    ),
    properties: Type.Optional(
      Type.Record(Slug, Type.Unknown(), {
        ...strict,
        description: 'resource attributes that policy data gives the matter, with the value they must have',
      }),
    ),
    keep: Period,
  },
  strict,
);

const Held = Type.Array(
  Type.Union([Identifier, Type.Object({ id: Identifier, reason: Type.Optional(Type.String()) }, strict)]),
);

export const RetentionFile = Type.Object(
  {
    version: Version,
    keep: { ...Period, description: 'how long payloads are kept that no class speaks of' },
    approvers: Type.Array(Slug, {
      minItems: 1,
      description: 'roles of those who may approve a purge; it takes two people who hold one of them',
    }),
    classes: Type.Optional(
      Type.Array(Class, { description: 'all that a class states must hold; of several classes the longest counts' }),
    ),
    holds: Type.Optional(
      Type.Object(
        { matters: Type.Optional(Held), clients: Type.Optional(Held) },
        { ...strict, description: 'legal holds' },
      ),
    ),
  },
  { ...strict, title: 'Privity retention' },
);

export const PurgeRequest = Type.Object(
  {
    version: Version,
    /** UUIDv7. */
    id: Type.String({ format: 'uuid' }),
    /** A person: erasure of what the log says of that subject. Null: everything whose retention has ended. */
    subject: Type.Union([Identifier, Type.Null()]),
    /** The instant at which retention must have ended. */
    as_of: Timestamp,
    /** Only what was recorded earlier. */
    before: Timestamp,
    reason: Type.String({ minLength: 10, maxLength: 2_000 }),
    requester: Identifier,
    /** Of the policy set that the plan was made with. */
    revision: Type.String(),
    planned: Type.Object({ records: Type.Integer(), held: Type.Integer() }, strict),
    /** So that nobody can find the subject of an erasure by guessing what was hashed. */
    salt: Type.String({ minLength: 32 }),
  },
  { ...strict, title: 'Request to remove payloads from the log' },
);

export type RetentionFile = Static<typeof RetentionFile>;
export type PurgeRequest = Static<typeof PurgeRequest>;
export type PurgeableKind = (typeof PURGEABLE_KINDS)[number];
