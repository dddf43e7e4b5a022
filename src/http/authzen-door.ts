// The doors of AuthZEN 1.0 evaluations (sections 6 and 7): they map its words to the spine and back. They must never decide anything,
// nor let one evaluation take another's properties.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { withApproval, type AccessRequestDeps } from '../access-requests.ts';
import { authorize } from '../authorize.ts';
import type { PolicySet } from '../core/policy-set.ts';
import type { Terms } from '../core/terms.ts';
import type { NamedEntity } from '../core/vouch.ts';
import type { EvaluationAnswer, EvaluationRequest, EvaluationsAnswer, EvaluationsRequest } from '../model/authzen.ts';
import type { Subject } from '../model/decision.ts';
import { ERRORS, PrivityError } from '../model/errors.ts';
import type { Question } from '../question.ts';
import { askingOf, refusedEntry, type Gate } from './authenticate.ts';
import { evaluationAnswer } from './authzen-answer.ts';
import { approvalOf, circumstancesOf, supportedOf, wantsContext } from './authzen-context.ts';
import { subjectSource, type SubjectSource } from './authzen-subject.ts';
import { malformed } from './body.ts';
import { approvalIdsOf, checkId, checkQuestion } from './envelope.ts';
import { describe, shared } from './openapi.ts';

export interface AuthzenDoorOptions {
  readonly gate: Gate;
  readonly deps: AccessRequestDeps;
  /** Whether there is a public address under which access can be requested. */
  readonly isRequestable: boolean;
}

type Values = Readonly<Record<string, unknown>>;
const NOTHING: Values = Object.freeze({});

/** An evaluation with everything that it needs. */
interface Evaluation {
  readonly subject: NamedEntity;
  readonly action: { readonly name: string };
  readonly resource: NamedEntity;
  readonly context: Values;
  /** Pointers into the request, for what is wrong with it. */
  readonly at: string;
}

/** What one evaluation decided, when the rest need not be asked. */
const ENDS = { execute_all: null, deny_on_first_deny: false, permit_on_first_permit: true } as const;

export function authzenDoor(
  app: FastifyInstance,
  { gate, deps, isRequestable }: AuthzenDoorOptions,
  done: () => void,
): void {
  /** @param judge what becomes of a question that is not as it must be: among others it is answered false (section 7.2.1) */
  async function evaluate(
    request: FastifyRequest,
    token: string | undefined,
    asked: readonly Attempt[],
    end: boolean | null,
    judge: <T>(attempt: () => T) => T | PrivityError,
  ): Promise<EvaluationAnswer[]> {
    const asking = askingOf(request);
    const { set } = asking;
    const source = await subjectSource(gate, request, asking, token);
    const { caller } = source;
    const { id: requestId, traceId, arrivedAt, stages } = request;
    const attempts = asked.map((attempt) => judge(() => questionOf(set, attempt(), source, isRequestable)));
    for (const [index, one] of attempts.entries()) {
      if (!isQuestion(one) || one.approval === null) continue;
      const about = { caller, subject: one.subject, requestId, traceId, arrivedAt };
      attempts[index] = { ...one, ...(await withApproval(deps, about, one, one.approval)) };
    }

    async function answer(portion: readonly (AboutSubject | PrivityError)[]): Promise<EvaluationAnswer[]> {
      const questions = portion.filter(isQuestion);
      const errors = portion.filter((one) => one instanceof PrivityError);
      if (errors.length > 0) await recordErrors(request, set, caller.id, errors);
      const [first] = questions;
      const about = { caller, requestId, traceId, arrivedAt, stages };
      const decided =
        first === undefined ? [] : await authorize(deps, set, { ...about, subject: first.subject }, questions);
      const answers = decided.values();
      return portion.map((one) => {
        if (one instanceof PrivityError) return failure(one);
        const { value } = answers.next();
        if (value === undefined) throw new Error('a question without an answer');
        const { approval, context, terms } = one;
        const wishes = { withContext: wantsContext(context), supports: terms.supports, approval };
        return evaluationAnswer(set, caller, value, wishes);
      });
    }

    if (end === null) return answer(attempts);
    // One commit each: what comes after the answer that ends it is neither decided nor recorded.
    const answers: EvaluationAnswer[] = [];
    for (const one of attempts) {
      answers.push(...(await answer([one])));
      if (answers.at(-1)?.decision === end) break;
    }
    return answers;
  }

  async function evaluateOne(request: FastifyRequest, token: string | undefined, one: Partial) {
    const evaluation = completed(one, NOTHING, '');
    checkEvaluation(askingOf(request).set, evaluation);
    const [answer] = await evaluate(request, token, [() => evaluation], null, (attempt) => attempt());
    if (answer === undefined) throw new Error('an evaluation without an answer');
    return answer;
  }

  async function recordErrors(
    request: FastifyRequest,
    set: PolicySet,
    caller: string,
    errors: readonly PrivityError[],
  ) {
    const refused = { token: undefined, caller, set };
    await deps.recorder.append(errors.map((error) => refusedEntry(request, error, refused, deps.clock.now())));
  }

  app.post<{ Body: EvaluationRequest }>(
    '/access/v1/evaluation',
    {
      config: { right: 'authorize' },
      schema: {
        ...describe('evaluate'),
        body: shared('EvaluationRequest'),
        response: { 200: shared('EvaluationAnswer') },
      },
    },
    (request): Promise<EvaluationAnswer> => evaluateOne(request, request.body.subject_token, request.body),
  );

  app.post<{ Body: EvaluationsRequest }>(
    '/access/v1/evaluations',
    {
      config: { right: 'batch' },
      schema: {
        ...describe('evaluateMany'),
        body: shared('EvaluationsRequest'),
        response: { 200: shared('EvaluationsAnswer') },
      },
    },
    async (request): Promise<EvaluationsAnswer> => {
      const { subject_token: token, evaluations = [], options, ...common } = request.body;
      // Section 7.1: without evaluations it is a single one, and so is the answer.
      if (evaluations.length === 0) return evaluateOne(request, token, common);
      const attempts = evaluations.map((one, index) => () => completed(one, common, `/evaluations/${index}`));
      const end = ENDS[options?.evaluations_semantic ?? 'execute_all'];
      return { evaluations: await evaluate(request, token, attempts, end, attempted) };
    },
  );
  done();
}

/** Gives the evaluation, or throws what is wrong with it. */
type Attempt = () => Evaluation;

function attempted<T>(attempt: () => T): T | PrivityError {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof PrivityError) return error;
    throw error;
  }
}

function failure({ code, details }: PrivityError): EvaluationAnswer {
  const { status } = ERRORS[code];
  const message = [details.pointer, details.detail].filter((one) => one !== undefined).join(': ');
  return { decision: false, context: { error: { status, message } } };
}

function checkEvaluation(set: PolicySet, { subject, action, resource, context, at }: Evaluation): void {
  checkQuestion(set, { action, resource, context }, at);
  checkId(subject.type, `${at}/subject/type`);
  checkId(subject.id, `${at}/subject/id`);
}

function questionOf(
  set: PolicySet,
  evaluation: Evaluation,
  source: SubjectSource,
  isRequestable: boolean,
): AboutSubject {
  checkEvaluation(set, evaluation);
  const { action, resource, context, at } = evaluation;
  const { subject, isStranger } = source.of(evaluation.subject, `${at}/subject`);
  const { type, id, properties = NOTHING } = resource;
  return {
    action: action.name,
    resource: { type, id, properties },
    context,
    // Nobody spends what is somebody's by saying that they are that one.
    approvalIds: isStranger ? [] : approvalIdsOf(context),
    subject,
    approval: isStranger ? null : approvalOf(context, at),
    terms: { isStranger, supports: supportedOf(set, context), saysRequestable: isRequestable && wantsContext(context) },
  };
}

interface AboutSubject extends Question {
  readonly subject: Subject;
  readonly terms: Terms;
  /** What the request rests on. */
  readonly approval: string | null;
}

function isQuestion(one: AboutSubject | PrivityError): one is AboutSubject {
  return !(one instanceof PrivityError);
}

type Partial = Pick<EvaluationsRequest, 'subject' | 'action' | 'resource' | 'context'>;

/**
 * Section 7.1.1: what an evaluation lacks comes from the top level. An entity of its own stands for itself: only an identifier that it
 * lacks is filled in, never the properties of something else.
 */
function completed(one: Partial, shared: Partial, at: string): Evaluation {
  const entity = (name: 'subject' | 'resource'): NamedEntity => {
    const own = one[name];
    const common = shared[name];
    const type = own?.type ?? common?.type;
    const id = own?.id ?? common?.id;
    if (type === undefined) throw malformed('this member is missing', `${at}/${name}/type`);
    if (id === undefined) throw malformed('this member is missing', `${at}/${name}/id`);
    const { properties } = own ?? common ?? {};
    return { type, id, ...(properties === undefined ? {} : { properties }) };
  };
  const name = one.action?.name ?? shared.action?.name;
  if (name === undefined) throw malformed('this member is missing', `${at}/action/name`);
  return {
    subject: entity('subject'),
    action: { name },
    resource: entity('resource'),
    context: circumstancesOf(one.action ?? shared.action, one.context ?? shared.context),
    at,
  };
}
