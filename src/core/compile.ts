// Compiles a policies folder into a policy set, or into everything that is wrong with it. It must never give a set that lacks a part: a set is all or nothing (P6).
import { createHash } from 'node:crypto';
import type { Diagnostic, SourceFile } from '../model/diagnostic.ts';
import { TestsFile } from '../model/rules.ts';
import { createRuleIndex } from './ability.ts';
import { isReviewFile } from './access-review.ts';
import { createCompileCache, remember, rememberReview, type CompileCache } from './compile-cache.ts';
import { compileWallsFile } from './compile-walls.ts';
import { attributesIn } from './condition.ts';
import { compileDataFile, type DataPart } from './data.ts';
import type { Attribute } from './dictionary.ts';
import { planFacts } from './facts-plan.ts';
import { flat } from './flat.ts';
import { reviewRules } from './findings-rules.ts';
import { reviewData } from './findings.ts';
import { compileFirm, type Firm } from './firm.ts';
import { compileLockdown } from './lockdown.ts';
import { mergeData, type PolicyData } from './merge-data.ts';
import type { LoadedTest, PolicyFile, PolicySet } from './policy-set.ts';
import { createReport, sourceOf, type Place, type Report } from './report.ts';
import { compileRetention } from './retention.ts';
import { createRoleGates } from './role-gates.ts';
import { compileRoutes } from './routes.ts';
import { compileRulesFile, type Rule } from './rules.ts';
import { checkFile } from './schema-check.ts';
import { NONE } from './truth.ts';
import { compileCallers, compileIssuers } from './trust.ts';
import { indexWalls, type Wall } from './walls.ts';

export interface CompileOptions {
  readonly commit: string | null;
  /** What earlier compilations learned about files that have not changed. */
  readonly cache?: CompileCache;
}

export interface CompileResult {
  readonly set: PolicySet | null;
  /** Errors (then there is no set) and findings, in order of file and line. */
  readonly diagnostics: readonly Diagnostic[];
}

/** All at once; for commands and tests. */
export function compilePolicies(files: readonly SourceFile[], options: CompileOptions): CompileResult {
  const steps = compileInSteps(files, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Pauses after every few milliseconds of work, so that a service can answer requests in between. */
export function* compileInSteps(files: readonly SourceFile[], options: CompileOptions): Generator<void, CompileResult> {
  const report = createReport();
  // checkFile reports those of the others; evidence stops no load.
  for (const file of files) if (file.value === undefined && !isReviewFile(file)) report.add(file.problems);
  // By path, whatever order they were read in: a revision has one order of rules, and one list of findings.
  const readable = files.filter(({ value }) => value !== undefined).sort((a, b) => (a.path < b.path ? -1 : 1));
  const one = (path: string) => readable.find((file) => file.path === path);
  const firmFile = one('firm.yaml');
  if (firmFile === undefined) {
    if (files.every(({ path }) => path !== 'firm.yaml')) report.add([missingFirm()]);
    return { set: null, diagnostics: sorted(report.diagnostics) };
  }
  const cache = options.cache ?? createCompileCache();
  const firm = yield* remember(cache.firm, firmFile, null, report, function* (own) {
    yield;
    return compileFirm(firmFile, own);
  });
  if (firm === null) return { set: null, diagnostics: sorted(report.diagnostics) };
  yield;
  const rules: Rule[] = [];
  const walls: Wall[] = [];
  const parts: DataPart[] = [];
  const tests: LoadedTest[] = [];
  for (const file of readable) {
    const [folder] = file.path.split('/');
    if (folder === 'rules') {
      const compiled = yield* remember(cache.rules, file, firm, report, function* (own) {
        yield;
        return compileRulesFile(file, firm, own);
      });
      rules.push(...compiled);
    } else if (folder === 'walls') {
      walls.push(...(yield* remember(cache.walls, file, firm, report, (own) => compileWallsFile(file, firm, own))));
    } else if (folder === 'data') {
      const part = yield* remember(cache.data, file, firm, report, (own) =>
        compileDataFile(file, { names: firm.names, dictionary: firm.dictionary, report: own }, cache.pieces),
      );
      if (part !== null) parts.push(part);
    } else if (folder === 'tests') {
      const loaded = yield* remember(cache.tests, file, null, report, function* (own) {
        yield;
        return loadTests(file, own);
      });
      tests.push(...loaded);
    } else if (!isReviewFile(file) && file.path.includes('/')) report.add(file.problems); // nothing else looks at it
    yield;
  }
  unique(
    rules.map(({ id, place }) => ({ id, place })),
    'rule',
    report,
  );
  unique(
    walls.map(({ id, place }) => ({ id, place })),
    'wall',
    report,
  );
  const data = yield* mergeData(parts, report, cache.merged);
  yield;
  const issuers = compileIssuers(one('issuers.yaml'), firm, report);
  const callers = compileCallers(one('callers.yaml'), issuers, firm, data.aiAssistants, report);
  yield;
  const lockdown = compileLockdown(one('lockdown.yaml'), report);
  const retention = compileRetention(one('retention.yaml'), firm, data, report);
  const routes = compileRoutes(one('routes.yaml'), callers, firm, report);
  yield;
  if (!hasErrors(report)) {
    yield* rememberReview(cache, firm, rules, report, (own) => reviewRules(firm, rules, own));
    yield* reviewData(walls, data, parts, report, cache.dataReview);
  }
  const diagnostics = sorted(report.diagnostics);
  if (hasErrors(report)) return { set: null, diagnostics };

  const recorded = recordedAttributes(firm, rules);
  const wallIndex = indexWalls(walls, { assistants: data.assistants, ...firm.walls });
  yield;
  const gates = createRoleGates(firm.names.roles.keys());
  const set: PolicySet = {
    revision: revisionOf(files),
    commit: options.commit === null ? null : flat(options.commit),
    firm,
    rules,
    ruleIndex: createRuleIndex(rules, {
      actions: firm.names.actions.keys(),
      resourceTypes: firm.names.resourceTypes.keys(),
      gates,
    }),
    gates,
    walls: wallIndex,
    data,
    lockdown,
    retention,
    issuers,
    callers,
    routes,
    aiAssistants: data.aiAssistants,
    roles: new Set(firm.names.roles.keys()),
    trustDigest: digest([one('issuers.yaml')?.hash, one('callers.yaml')?.hash, firmFile.hash, ...data.aiAssistants]),
    recorded,
    plan: planFacts(firm, recorded, templateOf(firm, data)),
    noTerms: [...firm.terms.keys()].map(() => -1),
    files: policyFiles(files),
    findings: diagnostics,
    tests,
  };
  return { set: Object.freeze(set), diagnostics };
}

function loadTests(file: SourceFile, report: Report): readonly LoadedTest[] {
  const problems = checkFile(file, TestsFile);
  report.add(problems);
  if (problems.length > 0) return [];
  const { tests } = file.value as TestsFile;
  return tests.map((test, index) => ({ test, source: sourceOf({ file, path: ['tests', index] }) }));
}

function unique(items: readonly { readonly id: string; readonly place: Place }[], kind: string, report: Report): void {
  const first = new Map<string, Place>();
  for (const { id, place } of items) {
    const earlier = first.get(id);
    if (earlier === undefined) first.set(id, place);
    else
      report.error(
        place,
        'duplicate-id',
        `there is already a ${kind} \`${id}\` at ${sourceOf(earlier)}`,
        'give one of them another id',
      );
  }
}

function hasErrors({ diagnostics }: Report): boolean {
  return diagnostics.some(({ severity }) => severity === 'error');
}

function missingFirm(): Diagnostic {
  return {
    severity: 'error',
    code: 'no-firm',
    message: 'the policies folder has no firm.yaml',
    hint: 'every policy needs the vocabulary that firm.yaml declares; see examples/',
    file: 'firm.yaml',
    line: 1,
    column: 1,
  };
}

function sorted(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...diagnostics].sort((a, b) =>
    a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column,
  );
}

/** Tests and invariants say what must hold, reviews what somebody found; none changes what is decided, so they are not part of the revision. */
function policyFiles(files: readonly SourceFile[]): readonly PolicyFile[] {
  return files
    .filter(({ path }) => !path.startsWith('tests/') && !path.startsWith('invariants/') && !path.startsWith('reviews/'))
    .map(({ path, hash, bytes }) => ({ path, hash, bytes }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function revisionOf(files: readonly SourceFile[]): string {
  const lines = policyFiles(files).map(({ path, hash }) => `${path}\u0000${hash}\n`);
  return flat(`sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`);
}

function digest(parts: readonly (string | undefined)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Whatever some rule or the terms of approvals read, and what walls and derived attributes read whether or not a rule does. */
function recordedAttributes(firm: Firm, rules: readonly Rule[]): readonly Attribute[] {
  const read = new Set<Attribute>();
  for (const { branches } of rules) for (const { expr } of branches) attributesIn(expr, read);
  if (firm.approvals !== null) attributesIn(firm.approvals.expr, read);
  const always = new Set(['subject.roles', 'subject.user_type', 'resource.matter_id', 'resource.client_id']);
  return firm.dictionary.declared.filter((one) => read.has(one) || always.has(one.path));
}

function templateOf(firm: Firm, data: PolicyData): readonly unknown[] {
  return firm.dictionary.attributes.map(({ path, namespace, name }) => {
    if (path === 'data.grants') return data.grants;
    if (path === 'data.services') return data.services;
    if (namespace === 'data') return data.consents.get(name.slice('consents.'.length)) ?? new Set<string>();
    return NONE;
  });
}
