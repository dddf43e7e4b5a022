// An outcome as JUnit XML, in the dialect that CI systems read. It must never give out text of a file as markup.
import { fails, isFound, placeOf, wordsOf } from './judge.ts';
import type { Outcome, OutcomeItem } from './outcome.ts';

export function junitText(outcome: Outcome): string {
  const { items, subject, tool } = outcome;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${attribute(`privity ${tool}`)}" ${counts(items, outcome)}>`,
  ];
  for (const [suite, of] of Map.groupBy(items, ({ file }) => file ?? subject)) {
    lines.push(`  <testsuite name="${attribute(suite)}" ${counts(of, outcome)} skipped="${skipped(of)}">`);
    for (const item of of) lines.push(...testCase(item, suite, outcome));
    lines.push('  </testsuite>');
  }
  return [...lines, '</testsuites>'].join('\n');
}

/** Failures were judged and are wrong; errors could not be judged. */
function counts(items: readonly OutcomeItem[], outcome: Outcome): string {
  const failing = items.filter((item) => fails(item, outcome));
  const errors = failing.filter(({ status }) => status === 'unreadable').length;
  return `tests="${items.length}" failures="${failing.length - errors}" errors="${errors}"`;
}

function skipped(items: readonly OutcomeItem[]): number {
  return items.filter(({ status }) => status === 'skipped').length;
}

function testCase(item: OutcomeItem, suite: string, outcome: Outcome): string[] {
  const { name, file, line } = item;
  const place = `${file === null ? '' : ` file="${attribute(file)}"`}${line === null ? '' : ` line="${line}"`}`;
  const open = `    <testcase classname="${attribute(suite)}" name="${attribute(name)}"${place}`;
  const inside = result(item, outcome);
  return inside === null ? [`${open}/>`] : [`${open}>`, `      ${inside}`, '    </testcase>'];
}

function result(item: OutcomeItem, outcome: Outcome): string | null {
  const { status, level, message, accepted } = item;
  const [, ...more] = wordsOf(item);
  if (status === 'skipped') return `<skipped message="${attribute(message)}"/>`;
  if (fails(item, outcome)) {
    const kind = status === 'unreadable' ? 'error' : 'failure';
    return `<${kind} message="${attribute(message)}">${text(more.join('\n'))}</${kind}>`;
  }
  if (accepted !== null && status !== 'passed')
    return `<system-out>${text(`${placeOf(item)}: ${message}\naccepted: ${accepted}`)}</system-out>`;
  if (isFound(item)) return `<system-out>${text([`${level}: ${message}`, ...more].join('\n'))}</system-out>`;
  return null;
}

/** Line ends in attributes would be read as spaces. */
function attribute(value: string): string {
  return text(value).replaceAll(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** What XML 1.0 cannot hold (section 2.2) is shown as a replacement character. */
function text(value: string): string {
  return value
    .toWellFormed()
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
}
