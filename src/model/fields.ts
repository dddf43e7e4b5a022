// The wire shapes of the door that lists a resource's permitted fields (DESIGN 5.2). It must never hold behaviour.
import { Type, type Static } from 'typebox';
import { Action, Context, ObligationAnswer, PolicyInForce, Resource, SubjectToken } from './evaluation.ts';

const closed = { additionalProperties: false } as const;

export const FieldsRequest = Type.Object(
  {
    subject_token: Type.Optional(SubjectToken),
    action: Type.Optional(Action),
    resource: Resource,
    context: Type.Optional(Context),
  },
  {
    ...closed,
    $id: 'FieldsRequest',
    description: 'Which protected fields of that may the subject see? Without an action it is `read`.',
  },
);

export const FieldsAnswer = Type.Object(
  {
    fields: Type.Array(Type.String(), { description: 'permitted ones, sorted; every other protected field is masked' }),
    context: Type.Object(
      {
        evaluation_id: Type.String({ format: 'uuid' }),
        evaluated_at: Type.String({ format: 'date-time' }),
        policy: PolicyInForce,
        obligations: Type.Array(ObligationAnswer),
      },
      closed,
    ),
  },
  {
    ...closed,
    $id: 'FieldsAnswer',
    description: 'The protected fields that may be shown; none where access is denied',
  },
);

export type FieldsRequest = Static<typeof FieldsRequest>;
export type FieldsAnswer = Static<typeof FieldsAnswer>;
