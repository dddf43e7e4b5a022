// The shape of firm.yaml: the vocabulary every other policy file uses. It must never hold behaviour.
import { Type, type Static, type TSchema } from 'typebox';
import { AcceptInFirm } from './acceptances.ts';

/** Refuses unknown members of an object, and names of a record that its key schema does not allow. */
export const strict = { additionalProperties: false } as const;

/** One of some words; a union of literals, typed as such. */
export function oneOf<const T extends readonly string[]>(words: T, options: { description?: string } = {}) {
  return Type.Unsafe<T[number]>(
    Type.Union(
      words.map((word) => Type.Literal(word)),
      options,
    ),
  );
}

/** Ids that policy authors choose: rule ids, roles, actions, terms. CASL joins names with commas, so none may stand in one. */
export const Slug = Type.String({
  pattern: '^[a-z0-9][a-z0-9_.-]{0,63}$',
  description: 'lower-case letters, digits, - _ .',
});
/** Advice and obligation codes, such as step_up:mfa_fresh_30m. */
export const Code = Type.String({
  pattern: '^[a-z0-9][a-z0-9_.:-]{0,63}$',
  description: 'lower-case letters, digits, - _ . :',
});
/** Identifiers that other systems choose: people, matters, documents. */
export const Identifier = Type.String({ minLength: 1, maxLength: 256 });
export const Timestamp = Type.String({ description: 'RFC 3339, such as 2026-03-01T00:00:00Z' });
export const Version = Type.Literal(1, { description: 'version of the file format' });

const titles = (description: string) => Type.Record(Slug, Type.String(), { ...strict, description });
const names = (description: string) => Type.Array(Slug, { minItems: 1, description });

export const USER_TYPES = ['internal', 'external', 'client', 'service'] as const;
export const UserType = oneOf(USER_TYPES, { description: 'kind of account' });

const SCALAR_TYPES = [
  'boolean',
  'number',
  'string',
  'person',
  'timestamp',
  'duration',
  'enum',
  'list',
  'object',
] as const;
const TypeName = oneOf(SCALAR_TYPES);

/** A condition is checked against the dictionary by core/conditions, with positions; JSON Schema only says that it is a map. */
export const Condition = Type.Record(Type.String(), Type.Unknown(), {
  description: 'all keys must hold: an attribute path, $and, $or, $not, $is',
});

/** Narrowing of actions or resource types: `any`, a list of names and groups, or everything except a list. */
export const Selector = Type.Union([
  Type.Literal('any'),
  names('names or groups'),
  Type.Object({ except: names('everything but these') }, strict),
]);

const RequiredFor = Type.Object(
  {
    resources: Type.Optional(names('resource types or groups')),
    actions: Type.Optional(Selector),
    user_types: Type.Optional(Type.Array(UserType, { minItems: 1 })),
  },
  strict,
);

const FieldType = Type.Object(
  {
    type: TypeName,
    values: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
    optional: Type.Optional(Type.String()),
  },
  strict,
);

export const Attribute = Type.Object(
  {
    type: TypeName,
    title: Type.Optional(Type.String()),
    values: Type.Optional(Type.Array(Type.String(), { minItems: 1, description: 'of an enum, in order' })),
    ordered: Type.Optional(Type.Literal(true, { description: 'the values are ordered from lowest to highest' })),
    items: Type.Optional(
      Type.Union([TypeName, FieldType, Type.Object({ fields: Type.Record(Slug, FieldType, strict) }, strict)]),
    ),
    fields: Type.Optional(Type.Record(Slug, FieldType, strict)),
    free_text: Type.Optional(Type.Literal(true, { description: 'masked when the log is read' })),
    required: Type.Optional(Type.Literal(true)),
    required_for: Type.Optional(Type.Array(RequiredFor, { minItems: 1 })),
    optional: Type.Optional(Type.String({ description: 'what absence means, in words' })),
    default: Type.Optional(Type.Unknown({ description: 'the known value that absence stands for' })),
  },
  strict,
);

const Day = oneOf(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']);
const TimeOfDay = Type.String({
  pattern: '^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$',
  description: 'a time of day such as 07:00, in quotes',
});

export const Calendar = Type.Object(
  { days: Type.Array(Day, { minItems: 1 }), from: TimeOfDay, until: TimeOfDay, timezone: Type.String() },
  strict,
);

const fulfilledBy = Type.Optional(Type.Union([Type.Literal('caller'), Type.Literal('privity')]));

export const Advice = Type.Object(
  {
    text: Type.Optional(Type.String({ description: 'shown to the person' })),
    acr_values: Type.Optional(Type.String({ description: 'what a step-up must reach (RFC 9470)' })),
    max_age: Type.Optional(Type.Integer({ minimum: 0, description: 'seconds (RFC 9470)' })),
    fulfilled_by: fulfilledBy,
  },
  strict,
);

export const Obligation = Type.Object(
  {
    text: Type.Optional(Type.String()),
    fulfilled_by: fulfilledBy,
    properties: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  strict,
);

const attributes = (description: string) => Type.Optional(Type.Record(Slug, Attribute, { ...strict, description }));
const groups = Type.Optional(Type.Record(Slug, names('members'), strict));

export const FirmFile = Type.Object(
  {
    version: Version,
    name: Type.Optional(Type.String()),
    accept: AcceptInFirm,
    roles: titles('role: title'),
    actions: titles('action: title'),
    resource_types: titles('type: title'),
    source_systems: Type.Array(Slug, { minItems: 1, uniqueItems: true }),
    consents: Type.Optional(titles('list of client ids: what being on it means')),
    groups: Type.Optional(Type.Object({ roles: groups, resources: groups, actions: groups }, strict)),
    attributes: Type.Object(
      {
        subject: attributes('from the token, or policy data about the person'),
        resource: attributes('from the request, or policy data about the resource'),
        context: attributes('from the request'),
      },
      strict,
    ),
    calendars: Type.Optional(Type.Record(Slug, Calendar, strict)),
    terms: Type.Optional(Type.Record(Slug, Condition, strict)),
    advice: Type.Optional(Type.Record(Code, Advice, strict)),
    obligations: Type.Optional(Type.Record(Code, Obligation, strict)),
    approvals: Type.Optional(
      Type.Object(
        {
          approver: Type.Array(Slug, { minItems: 1, description: 'terms that must hold for whoever approves' }),
          valid_for: Type.String({ description: 'longest validity, an ISO 8601 duration' }),
        },
        strict,
      ),
    ),
    walls: Type.Optional(
      Type.Object(
        {
          lateral_reasons: Type.Optional(
            Type.Array(Type.String(), { description: 'reasons that make an exclusion wall a lateral-hire screen' }),
          ),
          conflict_checkers: Type.Optional(
            Type.Array(Slug, { description: 'roles that may list matters and clients behind an inclusion wall' }),
          ),
          memo_advice: Type.Optional(
            Type.Array(Code, { description: 'advice to a person who has not acknowledged the wall memo' }),
          ),
        },
        strict,
      ),
    ),
  },
  { ...strict, title: 'Privity firm.yaml' },
);

export type FirmFile = Static<typeof FirmFile>;
export type AttributeEntry = Static<typeof Attribute>;
export type FieldEntry = Static<typeof FieldType>;
export type AdviceEntry = Static<typeof Advice>;
export type ObligationEntry = Static<typeof Obligation>;
export type CalendarEntry = Static<typeof Calendar>;
export type SelectorEntry = Static<typeof Selector>;
export type RequiredForEntry = Static<typeof RequiredFor>;
export type UserTypeName = (typeof USER_TYPES)[number];
export type FileSchema = TSchema;
