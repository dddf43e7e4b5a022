// The wire shapes of the hints for front ends. It must never hold behaviour.
import { Type, type Static } from 'typebox';
import { PolicyInForce } from './evaluation.ts';

const closed = { additionalProperties: false } as const;

export const AbilitiesQuery = Type.Object(
  {
    context: Type.Optional(
      Type.String({
        minLength: 2,
        maxLength: 4096,
        description:
          'JSON: the context in which the person works, such as `{"network_zone":"office"}`; unstated means unknown',
      }),
    ),
  },
  closed,
);

export const AbilitiesAnswer = Type.Object(
  {
    rules: Type.Array(Type.Array(Type.Unknown()), {
      description: 'packed rules of CASL, for `createMongoAbility(unpackRules(rules))`; only rules that permit',
    }),
    expires_at: Type.String({ format: 'date-time', description: 'ask again then, and after signing in again' }),
    evaluation_id: Type.String({ format: 'uuid' }),
    evaluated_at: Type.String({ format: 'date-time' }),
    policy: PolicyInForce,
  },
  {
    ...closed,
    $id: 'AbilitiesAnswer',
    description: 'What buttons a front end may show the person: a hint, never a permission',
  },
);

export type AbilitiesQuery = Static<typeof AbilitiesQuery>;
export type AbilitiesAnswer = Static<typeof AbilitiesAnswer>;
