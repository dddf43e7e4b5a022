// What AuthZEN's operations are called, are for and may answer. It must never hold what the route schemas say already.
import { EVERY, PROTECTED, WITH_BODY, type Operation } from './openapi-operation.ts';

export const AUTHZEN_OPERATIONS = {
  evaluate: {
    tag: 'authzen',
    summary: 'AuthZEN: may the subject do this?',
    description:
      'OpenID AuthZEN 1.0, section 6. The subject is proven by `subject_token` (or a person’s bearer), or the caller vouches for ' +
      'it. `context.response_context: true` asks for the reasons, and for whether access can be requested. An allow with an ' +
      'obligation whose type is not in `context.supported_obligations` is a deny. `context.approval` names what a request for access ' +
      'came to.',
    open: false,
    success: { 200: 'The decision' },
    errors: WITH_BODY,
  },
  evaluateMany: {
    tag: 'authzen',
    summary: 'AuthZEN: many evaluations',
    description:
      'OpenID AuthZEN 1.0, section 7, with all three semantics; up to 1,000 evaluations. What one lacks comes from the top level, ' +
      'but never the properties of something else. One broken evaluation makes the whole request 400.',
    open: false,
    success: { 200: 'The decisions, in order, or one where there were no evaluations' },
    errors: WITH_BODY,
  },
  searchSubjects: {
    tag: 'authzen',
    summary: 'AuthZEN: who may do this?',
    description:
      'OpenID AuthZEN 1.0, section 8.4: people of the directory, each of whom would be allowed. For callers with the right `vouch`. ' +
      'Recorded with the number of results.',
    open: false,
    success: { 200: 'The subjects, in pages of at most 10,000' },
    errors: WITH_BODY,
  },
  searchResources: {
    tag: 'authzen',
    summary: 'AuthZEN: to what may the subject do this?',
    description:
      'OpenID AuthZEN 1.0, section 8.5: matters, and other resources that policy data declares. What policy data does not know is not ' +
      'found. Recorded with the number of results.',
    open: false,
    success: { 200: 'The resources, in pages of at most 10,000' },
    errors: WITH_BODY,
  },
  searchActions: {
    tag: 'authzen',
    summary: 'AuthZEN: what may the subject do to this?',
    description: 'OpenID AuthZEN 1.0, section 8.6: actions of firm.yaml. Recorded with the number of results.',
    open: false,
    success: { 200: 'The actions' },
    errors: WITH_BODY,
  },
  authzenMetadata: {
    tag: 'authzen',
    summary: 'AuthZEN: what this decision point offers',
    description:
      'OpenID AuthZEN 1.0, section 9. Needs no token. Nothing is here unless PUBLIC_URL says under which address the service is known.',
    open: true,
    success: { 200: 'The addresses of the doors' },
    errors: ['not_found', 'overloaded', 'no_policies', ...EVERY],
  },
  requestAccess: {
    tag: 'authzen',
    summary: 'AuthZEN: request access to what was denied',
    description:
      'AuthZEN access request and approval profile, draft 1. For a deny with `context.access_request`, by the caller that was denied. ' +
      'A second person approves at `POST /v1/approvals`; an emergency is approved at once where its reason is given. Neither is access: ' +
      'evaluate again with `context.approval`. Recorded before the answer.',
    open: false,
    success: { 201: 'Answered at once', 202: 'Waits for a second person' },
    errors: ['access_not_requestable', 'denial_not_bound', 'denial_expired', 'not_found', ...WITH_BODY],
  },
  readAccessRequest: {
    tag: 'authzen',
    summary: 'AuthZEN: what became of a request for access',
    description:
      'AuthZEN access request and approval profile, draft 1. Only for the caller that requested it; it does not say who approved.',
    open: false,
    success: { 200: 'The request as it stands' },
    errors: ['unknown_task', 'task_expired', 'not_found', ...PROTECTED],
  },
} as const satisfies Readonly<Record<string, Operation>>;
