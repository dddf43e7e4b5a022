// What each operation of the API is called, is for and may answer. It must never hold what the route schemas say already.
import type { ErrorCode } from '../model/errors.ts';

interface Operation {
  readonly tag: 'decisions' | 'log' | 'service';
  readonly summary: string;
  readonly description: string;
  /** Needs no token. */
  readonly open: boolean;
  /** Words for answers that are no problems, by status. */
  readonly success: Readonly<Record<string, string>>;
  readonly errors: readonly ErrorCode[];
}

const EVERY: readonly ErrorCode[] = ['request_timeout', 'headers_too_large', 'internal_error'];
const PROTECTED: readonly ErrorCode[] = [
  'token_refused',
  'caller_not_allowed',
  'rate_limited',
  'no_policies',
  'overloaded',
  'shutting_down',
  'cannot_record',
  ...EVERY,
];
const WITH_BODY: readonly ErrorCode[] = ['malformed_request', 'payload_too_large', ...PROTECTED];

export type OperationName =
  | 'authorize'
  | 'authorizeBatch'
  | 'authorizeFields'
  | 'approve'
  | 'readDecision'
  | 'listReviews'
  | 'readPolicy'
  | 'live'
  | 'ready'
  | 'openapi';

export const OPERATIONS: Readonly<Record<OperationName, Operation>> = {
  authorize: {
    tag: 'decisions',
    summary: 'Ask whether somebody may do something',
    description:
      'Answers 200 for allow and deny alike, after the record of the decision is committed. The subject is the person of ' +
      '`subject_token`, or of the bearer when that is a person’s token. Obligations with `fulfilled_by: caller` must be met, ' +
      'otherwise the caller must deny.',
    open: false,
    success: { 200: 'The decision' },
    errors: WITH_BODY,
  },
  authorizeBatch: {
    tag: 'decisions',
    summary: 'Ask many questions about one subject',
    description:
      'Up to 1,000 evaluations, one record each, one commit, answers in order. An evaluation’s own context replaces the shared ' +
      'one whole. One broken evaluation makes the whole request 400.',
    open: false,
    success: { 200: 'The decisions, in order' },
    errors: WITH_BODY,
  },
  authorizeFields: {
    tag: 'decisions',
    summary: 'Which protected fields may be shown',
    description:
      'Decides once as the request stands and once for every field that a rule protects, in one record. Protected fields that ' +
      'are not in the answer have to be masked; where access as such is denied, that is all of them. Obligations with ' +
      '`fulfilled_by: caller` must be met, otherwise the caller must deny.',
    open: false,
    success: { 200: 'The permitted fields' },
    errors: WITH_BODY,
  },
  approve: {
    tag: 'decisions',
    summary: 'Approve what somebody else wants to do',
    description:
      'The second person is the person of `subject_token`, or of the bearer when that is a person’s token. The approval is good ' +
      'for one request of the requester about the same action and resource, which names it in `context.approval_ids`. Given or ' +
      'refused, it is recorded before the answer; a refusal has one text whatever its reason.',
    open: false,
    success: { 201: 'The approval was given' },
    errors: ['approval_refused', ...WITH_BODY],
  },
  readDecision: {
    tag: 'log',
    summary: 'Read one record',
    description:
      'For those whom policy lets read the log, judged with the matter and client of the record itself. What you may not read ' +
      'answers like what does not exist. The reading is recorded.',
    open: false,
    success: { 200: 'The record' },
    errors: ['not_found', ...PROTECTED],
  },
  listReviews: {
    tag: 'log',
    summary: 'Accesses that have to be reviewed',
    description:
      'Records with an obligation `review:<period>`, newest first, with when their review is due. For those whom policy lets list ' +
      'the log, judged for each row with its own matter and client. The reading is recorded.',
    open: false,
    success: { 200: 'The accesses' },
    errors: ['malformed_request', 'not_found', ...PROTECTED],
  },
  readPolicy: {
    tag: 'service',
    summary: 'Which policy set is in force',
    description: 'For those whom policy lets read the policy. The reading is recorded.',
    open: false,
    success: { 200: 'Revision and commit of the policy set' },
    errors: ['not_found', ...PROTECTED],
  },
  live: {
    tag: 'service',
    summary: 'Is the process alive',
    description: 'Depends on nothing else.',
    open: true,
    success: { 200: 'Alive' },
    errors: ['method_not_allowed', ...EVERY],
  },
  ready: {
    tag: 'service',
    summary: 'Can the service answer',
    description:
      'Ready means: a policy set is in force, the keys of at least one issuer are usable, and decisions can be recorded. ' +
      '`degraded` lists what is worse than it should be.',
    open: true,
    success: { 200: 'Ready', 503: 'Not ready: send requests to another instance' },
    errors: ['method_not_allowed', ...EVERY],
  },
  openapi: {
    tag: 'service',
    summary: 'This description',
    description: 'The OpenAPI document of the running version.',
    open: true,
    success: { 200: 'The document' },
    errors: ['method_not_allowed', ...EVERY],
  },
};
