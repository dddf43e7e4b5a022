// What the engine itself makes of a request under each of two sets. It must never rely on the terms by which the request was found.
import { decide } from '../../../src/core/decide.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { requestOfTest } from '../../../src/core/run-tests.ts';
import type { Case } from '../prove/violation.ts';
import type { Sets } from './shared-request.ts';
import type { Direction } from './world.ts';

export interface Judged {
  readonly outcome: 'allow' | 'deny';
  readonly decidedBy: readonly string[];
  /** Ids of the walls among what decided. */
  readonly walls: readonly string[];
  readonly advice: readonly string[];
  readonly obligations: readonly string[];
  /** Advice and obligations with all that firm.yaml says of them. */
  readonly beyond: string;
}

/** A token that is refused gets nothing. */
export function judged(set: PolicySet, one: Case): Judged {
  const made = requestOfTest(set, one);
  if ('refused' in made)
    return { outcome: 'deny', decidedBy: ['token-refused'], walls: [], advice: [], obligations: [], beyond: '' };
  const { outcome, decidedBy, walls, advice, obligations } = decide(set, made.request);
  const beyond = JSON.stringify([advice.map((code) => [code, set.firm.advice.get(code)]), obligations]);
  return { outcome, decidedBy, walls, advice, obligations: obligations.map(({ id }) => id), beyond };
}

export type Both = readonly [Judged, Judged];

export function judgedByBoth([old, now]: Sets, one: Case): Both {
  return [judged(old, one), judged(now, one)];
}

export function flips([old, now]: Both, direction: Direction): boolean {
  const wanted = direction === 'newly_allowed' ? 'allow' : 'deny';
  return now.outcome === wanted && old.outcome !== wanted;
}

/** The same decision with other advice, or with other obligations. */
export function differsBeyond([old, now]: Both): boolean {
  return old.outcome === now.outcome && old.beyond !== now.beyond;
}
