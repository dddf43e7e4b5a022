// The shape of `accept`: what `privity policy check --strict` would find, and why it is right as it is. It must never hold behaviour, nor
// change what a policy allows.
import { Type, type Static } from 'typebox';

const strict = { additionalProperties: false } as const;

const Reasoned = {
  code: Type.String({ description: 'code of the finding; see docs/policy-findings.md' }),
  reason: Type.String({ description: 'why it is right as it is' }),
  until: Type.Optional(
    Type.String({
      pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
      description: 'the last day it counts, such as 2027-06-30; it is found again afterwards',
    }),
  ),
};
const Item = Type.Optional(
  Type.String({ description: 'what it was found about, such as a grant or an attribute; otherwise all of the file' }),
);

/** Beside what it is about, as in a rule. */
export const Accept = Type.Optional(
  Type.Array(Type.Object(Reasoned, strict), { description: 'findings that are right as they are, each with a reason' }),
);

/** For a whole file, where what it is about has no place for it. */
export const AcceptInFile = Type.Optional(
  Type.Array(Type.Object({ ...Reasoned, item: Item }, strict), {
    description: 'findings in this file that are right as they are, each with a reason',
  }),
);

/** In firm.yaml also for files that have no place for it, such as CSV. */
export const AcceptInFirm = Type.Optional(
  Type.Array(
    Type.Object(
      {
        ...Reasoned,
        item: Item,
        file: Type.Optional(Type.String({ description: 'another file of the folder, such as data/grants.csv' })),
      },
      strict,
    ),
    { description: 'findings in this file, or in the one that is named, that are right as they are' },
  ),
);

const Entry = Type.Object({ ...Reasoned, item: Item, file: Type.Optional(Type.String()) });
export type AcceptEntry = Static<typeof Entry>;
