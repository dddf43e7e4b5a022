// In charge of there always being a partition for the records of the months to come. It must never detach or drop one.
import type { Queryable } from './database.ts';

/** Months beyond the current one that always have their partition. */
export const MONTHS_AHEAD = 3;

const CHECK_EVERY_MS = 6 * 60 * 60 * 1000;

/** Makes the missing partitions from the month of `from` to `monthsAhead` months later; returns the names of new ones. */
export async function ensurePartitions(db: Queryable, from: Date, monthsAhead = MONTHS_AHEAD): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>('select * from public.ensure_partitions($1, $2) as name', [
    from,
    monthsAhead,
  ]);
  return rows.map((row) => row.name);
}

/**
 * Makes the partitions that records of now and of the next months need. Starts a day early: at the turn of a month an id
 * may still carry the month before.
 */
export async function ensureCurrentPartitions(db: Queryable, now: Date): Promise<string[]> {
  return ensurePartitions(db, new Date(now.getTime() - 24 * 60 * 60 * 1000), MONTHS_AHEAD + 1);
}

export interface PartitionKeeper {
  /** Why the last attempt failed, for readiness; null when all is well. */
  problem(): Error | null;
  close(): void;
}

/** Looks after the partitions for as long as the service runs. The caller has made the current ones before. */
export function keepPartitions(deps: { readonly db: Queryable; readonly now: () => Date }): PartitionKeeper {
  let problem: Error | null = null;
  const check = async (): Promise<void> => {
    try {
      await ensureCurrentPartitions(deps.db, deps.now());
      problem = null;
    } catch (error) {
      problem = error instanceof Error ? error : new Error(String(error));
    }
  };
  const timer = setInterval(() => void check(), CHECK_EVERY_MS);
  timer.unref();
  return { problem: () => problem, close: () => clearInterval(timer) };
}
