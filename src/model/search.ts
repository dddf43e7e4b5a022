// The wire shapes of searching and exporting the log. It must never hold behaviour.
import { Type, type Static } from 'typebox';
import { RECORD_KINDS } from './record.ts';

const closed = { additionalProperties: false } as const;
const NullableText = Type.Unsafe<string | null>({ type: ['string', 'null'] });
const Texts = Type.Array(Type.String());

/** One JSON Schema `enum` instead of alternatives, for clearer errors. */
function oneOf<const T extends readonly string[]>(values: T, description: string) {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...values], description });
}
/** Texts, as a query string has them: nothing is coerced. Bytes are counted, and NUL refused, behind the schema. */
const id = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 256, description }));
const instant = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 40, description }));

export const VIEWS = ['log', 'access_report'] as const;
export const ORDERS = ['newest', 'oldest'] as const;
export const FORMATS = ['ndjson', 'csv', 'ocsf'] as const;
export const SEARCH_LIMIT = 200;
export const SEARCH_DEFAULT = 50;

const filters = {
  view: Type.Optional(
    oneOf(
      VIEWS,
      '`log`: for those who may read the decision log. `access_report`: who did what in one matter, for those who may read its access report',
    ),
  ),
  subject: id('whom the record is about'),
  actor: id('the AI assistant that acted for the subject'),
  caller: id('the registered system that asked'),
  matter: id('matter'),
  client: id('client'),
  resource_type: id('type of the resource'),
  resource_id: id('id of the resource'),
  action: id('action'),
  kind: Type.Optional(oneOf(RECORD_KINDS, 'kind of record')),
  outcome: Type.Optional(oneOf(['allow', 'deny'], 'outcome')),
  rule: id('a rule that decided'),
  wall: id('a wall that applied'),
  grant: id('a grant that was used'),
  revision: id('revision of the policy set'),
  obligation: id('an obligation or alert that the decision left'),
  from: instant('not before this instant (RFC 3339; in a URL write + as %2B)'),
  to: instant('before this instant (RFC 3339)'),
  order: Type.Optional(oneOf(ORDERS, '`newest` first unless told')),
} as const;

export const DecisionsQuery = Type.Object(
  {
    ...filters,
    limit: Type.Optional(
      Type.String({
        pattern: '^([1-9]|[1-9][0-9]|1[0-9][0-9]|200)$',
        description: `how many to give at most: 1 to ${SEARCH_LIMIT}; ${SEARCH_DEFAULT} unless told`,
      }),
    ),
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: '`next` of the page before, with the same query' }),
    ),
  },
  closed,
);

export const ExportQuery = Type.Object(
  { ...filters, format: oneOf(FORMATS, 'the access report has no `ocsf`') },
  closed,
);

/** A caller that brings a person along says so in a header, for these requests have no body. */
export const SUBJECT_TOKEN_HEADER = 'privity-subject-token';

export const ReadingHeaders = Type.Object({
  [SUBJECT_TOKEN_HEADER]: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 16_384,
      description: "the person's token, where the bearer is a caller's own",
    }),
  ),
});

const FoundRecord = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    at: Type.String({ format: 'date-time' }),
    kind: Type.Optional(Type.String()),
    outcome: NullableText,
    subject: Type.Object({ id: NullableText, actor: NullableText }, closed),
    caller: Type.Optional(NullableText),
    source_system: NullableText,
    action: NullableText,
    resource: Type.Object({ type: NullableText, id: NullableText }, closed),
    matter: NullableText,
    client: NullableText,
    decided_by: Type.Optional(Texts),
    walls: Type.Optional(Texts),
    grants: Type.Optional(Texts),
    obligations: Type.Optional(Texts),
    revision: Type.Optional(NullableText),
    request_id: Type.Optional(NullableText),
  },
  { ...closed, description: 'an access report has no kind, caller, reasons, obligations, revision or request' },
);

export const DecisionsAnswer = Type.Object(
  {
    decisions: Type.Array(FoundRecord),
    next: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description:
        'for `cursor`, to go on; null at the end. A page may hold fewer rows than asked, even none, and still go on',
    }),
  },
  { ...closed, $id: 'DecisionsAnswer', description: 'Records of the log that match' },
);

export type View = (typeof VIEWS)[number];
export type Order = (typeof ORDERS)[number];
export type ExportFormat = (typeof FORMATS)[number];
export type DecisionsQuery = Static<typeof DecisionsQuery>;
export type ExportQuery = Static<typeof ExportQuery>;
export type FoundRecord = Static<typeof FoundRecord>;
export type DecisionsAnswer = Static<typeof DecisionsAnswer>;
