// In charge of having a session: one at a time, opened again with growing pauses. It must never forget a backend that may still be
// committing a batch of ours.
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { ReportEvent } from './events.ts';
import { judgeFailure } from './failure.ts';
import { type Backend, openSession, type Session } from './session.ts';

export interface Link {
  /** Null while there is none. */
  session(): Session | null;
  /** One attempt, after a pause if the last one failed; false if it failed. */
  connect(signal: AbortSignal): Promise<boolean>;
  /** The session has done some work: should it be lost, another one is opened without a pause. */
  prove(): void;
  /** Gives the session up. `mayCommit`: a statement was on its way whose fate is unknown. */
  drop(mayCommit: boolean, code: string): void;
  end(): Promise<void>;
  /** Since when there is no session, on the monotonic clock; null if there is one. */
  downSince(): number | null;
  /** Why the last attempt failed: SQLSTATE or a word. */
  downCode(): string | null;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

export function createLink(connect: () => Promise<pg.Client>, report: ReportEvent): Link {
  let session: Session | null = null;
  let ghosts: readonly Backend[] = [];
  let downSince: number | null = performance.now();
  let downCode: string | null = null;
  let failure: string | null = null;
  let pauseMs = 0;
  let isProven = true;

  function current(): Session | null {
    if (session?.isLost() === true) drop(false, 'connection_lost');
    return session;
  }

  function drop(mayCommit: boolean, code: string): void {
    if (session === null) return;
    if (mayCommit) ghosts = [...ghosts, session.backend];
    session.abandon();
    session = null;
    downSince = performance.now();
    downCode = code;
    growPause();
    report({ level: 'warn', code: 'connection_lost', detail: { cause: code } });
  }

  function growPause(): void {
    pauseMs = isProven ? 0 : Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, pauseMs * 2));
    isProven = false;
  }

  function fail(code: string): false {
    if (code !== failure) report({ level: 'error', code: 'cannot_connect', detail: { cause: code } });
    failure = code;
    downCode = code;
    growPause();
    return false;
  }

  return {
    session: current,
    connect: async (signal) => {
      // Spread out, for all instances lose a database at the same moment.
      await sleep(pauseMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return false;
      try {
        const opened = await openSession(connect, ghosts);
        if ('refused' in opened) return fail(opened.refused);
        session = opened;
        ghosts = opened.ghosts;
        [downSince, downCode, failure] = [null, null, null];
        report({ level: 'info', code: 'connected', detail: {} });
        return true;
      } catch (error) {
        const { code, fate } = judgeFailure(error);
        return fail(fate === 'unknown' && code === 'connection_lost' ? 'unreachable' : code);
      }
    },
    prove: () => void (isProven = true),
    drop,
    end: async () => {
      await session?.end();
      session = null;
    },
    downSince: () => downSince,
    downCode: () => downCode,
  };
}
