// Finds the cases of test files and runs them, each for itself. It must never let a case that nobody can read hide the others.
import { decide } from '../../core/decide.ts';
import type { PolicySet } from '../../core/policy-set.ts';
import { requestOfTest, runTestCase, type TestResult } from '../../core/run-tests.ts';
import { checkEntries, checkFile } from '../../core/schema-check.ts';
import type { RuleResult } from '../../model/decision.ts';
import type { Diagnostic, SourceFile } from '../../model/diagnostic.ts';
import { TestCase, TestsFile } from '../../model/rules.ts';

export interface FoundCase {
  readonly id: string;
  readonly file: string;
  readonly line: number;
  /** Null when it does not have the shape of a test case. */
  readonly test: TestCase | null;
  readonly mistakes: readonly Diagnostic[];
}

export interface FoundCases {
  readonly cases: readonly FoundCase[];
  /** What keeps whole files from being read. */
  readonly mistakes: readonly Diagnostic[];
}

export interface CaseOutcome extends FoundCase {
  readonly status: 'passed' | 'failed' | 'unreadable';
  readonly result: TestResult | null;
  /** Of a case that failed: the rules and walls that were true or unknown. */
  readonly reasons: readonly RuleResult[];
}

export function findCases(files: readonly SourceFile[]): FoundCases {
  const found = files.map(casesIn);
  return { cases: found.flatMap(({ cases }) => cases), mistakes: found.flatMap(({ mistakes }) => mistakes) };
}

function casesIn(file: SourceFile): FoundCases {
  const entries = entriesOf(file.value);
  if (entries === null) return { cases: [], mistakes: checkFile(file, TestsFile) };
  const lines = entries.map((_, index) => file.locate(['tests', index]).line);
  const within = (index: number) => {
    const [from = 0, until = Infinity] = [lines[index], lines[index + 1]];
    return file.problems.filter(({ line }) => line >= from && line < until);
  };
  // The frame of the file first, as if it held no case; then each case for itself.
  const frame = { ...file, value: { ...Object(file.value), tests: [] }, problems: [] };
  const before = file.problems.filter(({ line }) => line < (lines[0] ?? Infinity));
  return {
    mistakes: [...before, ...checkFile(frame, TestsFile)],
    cases: entries.map((entry, index) => {
      const unparsed = within(index);
      // What could not be parsed is left out of the value: complaints about that would only be consequences.
      const wrong = unparsed.length > 0 ? unparsed : checkEntries(file, ['tests'], [entry], TestCase, index);
      return {
        id: idOf(entry) ?? `tests[${index}]`,
        file: file.path,
        line: lines[index] ?? 1,
        test: wrong.length === 0 ? (entry as TestCase) : null,
        mistakes: wrong,
      };
    }),
  };
}

/** A file under the name by which the user knows it. */
export function renamed(file: SourceFile, name: string): SourceFile {
  return { ...file, path: name, problems: file.problems.map((problem) => ({ ...problem, file: name })) };
}

function entriesOf(value: unknown): readonly unknown[] | null {
  if (typeof value !== 'object' || value === null || !('tests' in value)) return null;
  return Array.isArray(value.tests) ? value.tests : null;
}

function idOf(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null || !('id' in entry)) return undefined;
  return typeof entry.id === 'string' && entry.id !== '' ? entry.id : undefined;
}

export function runCase(set: PolicySet, found: FoundCase): CaseOutcome {
  if (found.test === null) return { ...found, status: 'unreadable', result: null, reasons: [] };
  const result = runTestCase(set, found.test);
  if (result.passed) return { ...found, status: 'passed', result, reasons: [] };
  const made = requestOfTest(set, found.test);
  return {
    ...found,
    status: 'failed',
    result,
    reasons: 'refused' in made ? [] : decide(set, made.request).results,
  };
}

/** The same id twice, in words. */
export function repeatedIds(cases: readonly FoundCase[]): string[] {
  return [...Map.groupBy(cases, ({ id }) => id)]
    .filter(([, same]) => same.length > 1)
    .map(([id, same]) => `\`${id}\` names ${same.map(({ file, line }) => `${file}:${line}`).join(' and ')}`);
}
