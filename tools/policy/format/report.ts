// What formatting did, for programs. It must never hold the text of a file.
import type { Outcome, OutcomeItem } from '../../../src/cli/outcomes/outcome.ts';
import { count } from '../../../src/cli/shell/text.ts';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import type { Target } from './find-files.ts';

export interface Judged {
  readonly target: Target;
  readonly state: 'in-style' | 'formatted' | 'to-format' | 'refused' | 'broken';
  readonly bytes: Uint8Array;
  /** Of a broken file. */
  readonly problems: readonly Diagnostic[];
  /** It was refused. */
  readonly why: string | null;
}

export function reportOf(judged: readonly Judged[], isCheck: boolean): unknown {
  return {
    check: isCheck,
    files: judged.map(({ target, state, problems, why }) => ({
      file: target.shown,
      state: state.replace('-', '_'),
      why,
      problems: problems.map((problem) => ({ ...problem, file: target.shown })),
    })),
  };
}

const CODES: ReadonlyMap<string, string> = new Map([
  ['style', 'The file is not in the one style of policies; `privity policy fmt` writes it so.'],
  ['cannot-format', 'The file cannot be formatted without damage, and was left as it is.'],
  ['broken-file', 'The file cannot be read.'],
]);

export function outcomeOf(judged: readonly Judged[], subject: string): Outcome {
  const items = judged.flatMap(itemsOf);
  const failed = items.filter(({ status }) => status === 'failed').length;
  return {
    tool: 'policy fmt',
    subject,
    revision: null,
    items,
    codes: CODES,
    summary: `${count(judged.length, 'file')}: ${failed === 0 ? 'all in style' : `${failed} to look at`}`,
    markdown: [],
  };
}

function itemsOf({ target, state, problems, why }: Judged): readonly OutcomeItem[] {
  const item: OutcomeItem = {
    name: `style ${target.shown}`,
    code: 'style',
    status: 'passed',
    level: 'error',
    file: target.shown,
    line: null,
    column: null,
    message: state === 'formatted' ? 'formatted' : 'in style',
    details: [],
    hint: null,
    accepted: null,
  };
  if (state === 'to-format')
    return [{ ...item, status: 'failed', message: 'the file is not in style', hint: 'run `privity policy fmt`' }];
  if (state === 'refused') {
    const message = `the file was left as it is: ${why ?? ''}`;
    return [{ ...item, code: 'cannot-format', status: 'failed', message, hint: 'write it by hand' }];
  }
  if (state !== 'broken') return [item];
  return problems.map(({ line, column, message, hint }) => ({
    ...item,
    name: `broken-file ${target.shown}:${line}:${column}`,
    code: 'broken-file',
    status: 'failed',
    line,
    column,
    message,
    hint: hint ?? null,
  }));
}
