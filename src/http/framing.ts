// Refuses requests that two readers could read as two different ones: what Node lets pass and a proxy may see otherwise. It must never
// look at what is asked, nor pick one of two readings.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { PrivityError } from '../model/errors.ts';

type Message = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'httpVersion' | 'url'>;

/** Far more than any client or proxy sends; Node is told to keep one more, so that none is dropped without a word. */
export const MAX_HEADERS = 200;

/** Of which Node keeps the first, and other readers the last. (Content-Length is judged by Node's parser.) */
const ONCE: ReadonlySet<string> = new Set(['host', 'authorization', 'content-type', 'content-encoding', 'expect']);
const LENGTHS: ReadonlySet<number> = new Set([...ONCE].map((name) => name.length));

/** Connections on which nothing counts any more. */
const condemned = new WeakSet<Socket>();

/** Whatever follows on a connection after this may be read in two ways as well (RFC 9112, 9.6). */
export function condemn(socket: Socket): void {
  condemned.add(socket);
}

export function isCondemned(socket: Socket): boolean {
  return condemned.has(socket);
}

/** Null when the request has one reading. When it has not, its connection is condemned, and has to be closed with the answer. */
export function framingError(request: IncomingMessage): PrivityError | null {
  const error = judge(request);
  if (error !== null) condemn(request.socket);
  return error;
}

function judge(request: IncomingMessage): PrivityError | null {
  if (isCondemned(request.socket)) return malformed('this connection was closed by an earlier answer');
  if (request.rawHeaders.length > 2 * MAX_HEADERS) return new PrivityError('headers_too_large');
  const ambiguity = ambiguityOf(request);
  return ambiguity === null ? null : malformed(ambiguity);
}

function malformed(detail: string): PrivityError {
  return new PrivityError('malformed_request', { detail });
}

/** A public sentence; null when there is one reading. */
export function ambiguityOf({ headers, rawHeaders, httpVersion, url }: Message): string | null {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'the protocol must be HTTP/1.1';
  // RFC 9112, 3.2: a server answers 400 to a request of HTTP/1.1 without it.
  if (headers.host === undefined && httpVersion === '1.1') return 'the Host header is missing';
  if (url?.includes('#') === true) return 'a fragment has no place in a request';
  // RFC 9112, 6.1: no other coding is understood here, and in HTTP/1.0 there is none.
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && (httpVersion === '1.0' || coding.toLowerCase() !== 'chunked')) {
    return 'the only Transfer-Encoding is chunked, in HTTP/1.1';
  }
  const { expect } = headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') return 'the only expectation is 100-continue';
  return repeatedName(rawHeaders);
}

function repeatedName(rawHeaders: readonly string[]): string | null {
  let seen = '';
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const raw = rawHeaders[at] ?? '';
    if (!LENGTHS.has(raw.length)) continue;
    const name = raw.toLowerCase();
    if (!ONCE.has(name)) continue;
    if (seen.includes(` ${name} `)) return `the ${name} header is given twice`;
    seen += ` ${name} `;
  }
  return null;
}
