// What counts as failed in an outcome, the same in every report that is made of it. It must never let something unreadable pass.
import path from 'node:path';
import type { Level, Outcome, OutcomeItem } from './outcome.ts';

const WEIGHT: Readonly<Record<Level, number>> = { error: 2, warning: 1, note: 0 };

/** Found and not accepted, however little it weighs. */
export function isFound({ status, accepted }: OutcomeItem): boolean {
  return (status === 'failed' || status === 'unreadable') && accepted === null;
}

/** Found, and heavy enough to fail the run. */
export function fails(item: OutcomeItem, { failsOn = 'warning' }: Pick<Outcome, 'failsOn'>): boolean {
  return isFound(item) && (item.status === 'unreadable' || WEIGHT[item.level] >= WEIGHT[failsOn]);
}

/** The heaviest first; otherwise as they were found. */
export function byLevel(items: readonly OutcomeItem[]): readonly OutcomeItem[] {
  return items.toSorted((a, b) => WEIGHT[b.level] - WEIGHT[a.level]);
}

/** Message, details and hint: what a person needs to read, line by line. */
export function wordsOf({ message, details, hint }: OutcomeItem): readonly string[] {
  return [message, ...details, ...(hint === null ? [] : [hint])];
}

/** `policies/rules/copies.yaml:12:5` */
export function placeOf({ file, line, column }: OutcomeItem): string {
  if (file === null) return '';
  return [file, line, line === null ? null : column].filter((part) => part !== null).join(':');
}

/** With forward slashes, from `base`; null: it is not below it. */
export function below(base: string, folder: string, file: string): string | null {
  const relative = path.relative(base, path.resolve(folder, file));
  const isOutside = relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
  return isOutside ? null : relative.split(path.sep).join('/');
}
