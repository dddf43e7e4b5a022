// The door of the second person (DESIGN 5.2). It must never let an answer show why an approval was refused (P7): one status, one
// text, and the reasons in the record.
import type { FastifyInstance } from 'fastify';
import type { AuthorizeDeps } from '../authorize.ts';
import { formatTimestamp, parseTimestamp } from '../core/time.ts';
import { giveApproval } from '../give-approval.ts';
import type { ApprovalAnswer, ApprovalRequest } from '../model/approvals.ts';
import { PrivityError } from '../model/errors.ts';
import { askingOf, type Gate } from './authenticate.ts';
import { malformed } from './body.ts';
import { checkId, checkQuestion } from './envelope.ts';
import { describe, shared } from './openapi.ts';

export interface ApprovalsDoorOptions {
  readonly gate: Gate;
  readonly deps: AuthorizeDeps;
}

const NOTHING = Object.freeze({});

export function approvalsDoor(app: FastifyInstance, { gate, deps }: ApprovalsDoorOptions, done: () => void): void {
  app.post<{ Body: ApprovalRequest }>(
    '/v1/approvals',
    {
      config: { right: 'authorize' },
      schema: { ...describe('approve'), body: shared('ApprovalRequest'), response: { 201: shared('ApprovalAnswer') } },
    },
    async (request, reply): Promise<ApprovalAnswer> => {
      const asking = askingOf(request);
      const { body } = request;
      checkQuestion(asking.set, body, '');
      checkId(body.requester, '/requester');
      const expiresAt = expiryOf(body.expires_at);
      const { caller, subject } = await gate.subjectOf(request, asking, body.subject_token);
      const { id: requestId, traceId, arrivedAt } = request;
      const { type, id: resourceId, properties = NOTHING } = body.resource;
      const approvalId = await giveApproval(
        deps,
        asking.set,
        { caller, subject, requestId, traceId, arrivedAt },
        {
          requester: body.requester,
          action: body.action.name,
          resource: { type, id: resourceId, properties },
          context: body.context ?? NOTHING,
          expiresAt,
        },
      );
      if (approvalId === null) throw new PrivityError('approval_refused');
      void reply.code(201);
      return { approval_id: approvalId, expires_at: formatTimestamp(expiresAt) };
    },
  );
  done();
}

/** Whole milliseconds, which is what is kept. */
function expiryOf(text: string): number {
  const time = parseTimestamp(text);
  if (time === undefined) throw malformed('must be an RFC 3339 timestamp', '/expires_at');
  return Math.floor(time);
}
