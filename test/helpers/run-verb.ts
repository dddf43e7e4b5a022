// Runs one verb of the command line in the process of the test, where starting another would take longer than the verb. It must never leave a
// setting behind.
import { PassThrough } from 'node:stream';
import { readArguments } from '../../src/cli/shell/arguments.ts';
import { UsageError, type Verb } from '../../src/cli/shell/verb.ts';
import type { Output } from '../../src/cli/shell/shell.ts';
import type { Ended } from '../cli/privity.ts';

export interface VerbRun {
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What is typed, or comes through a pipe. */
  readonly input?: string;
  /** Milliseconds since 1970, or RFC 3339; otherwise the real time. */
  readonly now?: number | string;
}

/** One at a time: settings are those of the process. */
export async function runVerb(verb: Verb, words: readonly string[], around: VerbRun): Promise<Ended> {
  const { folder, env = {}, input = '', now } = around;
  const stdin = new PassThrough();
  stdin.end(input);
  const text = { out: '', err: '' };
  const output = (name: 'out' | 'err'): Output => ({
    line: (said = '') => void (text[name] += `${said}\n`),
    write: (said) => void (text[name] += said),
    paint: (_, said) => said,
    isTerminal: false,
    columns: 100,
  });
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  try {
    const args = readArguments(verb, words);
    if (args === null) return { code: 0, ...text };
    const code = await verb.run(
      {
        out: output('out'),
        err: output('err'),
        progress: { show: () => undefined, clear: () => undefined },
        folder,
        now: () => (now === undefined ? Date.now() : new Date(now).getTime()),
        readInput: () => Promise.resolve(input),
        input: stdin,
        pipe: () => Promise.reject(new Error('nothing is piped here')),
      },
      args,
    );
    return { code, ...text };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { code: 2, out: text.out, err: [text.err, error.message, ...error.details, error.hint ?? ''].join('\n') };
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
