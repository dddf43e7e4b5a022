// The wire shapes of the /v1 doors (DESIGN 5.1). Envelopes are checked here; attributes are judged by policy. It must never hold behaviour.
import { Type, type Static } from 'typebox';

/** Ids in an envelope: up to 256 bytes of UTF-8; the byte length is checked at the door, the schema bounds characters. */
export const WireId = Type.String({ minLength: 1, maxLength: 256 });

const open = { additionalProperties: true } as const;
const closed = { additionalProperties: false } as const;
/** Any object: a plain `type: object`, which validators, serialisers and readers of the API description all take as it is. */
const Attributes = Type.Unsafe<Record<string, unknown>>(Type.Object({}, open));

export const Action = Type.Object({ name: WireId, properties: Type.Optional(Attributes) }, open);
export const Resource = Type.Object({ type: WireId, id: WireId, properties: Type.Optional(Attributes) }, open);
export const Context = Attributes;

export const SubjectToken = Type.String({
  minLength: 1,
  maxLength: 16384,
  description: "the person's token, unless the bearer is the person's",
});

export const AuthorizeRequest = Type.Object(
  { subject_token: Type.Optional(SubjectToken), action: Action, resource: Resource, context: Type.Optional(Context) },
  { ...closed, $id: 'AuthorizeRequest', description: 'May the subject do this to that, here and now?' },
);

export const BATCH_LIMIT = 1000;

export const BatchRequest = Type.Object(
  {
    subject_token: Type.Optional(SubjectToken),
    context: Type.Optional(Context),
    evaluations: Type.Array(
      Type.Object({ action: Action, resource: Resource, context: Type.Optional(Context) }, closed),
      { minItems: 1, maxItems: BATCH_LIMIT },
    ),
  },
  {
    ...closed,
    $id: 'BatchRequest',
    description: 'Many questions about one subject; `context` is for those without one',
  },
);

/** One JSON Schema `enum` instead of alternatives, which serialisers would try one by one. */
function oneOf<const T extends readonly string[]>(...values: T) {
  return Type.Unsafe<T[number]>({ type: 'string', enum: values });
}
const NullableText = Type.Unsafe<string | null>({ type: ['string', 'null'] });

export const ObligationAnswer = Type.Object(
  {
    id: Type.String(),
    type: Type.String(),
    properties: Attributes,
    fulfilled_by: oneOf('caller', 'privity'),
  },
  closed,
);

export const PolicyInForce = Type.Object({ revision: Type.String(), commit: NullableText }, closed);

const AdminReason = Type.Object(
  {
    rule: Type.String(),
    effect: oneOf('allow', 'deny', 'wall'),
    truth: oneOf('true', 'unknown'),
    source: Type.String(),
  },
  closed,
);

export const AuthorizeAnswer = Type.Object(
  {
    decision: Type.Boolean(),
    context: Type.Object(
      {
        evaluation_id: Type.String({ format: 'uuid' }),
        evaluated_at: Type.String({ format: 'date-time' }),
        policy: PolicyInForce,
        reason_user: Type.String(),
        missing: Type.Array(Type.String()),
        advice: Type.Array(Type.String()),
        acr_values: Type.Optional(Type.String()),
        max_age: Type.Optional(Type.Integer()),
        obligations: Type.Array(ObligationAnswer),
        reason_admin: Type.Optional(Type.Array(AdminReason)),
        decided_by: Type.Optional(Type.Array(Type.String(), { description: 'only for callers that may explain' })),
        walls: Type.Optional(Type.Array(Type.String(), { description: 'only for callers that may explain' })),
        grants: Type.Optional(Type.Array(Type.String(), { description: 'only for callers that may explain' })),
      },
      closed,
    ),
  },
  { ...closed, $id: 'AuthorizeAnswer', description: 'Allowed or not, and what the asker may know about why' },
);

export const BatchAnswer = Type.Object(
  { evaluations: Type.Array(Type.Unsafe<Static<typeof AuthorizeAnswer>>({ $ref: 'AuthorizeAnswer#' })) },
  { ...closed, $id: 'BatchAnswer', description: 'The answers, in the order of the evaluations' },
);

export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.Optional(Type.String()),
    hint: Type.Optional(Type.String()),
    request_id: Type.String(),
    errors: Type.Optional(Type.Array(Type.Object({ detail: Type.String(), pointer: Type.String() }, closed))),
  },
  { ...closed, $id: 'Problem', description: 'RFC 9457 problem details' },
);

export type AuthorizeRequest = Static<typeof AuthorizeRequest>;
export type BatchRequest = Static<typeof BatchRequest>;
export type AuthorizeAnswer = Static<typeof AuthorizeAnswer>;
export type BatchAnswer = Static<typeof BatchAnswer>;
export type Problem = Static<typeof Problem>;
