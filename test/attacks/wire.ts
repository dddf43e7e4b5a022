// Raw bytes on a connection, and the answers that come back, read as strictly as a proxy would. It must never repair what the service
// sends.
import { connect, type Socket } from 'node:net';

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Sending {
  /** Sent one after the other, each after what came before it has left. */
  readonly pieces: readonly (string | Buffer)[];
  /** Of requests that are answered without a body. */
  readonly heads?: boolean;
}

/** Sends, and reads until the service closes the connection: its own time limits see to it that it does. */
export async function exchange(url: string, { pieces, heads = false }: Sending): Promise<readonly WireAnswer[]> {
  const socket = dial(url);
  const chunks: Uint8Array[] = [];
  socket.on('data', (chunk: Uint8Array) => chunks.push(chunk));
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  for (const piece of pieces) {
    await new Promise<void>((sent) => {
      socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece, () => sent());
    });
  }
  await closed;
  return readAnswers(Buffer.concat(chunks), heads);
}

/** Errors end a connection like an orderly end does. */
export function dial(url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.on('error', () => undefined);
  return socket;
}

export function readAnswers(bytes: Buffer, heads = false): readonly WireAnswer[] {
  const answers: WireAnswer[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) throw new Error(`half an answer: ${rest.toString('latin1')}`);
    const [line = '', ...fields] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]);
    if (Number.isNaN(status)) throw new Error(`no status line: ${line}`);
    const headers = Object.fromEntries(
      fields.map((field) => {
        const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~\w-]+): (.*)$/.exec(field) ?? [];
        if (name === '') throw new Error(`no header: ${field}`);
        return [name.toLowerCase(), value];
      }),
    );
    const hasBody = status >= 200 && status !== 204 && status !== 304 && !heads;
    if (hasBody && !/^\d+$/.test(headers['content-length'] ?? '')) throw new Error(`how long is the body? ${line}`);
    const length = hasBody ? Number(headers['content-length']) : 0;
    const start = end + 4;
    if (rest.length < start + length) throw new Error('the body is cut');
    answers.push({ status, headers, body: rest.subarray(start, start + length).toString('utf8') });
    rest = rest.subarray(start + length);
  }
  return answers;
}
