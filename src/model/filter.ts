// The wire shapes of list filters: one question about every row of a list, answered with a condition on its columns. It must never hold
// behaviour.
import { Type, type Static } from 'typebox';
import { Action, Context, PolicyInForce, SubjectToken, WireId } from './evaluation.ts';

const open = { additionalProperties: true } as const;
const closed = { additionalProperties: false } as const;
const AnyObject = Type.Unsafe<Record<string, unknown>>(Type.Object({}, open));

function oneOf<const T extends readonly string[]>(values: T, description: string) {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...values], description });
}

export const FILTER_TARGETS = ['ucast', 'postgresql', 'elasticsearch'] as const;
export const FILTER_KINDS = ['always_allowed', 'always_denied', 'conditional'] as const;
export type FilterTarget = (typeof FILTER_TARGETS)[number];
export type FilterKind = (typeof FILTER_KINDS)[number];

/** Facts of a matter on file that a table of matters may hold. */
export const MATTER_COLUMNS = [
  'client_id',
  'practice_group',
  'responsible_attorney',
  'proposing_partner',
  'team',
] as const;
export type MatterColumn = (typeof MATTER_COLUMNS)[number];

const ColumnName = Type.String({ minLength: 1, maxLength: 192 });
const Columns = Type.Unsafe<Record<string, string>>(
  Type.Object(
    {},
    {
      additionalProperties: ColumnName,
      maxProperties: 200,
      description:
        'attribute of the resource to column or field; `id` among them. Without it, every attribute under its own name',
    },
  ),
);
const Matters = Type.Object(
  {
    table: ColumnName,
    id: ColumnName,
    columns: Type.Optional(
      Type.Unsafe<Record<string, string>>(
        Type.Object(
          {},
          {
            additionalProperties: ColumnName,
            maxProperties: 200,
            description: `${MATTER_COLUMNS.join(', ')}, and attributes that policy data keeps of matters (null: of this one it does not)`,
          },
        ),
      ),
    ),
  },
  {
    ...closed,
    description:
      'postgresql only: a table that holds every matter of policy data, and says of it what policy data says',
  },
);

export const FilterRequest = Type.Object(
  {
    subject_token: Type.Optional(SubjectToken),
    action: Action,
    resource: Type.Object({ type: WireId, properties: Type.Optional(AnyObject) }, closed),
    context: Type.Optional(Context),
    target: oneOf(FILTER_TARGETS, 'the form of the condition'),
    columns: Type.Optional(Columns),
    matters: Type.Optional(Matters),
    first_parameter: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 60_000,
        description: 'postgresql only: number of the first $n; 1 unless told',
      }),
    ),
  },
  {
    ...closed,
    $id: 'FilterRequest',
    description: 'Which rows of a list may the subject do this to? `resource.properties` are the same for every row',
  },
);

const Sql = Type.Object({ text: Type.String(), params: Type.Array(Type.Unknown()) }, closed);

export const FilterAnswer = Type.Object(
  {
    kind: oneOf(FILTER_KINDS, 'a kind that you do not know means: always denied'),
    condition: Type.Optional(AnyObject),
    sql: Type.Optional(Sql),
    query: Type.Optional(AnyObject),
    expires_at: Type.String({ format: 'date-time', description: 'not to be used at this instant or later' }),
    evaluation_id: Type.String({ format: 'uuid' }),
    evaluated_at: Type.String({ format: 'date-time' }),
    policy: PolicyInForce,
  },
  {
    ...closed,
    $id: 'FilterAnswer',
    description:
      'The rows, as a condition: `condition` (UCAST), `sql` or `query`, by target, where `kind` is conditional',
  },
);

export type FilterRequest = Static<typeof FilterRequest>;
export type FilterAnswer = Static<typeof FilterAnswer>;
