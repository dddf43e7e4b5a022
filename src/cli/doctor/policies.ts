// Looks at the policies as the service would load them: whether they load, what deserves a look, whether their tests pass, who may write
// them. It must never call a folder good that the service would refuse.
import { accessSync, constants, lstatSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../environment.ts';
import { compilePolicies } from '../../core/compile.ts';
import { overdueReviews } from '../../core/findings.ts';
import type { PolicySet } from '../../core/policy-set.ts';
import { formatDiagnostic } from '../../core/schema-check.ts';
import { DEVELOPMENT_ISSUER } from '../../io/identity/dev-issuer.ts';
import { commitSource, readPolicyFolder } from '../../io/policies/read.ts';
import type { SourceFile } from '../../model/diagnostic.ts';
import { isTestFile } from '../policies/load.ts';
import { findCases, runCase } from '../policies/test-cases.ts';
import { about, type Check, reasonOf, some } from './check.ts';

export interface PoliciesExamined {
  /** Null: they do not load. */
  readonly set: PolicySet | null;
  readonly checks: readonly Check[];
}

export async function checkPolicies(config: Config, now: number): Promise<PoliciesExamined> {
  const check = about('policies.load', 'POLICIES_DIR (and POLICIES_REF), loaded as the service does');
  const todo = 'see `privity policy check`, which shows every mistake with its place and remedy';
  let read: Awaited<ReturnType<typeof readPolicyFolder>>;
  try {
    const { POLICIES_DIR: dir, POLICIES_REF: ref } = config;
    read = await (ref === undefined ? readPolicyFolder(dir) : commitSource(dir, ref).read());
  } catch (error) {
    const words = `${config.POLICIES_DIR}: ${reasonOf(error)}`;
    return { set: null, checks: [check.failure(words, 'let POLICIES_DIR name the folder of the policies')] };
  }
  const { set, diagnostics } = compilePolicies(read.files, { commit: read.commit });
  const errors = [...read.problems, ...diagnostics].filter(({ severity }) => severity === 'error');
  if (set === null || errors.length > 0) {
    const words = `${errors.length} errors, the first: ${errors[0] === undefined ? '' : formatDiagnostic(errors[0])}`;
    return { set: null, checks: [check.failure(words, todo), ...checkFolder(config)] };
  }
  if (set.issuers.some(({ issuer }) => issuer === DEVELOPMENT_ISSUER)) {
    const words = 'the development issuer is listed, whose key anybody may have: the service refuses the set';
    return { set: null, checks: [check.failure(words, 'remove it from issuers.yaml'), ...checkFolder(config)] };
  }
  const loaded = check.ok(`${set.rules.length} rules, ${set.walls.all.length} walls, ${set.revision.slice(0, 19)}`);
  const findings = [...read.problems, ...diagnostics].length;
  return {
    set,
    checks: [
      loaded,
      checkFindings(findings),
      checkReviews(set, now),
      checkTests(set, read.files),
      ...checkFolder(config),
    ],
  };
}

/** A dry run answers nothing: what is wrong with it keeps nobody from anything. */
export async function checkShadow({ SHADOW_POLICIES_DIR: dir }: Config): Promise<readonly Check[]> {
  if (dir === undefined) return [];
  const check = about('policies.shadow', 'SHADOW_POLICIES_DIR, the set of the dry run');
  const { files, commit, problems } = await readPolicyFolder(dir);
  const { set, diagnostics } = compilePolicies(files, { commit });
  const errors = [...problems, ...diagnostics].filter(({ severity }) => severity === 'error');
  if (set !== null && errors.length === 0) {
    return [check.ok(`${set.rules.length} rules, ${set.walls.all.length} walls, ${set.revision.slice(0, 19)}`)];
  }
  const words = `${errors.length} errors, the first: ${errors[0] === undefined ? '' : formatDiagnostic(errors[0])}`;
  return [
    check.warning(
      words,
      `the dry run goes on with the last good set, or says nothing: \`privity policy check ${dir}\``,
    ),
  ];
}

function checkFindings(findings: number): Check {
  const check = about('policies.findings', 'what is allowed but deserves a look');
  if (findings === 0) return check.ok('none');
  const words = findings === 1 ? '1 finding' : `${findings} findings`;
  return check.warning(words, 'have the security officer go through them: `privity policy check` lists them');
}

function checkReviews({ rules }: PolicySet, now: number): Check {
  const check = about('policies.reviews', '`review_by` of the rules');
  const overdue = overdueReviews(rules, new Date(now).toISOString().slice(0, 10));
  if (overdue.length === 0) return check.ok('none overdue');
  return check.warning(
    `${overdue.length} overdue: ${some(overdue.map(({ item }) => item ?? ''))}`,
    'have the owners confirm their rules and set the next date',
  );
}

function checkTests(set: PolicySet, files: readonly SourceFile[]): Check {
  const check = about('policies.tests', 'the cases of tests/, if they are there');
  const { cases, mistakes } = findCases(files.filter(isTestFile));
  if (cases.length === 0 && mistakes.length === 0) return check.ok('no tests in this folder');
  const failed = cases.filter((one) => runCase(set, one).status !== 'passed').map(({ id }) => id);
  const todo = 'see `privity policy test`; do not roll the set out before';
  if (mistakes.length > 0) return check.failure(`${mistakes.length} mistakes in test files`, todo);
  if (failed.length > 0) return check.failure(`${failed.length} of ${cases.length} fail: ${some(failed)}`, todo);
  return check.ok(`all ${cases.length} pass`);
}

/** Whoever can write there decides who may see what: the service that reads it should not be able to. */
function checkFolder({ POLICIES_DIR: dir }: Config): readonly Check[] {
  const check = about('policies.folder', 'who may write the policies');
  const todo = 'let another account publish them, and take the right to write from everybody else (or mount read-only)';
  let places: readonly string[];
  try {
    places = placesBelow(realpathSync(dir));
  } catch (error) {
    return [check.couldNotCheck(reasonOf(error), 'let POLICIES_DIR name the folder of the policies')];
  }
  const open = places.filter((place) => (lstatSync(place).mode & 0o002) !== 0);
  if (open.length > 0) return [check.failure(`every account may write ${some(open, 2)}`, todo)];
  if (process.getuid?.() === 0) {
    return [check.couldNotCheck('root may write anywhere', 'run this under the account of the service')];
  }
  const mine = places.filter(isWritable);
  if (mine.length > 0) return [check.warning(`this account may write ${some(mine, 2)}`, todo)];
  return [check.ok('this account can only read them')];
}

function placesBelow(root: string): readonly string[] {
  const below = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => (entry.isDirectory() || entry.isFile()) && !entry.parentPath.includes(`${path.sep}.git`))
    .map(({ parentPath, name }) => path.join(parentPath, name));
  return [root, ...below.filter((place) => !place.includes(`${path.sep}.git`))];
}

function isWritable(place: string): boolean {
  try {
    accessSync(place, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
