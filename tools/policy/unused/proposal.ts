// Makes the proposal of findings: a patch, proof that the folder still loads with it, and the tests that then fail. It must never propose what
// does not load.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { isTestFile } from '../../../src/cli/policies/load.ts';
import { findCases } from '../../../src/cli/policies/test-cases.ts';
import { compilePolicies } from '../../../src/core/compile.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { runTestCase } from '../../../src/core/run-tests.ts';
import { formatDiagnostic } from '../../../src/core/schema-check.ts';
import { parseSourceFile } from '../../../src/io/policies/parse.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import { applyEdits } from './cut.ts';
import type { Finding } from './judge.ts';
import { narrow, type NarrowedFile } from './narrow.ts';
import { patchOf } from './patch.ts';

export interface FailingTest {
  readonly id: string;
  /** `file:line` */
  readonly source: string;
  readonly problems: readonly string[];
}

export interface Proposal {
  /** Empty: nothing to change. */
  readonly patch: string;
  readonly files: readonly string[];
  readonly byHand: readonly Finding[];
  /** Passed before, and fail with the patch: they demand a right that would go. */
  readonly failing: readonly FailingTest[];
  readonly set: PolicySet | null;
}

/** @param prefix of paths in the patch: where the folder lies below the place where it is applied */
export function propose(
  set: PolicySet,
  files: readonly SourceFile[],
  findings: readonly Finding[],
  prefix: string,
): Proposal {
  const { files: narrowed, byHand } = narrow(set, findings);
  if (narrowed.length === 0) return { patch: '', files: [], byHand, failing: [], set: null };
  const fresh = new Map(narrowed.map((one) => [one.file.path, changed(one)]));
  // Mistakes in tests are no reason not to propose.
  const policies = files.filter((file) => !isTestFile(file));
  const after = compilePolicies(
    policies.map((file) => fresh.get(file.path) ?? file),
    { commit: null },
  );
  if (after.set === null) {
    const error = after.diagnostics.find(({ severity }) => severity === 'error');
    throw new Error(
      `the narrower folder would not load, so nothing is proposed: ${error === undefined ? '' : formatDiagnostic(error)}`,
    );
  }
  const changes = narrowed.map(({ file, text, edits }) => {
    const mark = markOf(file.bytes);
    const moved = edits.map((edit) => ({ ...edit, from: edit.from + mark.length, to: edit.to + mark.length }));
    return { path: path.posix.join(prefix, file.path), before: mark + text, edits: moved };
  });
  return {
    patch: patchOf(changes),
    files: changes.map((one) => one.path),
    byHand,
    failing: failingTests(files, set, after.set),
    set: after.set,
  };
}

function changed({ file, text, edits }: NarrowedFile): SourceFile {
  const bytes = Buffer.from(markOf(file.bytes) + applyEdits(text, edits));
  const parsed = parseSourceFile(file.path, bytes);
  return { ...parsed, hash: createHash('sha256').update(bytes).digest('hex') };
}

/** A byte order mark, which decoding leaves out. */
function markOf(bytes: Uint8Array): string {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? '\ufeff' : '';
}

function failingTests(files: readonly SourceFile[], before: PolicySet, after: PolicySet): readonly FailingTest[] {
  return findCases(files.filter(isTestFile)).cases.flatMap(({ id, test, file, line }) => {
    if (test === null) return [];
    const { passed, problems } = runTestCase(after, test);
    return passed || !runTestCase(before, test).passed ? [] : [{ id, source: `${file}:${line}`, problems }];
  });
}
