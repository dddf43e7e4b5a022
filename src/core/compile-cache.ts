// Remembers what files that have not changed were compiled to, so that a change of one file redoes only what it touches. It must never keep what had errors.
import type { Diagnostic, SourceFile } from '../model/diagnostic.ts';
import type { DataPart, PieceMemory } from './data.ts';
import type { ReviewMemory } from './findings.ts';
import type { Firm } from './firm.ts';
import { createMergeMemory, type MergeMemory } from './merge-data.ts';
import type { LoadedTest } from './policy-set.ts';
import { createReport, type Report } from './report.ts';
import type { Rule } from './rules.ts';
import type { Wall } from './walls.ts';

/** Parsed files are kept by content, so an unchanged file is the same object in the next compilation. */
export interface CompileCache {
  readonly firm: Memory<Firm | null>;
  readonly rules: Memory<readonly Rule[]>;
  readonly walls: Memory<readonly Wall[]>;
  readonly data: Memory<DataPart | null>;
  readonly tests: Memory<readonly LoadedTest[]>;
  /** Of long lists the blocks that have not changed. */
  readonly pieces: PieceMemory;
  readonly merged: MergeMemory;
  readonly dataReview: ReviewMemory;
  /** What the rules were found to be when they were last looked at together. */
  review: RulesReview | null;
}

interface RulesReview {
  readonly firm: Firm;
  readonly rules: readonly Rule[];
  readonly findings: readonly Diagnostic[];
}

interface Remembered<T> {
  /** The firm whose words the file was compiled with; null for firm.yaml itself. */
  readonly firm: Firm | null;
  readonly value: T;
  readonly findings: readonly Diagnostic[];
}

type Memory<T> = WeakMap<SourceFile, Remembered<T>>;

export function createCompileCache(): CompileCache {
  return {
    firm: new WeakMap(),
    rules: new WeakMap(),
    walls: new WeakMap(),
    data: new WeakMap(),
    tests: new WeakMap(),
    pieces: new WeakMap(),
    merged: createMergeMemory(),
    dataReview: { last: null },
    review: null,
  };
}

/** What the file was compiled to with the same firm, or what `compile` makes of it now. */
export function* remember<T>(
  memory: Memory<T>,
  file: SourceFile,
  firm: Firm | null,
  report: Report,
  compile: (own: Report) => Generator<void, T>,
): Generator<void, T> {
  const known = memory.get(file);
  if (known !== undefined && known.firm === firm) {
    report.add(known.findings);
    return known.value;
  }
  const own = createReport();
  const value = yield* compile(own);
  const findings = own.diagnostics;
  report.add(findings);
  if (findings.every(({ severity }) => severity === 'finding')) memory.set(file, { firm, value, findings });
  return value;
}

/** Rules are looked at together, so the review is done anew when any of them or the firm's words have changed. */
export function* rememberReview(
  cache: CompileCache,
  firm: Firm,
  rules: readonly Rule[],
  report: Report,
  review: (own: Report) => Generator<void>,
): Generator<void> {
  const last = cache.review;
  const isSame =
    last?.firm === firm &&
    last.rules.length === rules.length &&
    last.rules.every((rule, index) => rule === rules[index]);
  if (!isSame) {
    const own = createReport();
    yield* review(own);
    cache.review = { firm, rules, findings: own.diagnostics };
  }
  report.add(cache.review?.findings ?? []);
}
