// Makes the service's log: one JSON object a line. It must never let a token, an attribute value or what a database says about a row
// into a line, whoever wrote it.
import pino, { type DestinationStream, type Logger } from 'pino';
import { createLogOutput, standardOutput, type LogOutput } from './log-output.ts';

/** Members that must not appear however a line was made. Our own lines name none of them. */
const SECRETS = ['authorization', 'token', 'subject_token', 'password', 'attributes', 'properties', 'context'];

/** What becomes of the lines. */
export type LogFate = Omit<LogOutput, 'write'>;

const TAKEN_ELSEWHERE: LogFate = { degraded: () => [], lost: () => 0, end: async () => undefined };

/** Lines go to standard output, unless somebody else takes them. */
export function openLog(
  level: string,
  destination: DestinationStream | undefined,
): { readonly log: Logger; readonly fate: LogFate } {
  if (destination !== undefined) return { log: createLog(level, destination), fate: TAKEN_ELSEWHERE };
  const output = createLogOutput({
    sink: standardOutput(),
    onLost: (lines, code) => log.error({ lines, code }, 'lines of the log were lost'),
  });
  const log = createLog(level, output);
  return { log, fate: output };
}

export function createLog(level: string, destination: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
      serializers: { err: describeError },
    },
    destination,
  );
}

interface ErrorLine {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorLine;
}

/** Of errors from elsewhere only what they are: their other members may quote rows and requests. */
function describeError(error: unknown, depth = 0): ErrorLine | undefined {
  if (error === undefined) return undefined;
  if (!(error instanceof Error)) return { type: typeof error, message: 'not an error object' };
  return {
    type: error.name,
    message: error.message,
    ...('code' in error ? { code: String(error.code) } : {}),
    ...(depth === 0 && error.stack !== undefined ? { stack: error.stack } : {}),
    ...causeOf(error, depth),
  };
}

function causeOf(error: Error, depth: number): { readonly cause?: ErrorLine } {
  const cause = depth < 4 && error.cause !== undefined ? describeError(error.cause, depth + 1) : undefined;
  return cause === undefined ? {} : { cause };
}
