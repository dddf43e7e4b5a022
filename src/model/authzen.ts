// The wire shapes of the OpenID AuthZEN Authorization API 1.0 (sections 5 to 9): what is not named is ignored, never refused. It must
// never hold behaviour.
import { Type, type Static } from 'typebox';
import { BATCH_LIMIT, SubjectToken, WireId } from './evaluation.ts';

/** Section 5: receivers ignore members they do not know. */
const open = { additionalProperties: true } as const;
const closed = { additionalProperties: false } as const;
const AnyObject = Type.Unsafe<Record<string, unknown>>(Type.Object({}, open));

export const Subject = Type.Object({ type: WireId, id: WireId, properties: Type.Optional(AnyObject) }, open);
export const Action = Type.Object({ name: WireId, properties: Type.Optional(AnyObject) }, open);
export const Resource = Type.Object({ type: WireId, id: WireId, properties: Type.Optional(AnyObject) }, open);

export const token = {
  subject_token: Type.Optional(
    Type.Unsafe<Static<typeof SubjectToken>>({
      ...SubjectToken,
      description: 'the token of the subject; without it the caller vouches for the subject',
    }),
  ),
};

export const EvaluationRequest = Type.Object(
  { ...token, subject: Subject, action: Action, resource: Resource, context: Type.Optional(AnyObject) },
  { ...open, $id: 'EvaluationRequest', description: 'AuthZEN 1.0, section 6.1: may the subject do this to that?' },
);

/** Section 7.1.2.1. */
export const SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const;

// What may come from the top level instead is not required here, entity by entity: see completeItem in the door.
const partial = {
  subject: Type.Optional(Type.Partial(Subject, open)),
  action: Type.Optional(Type.Partial(Action, open)),
  resource: Type.Optional(Type.Partial(Resource, open)),
  context: Type.Optional(AnyObject),
};

export const EvaluationsRequest = Type.Object(
  {
    ...token,
    ...partial,
    evaluations: Type.Optional(Type.Array(Type.Object(partial, open), { maxItems: BATCH_LIMIT })),
    options: Type.Optional(
      Type.Object(
        {
          evaluations_semantic: Type.Optional(
            Type.Unsafe<(typeof SEMANTICS)[number]>({ type: 'string', enum: SEMANTICS }),
          ),
        },
        open,
      ),
    ),
  },
  {
    ...open,
    $id: 'EvaluationsRequest',
    description: 'AuthZEN 1.0, section 7.1: many evaluations; what one lacks comes from the top level',
  },
);

export const EvaluationAnswer = Type.Object(
  { decision: Type.Boolean(), context: Type.Optional(AnyObject) },
  { ...closed, $id: 'EvaluationAnswer', description: 'AuthZEN 1.0, section 6.2; context only where it was asked for' },
);

export const EvaluationsAnswer = Type.Object(
  {
    decision: Type.Optional(Type.Boolean()),
    context: Type.Optional(AnyObject),
    evaluations: Type.Optional(Type.Array(Type.Unsafe<Static<typeof EvaluationAnswer>>({ $ref: 'EvaluationAnswer#' }))),
  },
  {
    ...closed,
    $id: 'EvaluationsAnswer',
    description: 'AuthZEN 1.0, section 7.2; one decision where there were no evaluations',
  },
);

const Entity = { type: WireId, properties: Type.Optional(AnyObject) };
/** Section 8.1.2. What a decision point does not know of it, it ignores. */
const Page = Type.Optional(
  Type.Object(
    { token: Type.Optional(Type.String({ maxLength: 4096 })), limit: Type.Optional(Type.Integer({ minimum: 0 })) },
    open,
  ),
);

export const SubjectSearch = Type.Object(
  {
    subject: Type.Object(Entity, open),
    action: Action,
    resource: Resource,
    context: Type.Optional(AnyObject),
    page: Page,
  },
  { ...open, $id: 'SubjectSearch', description: 'AuthZEN 1.0, section 8.4: who may do this to that?' },
);

export const ResourceSearch = Type.Object(
  {
    ...token,
    subject: Subject,
    action: Action,
    resource: Type.Object(Entity, open),
    context: Type.Optional(AnyObject),
    page: Page,
  },
  { ...open, $id: 'ResourceSearch', description: 'AuthZEN 1.0, section 8.5: to what may the subject do this?' },
);

export const ActionSearch = Type.Object(
  { ...token, subject: Subject, resource: Resource, context: Type.Optional(AnyObject), page: Page },
  { ...open, $id: 'ActionSearch', description: 'AuthZEN 1.0, section 8.6: what may the subject do to that?' },
);

const SearchPage = Type.Object(
  { next_token: Type.String({ description: 'empty at the end' }), count: Type.Integer({ minimum: 0 }) },
  closed,
);

/** Obligations profile, sections 2 and 3.3: only where the caller says that it fulfils them. */
const obligations = Type.Optional(
  Type.Array(Type.Object({ id: Type.String(), type: Type.String(), properties: AnyObject }, closed)),
);

export const SearchAnswer = Type.Object(
  {
    page: Type.Optional(SearchPage),
    results: Type.Array(Type.Object({ type: Type.String(), id: Type.String(), obligations }, closed)),
  },
  { ...closed, $id: 'SearchAnswer', description: 'AuthZEN 1.0, section 8: subjects or resources, by id' },
);

export const ActionsAnswer = Type.Object(
  { page: Type.Optional(SearchPage), results: Type.Array(Type.Object({ name: Type.String(), obligations }, closed)) },
  { ...closed, $id: 'ActionsAnswer', description: 'AuthZEN 1.0, section 8.6: actions, by name' },
);

export type SearchPage = Static<typeof SearchPage>;
export type SubjectSearch = Static<typeof SubjectSearch>;
export type ResourceSearch = Static<typeof ResourceSearch>;
export type ActionSearch = Static<typeof ActionSearch>;

const Address = Type.String({ format: 'uri' });

export const PdpMetadata = Type.Object(
  {
    policy_decision_point: Address,
    access_evaluation_endpoint: Address,
    access_evaluations_endpoint: Address,
    search_subject_endpoint: Address,
    search_resource_endpoint: Address,
    search_action_endpoint: Address,
    access_request_endpoint: Address,
    supported_obligations: Type.Optional(
      Type.Array(Type.String(), { description: 'types of the obligations profile that answers may hold' }),
    ),
    capabilities: Type.Array(Type.String()),
    signed_metadata: Type.Optional(
      Type.String({ description: 'the same as a JWT, signed with the key of METADATA_KEY_FILE' }),
    ),
  },
  { ...closed, $id: 'PdpMetadata', description: 'AuthZEN 1.0, section 9: what this decision point offers, and where' },
);

export type PdpMetadata = Static<typeof PdpMetadata>;
export type EvaluationRequest = Static<typeof EvaluationRequest>;
export type EvaluationsRequest = Static<typeof EvaluationsRequest>;
export type EvaluationAnswer = Static<typeof EvaluationAnswer>;
export type EvaluationsAnswer = Static<typeof EvaluationsAnswer>;
