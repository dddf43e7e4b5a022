// The wire of the door that proxies ask. It must never hold behaviour.
import { Type, type Static } from 'typebox';

/** What a proxy is told, in the body; what counts is the status. */
export const ForwardAnswer = Type.Object(
  {
    decision: Type.Boolean(),
    context: Type.Object(
      {
        evaluation_id: Type.String({ format: 'uuid' }),
        evaluated_at: Type.String({ format: 'date-time' }),
        reason_user: Type.String(),
      },
      { additionalProperties: false },
    ),
  },
  { $id: 'ForwardAnswer', additionalProperties: false },
);

const text = (description: string) => Type.Optional(Type.String({ description }));

/** Which of them are read, routes.yaml says for each caller. */
export const ForwardHeaders = Type.Object({
  'privity-subject-token': text("the person's token, with or without `Bearer `, where the bearer is a caller's own"),
  'x-original-method': text('method of the original request, where `request_in` is `original_headers`'),
  'x-original-uri': text('its path and query, as the client sent them'),
  'x-forwarded-method': text('method of the original request, where `request_in` is `forwarded_headers`'),
  'x-forwarded-uri': text('its path and query, as the client sent them'),
});

export type ForwardAnswer = Static<typeof ForwardAnswer>;
