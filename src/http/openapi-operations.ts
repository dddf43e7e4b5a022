// What each operation of the API is called, is for and may answer. It must never hold what the route schemas say already.
import { EVERY, PROTECTED, WITH_BODY, type Operation } from './openapi-operation.ts';
import { AUTHZEN_OPERATIONS } from './openapi-operations-authzen.ts';
import { REPORTS_IN_WORDS } from './openapi-reports.ts';

export type OperationName =
  | 'authorize'
  | 'authorizeBatch'
  | 'authorizeFields'
  | 'filter'
  | 'readAbilities'
  | 'forwardAuth'
  | 'evaluate'
  | 'evaluateMany'
  | 'searchSubjects'
  | 'searchResources'
  | 'searchActions'
  | 'authzenMetadata'
  | 'requestAccess'
  | 'readAccessRequest'
  | 'approve'
  | 'listDecisions'
  | 'exportDecisions'
  | 'readDecision'
  | 'readProof'
  | 'listCheckpoints'
  | 'readConsistency'
  | 'listReviews'
  | 'readReport'
  | 'giveReview'
  | 'readPolicy'
  | 'live'
  | 'ready'
  | 'metrics'
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
  filter: {
    tag: 'decisions',
    summary: 'Which rows of a list may be seen',
    description:
      'A condition on the columns of a list, as UCAST, PostgreSQL or a query of Elasticsearch: a row passes exactly when `/v1/authorize` ' +
      'would allow it, walls included. For systems with the right `filter` that ask with their own token. What cannot be said as a ' +
      'condition is refused with 422, never widened. The question is recorded with a hash of the filter.',
    open: false,
    success: { 200: 'The filter' },
    errors: ['filter_not_translatable', ...WITH_BODY],
  },
  readAbilities: {
    tag: 'decisions',
    summary: 'Which buttons a front end may show',
    description:
      'What roles, status and given attributes let the person do, as packed rules of CASL: a hint for hiding buttons, never a permission. ' +
      'It knows nothing of walls and of single matters, and what it does not know is hidden; `/v1/authorize` decides. The hint is recorded.',
    open: false,
    success: { 200: 'The hint' },
    errors: ['malformed_request', ...PROTECTED],
  },
  forwardAuth: {
    tag: 'decisions',
    summary: 'Ask whether a proxy may let a request through',
    description:
      'For nginx `auth_request`, Traefik ForwardAuth, Caddy `forward_auth` and Envoy `ext_authz`: the proxy asks with its own token and ' +
      'hands on the person’s, with method and URI of the original request; `policies/routes.yaml` says what they stand for. What fits ' +
      'no route is denied and recorded. An allow with an obligation for the caller is a deny: a proxy fulfils none. Envoy puts the ' +
      'original path behind that of this door, with the original method.',
    open: false,
    success: {
      200: 'Let the request through',
      401: 'The person must sign in (a problem document), or sign in again as RFC 9470 says (`WWW-Authenticate`)',
      403: 'Turn the request away',
    },
    errors: ['malformed_request', ...PROTECTED],
  },
  ...AUTHZEN_OPERATIONS,
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
  listDecisions: {
    tag: 'log',
    summary: 'Search the log',
    description:
      'Filters combine. For those whom policy lets list the log, and, with `view=access_report`, for those whom policy lets read the ' +
      'access report of the matter; every row is judged with its own matter and client, and what you may not see is not there: a matter ' +
      'behind a wall answers like one that nobody has heard of. `subject`, `matter`, `client`, `resource_id`, `actor`, `wall`, `grant`, ' +
      '`obligation` and kinds but `decision` are found along an index. Others are looked at row by row: one request looks at a bounded ' +
      'number of rows, and `next` goes on. Records committed late may have ids before a cursor. The reading is recorded.',
    open: false,
    success: { 200: 'The records' },
    errors: ['malformed_request', 'not_found', ...PROTECTED],
  },
  exportDecisions: {
    tag: 'log',
    summary: 'Export the log',
    description:
      'Filters as in searching, for those whom policy lets export. `ndjson`: the records, one on each line, free text masked; a line ' +
      'without masked text is byte for byte what was hashed. `csv`: the members of the list, safe to open in a spreadsheet. `ocsf`: API ' +
      'Activity (6003) for a SIEM. The export is recorded before the first row, and its rows before the end: an answer that breaks off ' +
      'is not whole. Policies that come into force meanwhile can take rows away or end the export.',
    open: false,
    success: { 200: 'The rows, streamed' },
    errors: ['malformed_request', 'not_found', ...PROTECTED],
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
  readProof: {
    tag: 'log',
    summary: 'Prove one record',
    description:
      'A C2SP tlog-proof: the place of the record under the newest checkpoint, to be verified offline with the bytes or the hash ' +
      'of the record and the public key of the log. Judged and recorded like reading the record itself.',
    open: false,
    success: { 200: 'The proof, a file `<id>.tlog-proof`' },
    errors: ['not_found', 'not_sealed', ...PROTECTED],
  },
  listCheckpoints: {
    tag: 'log',
    summary: 'Signed checkpoints',
    description:
      'Newest first. For every registered caller: a checkpoint says how many records there are and nothing about any of them. What ' +
      'counts for proof are the checkpoints published outside the database; these are the database’s own.',
    open: false,
    success: { 200: 'The checkpoints' },
    errors: ['malformed_request', ...PROTECTED],
  },
  readConsistency: {
    tag: 'log',
    summary: 'Prove that one checkpoint extends another',
    description:
      'Hashes that show that the tree of `second` records begins with the tree of `first` (RFC 9162, 2.1.4), for any two sizes up to ' +
      'that of the newest checkpoint. For every registered caller.',
    open: false,
    success: { 200: 'The proof' },
    errors: ['malformed_request', 'not_found', ...PROTECTED],
  },
  listReviews: {
    tag: 'log',
    summary: 'Accesses that have to be reviewed',
    description:
      'Records with an obligation `review:<period>`, newest first, with when their review is due and every review that was given. For ' +
      'those whom policy lets list the log, judged for each row with its own matter and client. The reading is recorded.',
    open: false,
    success: { 200: 'The accesses' },
    errors: ['malformed_request', 'not_found', ...PROTECTED],
  },
  giveReview: {
    tag: 'log',
    summary: 'Say what a review found',
    description:
      'For those whom policy lets `review` the `decision_log`, judged with the matter and client of the access; never the person ' +
      'whose access it was. The review is a record, committed before the answer. A second one stands beside the first. What you may ' +
      'neither see nor review answers like what does not exist.',
    open: false,
    success: { 201: 'The review is recorded' },
    errors: ['review_refused', 'not_found', ...WITH_BODY],
  },
  readReport: {
    tag: 'log',
    summary: 'Audit reports',
    description: REPORTS_IN_WORDS,
    open: false,
    success: { 200: 'The report' },
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
  metrics: {
    tag: 'service',
    summary: 'Metrics',
    description:
      'In the text format of Prometheus. Numbers and codes: nothing in it names rules, walls, people or matters. With `METRICS_PORT` ' +
      'it is answered there alone.',
    open: true,
    success: { 200: 'The metrics' },
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
