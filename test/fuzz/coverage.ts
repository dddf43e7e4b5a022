// Tells whether running something reached code that nothing before it had reached, by V8's own coverage of blocks. It must never
// count code outside the files it is told to watch.
import { Session } from 'node:inspector/promises';

export interface Coverage {
  /** Characters of source reached for the first time since the last look; they count as reached from now on only if `keep` is true. */
  gained(keep: boolean): Promise<number>;
  /** Characters reached so far. */
  total(): number;
  close(): Promise<void>;
}

/** @param watched by the URL of a script */
export async function startCoverage(watched: RegExp): Promise<Coverage> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const reached = new Map<string, Uint8Array>();
  let total = 0;
  return {
    async gained(keep) {
      const { result } = await session.post('Profiler.takePreciseCoverage');
      let gain = 0;
      for (const { url, functions } of result) {
        if (!watched.test(url)) continue;
        for (const { ranges } of functions) gain += paint(reached, url, ranges, keep);
      }
      if (keep) total += gain;
      return gain;
    },
    total: () => total,
    async close() {
      await session.post('Profiler.stopPreciseCoverage');
      session.disconnect();
    },
  };
}

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

/** Ranges are nested, outer ones first: what an inner one says holds for its part. */
function paint(reached: Map<string, Uint8Array>, url: string, ranges: readonly Range[], keep: boolean): number {
  const [whole] = ranges;
  if (whole === undefined || whole.count === 0) return 0;
  let map = reached.get(url) ?? new Uint8Array(0);
  if (map.length < whole.endOffset) {
    const longer = new Uint8Array(whole.endOffset);
    longer.set(map);
    map = longer;
    reached.set(url, map);
  }
  const ran = new Uint8Array(whole.endOffset - whole.startOffset);
  for (const { startOffset, endOffset, count } of ranges) {
    ran.fill(count > 0 ? 1 : 0, startOffset - whole.startOffset, endOffset - whole.startOffset);
  }
  let gain = 0;
  for (const [index, flag] of ran.entries()) {
    const at = whole.startOffset + index;
    if (flag === 1 && map[at] === 0) {
      if (keep) map[at] = 1;
      gain += 1;
    }
  }
  return gain;
}
