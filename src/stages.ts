// When a request passed which stage: the one thing that metrics and traces are made from, after the answer. It must never hold what
// was asked, by whom, or why it was answered so.
import type { Decision } from './model/decision.ts';
import type { ErrorCode } from './model/errors.ts';

/** Moments of performance.now(); 0: not reached. */
export interface Stages {
  arrived: number;
  authenticated: number;
  /** Facts and decision begin. */
  began: number;
  /** Decisions are made, their records on the way. */
  decided: number;
  committed: number;
  allowed: number;
  denied: number;
  problem: ErrorCode | null;
}

export function startStages(arrived: number): Stages {
  return {
    arrived,
    authenticated: 0,
    began: 0,
    decided: 0,
    committed: 0,
    allowed: 0,
    denied: 0,
    problem: null,
  };
}

export function passDecided(
  stages: Stages,
  answered: readonly { readonly decision: Pick<Decision, 'outcome'> }[],
): void {
  for (const { decision } of answered) {
    if (decision.outcome === 'allow') stages.allowed += 1;
    else stages.denied += 1;
  }
  stages.decided = performance.now();
}
