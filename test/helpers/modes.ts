// The two promises a service can make about records that Postgres does not take (AUDIT_ON_FAILURE), for tests that hold it to both. It
// must never decide what a promise means: each test says that itself.
import type { RecorderLimits } from '../../src/io/log/recorder.ts';
import { scratch } from './launch.ts';
import type { TearsDown } from './postgres.ts';

export type Mode = 'deny' | 'spool';

const ALL: readonly Mode[] = ['deny', 'spool'];
/** Sooner than for an operator, so that the journal is reached for often; longer than a commit takes on a busy machine. */
const SPOOL_AFTER_MS = 500;
/** Nobody is to be sent away, however slow the machine is. */
const SPOOL_DEADLINE_MS = 30_000;

/** Both in the long run, or where PRIVITY_MODES=all; in CI the most telling tests run in both, the others in `deny`. */
export function modes(isTelling = false): readonly Mode[] {
  const isAll = process.env['PRIVITY_LONG'] === '1' || process.env['PRIVITY_MODES'] === 'all';
  return isTelling || isAll ? ALL : ['deny'];
}

/** Settings of one process: in spool mode it has a journal of its own, gone when `t` ends. */
export async function settingsFor(t: TearsDown, mode: Mode): Promise<Readonly<Record<string, string>>> {
  return mode === 'deny' ? {} : { AUDIT_ON_FAILURE: 'spool', SPOOL_DIR: await scratch(t) };
}

export function limitsFor(mode: Mode, limits: Partial<RecorderLimits>): Partial<RecorderLimits> {
  if (mode === 'deny') return limits;
  return {
    ...limits,
    spoolAfterMs: SPOOL_AFTER_MS,
    deadlineMs: Math.max(limits.deadlineMs ?? 0, SPOOL_DEADLINE_MS),
  };
}
