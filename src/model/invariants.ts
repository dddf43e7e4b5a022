// The shape of invariants/*.yaml: statements about the policies that must hold for every request. It must never hold behaviour.
import { Type, type Static } from 'typebox';
import { Condition, Slug, strict, Version } from './firm.ts';
import { Header } from './rules.ts';

const Never = Type.Object(
  {
    ...Header,
    behind: Type.Optional(
      Type.Literal('exclusion', { description: 'only people whom an exclusion wall names, on what that wall covers' }),
    ),
  },
  strict,
);

export const Invariant = Type.Object(
  {
    id: Slug,
    title: Type.String({ minLength: 1 }),
    owner: Type.Optional(Type.String()),
    note: Type.Optional(Type.String()),
    never: Type.Optional(Never),
    allowed: Type.Optional(Type.Object(Header, strict)),
    requires: Type.Optional(Condition),
  },
  {
    ...strict,
    description:
      'either `never`: nothing that fits is ever allowed; or `allowed` with `requires`: what fits and is allowed meets the condition',
  },
);

export const InvariantsFile = Type.Object(
  { version: Version, about: Type.Optional(Type.String()), invariants: Type.Array(Invariant) },
  { ...strict, title: 'Privity invariants' },
);

export type InvariantEntry = Static<typeof Invariant>;
export type InvariantsFile = Static<typeof InvariantsFile>;
