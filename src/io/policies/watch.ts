// Notices that policies changed and asks for a load. It must never ask for a folder that is still being written, nor stop because one look failed.
import type { PolicySource } from './snapshot.ts';

export interface WatchOptions {
  readonly source: PolicySource;
  /** Never rejects. */
  readonly load: () => Promise<unknown>;
  /** Fingerprint of what the last load read. */
  readonly seen: () => string | null;
  /** Whether the last load failed for a reason that may pass, such as a database that is away. */
  readonly mayMendItself: () => boolean;
  /** Watches every file, for development; otherwise only what a deployment swaps. */
  readonly loose: boolean;
  readonly everyMs: number;
}

/** Looks that pass between tries after 1, 2, 3 … failures in a row. */
const PATIENCE = [1, 2, 4, 8, 16, 30];

/** Returns how to stop. */
export function watchSource({ source, load, seen, mayMendItself, loose, everyMs }: WatchOptions): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let previous: string | null = null;
  let whole: string | null = null;
  let tried: string | null = null;
  let failures = 0;
  let looksSinceTry = 0;

  const look = async (): Promise<void> => {
    // A folder that cannot be listed is news once; the load says what is wrong.
    const now = await fingerprint(loose);
    const settled = loose ? now === previous : await isWhole(now);
    previous = now;
    looksSinceTry++;
    const patience = PATIENCE[Math.min(failures, PATIENCE.length - 1)] ?? 1;
    const again = mayMendItself() && looksSinceTry >= patience;
    const news = now !== seen() && now !== tried;
    if (stopped || !settled || !(news || again)) return;
    looksSinceTry = 0;
    await load();
    // Only when nothing could be read does the load itself not know what it tried.
    tried = seen() === null ? now : null;
    failures = mayMendItself() ? failures + 1 : 0;
  };

  const fingerprint = (everyFile: boolean): Promise<string> =>
    source.fingerprint(everyFile).catch((error: unknown) => `unreadable: ${String(error)}`);

  /** What may still be filled has to look the same twice: half a folder can be a valid set that lacks a wall. */
  const isWhole = async (now: string): Promise<boolean> => {
    if (now === seen() || source.isWhole(seen(), now)) return true;
    const before = whole;
    whole = await fingerprint(true);
    return whole === before;
  };

  const next = (): void => {
    timer = setTimeout(() => {
      void look().finally(() => {
        if (!stopped) next();
      });
    }, everyMs);
    timer.unref();
  };
  next();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
