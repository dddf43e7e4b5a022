// The shape of rules/*.yaml and tests/*.yaml. It must never hold behaviour.
import { Type, type Static } from 'typebox';
import { Accept, AcceptInFile } from './acceptances.ts';
import { Code, Condition, Selector, Slug, strict, Version } from './firm.ts';

/** Which requests a rule, one of its cases, or a statement about rules speaks of. */
export const Header = {
  subjects: Type.Optional(Type.Array(Slug, { minItems: 1, description: 'terms of firm.yaml; all must hold' })),
  roles: Type.Optional(Type.Array(Slug, { minItems: 1, description: 'roles or groups of roles; any of them' })),
  actions: Type.Optional(Selector),
  resources: Type.Optional(Selector),
  when: Type.Optional(Condition),
  unless: Type.Optional(Condition),
};

const Case = Type.Object(Header, strict);

export const Rule = Type.Object(
  {
    id: Slug,
    title: Type.Optional(Type.String()),
    owner: Type.Optional(Type.String()),
    review_by: Type.Optional(
      Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', description: 'a date such as 2027-06-30' }),
    ),
    controls: Type.Optional(Type.Array(Type.String())),
    note: Type.Optional(Type.String()),
    effect: Type.Union([Type.Literal('allow'), Type.Literal('deny')]),
    ...Header,
    cases: Type.Optional(Type.Array(Case, { minItems: 1, description: 'alternatives; each narrows the header' })),
    advice: Type.Optional(Type.Array(Code, { description: 'of a deny: what would help' })),
    obligations: Type.Optional(Type.Array(Code, { description: 'of an allow: what must be done' })),
    accept: Accept,
  },
  strict,
);

export const RulesFile = Type.Object(
  { version: Version, about: Type.Optional(Type.String()), accept: AcceptInFile, rules: Type.Array(Rule) },
  { ...strict, title: 'Privity rules' },
);

const Properties = Type.Record(Type.String(), Type.Unknown());

export const TestCase = Type.Object(
  {
    id: Type.String({ minLength: 1 }),
    why: Type.Optional(Type.String()),
    now: Type.String(),
    claims: Properties,
    action: Type.String(),
    resource: Type.Object({ type: Type.String(), id: Type.String(), properties: Type.Optional(Properties) }, strict),
    context: Type.Optional(Properties),
    missing: Type.Optional(
      Type.Array(Type.String(), { description: 'left out on purpose; then only the decision counts' }),
    ),
    expect: Type.Union([Type.Literal('allow'), Type.Literal('deny')]),
    decided_by: Type.Optional(Type.Array(Type.String())),
    advice: Type.Optional(Type.Array(Type.String())),
    obligations: Type.Optional(Type.Array(Type.String())),
  },
  strict,
);

export const TestsFile = Type.Object(
  { version: Type.Optional(Version), tests: Type.Array(TestCase) },
  { ...strict, title: 'Privity policy tests' },
);

export type RuleEntry = Static<typeof Rule>;
export type RuleCaseEntry = Static<typeof Case>;
export type RulesFile = Static<typeof RulesFile>;
export type TestCase = Static<typeof TestCase>;
export type TestsFile = Static<typeof TestsFile>;
