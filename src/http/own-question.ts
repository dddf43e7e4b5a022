// Privity asks itself: who may read the log and the policy is decided by the same policies as everything else, and every reading is
// recorded. It must never give anything away before that record is committed.
import type { FastifyRequest } from 'fastify';
import { decide } from '../core/decide.ts';
import type { PolicySet } from '../core/policy-set.ts';
import { placesNoted } from '../core/reading/reading-places.ts';
import { hiddenPlaces, type HiddenPlaces } from '../core/reading/walled.ts';
import { decisionEntry } from '../core/record/decision-record.ts';
import { uuidv7 } from '../core/record/uuid.ts';
import type { AuthorizeDeps } from '../authorize.ts';
import type { DecisionRequest, Subject } from '../model/decision.ts';
import { SUBJECT_TOKEN_HEADER } from '../model/search.ts';
import { askingOf, type Gate } from './authenticate.ts';

/** How Privity names itself in `source_system`, but for what it shows in the system that asks. */
const OURSELVES = 'privity';
const SHOWN_BY_CALLERS: ReadonlySet<string> = new Set(['access_report']);

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
  readonly id: string;
  readonly caller: string;
  /** For single rows of what the recorded reading gives; leaves no record of its own. */
  permits(question: ReadingQuestion): boolean;
  /** What policy says whatever the id of the resource is; null where that depends on the id. Leaves no record. */
  verdict(question: ReadingQuestion): boolean | null;
  /** Places of which the reader certainly gets nothing. */
  hidden(question: Omit<ReadingQuestion, 'places'>): HiddenPlaces;
  judge(question: ReadingQuestion): Judged;
  /** Judges the reading, records it, and tells whether it is permitted. */
  mayRead(reading: Reading): Promise<boolean>;
}

/** A reading that is judged as a whole, and not recorded yet. */
export interface Judged {
  readonly permitted: boolean;
  /**
   * Commits the record of it.
   * @param read what was asked for and how many rows it gave
   * @returns the id of the record
   */
  record(read: Readonly<Record<string, unknown>>): Promise<string>;
}

export async function readerOf(gate: Gate, deps: AuthorizeDeps, request: FastifyRequest): Promise<Reader> {
  const asking = askingOf(request);
  const { set } = asking;
  const { caller, subject } = await gate.subjectOf(request, asking, subjectTokenOf(request));
  const actor = caller.aiAssistant ?? subject.actor;
  const questionOf = (
    { action, resource }: Omit<ReadingQuestion, 'places'>,
    properties: Place,
    now: number,
  ): DecisionRequest => {
    const sourceSystem = SHOWN_BY_CALLERS.has(resource.type) ? caller.sourceSystem : OURSELVES;
    const about = { subject, actor, action, context: {}, sourceSystem, approvals: [], now };
    return { ...about, resource: { ...resource, properties } };
  };
  const questionsOf = (question: ReadingQuestion): readonly DecisionRequest[] => {
    const now = deps.clock.now();
    return question.places.map((properties) => questionOf(question, properties, now));
  };

  function judge(asked: ReadingQuestion): Judged {
    const judged = questionsOf(asked).map((one) => ({ question: one, decision: decide(set, one) }));
    const refused = judged.find(({ decision }) => decision.outcome === 'deny');
    const shown = refused ?? judged[0];
    if (shown === undefined) throw new Error('a reading that is judged by nothing');
    const { question, decision } = shown;
    return {
      permitted: refused === undefined,
      async record(read) {
        const id = uuidv7(question.now);
        const entry = decisionEntry(set, {
          id,
          request: question,
          decision,
          subject,
          caller,
          requestId: request.id,
          traceId: request.traceId,
          approvalIds: [],
          durationUs: Math.round((performance.now() - request.arrivedAt) * 1000),
        });
        await deps.recorder.append([{ ...entry, kind: 'read', body: { ...entry.body, read } }]);
        return id;
      },
    };
  }

  return {
    id: subject.id,
    caller: caller.id,
    permits: (question) => questionsOf(question).every((one) => decide(set, one).outcome === 'allow'),
    verdict(question) {
      // An id that nobody knows: what is certain all the same is certain for every id (P3), unless something is on file about one.
      const decisions = questionsOf({ ...question, resource: { ...question.resource, id: '' } }).map((one) =>
        decide(set, one),
      );
      if (decisions.every(({ outcome }) => outcome === 'allow')) return true;
      const isCertain = decisions.some(
        ({ outcome, decidedBy }) => outcome === 'deny' && !decidedBy.includes('attribute-missing'),
      );
      return isCertain ? false : null;
    },
    hidden(question) {
      const now = deps.clock.now();
      const known = knownHidden(set, subject);
      const key = JSON.stringify([caller.id, actor, question.action, question.resource]);
      const last = known.get(key);
      if (last !== undefined && now >= last.at && now < last.at + FRESH_MS) return last.places;
      const places = hiddenPlaces(set, (properties) => questionOf(question, properties, now));
      if (known.size >= MOST_KNOWN) known.clear();
      known.set(key, { at: now, places });
      return places;
    },
    judge,
    async mayRead({ asked, rows, ...question }) {
      const judged = judge(question);
      await judged.record({ ...asked, rows: judged.permitted ? rows : 0 });
      return judged.permitted;
    },
  };
}

interface KnownHidden {
  readonly at: number;
  readonly places: HiddenPlaces;
}

/** Whoever lists page after page is judged once a second for every walled place; single rows are judged all the same. */
const FRESH_MS = 1_000;
const MOST_KNOWN = 16;
const hiddenBySubject = new WeakMap<Subject, { readonly set: PolicySet; readonly known: Map<string, KnownHidden> }>();

/** For as long as the token is remembered, and the same policies are in force. */
function knownHidden(set: PolicySet, subject: Subject): Map<string, KnownHidden> {
  const found = hiddenBySubject.get(subject);
  if (found !== undefined && found.set === set) return found.known;
  const known = new Map<string, KnownHidden>();
  hiddenBySubject.set(subject, { set, known });
  return known;
}

/** These requests have no body to bring a person's token along in. */
export function subjectTokenOf({ headers }: FastifyRequest): string | undefined {
  const token = headers[SUBJECT_TOKEN_HEADER];
  return typeof token === 'string' ? token : undefined;
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

/** Of a record: what it is about and, if it is of a reading, what else rows of it were about. Every one must permit it. */
export function placesOfRecord(set: PolicySet, record: Readonly<Record<string, unknown>>): readonly Place[] {
  const noted = placesNoted(set, record);
  const own = placesOf(set, record['matter'], record['client']);
  return noted.length === 0 ? own : [...own, ...noted.flatMap(({ matter, client }) => placesOf(set, matter, client))];
}
