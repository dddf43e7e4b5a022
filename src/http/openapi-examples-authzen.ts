// Examples of AuthZEN questions and answers. It must never show an answer that the service would not give.

const subject = { type: 'user', id: 'alice' };
const record = { type: 'record', id: 'record-1' };

const ID = '0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e';
const task = (status: 'pending' | 'approved') => ({
  id: ID,
  status,
  status_endpoint: `https://privity.firm.example/access/v1/requests/${ID}`,
  expires_at: '2026-03-11T09:05:00.000Z',
  display:
    status === 'pending'
      ? { title: 'Waiting for approval', description: 'A second person has to approve this.' }
      : { title: 'Approved', description: 'Try again now: policy decides once more.' },
});
const result = {
  mode: 'reevaluate',
  approval: { id: ID, approved_at: '2026-03-10T09:05:00.000Z', approved_until: '2026-03-10T09:20:00.000Z' },
};

/** @param context what an answer says of itself where it was asked for */
export function authzenExamples(context: Readonly<Record<string, unknown>>) {
  return {
    evaluate: {
      request: {
        vouched: {
          summary: 'The caller vouches for alice',
          value: { subject, action: { name: 'read' }, resource: record },
        },
        explained: {
          summary: 'With reasons, by a caller that fulfils the firm’s own obligations',
          value: {
            subject,
            action: { name: 'write' },
            resource: record,
            context: { response_context: true, supported_obligations: ['custom'] },
          },
        },
      },
      answers: {
        200: {
          allow: { summary: 'Allowed', value: { decision: true } },
          deny: { summary: 'Denied', value: { decision: false } },
          explained: {
            summary: 'Denied, with what may be said about it',
            value: {
              decision: false,
              context: {
                ...context,
                missing: [],
                advice: [],
                obligations: [],
                reason_user: {
                  403: 'You do not have access to this. If you need it for your work, ask the security officer.',
                },
              },
            },
          },
        },
      },
    },
    searchSubjects: {
      request: {
        first: {
          summary: 'The first hundred who may read the record',
          value: { subject: { type: 'user' }, action: { name: 'read' }, resource: record, page: { limit: 100 } },
        },
      },
      answers: {
        200: {
          all: {
            summary: 'All of them',
            value: { page: { next_token: '', count: 2 }, results: [subject, { type: 'user', id: 'bob' }] },
          },
        },
      },
    },
    searchResources: {
      request: {
        readable: {
          summary: 'Which records alice may read',
          value: { subject, action: { name: 'read' }, resource: { type: 'record' } },
        },
      },
      answers: { 200: { some: { summary: 'All of them', value: { results: [record] } } } },
    },
    searchActions: {
      request: { any: { summary: 'What alice may do', value: { subject, resource: record } } },
      answers: {
        200: { some: { summary: 'All of it', value: { results: [{ name: 'read' }, { name: 'write' }] } } },
      },
    },
    authzenMetadata: {
      answers: {
        200: {
          plain: {
            summary: 'Without a key to sign with',
            value: {
              policy_decision_point: 'https://privity.firm.example',
              access_evaluation_endpoint: 'https://privity.firm.example/access/v1/evaluation',
              access_evaluations_endpoint: 'https://privity.firm.example/access/v1/evaluations',
              search_subject_endpoint: 'https://privity.firm.example/access/v1/search/subject',
              search_resource_endpoint: 'https://privity.firm.example/access/v1/search/resource',
              search_action_endpoint: 'https://privity.firm.example/access/v1/search/action',
              access_request_endpoint: 'https://privity.firm.example/access/v1/requests',
              supported_obligations: ['custom', 'step-up'],
              capabilities: ['urn:openid:authzen:capability:access-request'],
            },
          },
        },
      },
    },
    requestAccess: {
      request: {
        disposal: {
          summary: 'Somebody else has to approve that a document is disposed of',
          value: {
            subject: { type: 'user', id: 'u-rowe' },
            action: { name: 'dispose' },
            resource: { type: 'document', id: 'D-9', properties: { matter_id: 'M-1003', client_id: 'C-100' } },
            denial: { evaluation_id: context['evaluation_id'], expires_at: '2026-03-10T09:30:00.000Z' },
          },
        },
      },
      answers: {
        202: { waits: { summary: 'Waits for a second person', value: { task: task('pending') } } },
        201: { emergency: { summary: 'An emergency', value: { task: task('approved'), result } } },
      },
    },
    readAccessRequest: {
      answers: { 200: { approved: { summary: 'Approved', value: { task: task('approved'), result } } } },
    },
    evaluateMany: {
      request: {
        shared: {
          summary: 'One subject and action, two records',
          value: {
            subject,
            action: { name: 'read' },
            evaluations: [{ resource: record }, { resource: { type: 'record', id: 'record-2' } }],
            options: { evaluations_semantic: 'execute_all' },
          },
        },
      },
      answers: {
        200: {
          both: { summary: 'In order', value: { evaluations: [{ decision: true }, { decision: false }] } },
          one: { summary: 'Without evaluations', value: { decision: true } },
        },
      },
    },
  };
}
