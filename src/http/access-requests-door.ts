// The doors of requests for access (AuthZEN access request and approval profile, sections 5 to 7). They must never give access, nor tell
// who approves.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { readTask, requestAccess, type AccessRequestDeps, type Task } from '../access-requests.ts';
import { formatTimestamp, parseTimestamp } from '../core/time.ts';
import { TaskParams, type AccessRequest, type AccessTask } from '../model/access-requests.ts';
import { PrivityError } from '../model/errors.ts';
import { askingOf, type Gate } from './authenticate.ts';
import { circumstancesOf, supportedOf } from './authzen-context.ts';
import { subjectSource } from './authzen-subject.ts';
import { malformed } from './body.ts';
import { checkId, checkQuestion } from './envelope.ts';
import { describe, shared } from './openapi.ts';

export interface AccessRequestsOptions {
  readonly gate: Gate;
  readonly deps: AccessRequestDeps;
  /** Public address of the service; null where nobody stated one: then access is not requested here. */
  readonly address: string | null;
}

const REQUESTS = '/access/v1/requests';
const NOTHING = Object.freeze({});

export function accessRequestsDoor(
  app: FastifyInstance,
  { gate, deps, address }: AccessRequestsOptions,
  done: () => void,
): void {
  app.post<{ Body: AccessRequest }>(
    REQUESTS,
    {
      config: { right: 'authorize' },
      schema: {
        ...describe('requestAccess'),
        body: shared('AccessRequest'),
        response: { 201: shared('AccessTask'), 202: shared('AccessTask') },
      },
    },
    async (request, reply): Promise<AccessTask> => {
      const base = statedAddress();
      const task = await submit(request);
      const answer = answerOf(task, base);
      void reply.code(task.status === 'pending' ? 202 : 201).header('location', answer.task.status_endpoint);
      return answer;
    },
  );

  app.get<{ Params: { id: string } }>(
    `${REQUESTS}/:id`,
    {
      config: { right: 'authorize' },
      schema: { ...describe('readAccessRequest'), params: TaskParams, response: { 200: shared('AccessTask') } },
    },
    async (request): Promise<AccessTask> => {
      const base = statedAddress();
      const { set, bearer } = askingOf(request);
      return answerOf(await readTask(deps, set, bearer.caller.id, request.params.id), base);
    },
  );
  done();

  function statedAddress(): string {
    if (address === null) throw new PrivityError('not_found', { detail: 'PUBLIC_URL is not set' });
    return address;
  }

  async function submit(request: FastifyRequest<{ Body: AccessRequest }>): Promise<Task> {
    const asking = askingOf(request);
    const { set } = asking;
    const { body, id: requestId, traceId, arrivedAt } = request;
    const { action, resource, denial, requested_access: wanted } = body;
    if ('items' in body) throw malformed('one request is about one thing: there is no bulk', '/items');
    const context = circumstancesOf(action, body.context);
    checkQuestion(set, { action, resource, context }, '');
    checkId(body.subject.type, '/subject/type');
    checkId(body.subject.id, '/subject/id');
    const source = await subjectSource(gate, request, asking, body.subject_token);
    const { subject, isStranger } = source.of(body.subject, '/subject');
    // Privity signs no binding token, so whatever comes as one binds nothing (section 3.2).
    const isByReference = denial.binding_token === undefined && !isStranger;
    const question = {
      action: action.name,
      resource: { type: resource.type, id: resource.id, properties: resource.properties ?? NOTHING },
      context,
      approvalIds: [],
      subject,
      terms: { isStranger, supports: supportedOf(set, context) },
    };
    const asked = { caller: source.caller, subject, requestId, traceId, arrivedAt };
    return requestAccess(deps, set, asked, question, {
      evaluationId: isByReference ? (denial.evaluation_id ?? null) : null,
      requestedUntil: timeOf(wanted?.requested_until, '/requested_access/requested_until'),
      actionProperties: Object.keys(action.properties ?? NOTHING),
    });
  }
}

function timeOf(text: string | undefined, at: string): number | null {
  if (text === undefined) return null;
  const time = parseTimestamp(text);
  if (time === undefined) throw malformed('must be an RFC 3339 timestamp', at);
  return Math.floor(time);
}

const WORDS = {
  pending: { title: 'Waiting for approval', description: 'A second person has to approve this.' },
  approved: { title: 'Approved', description: 'Try again now: policy decides once more.' },
  denied: { title: 'Not approved', description: 'What was stated is not what policy asks for.' },
} as const;

function answerOf({ id, status, until, approval }: Task, address: string): AccessTask {
  const task = {
    id,
    status,
    status_endpoint: `${address}${REQUESTS}/${id}`,
    expires_at: formatTimestamp(until),
    display: WORDS[status],
  };
  if (approval === null) return { task };
  const [at, end] = [formatTimestamp(approval.at), formatTimestamp(approval.until)];
  return { task, result: { mode: 'reevaluate', approval: { id: approval.id, approved_at: at, approved_until: end } } };
}
