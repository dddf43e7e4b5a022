// Turns requests away while more are waiting than can be answered soon, for less than it would cost to look at them, and never those
// that ask for health. It must never turn away a request that was looked at: what is shed was not decided and has no record.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { ShedCause } from '../metrics.ts';
import { PrivityError } from '../model/errors.ts';
import { problemOf, RETRY_SECONDS } from './errors.ts';
import { COMMON_HEADERS, requestIdOf } from './request-id.ts';

export interface AdmissionDeps {
  /** Records that wait for their commit. */
  readonly waiting: () => number;
  /** Records beyond which nothing more is taken. */
  readonly maxWaiting: number;
  readonly onShed: (cause: ShedCause) => void;
  readonly log: Logger;
}

/**
 * What arrived while the event loop was busy is taken in one turn, one request after the other, and a turn takes new ones for so
 * long: health waits until it is over. After a moment in which nothing ran, such as a collection of garbage, many come at once and
 * are all taken; where turn after turn is too long, more is asked than can be done, and waiting would help nobody.
 */
const FIRST_TURN_MS = 250;
const TURN_MS = 100;
/** Whatever it takes: a slow machine that is not busy serves at least so many. */
const TURN_REQUESTS = 64;
const REPORT_MS = 5_000;

const OPEN = new Set(['/livez', '/readyz', '/metrics']);

/** Counts nothing that a client could hold on to, such as connections or bodies that never end: only turns and what is decided. */
export function admit(handler: RequestListener, deps: AdmissionDeps): RequestListener {
  const { waiting, maxWaiting } = deps;
  const turnOver = (): void => {
    limitMs = isOver(TURN_MS) ? TURN_MS : FIRST_TURN_MS;
    taken = 0;
  };
  const isOver = (ms: number): boolean => taken > TURN_REQUESTS && performance.now() - begunAt > ms;
  const shed = createShedding(deps);
  let taken = 0;
  let begunAt = 0;
  let limitMs = FIRST_TURN_MS;
  return (request, response) => {
    if (taken === 0) {
      begunAt = performance.now();
      // Runs when everything that had arrived is taken.
      setImmediate(turnOver);
    }
    taken += 1;
    const isLate = isOver(limitMs);
    const isFull = waiting() >= maxWaiting;
    if ((isLate || isFull) && !isOpen(request.url)) shed(request, response, isFull ? 'waiting_records' : 'busy_loop');
    else handler(request, response);
  };
}

/**
 * For a request that was admitted when fewer were waiting: a body takes its time, and a hundred large ones that end together would
 * be decided together.
 * @throws PrivityError `overloaded`
 */
export function admitBody({ waiting, maxWaiting, onShed }: Omit<AdmissionDeps, 'log'>): void {
  if (waiting() < maxWaiting) return;
  onShed('waiting_records');
  throw new PrivityError('overloaded', { detail: 'too many records wait to be committed' });
}

function isOpen(url = ''): boolean {
  return OPEN.has(url.split('?', 1)[0] ?? '');
}

type Shed = (request: IncomingMessage, response: ServerResponse, cause: ShedCause) => void;

/** The answer is made once; only the request's id differs. */
function createShedding({ onShed, log }: AdmissionDeps): Shed {
  const retryAfter = String(RETRY_SECONDS.overloaded ?? 1);
  const [before = '', after = ''] = JSON.stringify(problemOf('overloaded', '\n')).split('\\n');
  const headers = Object.entries({
    'content-type': 'application/problem+json',
    'retry-after': retryAfter,
    ...COMMON_HEADERS,
  }).flat();
  let reportedAt = Number.NEGATIVE_INFINITY;
  let unreported = 0;
  return (request, response, cause) => {
    onShed(cause);
    const id = requestIdOf(request);
    const body = before + JSON.stringify(id).slice(1, -1) + after;
    // What is in an id is ASCII: its characters are its bytes; the rest is measured with it.
    response.writeHead(503, [...headers, 'x-request-id', id, 'content-length', String(Buffer.byteLength(body))]);
    response.end(body);
    unreported += 1;
    const now = performance.now();
    if (now - reportedAt < REPORT_MS) return;
    log.warn({ code: 'overloaded', cause, requests: unreported }, 'requests were turned away');
    reportedAt = now;
    unreported = 0;
  };
}
