// The doors of decisions: one question, or many about one subject. They only map wire and authorize; they must never decide
// anything, nor answer before the record is committed.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { authorize, type AuthorizeDeps } from '../authorize.ts';
import type { Caller, Subject } from '../model/decision.ts';
import { PrivityError } from '../model/errors.ts';
import type { AuthorizeAnswer, AuthorizeRequest, BatchAnswer, BatchRequest } from '../model/evaluation.ts';
import type { Question } from '../question.ts';
import { answerOf } from './answer.ts';
import { askingOf, type Asking, type Gate } from './authenticate.ts';
import { approvalIdsOf, checkContext, checkQuestion } from './envelope.ts';
import { describe, shared } from './openapi.ts';

export interface AuthorizeDoorOptions {
  readonly gate: Gate;
  readonly deps: AuthorizeDeps;
}

const NOTHING = Object.freeze({});

/** Most that the shared context of a batch may add to its records: each of them keeps its own copy. */
const SHARED_CONTEXT_LIMIT = 16 * 2 ** 20;

export function authorizeDoor(app: FastifyInstance, { gate, deps }: AuthorizeDoorOptions, done: () => void): void {
  async function answerAll(
    request: FastifyRequest,
    asking: Asking,
    token: string | undefined,
    questions: readonly Question[],
  ) {
    const { caller, subject }: { caller: Caller; subject: Subject } = await gate.subjectOf(request, asking, token);
    const { id: requestId, traceId, arrivedAt, stages } = request;
    const asked = { caller, subject, requestId, traceId, arrivedAt, stages };
    const answered = await authorize(deps, asking.set, asked, questions);
    return answered.map((one) => answerOf(asking.set, caller, one));
  }

  app.post<{ Body: AuthorizeRequest }>(
    '/v1/authorize',
    {
      config: { right: 'authorize' },
      schema: {
        ...describe('authorize'),
        body: shared('AuthorizeRequest'),
        response: { 200: shared('AuthorizeAnswer') },
      },
    },
    async (request): Promise<AuthorizeAnswer> => {
      const asking = askingOf(request);
      const { body } = request;
      checkQuestion(asking.set, body, '');
      const [answer] = await answerAll(request, asking, body.subject_token, [questionOf(body, undefined)]);
      if (answer === undefined) throw new Error('a question without an answer');
      return answer;
    },
  );

  app.post<{ Body: BatchRequest }>(
    '/v1/authorize/batch',
    {
      config: { right: 'batch' },
      schema: { ...describe('authorizeBatch'), body: shared('BatchRequest'), response: { 200: shared('BatchAnswer') } },
    },
    async (request): Promise<BatchAnswer> => {
      const asking = askingOf(request);
      const { body } = request;
      if (body.context !== undefined) checkContext(asking.set, body.context, '/context');
      body.evaluations.forEach((one, index) => checkQuestion(asking.set, one, `/evaluations/${index}`));
      boundSharedContext(body);
      const questions = body.evaluations.map((one) => questionOf(one, body.context));
      return { evaluations: await answerAll(request, asking, body.subject_token, questions) };
    },
  );
  done();
}

/** A context of its own replaces the shared one whole: the two are never mixed. */
function questionOf(one: Omit<AuthorizeRequest, 'subject_token'>, shared: Question['context'] | undefined): Question {
  const { type, id, properties } = one.resource;
  const context = one.context ?? shared ?? NOTHING;
  return {
    action: one.action.name,
    resource: { type, id, properties: properties ?? NOTHING },
    context,
    approvalIds: approvalIdsOf(context),
  };
}

function boundSharedContext({ context, evaluations }: BatchRequest): void {
  if (context === undefined) return;
  const copies = evaluations.filter((one) => one.context === undefined).length;
  if (JSON.stringify(context).length * copies > SHARED_CONTEXT_LIMIT) {
    throw new PrivityError('payload_too_large', { detail: 'the shared context is too large for so many evaluations' });
  }
}
