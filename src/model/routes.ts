// The shape of routes.yaml: what requests to web applications behind a proxy mean. It must never hold behaviour.
import { Type, type Static } from 'typebox';
import { Identifier, oneOf, Slug, strict, Version } from './firm.ts';

/** Where a proxy puts method and URI of the request it asks about. */
export const REQUEST_IN = ['original_headers', 'forwarded_headers', 'path'] as const;
export type RequestIn = (typeof REQUEST_IN)[number];

/** Headers that are the proxy's to set: whatever a client sends under such a name must not reach Privity. */
export const FACT_HEADER = 'x-privity-';

const HeaderName = Type.String({
  pattern: `^${FACT_HEADER}[a-z0-9-]{1,48}$`,
  description: `lower-case, beginning with ${FACT_HEADER}`,
});

/** Where the value of an attribute comes from. */
const FactSource = Type.Object(
  {
    header: Type.Optional(HeaderName),
    path: Type.Optional(Type.String({ minLength: 1, description: 'a name in braces in `path`' })),
    value: Type.Optional(Type.Unknown({ description: 'the same for every request' })),
  },
  strict,
);

const Facts = (description: string) => Type.Optional(Type.Record(Slug, FactSource, { ...strict, description }));

const Method = Type.String({ pattern: '^[A-Z]{1,20}$', description: 'a method in capitals, such as GET' });

const RoutePath = Type.Object(
  {
    path: Type.String({
      pattern: '^/',
      maxLength: 1_000,
      description: 'a path such as /matters/{matter_id:M-#}/documents/{id:D-*}',
    }),
    resource: Slug,
    id: Type.Optional(Identifier),
    actions: Type.Record(Method, Slug, { ...strict, description: 'HTTP method: action' }),
    query: Type.Optional(
      Type.Union([
        Type.Array(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$', description: 'a plain name' })),
        Type.Literal('any'),
      ]),
    ),
    properties: Facts('resource attributes that are not in the path'),
  },
  strict,
);

const CallerRoutes = Type.Object(
  {
    caller: Slug,
    request_in: oneOf(REQUEST_IN),
    context: Facts('circumstances of every request'),
    paths: Type.Array(RoutePath, { minItems: 1 }),
  },
  strict,
);

export const RoutesFile = Type.Object(
  { version: Version, routes: Type.Array(CallerRoutes) },
  { ...strict, title: 'Privity routes of applications behind a proxy' },
);

export type RoutesFile = Static<typeof RoutesFile>;
export type RoutePathEntry = Static<typeof RoutePath>;
export type FactEntry = Static<typeof FactSource>;
