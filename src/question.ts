// What the doors ask the spine, and who asks: the terms between http and authorize. It must never hold more than what was asked.
import type { Terms } from './core/terms.ts';
import type { Caller, DecisionRequest, Subject } from './model/decision.ts';
import type { Stages } from './stages.ts';

export interface Question {
  readonly action: string;
  readonly resource: DecisionRequest['resource'];
  readonly context: DecisionRequest['context'];
  /** Approvals of a second person that the requester wants to use. */
  readonly approvalIds: readonly string[];
  /** Asks for every protected field of the resource as well, in the same record. */
  readonly withFields?: true;
  /** Where the questions of one request are about several. */
  readonly subject?: Subject;
  readonly terms?: Terms;
}

export interface Asked {
  readonly caller: Caller;
  readonly subject: Subject;
  readonly requestId: string;
  readonly traceId: string | null;
  /** performance.now() when the request arrived. */
  readonly arrivedAt: number;
  /** Told when its stages are passed. */
  readonly stages?: Stages | null;
}

/** The question as a request that nobody has approved. */
export function requestOf(
  asked: Asked,
  question: Pick<Question, 'action' | 'resource' | 'context' | 'subject'>,
  now: number,
): DecisionRequest {
  const { caller } = asked;
  const { action, resource, context, subject = asked.subject } = question;
  // Every request through a caller with an AI assistant has that actor, whatever the token says (DESIGN 4).
  const actor = caller.aiAssistant ?? subject.actor;
  return { subject, actor, action, resource, context, sourceSystem: caller.sourceSystem, approvals: [], now };
}
