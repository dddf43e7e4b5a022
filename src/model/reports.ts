// The wire shapes of the doors that tell about the service itself: records, the policy in force, health. It must never hold behaviour.
import { Type, type Static } from 'typebox';
import { RECORD_KINDS } from './record.ts';

const closed = { additionalProperties: false } as const;

/** Wider than a record id: every other text is an id of nothing, and answers like it. */
export const DecisionParams = Type.Object({ id: Type.String({ minLength: 1, description: 'evaluation id' }) }, closed);

export const RecordAnswer = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    kind: Type.Unsafe<(typeof RECORD_KINDS)[number]>({ type: 'string', enum: [...RECORD_KINDS] }),
    at: Type.String({ format: 'date-time' }),
    record: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      description: 'what the record says; free text is masked',
    }),
    proof: Type.Object(
      {
        writer: Type.String({ format: 'uuid' }),
        seq: Type.Integer(),
        hash: Type.String({ description: 'the committed SHA-256 over 0x00 and the bytes of the record, in hex' }),
        intact: Type.Boolean({ description: 'whether the bytes still have the committed hash' }),
      },
      closed,
    ),
  },
  { ...closed, $id: 'RecordAnswer', description: 'One record of the log' },
);

export const PolicyAnswer = Type.Object(
  {
    revision: Type.String(),
    commit: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
    loaded_at: Type.String({ format: 'date-time' }),
  },
  { ...closed, $id: 'PolicyAnswer', description: 'The policy set that is in force' },
);

export const LiveAnswer = Type.Object({ status: Type.Literal('ok') }, { ...closed, $id: 'LiveAnswer' });

const Codes = Type.Array(Type.String());

export const ReadyAnswer = Type.Object(
  {
    status: Type.Unsafe<'ready' | 'not_ready'>({ type: 'string', enum: ['ready', 'not_ready'] }),
    problems: Codes,
    degraded: Codes,
  },
  {
    ...closed,
    $id: 'ReadyAnswer',
    description: 'Codes only: what keeps the service from answering, and what is only worse',
  },
);

export type RecordAnswer = Static<typeof RecordAnswer>;
export type PolicyAnswer = Static<typeof PolicyAnswer>;
export type LiveAnswer = Static<typeof LiveAnswer>;
export type ReadyAnswer = Static<typeof ReadyAnswer>;
