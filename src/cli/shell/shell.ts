// What a verb may touch of the world outside: its streams, its folder, its clock. It must never be bypassed by a verb that prints.
import type { Readable } from 'node:stream';
import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export interface Output {
  /** One or more lines; the line end is added. */
  line(text?: string): void;
  /** Exactly this text. */
  write(text: string): void;
  /** Colours only on a terminal, never against NO_COLOR (https://no-color.org). */
  paint(style: Style, text: string): string;
  readonly isTerminal: boolean;
  readonly columns: number;
}

export interface Progress {
  show(text: string): void;
  /** Leaves no trace of itself. */
  clear(): void;
}

export interface Shell {
  readonly out: Output;
  readonly err: Output;
  /** On stderr, and only when that is a terminal. */
  readonly progress: Progress;
  /** Relative paths start here. */
  readonly folder: string;
  now(): number;
  readInput(): Promise<string>;
  /** For questions: what is typed, line by line. */
  readonly input: Readable & { readonly isTTY?: boolean };
  /** To stdout, as fast as it is taken; stops when nobody takes it any more. */
  pipe(pieces: AsyncIterable<Uint8Array>): Promise<void>;
}

const ERASE_LINE = '\r\u001b[K';
const PIPE_WIDTH = 100;

export function createShell(streams: Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr'>, folder: string): Shell {
  const err = createOutput(streams.stderr);
  return {
    out: createOutput(streams.stdout),
    err,
    progress: createProgress(err),
    folder,
    now: () => Date.now(),
    input: streams.stdin,
    readInput: async () => {
      if (streams.stdin.isTTY) err.line(err.paint('dim', 'reading from the terminal; Ctrl-D ends it'));
      const chunks: Buffer[] = [];
      for await (const chunk of streams.stdin) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks).toString('utf8');
    },
    async pipe(pieces) {
      const { stdout } = streams;
      for await (const piece of pieces) {
        if (stdout.destroyed || !stdout.writable) return;
        if (stdout.write(piece)) continue;
        await new Promise<void>((resolve) => {
          const go = (): void => {
            stdout.off('drain', go).off('close', go).off('error', go);
            resolve();
          };
          stdout.on('drain', go).on('close', go).on('error', go);
        });
      }
    },
  };
}

function createOutput(stream: NodeJS.WriteStream): Output {
  // A reader that has seen enough (`privity … | head`) and a terminal that was closed are no failures.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
  return {
    line: (text = '') => stream.write(`${text}\n`),
    write: (text) => stream.write(text),
    paint: (style, text) => styleText(style, text, { stream }),
    isTerminal: stream.isTTY,
    columns: stream.isTTY && stream.columns > 0 ? stream.columns : PIPE_WIDTH,
  };
}

function createProgress(err: Output): Progress {
  let shown = '';
  return {
    show: (text) => {
      if (!err.isTerminal || text === shown) return;
      shown = text;
      err.write(`${ERASE_LINE}${err.paint('dim', text.slice(0, Math.max(1, err.columns - 1)))}`);
    },
    clear: () => {
      if (shown !== '') err.write(ERASE_LINE);
      shown = '';
    },
  };
}
