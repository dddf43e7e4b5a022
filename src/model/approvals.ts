// The wire shapes of the second person's door (DESIGN 5.2). It must never hold behaviour.
import { Type, type Static } from 'typebox';
import { Action, Context, Resource, SubjectToken, WireId } from './evaluation.ts';

const closed = { additionalProperties: false } as const;

export const ApprovalRequest = Type.Object(
  {
    subject_token: Type.Optional(SubjectToken),
    requester: Type.Unsafe<string>({ ...WireId, description: 'id of the person who may use the approval' }),
    action: Action,
    resource: Resource,
    context: Type.Optional(Context),
    expires_at: Type.String({
      format: 'date-time',
      maxLength: 64,
      description: 'RFC 3339; no later than `approvals.valid_for` of firm.yaml allows',
    }),
  },
  {
    ...closed,
    $id: 'ApprovalRequest',
    description: 'The subject approves that somebody else does this to that, once, until then',
  },
);

export const ApprovalAnswer = Type.Object(
  {
    approval_id: Type.String({
      format: 'uuid',
      description: 'for `context.approval_ids` of the requester’s request; also the id of the record',
    }),
    expires_at: Type.String({ format: 'date-time' }),
  },
  { ...closed, $id: 'ApprovalAnswer', description: 'The approval was given' },
);

export type ApprovalRequest = Static<typeof ApprovalRequest>;
export type ApprovalAnswer = Static<typeof ApprovalAnswer>;
