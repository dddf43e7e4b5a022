// Works out the files that a draft makes, and checks the whole folder with them: it loads, the new cases hold, and they notice when the entry
// is taken away. It must never propose what fails one of these.
import path from 'node:path';
import { compilePolicies } from '../../../src/core/compile.ts';
import { fileKind } from '../../../src/core/file-kind.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { runTestCase } from '../../../src/core/run-tests.ts';
import { formatDiagnostic } from '../../../src/core/schema-check.ts';
import { parseSourceFile } from '../../../src/io/policies/parse.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import { withEntries } from '../format/entry-text.ts';
import { formatFile } from '../format/format.ts';
import type { Draft } from './draft.ts';

export interface NewFile {
  /** Within the policies folder. */
  readonly path: string;
  readonly before: Uint8Array | null;
  readonly after: string;
  /** The lines that are new. */
  readonly added: readonly string[];
}

export type Proposal =
  | {
      readonly files: readonly NewFile[];
      readonly notes: readonly string[];
      /** Cases that held before, and would not. */ readonly broken: readonly string[];
    }
  | { readonly problems: readonly string[] };

export async function propose(files: readonly SourceFile[], before: PolicySet, draft: Draft): Promise<Proposal> {
  const main = await added(files, draft.file, draft.root, [draft.entry]);
  if ('problem' in main) return { problems: [main.problem] };
  const first = compiled(files, [main.file]);
  if ('problems' in first) return first;
  const cases = draft.casesFor(before, first.set);
  if ('why' in cases) return { problems: [cases.why] };
  const taken = new Set(before.tests.map(({ test }) => test.id));
  const tests = cases.tests.map((test) => ({ ...test, id: freeId(test.id, taken) }));
  const beside = await added(files, draft.testFile, 'tests', tests);
  if ('problem' in beside) return { problems: [beside.problem] };
  const whole = compiled(files, [main.file, beside.file]);
  if ('problems' in whole) return whole;
  const results = tests.map((test) => ({
    test,
    now: runTestCase(whole.set, test),
    earlier: runTestCase(before, test),
  }));
  const failed = results
    .filter(({ now }) => !now.passed)
    .map(({ test, now }) => `the new case ${test.id} fails: ${now.problems.join('; ')}`);
  if (failed.length > 0) return { problems: failed };
  if (results.every(({ earlier }) => earlier.passed))
    return { problems: [`the new cases hold without ${draft.id} as well: it would change nothing that they show`] };
  const broken = before.tests
    .filter(({ test }) => runTestCase(before, test).passed && !runTestCase(whole.set, test).passed)
    .map(({ test, source }) => `${source} ${test.id}`);
  return { files: [main.file, beside.file], notes: cases.notes, broken };
}

function compiled(
  files: readonly SourceFile[],
  fresh: readonly NewFile[],
): { readonly set: PolicySet } | { readonly problems: readonly string[] } {
  const paths = new Set(fresh.map((one) => one.path));
  const sources = fresh.map((one) => parseSourceFile(one.path, Buffer.from(one.after)));
  const { set, diagnostics } = compilePolicies([...files.filter((one) => !paths.has(one.path)), ...sources], {
    commit: null,
  });
  return set === null
    ? { problems: diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic) }
    : { set };
}

async function added(
  files: readonly SourceFile[],
  name: string,
  root: string,
  entries: readonly unknown[],
): Promise<{ readonly file: NewFile } | { readonly problem: string }> {
  const old = files.find((one) => one.path === name);
  const before = old === undefined ? null : Buffer.from(old.bytes).toString('utf8');
  const kind = fileKind(name);
  const text = withEntries(before ?? headOf(files, name, root), root, entries);
  if (text === null || kind === null)
    return { problem: `${name} has no list \`${root}\` that an entry can be added to: write it by hand` };
  const result = await formatFile(name, kind, Buffer.from(text));
  if ('problems' in result) return { problem: result.problems.map(formatDiagnostic).join('; ') };
  // What cannot be brought into style keeps its own.
  const after = 'text' in result ? result.text : text;
  return { file: { path: name, before: old?.bytes ?? null, after, added: newLines(before ?? '', after) } };
}

/** As its neighbours begin: where the editor finds the schema, and the version. */
function headOf(files: readonly SourceFile[], name: string, root: string): string {
  const beside = files.find((one) => path.dirname(one.path) === path.dirname(name));
  const [line = ''] = beside === undefined ? [] : Buffer.from(beside.bytes).toString('utf8').split('\n', 1);
  return `${line.startsWith('# yaml-language-server:') ? `${line}\n` : ''}${root === 'rules' ? 'version: 1\n' : ''}`;
}

function newLines(before: string, after: string): readonly string[] {
  const old = before.split('\n');
  const fresh = after.split('\n');
  let from = 0;
  while (from < fresh.length && fresh[from] === old[from]) from++;
  let end = 0;
  while (end < fresh.length - from && end < old.length - from && fresh.at(-1 - end) === old.at(-1 - end)) end++;
  return fresh.slice(from, fresh.length - end);
}

function freeId(id: string, taken: Set<string>): string {
  let free = id;
  for (let number = 2; taken.has(free); number++) free = `${id}-${number}`;
  taken.add(free);
  return free;
}
