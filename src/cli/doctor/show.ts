// Shows what the checks found, to people and to programs. It must never show a secret, nor let what was found order a terminal about.
import type { Output } from '../shell/shell.ts';
import { count, printable, wrap } from '../shell/text.ts';
import type { Check, Verdict } from './check.ts';

export interface Group {
  readonly title: string;
  readonly checks: readonly Check[];
}

const WIDEST = 110;
const WORDS: Readonly<Record<Verdict, string>> = {
  ok: 'ok',
  warning: 'warning',
  failure: 'FAILURE',
  'could-not-check': 'not checked',
};
const COLOURS = { ok: 'green', warning: 'yellow', failure: 'red', 'could-not-check': 'cyan' } as const;
const LABEL = Math.max(...Object.values(WORDS).map((word) => word.length));

export function countOf(groups: readonly Group[], verdict: Verdict): number {
  return groups.flatMap(({ checks }) => checks).filter((check) => check.verdict === verdict).length;
}

export function showTable(out: Output, groups: readonly Group[]): void {
  const width = Math.min(out.columns, WIDEST);
  const names = Math.max(0, ...groups.flatMap(({ checks }) => checks.map(({ name }) => name.length)));
  const gap = ' '.repeat(2 + LABEL + 2 + names + 2);
  const room = Math.max(30, width - gap.length);
  for (const { title, checks } of groups) {
    out.line(out.paint('bold', title));
    for (const { name, looksAt, verdict, found, todo } of checks) {
      const [first = '', ...rest] = wrap(printable(found), room);
      const label = out.paint(COLOURS[verdict], WORDS[verdict].padEnd(LABEL));
      out.line(`  ${label}  ${name.padEnd(names)}  ${first}`.trimEnd());
      for (const line of rest) out.line(`${gap}${line}`);
      if (todo === null) continue;
      for (const line of wrap(`what to do: ${printable(todo)}`, room)) out.line(`${gap}${line}`);
      for (const line of wrap(`looked at: ${looksAt}`, room)) out.line(`${gap}${out.paint('dim', line)}`);
    }
    out.line();
  }
  out.line(summary(out, groups));
}

function summary(out: Output, groups: readonly Group[]): string {
  const failures = countOf(groups, 'failure');
  const unchecked = countOf(groups, 'could-not-check');
  const words = [
    count(failures, 'failure'),
    count(countOf(groups, 'warning'), 'warning'),
    ...(unchecked === 0 ? [] : [`${unchecked} not checked`]),
    `${countOf(groups, 'ok')} ok`,
  ].join(', ');
  return failures > 0 ? out.paint('red', words) : words;
}

export function jsonReport(groups: readonly Group[], passed: boolean): string {
  const report = {
    passed,
    failures: countOf(groups, 'failure'),
    warnings: countOf(groups, 'warning'),
    not_checked: countOf(groups, 'could-not-check'),
    ok: countOf(groups, 'ok'),
    checks: groups.flatMap(({ title, checks }) =>
      checks.map(({ name, looksAt, verdict, found, todo }) => ({
        group: title,
        name,
        looks_at: looksAt,
        verdict,
        found,
        todo,
      })),
    ),
  };
  return JSON.stringify(report, null, 2);
}
