// A comparison as an outcome, for reports and for the page that reviewers of a pull request read. It must never let what is not settled pass for a stricter set.
import path from 'node:path';
import { markdownText } from '../../../src/cli/outcomes/markdown.ts';
import type { Level, Outcome, OutcomeItem } from '../../../src/cli/outcomes/outcome.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Effect, Example } from './effect.ts';
import type { Comparison } from './show.ts';
import {
  beyondText,
  causeOf,
  circumstancesOf,
  directionText,
  exampleTest,
  HEADLINES,
  lineOf,
  reasonOf,
  whatOf,
  whoOf,
} from './words.ts';

export type FailOn = 'wider' | 'any' | 'never';

const CODES: ReadonlyMap<string, string> = new Map([
  ['newly-allowed', 'A request that was denied is allowed by the new policies.'],
  ['newly-denied', 'A request that was allowed is denied by the new policies.'],
  ['other-answer', 'The decision stays, and its advice or obligations change.'],
  ['not-settled', 'Whether the new policies decide otherwise was not settled.'],
  ['equivalent', 'The new policies decide every request as the old ones do.'],
]);

/** What was not settled counts as wider. */
export function fails(effect: Effect, failOn: FailOn): boolean {
  if (failOn === 'never') return false;
  const isWider = effect.newly_allowed.verdict !== 'impossible';
  return isWider || (failOn === 'any' && (effect.verdict !== 'equivalent' || effect.beyond.verdict !== 'none'));
}

export interface Where {
  /** Of the new policies in the working folder; null: they are not there. */
  readonly folder: string | null;
  readonly set: PolicySet;
}

export function comparisonOutcome(comparison: Comparison, failOn: FailOn, where: Where): Outcome {
  const { old, now, effect } = comparison;
  const { newly_allowed: allowed, newly_denied: denied, beyond } = effect;
  const levels: Readonly<Record<string, Level>> = {
    'newly-allowed': failOn === 'never' ? 'warning' : 'error',
    'newly-denied': failOn === 'any' ? 'error' : 'note',
    'other-answer': failOn === 'any' ? 'error' : 'note',
    'not-settled': failOn === 'never' ? 'warning' : 'error',
  };
  const item = (name: string, code: string, message: string, more: Partial<OutcomeItem> = {}): OutcomeItem => ({
    ...{ name, code, status: 'failed', level: levels[code] ?? 'note', file: null, line: null, column: null },
    ...{ message, details: [], hint: null, accepted: null, ...more },
  });
  const examples = (list: readonly Example[]): readonly OutcomeItem[] =>
    list.map((one, index) => {
      const code = one.direction.replace('_', '-');
      return item(`${code} ${index + 1}: ${causeOf(one)}`, code, lineOf(one), {
        ...placeOf(one, where),
        details: [
          `because of ${causeOf(one)}; before: ${reasonOf(one.judged[0])}; now: ${reasonOf(one.judged[1])}`,
          `when ${circumstancesOf(one.case).join('; ')}`,
          ...exampleTest(one, index),
        ],
        hint: 'if that is meant, copy the test into policies/tests/; otherwise narrow the change',
      });
    });
  const unsettled = [
    ...(allowed.verdict === 'unknown'
      ? [item('newly allowed', 'not-settled', directionText(allowed, 'newly allowed'), TIME)]
      : []),
    ...(denied.verdict === 'unknown'
      ? [
          item('newly denied', 'not-settled', directionText(denied, 'newly denied'), {
            ...TIME,
            level: levels['newly-denied'] ?? 'note',
          }),
        ]
      : []),
  ];
  const other = beyondText(effect);
  const items = [
    ...examples(allowed.examples),
    ...examples(denied.examples),
    ...unsettled,
    ...(other === null
      ? []
      : [
          item(
            'other answer',
            'other-answer',
            beyond.example === null
              ? other
              : `${other}: ${whoOf(beyond.example.case)}, ${beyond.example.case.action} ${whatOf(beyond.example.case)}`,
          ),
        ]),
  ];
  return {
    tool: 'policy diff',
    subject: `${old.name} → ${now.name}`,
    revision: now.revision,
    items: items.length > 0 ? items : [item('decisions', 'equivalent', HEADLINES.equivalent, { status: 'passed' })],
    failsOn: 'error',
    codes: CODES,
    summary: `${effect.verdict}: ${HEADLINES[effect.verdict]}`,
    markdown: markdownOf(comparison),
  };
}

const TIME: Partial<OutcomeItem> = { hint: 'give the solver more time with `--timeout`' };

function placeOf({ cause }: Example, { folder, set }: Where): Pick<OutcomeItem, 'file' | 'line'> {
  const source =
    cause.kind === 'rule'
      ? set.rules.find(({ id }) => id === cause.id)?.source
      : set.walls.all.find(({ id }) => cause.kind === 'wall' && id === cause.id)?.source;
  if (folder === null || source === undefined) return { file: null, line: null };
  const colon = source.lastIndexOf(':');
  return { file: path.join(folder, source.slice(0, colon)), line: Number(source.slice(colon + 1)) };
}

const MOST_CHANGES = 40;

function markdownOf({ changes, effect }: Comparison): readonly string[] {
  const { newly_allowed: allowed, newly_denied: denied } = effect;
  const table = (title: string, examples: readonly Example[], sentence: string): readonly string[] => [
    `### ${title}`,
    '',
    markdownText(sentence),
    '',
    ...(examples.length === 0
      ? []
      : [
          '| Who | What | When | Before | Now | Because of |',
          '| --- | --- | --- | --- | --- | --- |',
          ...examples.map(row),
          '',
        ]),
  ];
  const told = changes.list.slice(0, MOST_CHANGES);
  const left =
    changes.counts.reduce((sum, { added, removed, changed }) => sum + added + removed + changed, 0) - told.length;
  const other = beyondText(effect);
  return [
    ...table('Newly allowed', allowed.examples, directionText(allowed, 'newly allowed')),
    ...table('Newly denied', denied.examples, directionText(denied, 'newly denied')),
    ...(other === null ? [] : [markdownText(other), '']),
    ...(told.length === 0 ? [] : ['### What changed', '']),
    ...told.map(({ kind, id, what, lines, decides }) => {
      const text = [...(decides ? [] : ['no effect on decisions']), ...lines].map(markdownText).join('<br>');
      return `- **${markdownText(`${kind} ${id}`)}** ${what}${text === '' ? '' : `<br>${text}`}`;
    }),
    ...(left > 0 ? [`- and ${left} more`] : []),
  ];
}

function row(example: Example): string {
  const { case: one, judged } = example;
  const cells = [
    whoOf(one),
    `${one.action} ${whatOf(one)}`,
    circumstancesOf(one).join('; '),
    reasonOf(judged[0]),
    reasonOf(judged[1]),
    causeOf(example),
  ];
  return `| ${cells.map(markdownText).join(' | ')} |`;
}
