// Examples of AuthZEN questions and answers. It must never show an answer that the service would not give.

const subject = { type: 'user', id: 'alice' };
const record = { type: 'record', id: 'record-1' };

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
          summary: 'With reasons, by a caller that sets watermarks',
          value: {
            subject,
            action: { name: 'write' },
            resource: record,
            context: { response_context: true, supported_obligations: ['watermark'] },
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
            },
          },
        },
      },
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
