// What the doors ask the spine, and who asks: the terms between http and authorize. It must never hold more than what was asked.
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
  { subject, caller }: Asked,
  { action, resource, context }: Pick<Question, 'action' | 'resource' | 'context'>,
  now: number,
): DecisionRequest {
  // Every request through a caller with an AI assistant has that actor, whatever the token says (DESIGN 4).
  const actor = caller.aiAssistant ?? subject.actor;
  return { subject, actor, action, resource, context, sourceSystem: caller.sourceSystem, approvals: [], now };
}
