// Privity asks itself: who may read the log and the policy is decided by the same policies as everything else, and every reading is
// recorded. It must never give anything away before that record is committed.
import type { FastifyRequest } from 'fastify';
import { decide } from '../core/decide.ts';
import { decisionEntry } from '../core/record/decision-record.ts';
import { uuidv7 } from '../core/record/uuid.ts';
import type { AuthorizeDeps } from '../authorize.ts';
import type { DecisionRequest } from '../model/decision.ts';
import { askingOf, type Gate } from './authenticate.ts';

/** How Privity names itself in `source_system`. */
const OURSELVES = 'privity';

export interface ReadingQuestion {
  readonly action: 'read' | 'list' | 'export';
  readonly resource: DecisionRequest['resource'];
}

export interface Reading extends ReadingQuestion {
  /** What was asked for and how many rows there were to give. */
  readonly asked: Readonly<Record<string, unknown>>;
  readonly rows: number;
}

/** The person or service who reads. */
export interface Reader {
  /** For single rows of what the recorded reading gives; leaves no record of its own. */
  permits(question: ReadingQuestion): boolean;
  /** Judges the reading, records it, and tells whether it is permitted. */
  mayRead(reading: Reading): Promise<boolean>;
}

export async function readerOf(gate: Gate, deps: AuthorizeDeps, request: FastifyRequest): Promise<Reader> {
  const asking = askingOf(request);
  const { set } = asking;
  const { caller, subject } = await gate.subjectOf(request, asking, undefined);
  const actor = subject.actor ?? caller.aiAssistant;
  const questionOf = ({ action, resource }: ReadingQuestion): DecisionRequest => {
    const now = deps.clock.now();
    return { subject, actor, action, resource, context: {}, sourceSystem: OURSELVES, approvals: [], now };
  };
  return {
    permits: (question) => decide(set, questionOf(question)).outcome === 'allow',
    async mayRead(reading) {
      const question = questionOf(reading);
      const decision = decide(set, question);
      const permitted = decision.outcome === 'allow';
      const entry = decisionEntry(set, {
        id: uuidv7(question.now),
        request: question,
        decision,
        subject,
        caller,
        requestId: request.id,
        traceId: request.traceId,
        approvalIds: [],
        durationUs: Math.round((performance.now() - request.arrivedAt) * 1000),
      });
      const read = { ...reading.asked, rows: permitted ? reading.rows : 0 };
      await deps.recorder.append([{ ...entry, kind: 'read', body: { ...entry.body, read } }]);
      return permitted;
    },
  };
}

/** Judges a reading by the person or service who asks, records it, and tells whether it is permitted. */
export async function mayRead(
  gate: Gate,
  deps: AuthorizeDeps,
  request: FastifyRequest,
  reading: Reading,
): Promise<boolean> {
  return (await readerOf(gate, deps, request)).mayRead(reading);
}

/** A record's own matter and client, by which its reading is judged; absent where it belongs to none. */
export function placeOf(matter: unknown, client: unknown): Readonly<Record<string, string>> {
  return {
    ...(typeof matter === 'string' ? { matter_id: matter } : {}),
    ...(typeof client === 'string' ? { client_id: client } : {}),
  };
}
