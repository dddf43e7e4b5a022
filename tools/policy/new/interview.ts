// Asks questions and takes their answers from options, a terminal or a pipe. It must never take an answer that does not fit, nor go on without
// one that is needed.
import { createInterface } from 'node:readline';
import { nearest } from '../../../src/core/suggest.ts';
import type { Shell } from '../../../src/cli/shell/shell.ts';
import { printable, wrap } from '../../../src/cli/shell/text.ts';
import { type Arguments, UsageError } from '../../../src/cli/shell/verb.ts';

export interface Question {
  /** That answers it on the command line. */
  readonly option: string;
  readonly ask: string;
  /** One line: why it is asked. */
  readonly why: string;
  /** The only answers; without them any text. */
  readonly choices?: ReadonlyMap<string, string> | undefined;
  /** Answers are separated by commas. */
  readonly many?: boolean;
  /** Taken when nothing is said; null: it may be left out. */
  readonly otherwise?: string | null;
  /** What is wrong with the answer, and how to write it. */
  readonly check?: (answer: string) => string | null;
}

export interface Interview {
  /** Empty where it was left out. */
  ask(question: Question): Promise<readonly string[]>;
  text(question: Question): Promise<string | null>;
  close(): void;
}

const SHOWN = 12;

export function createInterview({ input, err }: Shell, args: Arguments): Interview {
  let lines: AsyncIterator<string> | null = null;
  let reader: ReturnType<typeof createInterface> | null = null;
  let isFirst = true;
  const nextLine = async (): Promise<string | null> => {
    if (lines === null) {
      reader = createInterface({ input, crlfDelay: Infinity });
      lines = reader[Symbol.asyncIterator]();
    }
    const { done, value } = await lines.next();
    return done === true ? null : value;
  };

  const ask = async (question: Question): Promise<readonly string[]> => {
    const { option, otherwise } = question;
    const given = args.text(option);
    if (given !== undefined) {
      const answer = judge(question, given);
      if ('problem' in answer) throw new UsageError(`\`--${option} ${given}\`: ${answer.problem}`, answer.hint);
      return answer.values;
    }
    if (args.isOn('defaults') && otherwise !== undefined) return otherwise === null ? [] : judged(question, otherwise);
    if (isFirst && input.isTTY === true)
      err.line(
        err.paint('dim', 'Enter takes what stands in brackets, ? lists what there is, Ctrl-C ends without a trace.'),
      );
    isFirst = false;
    for (;;) {
      showQuestion(err, question);
      const line = (await nextLine())?.trim();
      if (input.isTTY !== true) err.line();
      if (line === undefined || line === '') {
        if (otherwise !== undefined) return otherwise === null ? [] : judged(question, otherwise);
        if (line === undefined) throw new UsageError(`there is no answer to “${question.ask}”`, `give \`--${option}\``);
        err.line('  this one is needed');
        continue;
      }
      if (line === '?') {
        for (const [name, title] of question.choices ?? [])
          err.line(printable(`  ${name}${title === '' ? '' : `  ${title}`}`));
        continue;
      }
      const answer = judge(question, line);
      if ('values' in answer) return answer.values;
      err.line(printable(`  ${answer.problem}${answer.hint === undefined ? '' : `; ${answer.hint}`}`));
    }
  };
  return {
    ask,
    text: async (question) => (await ask(question))[0] ?? null,
    close: () => reader?.close(),
  };
}

type Judged = { readonly values: readonly string[] } | { readonly problem: string; readonly hint: string | undefined };

function judged(question: Question, answer: string): readonly string[] {
  const result = judge(question, answer);
  if ('values' in result) return result.values;
  throw new UsageError(`“${question.ask}”: ${result.problem}`, `give \`--${question.option}\``);
}

function judge({ choices, many, check }: Question, answer: string): Judged {
  const values =
    many === true
      ? answer
          .split(',')
          .map((one) => one.trim())
          .filter((one) => one !== '')
      : [answer];
  if (values.length === 0) return { problem: 'nothing is named', hint: undefined };
  for (const value of values) {
    if (choices !== undefined && !choices.has(value)) {
      const near = nearest(value, choices.keys());
      const hint =
        near === undefined ? `known: ${[...choices.keys()].slice(0, SHOWN).join(', ')}` : `did you mean \`${near}\`?`;
      return { problem: `\`${value}\` is not known here`, hint };
    }
    const problem = check?.(value) ?? null;
    if (problem !== null) return { problem, hint: undefined };
  }
  return { values: [...new Set(values)] };
}

function showQuestion(err: Shell['err'], { ask, why, choices, many, otherwise }: Question): void {
  err.line(`${err.paint('bold', ask)}${many === true ? ' (several: with commas)' : ''}`);
  for (const line of wrap(`${why}.`, err.columns - 2)) err.line(err.paint('dim', `  ${line}`));
  const names = [...(choices?.keys() ?? [])];
  if (names.length > 0) {
    const more = names.length > SHOWN ? ` … (? shows all ${names.length})` : '';
    for (const line of wrap(printable(`${names.slice(0, SHOWN).join(', ')}${more}`), err.columns - 2))
      err.line(`  ${line}`);
  }
  const shown = otherwise === undefined ? '' : otherwise === null ? ' [none]' : ` [${printable(otherwise)}]`;
  err.write(`>${shown} `);
}
