// The wire shapes of the doors to what proves the log: checkpoints and consistency. It must never hold behaviour.
import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

export const CHECKPOINTS_LIMIT = 200;
export const CHECKPOINTS_DEFAULT = 50;

/** Texts, as a path or query has them: nothing is coerced. */
const Size = (description: string) => Type.String({ pattern: '^(0|[1-9][0-9]{0,14})$', description });

export const CheckpointsQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.String({
        pattern: '^([1-9]|[1-9][0-9]|1[0-9][0-9]|200)$',
        description: `how many to give at most: 1 to ${CHECKPOINTS_LIMIT}; ${CHECKPOINTS_DEFAULT} unless told`,
      }),
    ),
    before: Type.Optional(Size('only checkpoints over fewer records: `next` of the page before')),
  },
  closed,
);

export const ConsistencyParams = Type.Object(
  { first: Size('number of records of the older tree'), second: Size('number of records of the newer tree') },
  closed,
);

const Checkpoint = Type.Object(
  {
    size: Type.Integer({ description: 'number of records under it' }),
    root: Type.String({ description: 'root of their tree (RFC 9162), base64' }),
    at: Type.String({ format: 'date-time' }),
    note: Type.String({ description: 'the signed checkpoint (C2SP tlog-checkpoint), as published' }),
  },
  closed,
);

export const CheckpointsAnswer = Type.Object(
  {
    checkpoints: Type.Array(Checkpoint),
    next: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      description: 'for `before`, to go on with older ones; null at the end',
    }),
  },
  { ...closed, $id: 'CheckpointsAnswer', description: 'Signed checkpoints, newest first' },
);

export const ConsistencyAnswer = Type.Object(
  {
    first: Type.Integer(),
    second: Type.Integer(),
    proof: Type.Array(Type.String({ description: 'a hash, base64' }), {
      description: 'in the order of RFC 9162, 2.1.4; verify it against the roots of two checkpoints that you hold',
    }),
  },
  { ...closed, $id: 'ConsistencyAnswer', description: 'Proof that the newer tree begins with the older one' },
);

export type CheckpointsQuery = Static<typeof CheckpointsQuery>;
export type ConsistencyParams = Static<typeof ConsistencyParams>;
export type CheckpointsAnswer = Static<typeof CheckpointsAnswer>;
export type ConsistencyAnswer = Static<typeof ConsistencyAnswer>;
