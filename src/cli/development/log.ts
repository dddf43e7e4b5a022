// Shows the service's log to somebody who tries it out: a line for each request, policies loaded or refused. It must never be what a machine reads.
import type { DestinationStream } from 'pino';
import type { Output } from '../shell/shell.ts';
import { printable } from '../shell/text.ts';

/** What the example issuers of a pack cause on a machine that cannot reach them, and what does not matter here. */
const EXPECTED = [/^keys of an issuer/, /^WRITER_KEY_FILE is not set/, /^listening$/, /^stopping$/];

export interface DevelopmentLog extends DestinationStream {
  /** Until then only what goes wrong is shown. */
  begin(): void;
}

export function createDevelopmentLog(out: Output): DevelopmentLog {
  let hasBegun = false;
  return {
    begin: () => (hasBegun = true),
    write(line) {
      const entry = parse(line);
      const message = textOf(entry['msg']) ?? '';
      // A start that fails tells the reason itself.
      const isEarly = !hasBegun && (entry['level'] === 'info' || message === 'policies not loaded');
      const isOrdinary = entry['level'] === 'info' && message === 'recorder';
      if (isEarly || isOrdinary || EXPECTED.some((pattern) => pattern.test(message))) return;
      out.line(`${out.paint('dim', timeOf(entry))} ${describe(out, entry, message)}`);
      const problems = entry['problems'];
      const stack = entry['level'] === 'warn' ? null : stackOf(entry['err']);
      if (stack !== null) out.line(out.paint('dim', stack));
      if (Array.isArray(problems)) for (const problem of problems) out.line(`  ${printable(String(problem))}`);
    },
  };
}

function describe(out: Output, entry: Readonly<Record<string, unknown>>, message: string): string {
  if (message === 'request') {
    const { method, route, status, ms, caller } = entry;
    const words = `${textOf(method)} ${textOf(route) ?? 'no such path'} ${String(status)}  ${String(ms)} ms`;
    return printable(typeof caller === 'string' ? `${words}  ${caller}` : words);
  }
  const { revision, err, result, code } = entry;
  const details = [
    ...(typeof code === 'string' ? [code] : []),
    ...(typeof result === 'string' ? [result] : []),
    ...(typeof revision === 'string' ? [revision.slice(0, 19)] : []),
    ...(typeof err === 'object' && err !== null && 'message' in err ? [String(err.message)] : []),
  ];
  const level = String(entry['level']);
  const colour = level === 'info' ? 'dim' : level === 'warn' ? 'yellow' : 'red';
  return `${out.paint(colour, level)} ${printable([message, ...details].join(' '))}`;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Of a failure that nobody foresaw. */
function stackOf(error: unknown): string | null {
  const stack: unknown = typeof error === 'object' && error !== null && 'stack' in error ? error.stack : null;
  return typeof stack === 'string' ? stack.split('\n').slice(1).map(printable).join('\n') : null;
}

function parse(line: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(line);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function timeOf({ time }: Readonly<Record<string, unknown>>): string {
  return typeof time === 'string' ? time.slice(11, 19) : '';
}
