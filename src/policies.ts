// Puts the parts of loading policies together: where they come from, how they are compiled, what has to be committed before a set is
// in force. It must never start a service without a policy set, nor believe the development issuer outside of development.
import type { Logger } from 'pino';
import type { Config } from './environment.ts';
import { createCompileCache, type CompileCache } from './core/compile-cache.ts';
import { compileInSteps, type CompileResult } from './core/compile.ts';
import type { PolicySet } from './core/policy-set.ts';
import { ENGINE_VERSION } from './core/record/decision-record.ts';
import { uuidv7 } from './core/record/uuid.ts';
import { formatDiagnostic } from './core/schema-check.ts';
import { DEVELOPMENT_ISSUER } from './io/identity/dev-issuer.ts';
import type { StorePolicySet } from './io/log/policy-blobs.ts';
import type { Recorder } from './io/log/recorder.ts';
import { commitSource, folderSource } from './io/policies/read.ts';
import { runInSlices } from './io/policies/slices.ts';
import { createPolicyStore, type LoadOutcome, type PolicyStore } from './io/policies/store.ts';
import type { Diagnostic, SourceFile } from './model/diagnostic.ts';
import { NO_COLUMNS, type RecordEntry } from './model/record.ts';
import { StartupError } from './startup-error.ts';

export interface PoliciesDeps {
  readonly keep: StorePolicySet;
  readonly recorder: Pick<Recorder, 'append' | 'clock'>;
  readonly onActivated: (set: PolicySet) => void;
  /** Told of every load, good or not. */
  readonly onLoad: (outcome: LoadOutcome) => void;
  readonly development: boolean;
  readonly looseWatch: boolean;
  readonly log: Logger;
}

export interface Policies extends Pick<PolicyStore<PolicySet>, 'current' | 'state' | 'load'> {
  close(): void;
}

/** @throws StartupError with every problem of the policies */
export async function loadPolicies(config: Config, deps: PoliciesDeps): Promise<Policies> {
  const cache = createCompileCache();
  const store = createPolicyStore<PolicySet>({
    source: sourceOf(config),
    compile: async (files, { commit }) => judge(await compile(files, commit, cache), deps.development),
    activate: (set) => activate(set, deps),
    onLoad: (outcome) => {
      deps.onLoad(outcome);
      logLoad(outcome, deps.log);
    },
  });
  const { diagnostics, failure } = await store.load();
  if (store.state().revision === null) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic);
    const cause = failure?.cause instanceof Error ? [failure.cause.message] : [];
    throw new StartupError('the policies cannot be loaded', errors.length > 0 ? errors : cause, failure?.cause);
  }
  const stop = store.watch({ loose: deps.looseWatch });
  return { current: store.current, state: store.state, load: store.load, close: stop };
}

function sourceOf({ POLICIES_DIR, POLICIES_REF, POLICIES_COMMIT }: Config) {
  const options = POLICIES_COMMIT === undefined ? {} : { commit: POLICIES_COMMIT };
  return POLICIES_REF === undefined
    ? folderSource(POLICIES_DIR, options)
    : commitSource(POLICIES_DIR, POLICIES_REF, options);
}

async function compile(
  files: readonly SourceFile[],
  commit: string | null,
  cache: CompileCache,
): Promise<CompileResult> {
  return runInSlices(compileInSteps(files, { commit, cache }));
}

function judge(result: CompileResult, development: boolean): CompileResult {
  const trusted = result.set?.issuers.some(({ issuer }) => issuer === DEVELOPMENT_ISSUER) ?? false;
  if (development || !trusted) return result;
  const refusal: Diagnostic = {
    severity: 'error',
    code: 'development-issuer',
    message: `\`${DEVELOPMENT_ISSUER}\` is the development issuer, whose key anybody may have`,
    hint: 'remove the issuer; `privity start` trusts it by itself',
    file: 'issuers.yaml',
    line: 1,
    column: 1,
  };
  return { set: null, diagnostics: [...result.diagnostics, refusal] };
}

/** Blobs first, then the record: whoever finds a revision in the log can replay it (RECORD.md). */
async function activate(set: PolicySet, { keep, recorder, onActivated }: PoliciesDeps): Promise<void> {
  await keep(set);
  await recorder.append([loadedEntry(set, recorder.clock.now())]);
  onActivated(set);
}

/** For a database that lost what was committed, the set in force among it: its blobs once more, and the record to go with them. */
export async function keepAgain(
  set: PolicySet,
  { keep, recorder }: Pick<PoliciesDeps, 'keep' | 'recorder'>,
): Promise<readonly RecordEntry[]> {
  await keep(set);
  return [loadedEntry(set, recorder.clock.now())];
}

function loadedEntry(set: PolicySet, at: number): RecordEntry {
  return {
    kind: 'policy_loaded',
    id: uuidv7(at),
    at,
    body: {
      policy: { revision: set.revision, commit: set.commit, engine: ENGINE_VERSION },
      files: set.files.length,
      findings: set.findings.length,
    },
    columns: { ...NO_COLUMNS, revision: set.revision },
  };
}

const MAX_LINES = 200;

function logLoad({ result, revision, commit, diagnostics, failure }: LoadOutcome, log: Logger): void {
  if (result === 'unchanged') return;
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const line = { result, revision, commit, findings: diagnostics.length - errors.length };
  if (failure === null) {
    log.info(line, 'policies loaded');
  } else {
    const problems = errors.slice(0, MAX_LINES).map(formatDiagnostic);
    log.error({ ...line, step: failure.step, problems, err: failure.cause ?? undefined }, 'policies not loaded');
  }
}
