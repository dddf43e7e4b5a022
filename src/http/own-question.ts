// Privity asks itself: who may read the log and the policy is decided by the same policies as everything else, and every reading is
// recorded. It must never give anything away before that record is committed.
import type { FastifyRequest } from 'fastify';
import { decide } from '../core/decide.ts';
import type { PolicySet } from '../core/policy-set.ts';
import { decisionEntry } from '../core/record/decision-record.ts';
import { uuidv7 } from '../core/record/uuid.ts';
import type { AuthorizeDeps } from '../authorize.ts';
import type { DecisionRequest } from '../model/decision.ts';
import { askingOf, type Gate } from './authenticate.ts';

/** How Privity names itself in `source_system`. */
const OURSELVES = 'privity';

export interface ReadingQuestion {
  readonly action: 'read' | 'list' | 'export';
  readonly resource: Omit<DecisionRequest['resource'], 'properties'>;
  /** Properties by which the reading is judged; where there are several, every one must permit it. */
  readonly places: readonly Place[];
}

export type Place = Readonly<Record<string, string>>;

/** What belongs to no matter and no client. */
export const NOWHERE: readonly Place[] = [{}];

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
  const actor = caller.aiAssistant ?? subject.actor;
  const questionsOf = ({ action, resource, places }: ReadingQuestion): readonly DecisionRequest[] => {
    const now = deps.clock.now();
    const about = { subject, actor, action, context: {}, sourceSystem: OURSELVES, approvals: [], now };
    return places.map((properties) => ({ ...about, resource: { ...resource, properties } }));
  };
  return {
    permits: (question) => questionsOf(question).every((one) => decide(set, one).outcome === 'allow'),
    async mayRead(reading) {
      const judged = questionsOf(reading).map((one) => ({ question: one, decision: decide(set, one) }));
      const refused = judged.find(({ decision }) => decision.outcome === 'deny');
      const [shown] = refused === undefined ? judged : [refused];
      if (shown === undefined) throw new Error('a reading that is judged by nothing');
      const { question, decision } = shown;
      const permitted = refused === undefined;
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

/**
 * A record's own matter and client, by which its reading is judged. Where the request named a client that is not the matter's,
 * the reader must be let in to both: judged together they would contradict the file, and nobody could ever read the record.
 */
export function placesOf({ data }: PolicySet, matter: unknown, client: unknown): readonly Place[] {
  const onFile = typeof matter === 'string' ? data.matters.get(matter)?.clientId : undefined;
  if (typeof matter === 'string' && typeof client === 'string' && onFile !== undefined && onFile !== client) {
    return [{ matter_id: matter, client_id: onFile }, { client_id: client }];
  }
  return [
    {
      ...(typeof matter === 'string' ? { matter_id: matter } : {}),
      ...(typeof client === 'string' ? { client_id: client } : {}),
    },
  ];
}
