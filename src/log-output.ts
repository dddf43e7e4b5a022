// Writes log lines to standard output. It must never hold up an answer or the end of the process, grow without a bound, or end the
// service, whatever becomes of whoever reads the log.
import fs from 'node:fs';
import net from 'node:net';

export interface LogOutput {
  write(line: string): void;
  /** Codes for readiness. */
  degraded(): readonly string[];
  /** Lines that nobody will read, since the start. */
  lost(): number;
  /** Waits until everything is written, but not for long. */
  end(): Promise<void>;
}

export interface LogOutputDeps {
  readonly sink: Sink;
  /** Told, once lines go through again, how many did not and why. */
  readonly onLost: (lines: number, code: string) => void;
  readonly limits?: Partial<LogOutputLimits>;
}

export interface LogOutputLimits {
  /** Characters that may wait. */
  readonly most: number;
  /** Before a write that failed is tried again. */
  readonly retryMs: number;
  /** A write that takes longer is said to be stuck. */
  readonly stuckMs: number;
  readonly endMs: number;
}

/** Tells how many bytes were written; an error says that none were. */
export type Sink = (bytes: Buffer, done: (error: Error | null, written: number) => void) => void;

const LIMITS: LogOutputLimits = { most: 4 * 2 ** 20, retryMs: 500, stuckMs: 5_000, endMs: 2_000 };
const CHUNK = 64 * 1024;
const END_POLL_MS = 10;
/** The other end will not come back; anything else, a full disk above all, may pass. */
const GONE: ReadonlySet<string> = new Set([
  'EPIPE',
  'EBADF',
  'ECONNRESET',
  'ERR_STREAM_DESTROYED',
  'ERR_SOCKET_CLOSED',
]);

export function createLogOutput({ sink, onLost, limits }: LogOutputDeps): LogOutput {
  const { most, retryMs, stuckMs, endMs } = { ...LIMITS, ...limits };
  let lines: string[] = [];
  let waiting = 0;
  /** Taken from the lines, not written yet. */
  let chunk: Buffer | null = null;
  let chunkLines = 0;
  let busySince: number | null = null;
  let failure: string | null = null;
  let isGone = false;
  let lost = 0;
  let lostTold = 0;
  /** Why the last line was lost. */
  let cause = '';

  function write(line: string): void {
    if (isGone || waiting + line.length > most) {
      lost += 1;
      cause = failure ?? 'slow_reader';
      return;
    }
    lines.push(line);
    waiting += line.length;
    pump();
  }

  function pump(): void {
    if (busySince !== null || isGone) return;
    chunk ??= takeChunk();
    if (chunk === null) return;
    busySince = performance.now();
    sink(chunk, arrive);
  }

  function takeChunk(): Buffer | null {
    let size = 0;
    let count = 0;
    for (const line of lines) {
      if (count > 0 && size + line.length > CHUNK) break;
      size += line.length;
      count += 1;
    }
    if (count === 0) return null;
    const taken = lines.slice(0, count);
    lines = lines.slice(count);
    waiting -= size;
    chunkLines = count;
    return Buffer.from(taken.join(''));
  }

  function arrive(error: Error | null, written: number): void {
    busySince = null;
    if (error !== null) return fail('code' in error ? String(error.code) : error.name);
    const rest = chunk?.subarray(written);
    chunk = rest === undefined || rest.length === 0 ? null : rest;
    failure = null;
    if (lost > lostTold && chunk === null && waiting < most / 2) {
      const count = lost - lostTold;
      lostTold = lost;
      onLost(count, cause);
    }
    pump();
  }

  function fail(code: string): void {
    failure = code;
    if (!GONE.has(code)) return void setTimeout(pump, retryMs).unref();
    isGone = true;
    lost += lines.length + chunkLines;
    lines = [];
    waiting = 0;
    chunk = null;
  }

  const isStuck = (): boolean => busySince !== null && performance.now() - busySince > stuckMs;

  return {
    write,
    degraded: () => (failure !== null || lost > lostTold || isStuck() ? ['log_not_written'] : []),
    lost: () => lost,
    async end() {
      const deadline = performance.now() + endMs;
      const isLeft = (): boolean => chunk !== null || lines.length > 0;
      while (isLeft() && failure === null && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, END_POLL_MS));
      }
    },
  };
}

/**
 * Pipes and sockets are written to without ever blocking: a thread that waits for a reader who has stopped reading would keep the
 * process from ending.
 */
export function standardOutput(fd = 1): Sink {
  const stats = fs.fstatSync(fd);
  if (!stats.isFIFO() && !stats.isSocket()) {
    return (bytes, done) => fs.write(fd, bytes, 0, bytes.length, null, (error, written) => done(error, written));
  }
  const socket = new net.Socket({ fd, readable: false, writable: true });
  // What a write failed with is told to whoever wrote.
  socket.on('error', () => undefined);
  return (bytes, done) => void socket.write(bytes, (error) => done(error ?? null, bytes.length));
}
