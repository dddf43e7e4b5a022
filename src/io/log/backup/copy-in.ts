// Writes rows in PostgreSQL's binary COPY format, in blocks, no faster than the server takes them. It must never end a copy well that was
// not given whole.
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type pg from 'pg';

/** Signature, no flags, no extension (PostgreSQL documentation, COPY, "Binary Format"). */
const HEADER = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex');
const TRAILER = Buffer.from('ffff', 'hex');

interface CopyConnection {
  readonly stream: Writable;
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

export interface CopyIn {
  write(block: Buffer): Promise<void>;
  /** How many rows were taken. */
  end(): Promise<number>;
  /** Takes back everything; never rejects. */
  fail(): Promise<void>;
}

/** Part of every connection of pg, though its types do not say so. */
function canCopy(connection: object): connection is CopyConnection {
  return 'sendCopyFromChunk' in connection && 'endCopyFrom' in connection && 'sendCopyFail' in connection;
}

/**
 * @param into such as `public.leaves ("hash")`
 * @param more options of COPY, such as `freeze`
 */
export async function openCopyIn(client: pg.ClientBase, into: string, more: readonly string[] = []): Promise<CopyIn> {
  let rows = 0;
  let connection: CopyConnection | undefined;
  let failure: Error | undefined;
  const opened = Promise.withResolvers<CopyConnection>();
  const finished = Promise.withResolvers<void>();
  client.query({
    submit: (to: pg.Connection) => {
      if (!canCopy(to)) throw new TypeError('this version of pg cannot copy');
      connection = to;
      to.query(`copy ${into} from stdin with (${['format binary', ...more].join(', ')})`);
    },
    handleCopyInResponse: () => (connection === undefined ? undefined : opened.resolve(connection)),
    handleCommandComplete: ({ text }: { readonly text: string }) => {
      rows = Number(/^COPY (\d+)$/.exec(text)?.[1] ?? 0);
    },
    handleReadyForQuery: () => {
      if (failure === undefined) finished.resolve();
      else finished.reject(failure);
    },
    handleError: (error: Error) => {
      // The server says that it is ready again after an error of its own; not when the connection is gone.
      failure = error;
      opened.reject(error);
      if (!('severity' in error)) finished.reject(error);
    },
  });
  opened.promise.catch(() => undefined);
  finished.promise.catch(() => undefined);
  const to = await opened.promise;
  const send = async (block: Buffer): Promise<void> => {
    if (failure !== undefined) throw failure;
    to.sendCopyFromChunk(block);
    if (to.stream.writableNeedDrain) await Promise.race([once(to.stream, 'drain'), finished.promise]);
  };
  await send(HEADER);
  return {
    write: send,
    async end() {
      await send(TRAILER);
      to.endCopyFrom();
      await finished.promise;
      return rows;
    },
    async fail() {
      if (failure === undefined) to.sendCopyFail('the backup is not whole');
      await finished.promise.catch(() => undefined);
    },
  };
}
