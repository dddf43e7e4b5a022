// One kept-alive HTTP/1.1 connection that asks one question after the other, for as little of the machine as possible: the load
// generator shares it with what it measures. It must never have two questions open, nor take a broken answer for a whole one.
import { connect } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export interface Connection {
  /** Sends the bytes of one request; resolves with its answer. */
  ask(request: Buffer, answered: (answer: Answer) => void): void;
  close(): void;
}

const END_OF_HEADERS = '\r\n\r\n';
const LENGTH = 'content-length: ';

/** @param broken called at most once: the connection is gone or does not speak HTTP as expected */
export async function openConnection(url: URL, broken: (error: Error) => void): Promise<Connection> {
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  let waiting: ((answer: Answer) => void) | null = null;
  let closed = false;
  let received: Buffer = Buffer.alloc(0);

  const fail = (error: Error): void => {
    if (closed) return;
    closed = true;
    socket.destroy();
    broken(error);
  };
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the connection was closed')));
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const headers = received.indexOf(END_OF_HEADERS);
    if (headers < 0) return;
    const head = received.toString('latin1', 0, headers).toLowerCase();
    const at = head.indexOf(LENGTH);
    if (at < 0 || !head.startsWith('http/1.1 ')) return fail(new Error(`not an answer with a length: ${head}`));
    const length = Number.parseInt(head.slice(at + LENGTH.length, at + LENGTH.length + 12), 10);
    const start = headers + END_OF_HEADERS.length;
    if (received.length < start + length) return;
    const answer = { status: Number(head.slice(9, 12)), body: received.subarray(start, start + length) };
    if (received.length > start + length) return fail(new Error('more than one answer'));
    received = Buffer.alloc(0);
    const answered = waiting;
    waiting = null;
    answered?.(answer);
  });
  return {
    ask(request, answered) {
      waiting = answered;
      socket.write(request);
    },
    close() {
      closed = true;
      socket.end();
    },
  };
}

/** The bytes of one POST. */
export function requestBytes(url: URL, authorization: string, body: string): Buffer {
  const head = [
    `POST ${url.pathname} HTTP/1.1`,
    `host: ${url.host}`,
    `authorization: ${authorization}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}${END_OF_HEADERS}${body}`);
}
