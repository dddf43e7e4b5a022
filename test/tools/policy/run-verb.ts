// Runs a verb within the process of the test, with a shell that keeps what is printed. It must never touch the streams of the test itself.
import { PassThrough } from 'node:stream';
import { readArguments } from '../../../src/cli/shell/arguments.ts';
import type { Output, Shell } from '../../../src/cli/shell/shell.ts';
import { UsageError, type Verb } from '../../../src/cli/shell/verb.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunVerb {
  readonly folder: string;
  /** What is typed, or comes through a pipe. */
  readonly input?: string;
  readonly now?: string;
}

export async function runVerb(
  verb: Verb,
  words: readonly string[],
  { folder, input = '', now }: RunVerb,
): Promise<Ran> {
  const text = { out: '', err: '' };
  const output = (to: 'out' | 'err'): Output => ({
    line: (line = '') => void (text[to] += `${line}\n`),
    write: (some) => void (text[to] += some),
    paint: (_, some) => some,
    isTerminal: false,
    columns: 100,
  });
  const stdin = new PassThrough();
  stdin.end(input);
  const shell: Shell = {
    out: output('out'),
    err: output('err'),
    progress: { show: () => undefined, clear: () => undefined },
    folder,
    now: () => (now === undefined ? Date.now() : Date.parse(now)),
    input: stdin,
    readInput: () => Promise.resolve(input),
    pipe: () => Promise.resolve(),
  };
  try {
    const args = readArguments(verb, words);
    if (args === null) return { code: 0, ...text };
    const code = await verb.run(shell, args);
    return { code, ...text };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const said = [error.message, ...error.details, error.hint ?? ''].join('\n');
    return { code: 2, out: text.out, err: `${text.err}${said}` };
  }
}
