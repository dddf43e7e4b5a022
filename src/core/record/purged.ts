// What a purge record says is gone, by place, for commitments know nothing else of a record. It must never read more into a record
// than it states in full.

/** Sequence numbers of one writer, both ends included. */
export interface PurgedRange {
  readonly writer: string;
  readonly from: number;
  readonly to: number;
}

/** The places in the member `purged`: `{ "<writer>": [[from, to], …] }`. Null where it is anything else. */
export function purgedPlaces(record: Readonly<Record<string, unknown>>): readonly PurgedRange[] | null {
  const { purged } = record;
  if (typeof purged !== 'object' || purged === null || Array.isArray(purged)) return null;
  const ranges: PurgedRange[] = [];
  for (const [writer, list] of Object.entries(purged)) {
    if (!Array.isArray(list)) return null;
    for (const range of list as readonly unknown[]) {
      if (!Array.isArray(range) || range.length !== 2) return null;
      const [from, to] = range as readonly unknown[];
      if (!isPlace(from) || !isPlace(to) || from > to) return null;
      ranges.push({ writer, from, to });
    }
  }
  return ranges;
}

/** Looks places up in many ranges. */
export function createPurgedIndex(ranges: readonly PurgedRange[]): {
  has(writer: string, seq: number): boolean;
} {
  const byWriter = Map.groupBy(
    ranges.toSorted((a, b) => a.from - b.from),
    ({ writer }) => writer,
  );
  // Ranges of different purges may overlap: each ends no earlier than the one before.
  const reach = new Map(
    [...byWriter].map(([writer, own]) => {
      let furthest = -1;
      return [writer, own.map(({ to }) => (furthest = Math.max(furthest, to)))] as const;
    }),
  );
  return {
    has(writer, seq) {
      const own = byWriter.get(writer);
      if (own === undefined) return false;
      let [low, high] = [0, own.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((own[middle]?.from ?? 0) <= seq) low = middle + 1;
        else high = middle;
      }
      return (reach.get(writer)?.[low - 1] ?? -1) >= seq;
    },
  };
}

function isPlace(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
