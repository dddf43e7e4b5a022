// Coverage for people, a table and a list of what no case shows, and as JSON. It must never leave out an open part.
import path from 'node:path';
import type { Output } from '../../../src/cli/shell/shell.ts';
import { count, printable, table } from '../../../src/cli/shell/text.ts';
import { KINDS, openOf, percentOf, totalOf, type Item, type Kind } from './coverage.ts';
import { percentText, type Threshold } from './threshold.ts';

export interface Coverage {
  readonly items: readonly Item[];
  /** As the user named it. */
  readonly folder: string;
  readonly thresholds: readonly Threshold[];
}

export function showCoverage(out: Output, coverage: Coverage): void {
  const { items } = coverage;
  const rows = [...Map.groupBy(items, ({ place }) => place.file.path)].map(([file, own]) => [
    path.join(coverage.folder, file),
    ...KINDS.map((kind) => cellOf(own, kind)),
  ]);
  const last = ['in all', ...KINDS.map((kind) => percentText(percentOf(totalOf(ofKind(items, kind)))))];
  out.line();
  for (const line of table([['exercised of what can be', ...KINDS], ...rows, last])) out.line(line);
  const open = openOf(items);
  if (open.length > 0) {
    out.line();
    out.line(out.paint('bold', 'no test case shows'));
    for (const item of open) out.line(`  ${placeOf(coverage, item)}  ${printable(wordsOf(item))}`);
  }
  const never = totalOf(items).unreachable;
  if (never > 0) {
    out.line();
    out.line(`${count(never, 'truth')} can never come about and ${never === 1 ? 'is' : 'are'} not counted:`);
    for (const [why, list] of Map.groupBy(openOf(items, 'unreachable'), (one) => one.why ?? ''))
      out.line(out.paint('dim', `  ${list.length} × ${why}`));
  }
  for (const { name, percent, reached } of missedOf(coverage))
    out.line(out.paint('red', `${name}: ${percentText(reached)} of the ${percent} % that \`--threshold\` asks for`));
}

function cellOf(items: readonly Item[], kind: Kind): string {
  const { exercised, open } = totalOf(ofKind(items, kind));
  return exercised + open === 0 ? '' : `${exercised}/${exercised + open}`;
}

function ofKind(items: readonly Item[], kind: Kind): readonly Item[] {
  return items.filter((item) => item.kind === kind);
}

/** `team-lawyers is never unknown`, `the part "on the team" of team-lawyers is never false`. */
export function wordsOf({ kind, of, text, what }: Item & { readonly what: string }): string {
  const quoted = text.length > 90 ? `${text.slice(0, 89)}…` : text;
  if (kind === 'walls') return what === 'shown' ? `${of}: ${text}` : `${of} never ${what}`;
  if (kind === 'rules') return `${of} never ${what}`;
  return kind === 'branches' ? `${of}, ${text}, never ${what}` : `${of}: "${quoted}" never ${what}`;
}

export function placeOf({ folder }: Pick<Coverage, 'folder'>, { place }: Pick<Item, 'place'>): string {
  return `${path.join(folder, place.file.path)}:${place.file.locate(place.path).line}`;
}

/** Thresholds that are not reached; what has nothing to show reaches each. */
export function missedOf({ items, thresholds }: Coverage): readonly (Threshold & { readonly reached: number })[] {
  return thresholds.flatMap(({ name, percent }) => {
    const reached = percentOf(totalOf(items.filter(({ kind }) => kind === name)));
    return reached === null || reached >= percent ? [] : [{ name, percent, reached }];
  });
}

export function coverageAsJson(coverage: Coverage): Record<string, unknown> {
  const { items, thresholds } = coverage;
  return {
    totals: Object.fromEntries(
      KINDS.map((kind) => {
        const total = totalOf(ofKind(items, kind));
        return [kind, { ...total, percent: percentOf(total) }];
      }),
    ),
    thresholds: Object.fromEntries(thresholds.map(({ name, percent }) => [name, percent])),
    missed: missedOf(coverage).map(({ name }) => name),
    parts: items.map((item) => {
      const { line, column } = item.place.file.locate(item.place.path);
      const { kind, of, text, wanted } = item;
      return { kind, of, text, file: path.join(coverage.folder, item.place.file.path), line, column, wanted };
    }),
  };
}
