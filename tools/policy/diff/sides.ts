// The two policies folders that are compared: folders, or what a git revision holds, which is never checked out. It must never compare a side that did not load.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { createCompileCache, type CompileCache } from '../../../src/core/compile-cache.ts';
import { compilePolicies } from '../../../src/core/compile.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { isInvariantsFile } from '../../../src/core/invariants.ts';
import { isTestFile, type PoliciesFolder } from '../../../src/cli/policies/load.ts';
import { readSettings } from '../../../src/cli/shell/settings.ts';
import type { Shell } from '../../../src/cli/shell/shell.ts';
import { UsageError } from '../../../src/cli/shell/verb.ts';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import { createSourceCache, type PolicySnapshot } from '../../../src/io/policies/snapshot.ts';
import { readPolicyCommit, readPolicyFolder } from '../../../src/io/policies/read.ts';

export interface LoadedSide extends PoliciesFolder {
  /** Null: it does not load; `errors` say why. */
  readonly set: PolicySet | null;
  readonly errors: readonly Diagnostic[];
  /** Where its files are in the working folder; null: they are not checked out. */
  readonly place: string | null;
}

export interface Operands {
  readonly old: string;
  /** Null: the working folder. */
  readonly now: string | null;
  /** The working folder, if it was named. */
  readonly policies: string | undefined;
}

export async function readSides(
  shell: Shell,
  { old, now, policies }: Operands,
): Promise<readonly [LoadedSide, LoadedSide]> {
  const folder = policies ?? readSettings().POLICIES_DIR;
  const [sources, compiled] = [createSourceCache(), createCompileCache()];
  const read = async (operand: string): Promise<LoadedSide> => {
    shell.progress.show(`reading ${operand} …`);
    const snapshot = await snapshotOf(shell.folder, operand, folder, sources);
    const place = await placeOf(shell.folder, operand, folder);
    return { ...compile(operand, snapshot, compiled), place };
  };
  const sides = [await read(old), await read(now ?? folder)] as const;
  shell.progress.clear();
  return sides;
}

async function snapshotOf(
  working: string,
  operand: string,
  folder: string,
  cache: ReturnType<typeof createSourceCache>,
): Promise<PolicySnapshot> {
  const place = path.resolve(working, operand);
  if (await isFolder(place)) return readPolicyFolder(place, { cache });
  // Git has no revision with such a beginning; a path has.
  if (/^[./~]|^[A-Za-z]:[\\/]/.test(operand)) throw new UsageError(`there is no folder \`${operand}\``, HOW);
  const colon = operand.indexOf(':');
  const [ref, inside] = colon < 0 ? [operand, null] : [operand.slice(0, colon), operand.slice(colon + 1)];
  const policies = path.resolve(working, folder);
  const isThere = await isFolder(policies);
  const snapshot =
    inside !== null
      ? await readPolicyCommit(working, ref, { cache, folder: inside })
      : isThere
        ? await readPolicyCommit(policies, ref, { cache })
        : await readPolicyCommit(working, ref, { cache, folder: `./${folder}` });
  if (snapshot.files.length > 0) return snapshot;
  const [problem] = snapshot.problems;
  const why = problem === undefined ? 'it holds no policies there' : problem.message;
  throw new UsageError(`\`${operand}\` is neither a folder nor a revision with policies: ${why}`, HOW);
}

/** Of a revision, where its files most likely are in the working folder: reports point there. */
async function placeOf(working: string, operand: string, folder: string): Promise<string | null> {
  const colon = operand.indexOf(':');
  for (const place of [operand, colon < 0 ? folder : operand.slice(colon + 1)])
    if (place !== '' && (await isFolder(path.resolve(working, place)))) return place;
  return null;
}

const HOW =
  'name a folder, a revision such as `main` or `HEAD~1`, or a revision and a folder in it such as `main:policies`';

async function isFolder(place: string): Promise<boolean> {
  return stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function compile(
  folder: string,
  { files, commit, problems }: PolicySnapshot,
  cache: CompileCache,
): Omit<LoadedSide, 'place'> {
  const read = files.filter((file) => !isTestFile(file) && !isInvariantsFile(file));
  const { set, diagnostics } = compilePolicies(read, { commit, cache });
  const errors = [...problems, ...diagnostics].filter(({ severity }) => severity === 'error');
  return { folder, files: read, commit, problems, set: errors.length > 0 ? null : set, errors };
}
