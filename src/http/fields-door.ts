// The door that lists which protected fields of a resource the subject may see, in one recorded answer. It must never tell a walled
// matter from an unknown one or from a lack of rights: no field, no reason (P7).
import type { FastifyInstance } from 'fastify';
import { authorize, type AuthorizeDeps } from '../authorize.ts';
import { FIELD_ATTRIBUTE } from '../core/fields.ts';
import { formatTimestamp } from '../core/time.ts';
import type { FieldsAnswer, FieldsRequest } from '../model/fields.ts';
import type { Question } from '../question.ts';
import { askingOf, type Gate } from './authenticate.ts';
import { malformed } from './body.ts';
import { approvalIdsOf, checkQuestion } from './envelope.ts';
import { describe, shared } from './openapi.ts';

export interface FieldsDoorOptions {
  readonly gate: Gate;
  readonly deps: AuthorizeDeps;
}

const NOTHING = Object.freeze({});
const READ = { name: 'read' } as const;

export function fieldsDoor(app: FastifyInstance, { gate, deps }: FieldsDoorOptions, done: () => void): void {
  app.post<{ Body: FieldsRequest }>(
    '/v1/authorize/fields',
    {
      config: { right: 'authorize' },
      schema: {
        ...describe('authorizeFields'),
        body: shared('FieldsRequest'),
        response: { 200: shared('FieldsAnswer') },
      },
    },
    async (request): Promise<FieldsAnswer> => {
      const asking = askingOf(request);
      const { set } = asking;
      const { subject_token: token, action = READ, resource, context = NOTHING } = request.body;
      checkQuestion(set, { action, resource, context }, '');
      const { type, id, properties = NOTHING } = resource;
      if (Object.hasOwn(properties, FIELD_ATTRIBUTE)) {
        throw malformed('the answer is about every field; ask about one with /v1/authorize', POINTER);
      }
      const question: Question = {
        action: action.name,
        resource: { type, id, properties },
        context,
        approvalIds: approvalIdsOf(context),
        withFields: true,
      };
      const { caller, subject } = await gate.subjectOf(request, asking, token);
      const { id: requestId, traceId, arrivedAt, stages } = request;
      const asked = { caller, subject, requestId, traceId, arrivedAt, stages };
      const [answered] = await authorize(deps, set, asked, [question]);
      if (answered === undefined) throw new Error('a question without an answer');
      const { evaluationId, evaluatedAt, decision, fields } = answered;
      return {
        fields: fields.filter(({ outcome }) => outcome === 'allow').map(({ field }) => field),
        context: {
          evaluation_id: evaluationId,
          evaluated_at: formatTimestamp(evaluatedAt),
          policy: { revision: set.revision, commit: set.commit },
          obligations: [...decision.obligations],
        },
      };
    },
  );
  done();
}

const POINTER = `/resource/properties/${FIELD_ATTRIBUTE}`;
