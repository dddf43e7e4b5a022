// What the package offers. It must never do anything itself.
export type * as wire from './api.ts';
export type { AbilitiesAnswer, ApprovalAnswer, AuthorizeAnswer, FieldsAnswer, FilterAnswer } from './api.ts';
export { challengeOf, stepUpOf, type StepUp } from './challenge.ts';
export {
  createClient,
  type Approval,
  type ClientOptions,
  type FieldsQuestion,
  type ListQuestion,
  type PrivityClient,
  type Question,
  type Resource,
  type Verdict,
} from './client.ts';
export { PrivityClientError, type ClientCode, type PrivityCode } from './errors.ts';
export type { Call, TokenSource } from './exchange.ts';
export { sqlWhere, type RowFilter, type SqlWhere } from './filter.ts';
export type { GuardOptions, Refusal, RouteRule } from './guard.ts';
export type { Duties, Fulfil, Obligation } from './obligations.ts';
