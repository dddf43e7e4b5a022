// An outcome as commands to the runner of GitHub Actions, which annotates files with them
// (https://docs.github.com/actions/reference/workflow-commands-for-github-actions). It must never let text of a file become a command.
import { count, printable } from '../shell/text.ts';
import { below, byLevel, fails, isFound, placeOf, wordsOf } from './judge.ts';
import type { Level, Outcome, OutcomeItem } from './outcome.ts';
import type { Surroundings } from './sarif.ts';

/** Of one kind, in one step; the runner drops what comes after. */
const MOST_OF_A_KIND = 10;
const LONGEST_MESSAGE = 8_000;

const COMMANDS: Readonly<Record<Level, string>> = { error: 'error', warning: 'warning', note: 'notice' };

/** The heaviest of them as annotations, all others as lines of the log; the last line counts those. */
export function githubText(outcome: Outcome, around: Pick<Surroundings, 'folder' | 'root'>): string {
  const found = byLevel(outcome.items.filter(isFound));
  const shown = new Set<OutcomeItem>();
  const left: string[] = [];
  for (const level of ['error', 'warning', 'note'] as const) {
    const of = found.filter((item) => item.level === level);
    for (const item of of.slice(0, MOST_OF_A_KIND)) shown.add(item);
    if (of.length > MOST_OF_A_KIND) left.push(count(of.length - MOST_OF_A_KIND, level));
  }
  const others = found.filter((item) => !shown.has(item));
  return [
    ...[...shown].map((item) => annotation(item, around)),
    ...others.map((item) => logLine(`${item.level} ${placeOf(item)}: ${wordsOf(item).join(' — ')}`)),
    logLine(
      `privity ${outcome.tool}: ${outcome.items.some((item) => fails(item, outcome)) ? 'failed' : 'passed'}: ${outcome.summary}`,
    ),
    ...(left.length === 0
      ? []
      : [
          `Not annotated: ${left.join(', ')}; GitHub shows ${MOST_OF_A_KIND} of a kind for each step. They are listed above.`,
        ]),
  ].join('\n');
}

function annotation(item: OutcomeItem, { folder, root }: Pick<Surroundings, 'folder' | 'root'>): string {
  const { level, file, line, column, code, name } = item;
  const properties = [
    ...(file === null ? [] : [`file=${property(below(root, folder, file) ?? file)}`]),
    ...(file === null || line === null ? [] : [`line=${line}`]),
    ...(file === null || line === null || column === null ? [] : [`col=${column}`]),
    `title=${property(printable(name === '' ? code : name).slice(0, 250))}`,
  ];
  const message = wordsOf(item).map(printable).join('\n');
  return `::${COMMANDS[level]} ${properties.join(',')}::${data(message.slice(0, LONGEST_MESSAGE).toWellFormed())}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text.toWellFormed()).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** A line that begins with `::`, or has `##[` anywhere, is an order to the runner. */
function logLine(text: string): string {
  return printable(text)
    .replaceAll('##[', '## [')
    .replace(/^\s*::/, ': :');
}
