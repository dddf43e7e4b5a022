// Reads what a query gives in PostgreSQL's binary COPY format, in large blocks, several times faster than rows. It must never hold
// more than a few blocks, nor leave half an answer on a connection that goes on.
import type pg from 'pg';
import { BLOCK_BYTES, type BlockPool } from './block-pool.ts';

/** Signature, flags and length of an extension that nobody has (PostgreSQL documentation, COPY, "Binary Format"). */
const HEADER_BYTES = 19;
const MOST_WAITING = 4;
const NO_BLOCK = Buffer.alloc(0);

interface CopyData {
  readonly chunk: Buffer;
}

interface Around {
  readonly before: string;
  readonly after: string;
}

interface Flow {
  readonly stream: { pause(): void; resume(): void; destroy(): void };
}

/**
 * Whole rows, each a count of fields (two bytes) and the fields with their lengths (four bytes, -1 for null).
 * @param select a query without parameters, for COPY takes none
 * @param around statements that are sent with it, to spare their answers the way there and back
 */
export async function* copyOut(
  client: pg.ClientBase,
  select: string,
  pool: BlockPool,
  around: Around = { before: '', after: '' },
): AsyncGenerator<Buffer<ArrayBuffer>> {
  const full: Buffer<ArrayBuffer>[] = [];
  let block: Buffer<ArrayBuffer> = NO_BLOCK;
  let used = 0;
  let skip = HEADER_BYTES;
  let isDone = false;
  let failure: Error | undefined;
  let flow: Flow | undefined;
  let wake = (): void => undefined;

  const close = (): void => {
    if (used > 0) full.push(block.subarray(0, used));
    [block, used] = [NO_BLOCK, 0];
  };
  const take = (chunk: Buffer): void => {
    if (used + chunk.length > block.length) {
      close();
      block = pool.take(Math.max(BLOCK_BYTES, chunk.length));
    }
    block.set(chunk, used);
    used += chunk.length;
  };
  const query = {
    /** The client's own, which knows when time is up. */
    callback: undefined as ((error: Error | null) => void) | undefined,
    submit: (connection: pg.Connection) => {
      flow = connection;
      connection.query(`${around.before}copy (${select}) to stdout with (format binary)${around.after}`);
    },
    handleCopyData: ({ chunk }: CopyData) => {
      const data = skip > 0 ? chunk.subarray(skip) : chunk;
      skip = Math.max(0, skip - chunk.length);
      // The last row is a count of -1 and nothing else.
      if (data.length > 2) take(data);
      if (full.length > 0) wake();
      if (full.length >= MOST_WAITING) flow?.stream.pause();
    },
    handleCommandComplete: () => undefined,
    handleReadyForQuery: () => {
      isDone = true;
      query.callback?.(null);
      wake();
    },
    handleError: (error: Error) => {
      failure ??= error;
      query.callback?.(error);
      wake();
    },
  };
  client.query(query);

  try {
    for (;;) {
      const next = full.shift();
      if (next !== undefined) {
        yield next;
      } else if (failure !== undefined) {
        throw failure;
      } else if (isDone) {
        close();
        if (full.length === 0) return;
      } else {
        flow?.stream.resume();
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    if (!isDone && failure === undefined) flow?.stream.destroy();
    flow?.stream.resume();
  }
}

/** Goes through the rows of a block. Fields are read in their order with `next`, which tells where they stand. */
export interface RowReader {
  /** False when there is none any more. */
  nextRow(): boolean;
  /** Length of the next field, which then begins at `at`; -1 for null. */
  nextField(): number;
  /** Goes over the fields of the row that were not read. */
  skipRest(): void;
  at: number;
}

export function readRows(block: Buffer): RowReader {
  const view = new DataView(block.buffer, block.byteOffset, block.length); // several times faster than the buffer's own methods
  let offset = 0;
  let left = 0;
  const reader: RowReader = {
    at: 0,
    nextRow() {
      if (offset >= block.length) return false;
      left = view.getInt16(offset);
      offset += 2;
      return true;
    },
    skipRest() {
      while (left > 0) reader.nextField();
    },
    nextField() {
      left--;
      const length = view.getInt32(offset);
      reader.at = offset + 4;
      offset = reader.at + Math.max(0, length);
      return length;
    },
  };
  return reader;
}
