// Says where a page may end that was given up for its work before it was full. It must never tell where a row is that the reader may not
// see: it ends at a full second, minute, hour or day, never at a record.
import type { Order } from '../../model/search.ts';
import { uuidv7Floor } from '../record/uuid.ts';

export interface ResumePoint {
  /** The position of a cursor. */
  readonly position: string;
  /** Rows on the near side of it, which the page may hold, have such times. */
  isBefore(ms: number): boolean;
}

const UNITS = [86_400_000, 3_600_000, 60_000, 1_000];

/**
 * The coarsest mark that leaves at least half of the work done; null where all rows are of one second: then it has to go on.
 * @param times of the rows that were looked at, in their order, milliseconds since 1970
 */
export function resumePoint(times: readonly number[], order: Order): ResumePoint | null {
  const last = times.at(-1);
  if (last === undefined) return null;
  const isNewest = order === 'newest';
  for (const unit of UNITS) {
    const mark = (isNewest ? Math.ceil(last / unit) : Math.floor(last / unit)) * unit;
    const isBefore = (ms: number): boolean => (isNewest ? ms >= mark : ms < mark);
    const kept = times.reduce((count, ms) => count + Number(isBefore(ms)), 0);
    const isFinest = unit === UNITS.at(-1);
    if (kept * 2 >= times.length || (isFinest && kept > 0)) return { position: uuidv7Floor(mark), isBefore };
  }
  return null;
}

/** The milliseconds of any UUID's first 48 bits: also of ids that were tampered with. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
