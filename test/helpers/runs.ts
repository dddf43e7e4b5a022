// How many random cases a property test tries: few and always the same in CI, many and new ones in the long run.

export interface Runs {
  readonly numRuns: number;
  readonly seed?: number;
}

export function runs(short: number, long = short * 20): Runs {
  return process.env['PRIVITY_LONG'] === '1' ? { numRuns: long } : { numRuns: short, seed: 20_260_310 };
}
