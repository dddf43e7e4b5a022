// The shapes of policy data: walls, matters, grants, people, consents, services, resources, lockdown. It must never hold behaviour.
import { Type, type Static } from 'typebox';
import { AcceptInFile } from './acceptances.ts';
import { Identifier, oneOf, Slug, strict, Timestamp, UserType, Version } from './firm.ts';

const People = Type.Array(Identifier);
const Attributes = Type.Record(Type.String(), Type.Unknown());

export const Wall = Type.Object(
  {
    id: Identifier,
    kind: Type.Union([Type.Literal('exclusion'), Type.Literal('inclusion'), Type.Literal('opposing')]),
    reason: Type.Optional(Type.String()),
    memo: Type.Optional(Type.String({ description: 'for readers only' })),
    matter_id: Type.Optional(Identifier),
    client_id: Type.Optional(Identifier),
    excluded_people: Type.Optional(People),
    included_people: Type.Optional(People),
    acknowledged_by: Type.Optional(People),
    released_assistants: Type.Optional(People),
    sides: Type.Optional(
      Type.Array(Type.Object({ people: People, matters: Type.Array(Identifier) }, strict), {
        minItems: 2,
        maxItems: 2,
      }),
    ),
    valid_from: Type.Optional(Timestamp),
    valid_until: Type.Optional(Timestamp),
  },
  strict,
);

export const WallsFile = Type.Object(
  { version: Type.Optional(Version), accept: AcceptInFile, walls: Type.Array(Wall) },
  { ...strict, title: 'Privity ethical walls' },
);

export const Matter = Type.Object(
  {
    id: Identifier,
    client_id: Identifier,
    name: Type.Optional(Type.String({ description: 'for readers only; leave it out of real files' })),
    practice_group: Type.Optional(Type.String()),
    responsible_attorney: Type.Optional(Identifier),
    proposing_partner: Type.Optional(Identifier),
    team: Type.Optional(People),
    properties: Type.Optional(Attributes),
  },
  strict,
);

export const Grant = Type.Object(
  {
    id: Identifier,
    granted_to: Identifier,
    matter_id: Identifier,
    actions: Type.Array(Slug, { minItems: 1 }),
    valid_from: Type.Optional(Timestamp),
    valid_until: Type.Optional(Timestamp),
    approved_by: Identifier,
    reason: Type.Optional(Type.String()),
  },
  strict,
);

/** Members other than id and directory are subject attributes that outrank the token; core checks them against the dictionary. */
export const Person = Type.Object(
  { id: Identifier, directory: Type.Optional(Attributes) },
  { additionalProperties: true },
);

export const Service = Type.Object(
  {
    sub: Identifier,
    description: Type.Optional(Type.String()),
    source_systems: Type.Array(Slug),
    allowed: Type.Array(Type.Object({ resource_type: Slug, actions: Type.Array(Slug) }, strict)),
  },
  strict,
);

export const AiAssistant = Type.Object({ sub: Identifier, description: Type.Optional(Type.String()) }, strict);

export const Resource = Type.Object({ type: Slug, id: Identifier, properties: Type.Optional(Attributes) }, strict);

export const DataFile = Type.Object(
  {
    version: Type.Optional(Version),
    accept: AcceptInFile,
    matters: Type.Optional(Type.Array(Matter)),
    grants: Type.Optional(Type.Array(Grant)),
    people: Type.Optional(Type.Array(Person)),
    assistants: Type.Optional(
      Type.Record(Identifier, People, { ...strict, description: 'assistant: people assisted' }),
    ),
    consents: Type.Optional(Type.Record(Slug, Type.Array(Identifier), strict)),
    services: Type.Optional(Type.Array(Service)),
    ai_assistants: Type.Optional(Type.Array(AiAssistant)),
    resources: Type.Optional(Type.Array(Resource)),
  },
  { ...strict, title: 'Privity policy data' },
);

const Locked = Type.Array(
  Type.Union([Identifier, Type.Object({ id: Identifier, reason: Type.Optional(Type.String()) }, strict)]),
);

export const LockdownFile = Type.Object(
  {
    version: Version,
    people: Type.Optional(Locked),
    matters: Type.Optional(Locked),
    clients: Type.Optional(Locked),
    callers: Type.Optional(Locked),
    tokens: Type.Optional(Locked),
  },
  { ...strict, title: 'Privity lockdown' },
);

const ClaimSource = Type.Union([
  Type.String({ pattern: '^/', description: 'a JSON Pointer such as /sub (RFC 6901)' }),
  Type.Object(
    {
      pointer: Type.String({ pattern: '^/', description: 'a JSON Pointer such as /sub (RFC 6901)' }),
      as: Type.Optional(Type.Union([Type.Literal('epoch_seconds'), Type.Literal('rfc3339')])),
    },
    strict,
  ),
]);

const IdPattern = Type.String({
  pattern: '^[^*]*\\*?$',
  minLength: 1,
  maxLength: 256,
  description: 'an id, or a prefix ending in *',
});

export const Issuer = Type.Object(
  {
    issuer: Type.String({ minLength: 1, description: 'compared exactly with iss' }),
    keys: Type.Union([
      Type.Object(
        { url: Type.String({ pattern: '^https?://', description: 'a URL beginning with https://' }) },
        strict,
      ),
      Type.Object({ file: Type.String({ minLength: 1 }) }, strict),
    ]),
    algorithms: Type.Array(
      oneOf(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']),
      { minItems: 1, uniqueItems: true },
    ),
    audience: Type.String({ minLength: 1, description: 'of bearer tokens' }),
    typ: Type.Union([Type.Literal('at+jwt'), Type.Literal('JWT'), Type.Literal('any')]),
    claims: Type.Record(Slug, ClaimSource, {
      ...strict,
      description: 'subject attribute, or id, client, token_id, act: JSON Pointer',
    }),
    may_assert: Type.Object(
      { user_types: Type.Array(UserType), roles: Type.Array(Slug), ids: Type.Array(IdPattern, { minItems: 1 }) },
      strict,
    ),
    max_token_age: Type.Optional(Type.String({ description: 'ISO 8601 duration' })),
    clock_tolerance: Type.Optional(Type.String({ description: 'ISO 8601 duration' })),
  },
  strict,
);

export const IssuersFile = Type.Object(
  { version: Version, issuers: Type.Array(Issuer, { minItems: 1 }) },
  { ...strict, title: 'Privity trusted issuers' },
);

export const CALLER_RIGHTS = ['authorize', 'batch', 'filter', 'search', 'explain', 'vouch'] as const;

export const Caller = Type.Object(
  {
    id: Slug,
    issuer: Type.String({ minLength: 1 }),
    client_id: Identifier,
    source_system: Slug,
    may: Type.Array(oneOf(CALLER_RIGHTS)),
    subject_tokens: Type.Optional(
      Type.Object(
        {
          audiences: Type.Array(Identifier, { minItems: 1 }),
          clients: Type.Array(Identifier, { minItems: 1 }),
          issuers: Type.Optional(
            Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description: "default: the caller's own issuer" }),
          ),
        },
        strict,
      ),
    ),
    vouch: Type.Optional(
      Type.Object({ subject_types: Type.Array(Slug, { minItems: 1 }), attributes: Type.Array(Slug) }, strict),
    ),
    ai_assistant: Type.Optional(Identifier),
  },
  strict,
);

export const CallersFile = Type.Object(
  { version: Version, callers: Type.Array(Caller) },
  { ...strict, title: 'Privity callers' },
);

export type WallEntry = Static<typeof Wall>;
export type MatterEntry = Static<typeof Matter>;
export type GrantEntry = Static<typeof Grant>;
export type PersonEntry = Static<typeof Person>;
export type ServiceEntry = Static<typeof Service>;
export type ResourceEntry = Static<typeof Resource>;
export type DataFile = Static<typeof DataFile>;
export type WallsFile = Static<typeof WallsFile>;
export type LockdownFile = Static<typeof LockdownFile>;
export type IssuerEntry = Static<typeof Issuer>;
export type IssuersFile = Static<typeof IssuersFile>;
export type CallerEntry = Static<typeof Caller>;
export type CallersFile = Static<typeof CallersFile>;
export type CallerRight = (typeof CALLER_RIGHTS)[number];
