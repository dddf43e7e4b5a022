// The wire shapes of the AuthZEN access request and approval profile (draft 1): what is not named is ignored. It must never hold behaviour.
import { Type, type Static } from 'typebox';
import { Action, Resource, Subject, token } from './authzen.ts';

const open = { additionalProperties: true } as const;
const closed = { additionalProperties: false } as const;
const AnyObject = Type.Unsafe<Record<string, unknown>>(Type.Object({}, open));
const time = (description: string) => Type.String({ format: 'date-time', maxLength: 64, description });

export const AccessRequest = Type.Object(
  {
    ...token,
    subject: Subject,
    action: Action,
    resource: Resource,
    context: Type.Optional(AnyObject),
    denial: Type.Object(
      {
        evaluation_id: Type.Optional(
          Type.String({ maxLength: 128, description: '`context.evaluation_id` of the deny' }),
        ),
        expires_at: time('`context.access_request.expires_at` of the deny'),
        binding_token: Type.Optional(Type.String({ description: 'Privity gives none, and believes none' })),
      },
      open,
    ),
    requested_access: Type.Optional(
      Type.Object(
        {
          requested_until: Type.Optional(time('an earlier end than the firm allows')),
          emergency: Type.Optional(Type.Boolean()),
        },
        open,
      ),
    ),
  },
  { ...open, $id: 'AccessRequest', description: 'Asks for access to what was denied' },
);

/** Of the profile's, those that Privity gives; `expired` is answered 410. */
export const TASK_STATUSES = ['pending', 'approved', 'denied'] as const;

export const AccessTask = Type.Object(
  {
    task: Type.Object(
      {
        id: Type.String({ format: 'uuid' }),
        status: Type.Unsafe<(typeof TASK_STATUSES)[number]>({ type: 'string', enum: TASK_STATUSES }),
        status_endpoint: Type.String({ format: 'uri' }),
        expires_at: Type.String({ format: 'date-time' }),
        display: Type.Object({ title: Type.String(), description: Type.String() }, closed),
      },
      closed,
    ),
    result: Type.Optional(
      Type.Object(
        {
          mode: Type.Literal('reevaluate'),
          approval: Type.Object(
            {
              id: Type.String({ format: 'uuid', description: 'for `context.approval` of the next evaluation' }),
              approved_at: Type.String({ format: 'date-time' }),
              approved_until: Type.String({ format: 'date-time' }),
            },
            closed,
          ),
        },
        closed,
      ),
    ),
  },
  { ...closed, $id: 'AccessTask', description: 'What became of a request for access; no access by itself' },
);

export const TaskParams = Type.Object({ id: Type.String({ maxLength: 128 }) });

export type AccessRequest = Static<typeof AccessRequest>;
export type AccessTask = Static<typeof AccessTask>;
