// What a replay found, with everything that a report of it says. It must never print.
import type { Direction } from './judge.ts';
import type { Candidate } from './candidate.ts';
import type { Cause, Tally } from './tally.ts';
import { count } from '../../../src/cli/shell/text.ts';

export type FailOn = 'allow' | 'deny' | 'any' | 'never';
export const FAIL_ON = ['allow', 'deny', 'any', 'never'] as const;

export interface Replayed {
  readonly candidate: Pick<Candidate, 'name' | 'folder' | 'set'>;
  /** In words, such as `the database`. */
  readonly source: string;
  readonly data: 'candidate' | 'recorded';
  readonly tally: Tally;
  readonly seconds: number;
  readonly failOn: FailOn;
  /** Purged records are counted whoever they were about. */
  readonly isFiltered: boolean;
}

const FAILING: Readonly<Record<FailOn, readonly Direction[]>> = {
  allow: ['newly_allowed'],
  deny: ['newly_denied'],
  any: ['newly_allowed', 'newly_denied'],
  never: [],
};

export function failsOn(failOn: FailOn, direction: Direction): boolean {
  return FAILING[failOn].includes(direction);
}

/** A run that could judge nothing says nothing, which is no reason to merge. */
export function sawNothing({ tally, failOn }: Pick<Replayed, 'tally' | 'failOn'>): boolean {
  return failOn !== 'never' && tally.records > 0 && tally.notJudged === tally.records;
}

export function hasFailed(replayed: Pick<Replayed, 'tally' | 'failOn'>): boolean {
  const { tally, failOn } = replayed;
  return sawNothing(replayed) || FAILING[failOn].some((direction) => tally.flips[direction] > 0);
}

/** One line. */
export function headline({ tally, source }: Replayed): string {
  const { records, same, otherReasons, flips, notJudged } = tally;
  if (records === 0) return `no record of ${source} is in the range`;
  return (
    `${count(records, 'recorded request')} of ${source}: ${number(flips.newly_allowed)} newly allowed, ` +
    `${number(flips.newly_denied)} newly denied, ${number(same)} same` +
    `${otherReasons > 0 ? ` (${number(otherReasons)} for other reasons)` : ''}, ` +
    `${number(notJudged)} could not be judged (${share(notJudged, records)})`
  );
}

export function share(part: number, whole: number): string {
  if (part === 0 || whole === 0) return '0 %';
  const percent = (part * 100) / whole;
  return percent < 0.1 ? 'less than 0.1 %' : `${percent.toFixed(1)} %`;
}

export function number(value: number): string {
  return value.toLocaleString('en-US');
}

export const DIRECTIONS = ['newly_allowed', 'newly_denied'] as const satisfies readonly Direction[];
export const CAUSES = ['rules', 'unknown', 'data'] as const satisfies readonly Cause[];

export const BECAUSE: Readonly<Record<Cause, string>> = {
  rules: 'by rules, walls or words of firm.yaml',
  data: 'only because data on file has changed since the request',
  unknown: 'by rules, or by data that has changed since: the data of the time is not to be had',
};
