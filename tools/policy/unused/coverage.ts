// Tells from which instant on the log is whole, as far as places tell: where a record is not there, nothing can be called unused. It must never
// judge whether the records that are there are genuine: that is for `privity audit verify`.
import { formatTimestamp } from '../../../src/core/time.ts';
import type { Island, Purged } from '../../../src/io/reports/read-use.ts';

export interface Limit {
  /** Nothing earlier can be judged. */
  readonly until: number;
  /** One sentence. */
  readonly why: string;
}

export interface Coverage {
  add(islands: readonly Island[]): void;
  writers(): readonly string[];
  /** Later than the beginning of the window, latest first. */
  limits(about: CoverageFacts): readonly Limit[];
}

export interface CoverageFacts {
  readonly from: number;
  readonly now: number;
  /** Of the oldest record there is. */
  readonly begins: number | null;
  /** Of the newest one in the window. */
  readonly last: number | null;
  readonly purges: readonly Purged[];
  /** The last place of each writer that was committed before reading began. */
  readonly committed: ReadonlyMap<string, number>;
}

/** Memory goes with the number of gaps, not of records. */
export function createCoverage(): Coverage {
  const byWriter = new Map<string, Island[]>();

  /** Ids are nearly in the order of places: what one piece lacks the next may bring. */
  function join(islands: readonly Island[]): Island[] {
    const joined: Island[] = [];
    for (const island of islands.toSorted((a, b) => a.from - b.from)) {
      const last = joined.at(-1);
      if (last === undefined || island.from > last.to + 1) joined.push(island);
      else if (island.to > last.to) joined[joined.length - 1] = { ...last, to: island.to, ends: island.ends };
    }
    return joined;
  }

  return {
    add(islands) {
      for (const [writer, own] of Map.groupBy(islands, (one) => one.writer)) {
        byWriter.set(writer, join([...(byWriter.get(writer) ?? []), ...own]));
      }
    },
    writers: () => [...byWriter.keys()],
    limits({ from, now, begins, last, purges, committed }) {
      const limits: Limit[] = [];
      if (begins === null) limits.push({ until: now, why: 'the log holds no record' });
      else if (last === null)
        limits.push({ until: now, why: `the log holds no record since ${formatTimestamp(from)}` });
      else if (begins > from) limits.push({ until: begins, why: `the log begins at ${formatTimestamp(begins)}` });
      for (const { id, scope, until } of purges) {
        const why = `payloads of records up to ${formatTimestamp(until)} were removed (${scope}, purge record ${id})`;
        limits.push({ until, why });
      }
      for (const [writer, islands] of byWriter) {
        const gap = islands.at(-1);
        if (gap !== undefined && islands.length > 1) {
          const before = islands.at(-2)?.to ?? 0;
          const why = `records ${before + 1} to ${gap.from - 1} of the writer ${writer} are not there`;
          limits.push({ until: gap.begins, why });
        }
        const end = committed.get(writer);
        if (gap !== undefined && end !== undefined && end > gap.to) {
          limits.push({ until: now, why: `records ${gap.to + 1} to ${end} of the writer ${writer} are not there` });
        }
      }
      return limits.filter(({ until }) => until > from).sort((a, b) => b.until - a.until);
    },
  };
}
