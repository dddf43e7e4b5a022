// An outcome as TAP 14 (https://testanything.org/tap-version-14-specification.html). It must never let text of a file end a line.
import { printable } from '../shell/text.ts';
import { fails, isFound, placeOf } from './judge.ts';
import type { Outcome, OutcomeItem } from './outcome.ts';

export function tapText(outcome: Outcome): string {
  const { items } = outcome;
  const plan = items.length === 0 ? '1..0 # SKIP there is nothing to report' : `1..${items.length}`;
  return ['TAP version 14', plan, ...items.flatMap((item, index) => point(item, index + 1, outcome))].join('\n');
}

function point(item: OutcomeItem, number: number, outcome: Outcome): string[] {
  const { name, status, message } = item;
  const verdict = fails(item, outcome) ? 'not ok' : 'ok';
  const directive = status === 'skipped' ? ` # SKIP ${described(message)}` : '';
  return [`${verdict} ${number} - ${described(name)}${directive}`, ...diagnostics(item)];
}

function described(text: string): string {
  return printable(text.replaceAll(/\s+/g, ' ').replaceAll(/[\\#]/g, '\\$&'));
}

function diagnostics(item: OutcomeItem): string[] {
  const { status, code, level, message, details, hint, accepted } = item;
  if (status === 'passed' || status === 'skipped') return [];
  const members = {
    at: placeOf(item),
    code,
    ...(isFound(item) ? { severity: level } : {}),
    message,
    ...(details.length > 0 ? { details } : {}),
    ...(hint === null ? {} : { hint }),
    ...(accepted === null ? {} : { accepted }),
  };
  return ['  ---', ...Object.entries(members).map(([name, value]) => `  ${name}: ${yaml(value)}`), '  ...'];
}

/** JSON is YAML but for characters that YAML holds only when they are escaped. */
function yaml(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
