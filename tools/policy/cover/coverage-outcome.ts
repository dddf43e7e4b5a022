// Coverage as what reports for machines are made of: what no case shows is a note, a threshold that is missed fails. It must never fail what no
// threshold asks for.
import path from 'node:path';
import type { Outcome, OutcomeItem } from '../../../src/cli/outcomes/outcome.ts';
import { KINDS, openOf, percentOf, totalOf } from './coverage.ts';
import { missedOf, wordsOf, type Coverage } from './coverage-text.ts';
import { percentText } from './threshold.ts';

const CODES: ReadonlyMap<string, string> = new Map([
  ['coverage-threshold', 'Test cases exercise less than `--threshold` asks for.'],
  ['not-exercised', 'No test case shows this rule, condition or wall with this truth.'],
]);

/** @param tested the outcome of the cases themselves */
export function coverageOutcome(tested: Outcome, coverage: Coverage): Outcome {
  const { items, folder, thresholds } = coverage;
  const missed = missedOf(coverage);
  const asked = thresholds.map(({ name, percent }): OutcomeItem => {
    const one = missed.find((other) => other.name === name);
    const reached = percentText(percentOf(totalOf(items.filter(({ kind }) => kind === name))));
    return {
      ...PLAIN,
      name: `threshold ${name}`,
      code: 'coverage-threshold',
      status: one === undefined ? 'passed' : 'failed',
      level: 'error',
      message: `${name}: ${reached} of the ${percent} % that are asked for`,
      hint: one === undefined ? null : 'add cases to tests/ for what is named as not exercised',
    };
  });
  // Where thresholds are asked for, whatever lies above them is no news to whoever changes something else.
  const told = items.filter(({ kind }) => thresholds.length === 0 || missed.some(({ name }) => name === kind));
  const open = openOf(told).map((item): OutcomeItem => {
    const { line, column } = item.place.file.locate(item.place.path);
    const file = path.join(folder, item.place.file.path);
    const message = wordsOf(item);
    return {
      ...PLAIN,
      name: `${message} (${item.place.file.path}:${line}:${column})`,
      code: 'not-exercised',
      status: 'failed',
      level: 'note',
      file,
      line,
      column,
      message: `No test case shows: ${message}`,
      hint:
        item.what === 'shown'
          ? 'add a case to tests/ that it decides'
          : `add a case to tests/ in which it is ${item.what}`,
    };
  });
  const rows = KINDS.map((kind) => {
    const { exercised, open: left, unreachable } = totalOf(items.filter((item) => item.kind === kind));
    const percent = percentText(percentOf({ exercised, open: left, unreachable }));
    return `| ${kind} | ${exercised} | ${exercised + left} | ${percent} |`;
  });
  return {
    ...tested,
    items: [...tested.items, ...asked, ...open],
    codes: new Map([...tested.codes, ...CODES]),
    summary: `${tested.summary}; ${summaryOf(coverage)}`,
    markdown: [...tested.markdown, '| | exercised | of | |', '| --- | ---: | ---: | ---: |', ...rows],
  };
}

export function summaryOf({ items }: Coverage): string {
  return KINDS.map(
    (kind) => `${kind} ${percentText(percentOf(totalOf(items.filter((one) => one.kind === kind))))}`,
  ).join(', ');
}

const PLAIN = { level: 'note', file: null, line: null, column: null, details: [], hint: null, accepted: null } as const;
