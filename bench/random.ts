// The benchmark's dice: the same seed always gives the same firm and the same requests. It must never be used for anything secret.

export interface Dice {
  /** From 0 inclusive to 1 exclusive. */
  next(): number;
  /** A whole number below `limit`. */
  below(limit: number): number;
  pick<T>(list: readonly T[]): T;
  /** Different ones, in random order. */
  some<T>(list: readonly T[], count: number): T[];
  shuffle<T>(list: readonly T[]): T[];
  chance(probability: number): boolean;
  /** One of the names, as often as its weight says. */
  weighted<N extends string>(weights: Readonly<Record<N, number>>): N;
}

/** Mulberry32. */
export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const pick = <T>(list: readonly T[]): T => {
    const found = list[below(list.length)];
    if (found === undefined) throw new RangeError('nothing to pick from');
    return found;
  };
  const shuffle = <T>(list: readonly T[]): T[] => {
    const copy = [...list];
    for (let last = copy.length - 1; last > 0; last--) {
      const other = below(last + 1);
      const [a, b] = [copy[last], copy[other]];
      if (a === undefined || b === undefined) continue;
      copy[last] = b;
      copy[other] = a;
    }
    return copy;
  };
  return {
    next,
    below,
    pick,
    shuffle,
    some: (list, count) => {
      const chosen = new Set<(typeof list)[number]>();
      while (chosen.size < Math.min(count, list.length)) chosen.add(pick(list));
      return [...chosen];
    },
    chance: (probability) => next() < probability,
    weighted: <N extends string>(weights: Readonly<Record<N, number>>): N => {
      const entries = Object.entries(weights) as [N, number][];
      let rest = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [name, weight] of entries) {
        rest -= weight;
        if (rest < 0) return name;
      }
      return pick(entries)[0];
    },
  };
}
