// Makes the service's log: one JSON object a line. It must never let a token, an attribute value or what a database says about a row
// into a line, whoever wrote it.
import pino, { type DestinationStream, type Logger } from 'pino';

/** Members that must not appear however a line was made. Our own lines name none of them. */
const SECRETS = ['authorization', 'token', 'subject_token', 'password', 'attributes', 'properties', 'context'];

export function createLog(level: string, destination: DestinationStream = standardOutput()): Logger {
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

/** Lines wait while others are being written, instead of holding up requests; a stop writes them all. */
function standardOutput(): DestinationStream {
  return pino.destination({ dest: 1, sync: false });
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
