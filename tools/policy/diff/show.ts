// A comparison for people: the verdict, what changed in plain English, and whom it lets in or shuts out. It must never leave out an example.
import type { Output } from '../../../src/cli/shell/shell.ts';
import { count, printable } from '../../../src/cli/shell/text.ts';
import type { Changes } from './changes.ts';
import type { Effect, EffectVerdict, Example } from './effect.ts';
import {
  beyondText,
  causeOf,
  circumstancesOf,
  directionText,
  exampleTest,
  HEADLINES,
  lineOf,
  reasonOf,
  SYMBOLIC,
  touchedBy,
  whatOf,
  whoOf,
} from './words.ts';

export interface Comparison {
  readonly old: SideName;
  readonly now: SideName;
  readonly changes: Changes;
  readonly effect: Effect;
}

export interface SideName {
  readonly name: string;
  readonly revision: string;
  readonly commit: string | null;
}

const STYLES: Readonly<Record<EffectVerdict, 'green' | 'yellow' | 'red'>> = {
  equivalent: 'green',
  stricter: 'yellow',
  wider: 'red',
  incomparable: 'red',
  unknown: 'yellow',
};

export function showComparison(out: Output, { old, now, changes, effect }: Comparison): void {
  const line = (text = ''): void => out.line(printable(text));
  showChanges(out, changes);
  line();
  out.line(`${out.paint(STYLES[effect.verdict], effect.verdict.toUpperCase())}: ${HEADLINES[effect.verdict]}`);
  line(`  ${old.name} → ${now.name}`);
  for (const [text, result] of [
    ['newly allowed', effect.newly_allowed],
    ['newly denied', effect.newly_denied],
  ] as const)
    line(`  ${directionText(result, text)}`);
  const beyond = beyondText(effect);
  if (beyond !== null) line(`  ${beyond}`);
  for (const path of effect.apart)
    line(`  ${path} is of another type in each: both sides read the same raw value, each in its way`);
  out.line(out.paint('dim', `  ${SYMBOLIC}`));
  showExamples(out, 'Newly allowed', effect.newly_allowed.examples, effect);
  showExamples(out, 'Newly denied', effect.newly_denied.examples, effect);
  const { example } = effect.beyond;
  if (example === null) return;
  const [before, after] = example.judged;
  line();
  out.line(out.paint('bold', 'Other advice or obligations'));
  line(`  ${whoOf(example.case)} ${example.case.action} ${whatOf(example.case)}: ${reasonOf(after)}`);
  line(`    ${circumstancesOf(example.case).join('; ')}`);
  for (const member of ['advice', 'obligations'] as const)
    line(`    ${member}: ${before[member].join(', ') || 'none'} → ${after[member].join(', ') || 'none'}`);
}

function showChanges(out: Output, { list, counts, moved, rewritten }: Changes): void {
  if (list.length === 0) out.line('No rule, wall, word or entry of data was added, removed or changed.');
  for (const { kind, id, what, old_source: from, new_source: to, decides, lines } of list) {
    const place = to ?? from ?? '';
    const note = decides ? '' : out.paint('dim', ' (no effect on decisions)');
    out.line(`${out.paint('bold', printable(`${kind} ${id}`))} ${what}, ${printable(place)}${note}`);
    for (const text of lines) out.line(printable(`    ${text}`));
  }
  for (const { kind, added, removed, changed } of counts) {
    const told = list.filter((one) => one.kind === kind).length;
    if (told < added + removed + changed)
      out.line(
        `${kind}: ${count(added, 'added', 'added')}, ${removed} removed, ${changed} changed; the first ones are shown`,
      );
  }
  if (moved > 0) out.line(`${count(moved, 'entry', 'entries')} moved to another file, otherwise the same`);
  if (rewritten.length > 0) out.line(`only comments, order or layout differ in ${printable(rewritten.join(', '))}`);
}

function showExamples(out: Output, title: string, examples: readonly Example[], { changed }: Effect): void {
  if (examples.length === 0) return;
  out.line();
  out.line(out.paint('bold', title));
  for (const [index, example] of examples.entries()) {
    const [before, after] = example.judged;
    const touched = touchedBy(example, changed);
    out.line();
    out.line(printable(`  ${lineOf(example)}`));
    out.line(
      printable(`    because of ${causeOf(example)}${touched.length > 0 ? `; changed: ${touched.join(', ')}` : ''}`),
    );
    out.line(printable(`    before: ${reasonOf(before)}; now: ${reasonOf(after)}`));
    out.line(printable(`    when ${circumstancesOf(example.case).join('; ')}`));
    out.line('    As a test for policies/tests/:');
    out.line();
    for (const line of exampleTest(example, index)) out.line(printable(`  ${line}`));
  }
}
