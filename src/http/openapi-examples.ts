// Examples of the API, with the example firm's data. It must never show an answer that the service would not give.
import { authzenExamples } from './openapi-examples-authzen.ts';
import { filterExamples } from './openapi-examples-filter.ts';
import { FORWARD_PARAMETERS, forwardExamples } from './openapi-examples-forward.ts';
import { HINT_PARAMETERS, hintExamples } from './openapi-examples-hints.ts';
import { READING_PARAMETERS, readingExamples, reportExample } from './openapi-examples-reading.ts';
import { reviewExamples } from './openapi-examples-reviews.ts';
import type { OperationName } from './openapi-operations.ts';

interface Example {
  readonly summary: string;
  readonly value: unknown;
}

type Examples = Record<string, Example>;

interface OperationExamples {
  readonly request?: Examples;
  /** By status. */
  readonly answers: Readonly<Record<string, Examples>>;
}

export const EXAMPLE_ID = '0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e';
/** By name, in paths and queries. */
export const EXAMPLE_PARAMETERS: Readonly<Record<string, string>> = {
  id: EXAMPLE_ID,
  evaluation_id: EXAMPLE_ID,
  state: 'open',
  after: EXAMPLE_ID,
  limit: '50',
  before: '20852163',
  first: '20852163',
  second: '20852164',
  ...READING_PARAMETERS,
  ...HINT_PARAMETERS,
  ...FORWARD_PARAMETERS,
};

const REVISION = 'sha256:9f2c4e1ab0d35c7788e6f4a1c2b3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5';
const COMMIT = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const POLICY = { revision: REVISION, commit: COMMIT };
const EVALUATED_AT = '2026-03-10T14:00:00.123Z';
const DENIED = 'You do not have access to this. If you need it for your work, ask the security officer.';

const document = {
  type: 'document',
  id: 'D-9001',
  properties: {
    matter_id: 'M-1001',
    client_id: 'C-100',
    matter_status: 'open',
    confidentiality: 'confidential',
    privileged: false,
    work_product: false,
    work_product_internal: false,
    phi: false,
    export_controlled: false,
  },
};
const office = { network_zone: 'office', device_managed: true };
const TOKEN = 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ1LWVuZ2VsIn0.c2lnbmF0dXJl';

const base = { evaluation_id: EXAMPLE_ID, evaluated_at: EVALUATED_AT, policy: POLICY };
const allowed = {
  decision: true,
  context: { ...base, reason_user: 'Access is permitted.', missing: [], advice: [], obligations: [] },
};
const denied = {
  decision: false,
  context: { ...base, reason_user: DENIED, missing: [], advice: [], obligations: [] },
};
const stepUp = {
  decision: false,
  context: {
    ...base,
    reason_user: 'Confirm your identity again to take this document out.',
    missing: [],
    advice: ['step_up:mfa_fresh_30m'],
    obligations: [],
    acr_values: 'mfa',
    max_age: 1800,
  },
};
const explained = {
  decision: false,
  context: {
    ...denied.context,
    reason_admin: [
      { rule: 'lateral-hire-screen', effect: 'wall', truth: 'true', source: 'walls/walls.yaml:10' },
      { rule: 'team-lawyers', effect: 'allow', truth: 'true', source: 'rules/matter-teams.yaml:21' },
    ],
    decided_by: ['lateral-hire-screen'],
    walls: ['W-EX-1'],
    grants: [],
  },
};

const record = {
  id: EXAMPLE_ID,
  kind: 'decision',
  at: EVALUATED_AT,
  record: {
    kind: 'decision',
    id: EXAMPLE_ID,
    outcome: 'deny',
    decided_by: ['lateral-hire-screen'],
    action: 'read',
    matter: 'M-1001',
    client: 'C-100',
    context: { network_zone: 'office', purpose: '[masked]' },
    free_text: ['context.purpose'],
  },
  proof: {
    writer: '0195f39f-1111-7222-8333-444455556666',
    seq: 41,
    hash: '5d41402abc4b2a76b9719d911017c592ae3f1b2c3d4e5f60718293a4b5c6d7e8',
    intact: true,
  },
};

const invoice = {
  type: 'invoice',
  id: 'INV-77',
  properties: { matter_id: 'M-1001', client_id: 'C-100', matter_status: 'open', confidentiality: 'confidential' },
};
const disposal = {
  requester: 'u-rowe',
  action: { name: 'dispose' },
  resource: { type: 'document', id: 'D-4711', properties: { matter_id: 'M-1003', client_id: 'C-100' } },
  expires_at: '2026-03-10T18:00:00Z',
};
// The example of C2SP tlog-checkpoint.
const checkpoint = {
  size: 20852163,
  root: 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=',
  at: EVALUATED_AT,
  note:
    'log.firm.example\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u2014 log.firm.example ' +
    'Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n',
};
const proof =
  'c2sp.org/tlog-proof@v1\nindex 20852162\nqqIBSOvWGlG0IAjDxBmm1WJFqzcvVYxmRBVJ8ULrIlE=\n\n' + checkpoint.note;

export const EXAMPLES: Readonly<Record<OperationName, OperationExamples>> = {
  authorize: {
    request: {
      caller: {
        summary: 'A system asks about a person, with that person’s token',
        value: { subject_token: TOKEN, action: { name: 'read' }, resource: document, context: office },
      },
      person: {
        summary: 'The bearer is the person’s own token',
        value: { action: { name: 'read' }, resource: document, context: office },
      },
    },
    answers: {
      200: {
        allow: { summary: 'Allowed', value: allowed },
        deny: { summary: 'Denied: by a wall, an unknown matter or the lack of any right', value: denied },
        step_up: { summary: 'Denied until the person has signed in again', value: stepUp },
        explained: { summary: 'Denied by a wall, as a caller that may explain sees it', value: explained },
      },
    },
  },
  authorizeBatch: {
    request: {
      two: {
        summary: 'May the person see and take out this document?',
        value: {
          subject_token: TOKEN,
          context: office,
          evaluations: [
            { action: { name: 'read' }, resource: document },
            {
              action: { name: 'download' },
              resource: document,
              context: { ...office, bulk_count: 1, recent_downloads: 0 },
            },
          ],
        },
      },
    },
    answers: { 200: { two: { summary: 'One answer for each, in order', value: { evaluations: [allowed, stepUp] } } } },
  },
  authorizeFields: {
    request: {
      invoice: {
        summary: 'What of this invoice may be shown?',
        value: { subject_token: TOKEN, resource: invoice, context: office },
      },
    },
    answers: {
      200: {
        some: {
          summary: 'The billing rate may be shown',
          value: { fields: ['billing_rate'], context: { ...base, obligations: [] } },
        },
        none: {
          summary: 'Nothing that is protected may be shown',
          value: { fields: [], context: { ...base, obligations: [] } },
        },
      },
    },
  },
  ...filterExamples(TOKEN, { evaluation_id: EXAMPLE_ID, evaluated_at: EVALUATED_AT, policy: POLICY }),
  ...hintExamples(EXAMPLE_ID, EVALUATED_AT, '2026-03-10T14:05:00.123Z', POLICY),
  ...forwardExamples(EXAMPLE_ID, EVALUATED_AT, DENIED),
  ...authzenExamples(base),
  approve: {
    request: {
      disposal: {
        summary: 'The responsible attorney approves that the records manager disposes of a document',
        value: { subject_token: TOKEN, ...disposal },
      },
    },
    answers: {
      201: {
        given: { summary: 'Given', value: { approval_id: EXAMPLE_ID, expires_at: '2026-03-10T18:00:00.000Z' } },
      },
    },
  },
  listDecisions: { answers: { 200: readingExamples(EXAMPLE_ID, EVALUATED_AT) } },
  exportDecisions: { answers: {} },
  readDecision: { answers: { 200: { decision: { summary: 'The record of a decision', value: record } } } },
  readProof: { answers: { 200: { proof: { summary: 'Shortened: a proof has about 20 hashes', value: proof } } } },
  listCheckpoints: {
    answers: {
      200: { last: { summary: 'The newest', value: { checkpoints: [checkpoint], next: checkpoint.size } } },
    },
  },
  readConsistency: {
    answers: {
      200: {
        one: {
          summary: 'One record more',
          value: { first: 20852163, second: 20852164, proof: ['qqIBSOvWGlG0IAjDxBmm1WJFqzcvVYxmRBVJ8ULrIlE='] },
        },
      },
    },
  },
  ...reviewExamples(EXAMPLE_ID, EVALUATED_AT),
  readReport: { answers: { 200: { report: reportExample(EVALUATED_AT, POLICY) } } },
  readPolicy: {
    answers: { 200: { policy: { summary: 'From a git commit', value: { ...POLICY, loaded_at: EVALUATED_AT } } } },
  },
  live: { answers: { 200: { alive: { summary: 'Alive', value: { status: 'ok' } } } } },
  ready: {
    answers: {
      200: { ready: { summary: 'Ready', value: { status: 'ready', problems: [], degraded: [] } } },
      503: {
        not_ready: {
          summary: 'The database is away',
          value: { status: 'not_ready', problems: ['cannot_record'], degraded: [] },
        },
      },
    },
  },
  metrics: { answers: {} },
  openapi: {
    answers: {
      200: {
        beginning: {
          summary: 'How it begins',
          value: { openapi: '3.1.0', info: { title: 'Privity', version: '0.1.0' }, paths: {} },
        },
      },
    },
  },
};
