// Coverage-guided fuzzing: changes inputs at random, keeps those that reach code nothing before them had reached, and writes every one
// that breaks a promise into the corpus, where it is tried first from then on. It must never forget an input that broke something.
import { createHash, randomInt } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { createRandom, type Random } from '../service/random.ts';
import { startCoverage } from './coverage.ts';
import { createMutator } from './mutate.ts';
import { mutateValue } from './structure.ts';

export interface Target {
  /** Folder of its corpus. */
  readonly name: string;
  /** URLs of the scripts whose coverage guides. */
  readonly watched: RegExp;
  /** Of what stands below the first line, or below the second; default JSON. */
  readonly parse?: (text: string) => unknown;
  /** Throws when a promise is broken. */
  readonly run: (input: Buffer) => Promise<void> | void;
}

export interface Effort {
  /** In CI, always the same. */
  readonly executions: number;
  /** In the long run. */
  readonly minutes: number;
}

const CORPUS = fileURLToPath(new URL('corpus', import.meta.url));
const IS_LONG = process.env['PRIVITY_LONG'] === '1';
const SEED = 20_260_310;
/** Looking at coverage costs more than most inputs do. */
const BATCH = 25;
const MOST_BREACHES = 10;
const LONGEST_KEPT = 4_096;

export async function fuzz(t: Test, target: Target, { executions, minutes }: Effort): Promise<void> {
  const folder = path.join(CORPUS, target.name);
  const seed = IS_LONG ? randomInt(2 ** 31) : SEED;
  const random = createRandom(seed);
  const mutator = createMutator(random);
  const inputs: Buffer[] = [];
  let breaches = 0;

  const broke = async (input: Buffer): Promise<string | null> => {
    try {
      await target.run(input);
      return null;
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  };

  await t.test('the corpus', async (t) => {
    for (const name of readdirSync(folder).toSorted()) {
      const input = readFileSync(path.join(folder, name));
      t.equal(await broke(input), null, name);
      inputs.push(input);
    }
  });

  const coverage = await startCoverage(target.watched);
  t.teardown(() => coverage.close());
  for (const input of inputs) await broke(input);
  await coverage.gained(true);

  const until = performance.now() + minutes * 60_000;
  let executed = 0;
  let kept = 0;
  while ((IS_LONG ? performance.now() < until : executed < executions) && breaches < MOST_BREACHES) {
    const batch = Array.from({ length: BATCH }, () => {
      const [input, other] = [random.pick(inputs), random.pick(inputs)];
      const structured = random.below(3) > 0 ? restructured(input, other, target.parse ?? JSON.parse, random) : null;
      return structured ?? mutator.mutate(input, [other]);
    });
    for (const input of batch) {
      const problem = await broke(input);
      executed += 1;
      if (problem === null) continue;
      breaches += 1;
      t.fail(`${keep(folder, 'breach', input)}: ${problem}`);
    }
    if ((await coverage.gained(false)) === 0) continue;
    for (const input of batch) {
      await broke(input);
      if ((await coverage.gained(true)) === 0) continue;
      inputs.push(input);
      kept += 1;
      if (IS_LONG && input.length <= LONGEST_KEPT) keep(folder, 'found', input);
    }
  }
  t.comment(`seed ${seed}: ${executed} inputs, ${kept} kept, ${coverage.total()} characters of source reached`);
  t.ok(executed > 0 && coverage.total() > 0, 'the watched code was reached');
}

/** Null when there is no structure in the input. */
function restructured(input: Buffer, other: Buffer, parse: (text: string) => unknown, random: Random): Buffer | null {
  const read = (from: Buffer, lines: number): { readonly start: number; readonly value: unknown } | null => {
    let start = 0;
    for (let line = 0; line < lines; line++) start = from.indexOf('\n', start) + 1;
    try {
      const value = parse(from.toString('utf8', start));
      return typeof value === 'object' && value !== null ? { start, value } : null;
    } catch {
      return null;
    }
  };
  const lines = 1 + random.below(2);
  const found = read(input, lines) ?? read(input, 3 - lines);
  if (found === null) return null;
  const lent = read(other, 1) ?? read(other, 2);
  const value = mutateValue(found.value, lent?.value ?? found.value, random);
  return Buffer.concat([input.subarray(0, found.start), Buffer.from(JSON.stringify(value) ?? 'null')]);
}

function keep(folder: string, kind: string, input: Buffer): string {
  const name = `${kind}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, name), input);
  return name;
}
