// Whether the database refuses to write at present, and how long to wait before the next trial. It must never end by itself: a
// trial ends it.
import type { ReportEvent } from './events.ts';

export interface Trouble {
  /** SQLSTATE of what the database refuses to write for; null if nothing. */
  code(): string | null;
  pauseMs(): number;
  begin(code: string): void;
  end(): void;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

export function createTrouble(report: ReportEvent): Trouble {
  let current: string | null = null;
  let pauseMs = 0;

  return {
    code: () => current,
    pauseMs: () => pauseMs,
    begin: (code) => {
      if (current !== code) report({ level: 'error', code: 'database_refuses', detail: { cause: code } });
      pauseMs = current === null ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      current = code;
    },
    end: () => {
      if (current !== null) report({ level: 'info', code: 'database_accepts', detail: { cause: current } });
      current = null;
    },
  };
}
