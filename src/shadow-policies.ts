// Loads the policy set of a dry run beside the one in force, and asks it about what was answered. It must never keep the service from starting,
// being ready or answering, whatever is wrong with that set.
import type { Logger } from 'pino';
import { createCompileCache } from './core/compile-cache.ts';
import { compileInSteps } from './core/compile.ts';
import type { PolicySet } from './core/policy-set.ts';
import { formatDiagnostic } from './core/schema-check.ts';
import type { StorePolicySet } from './io/log/policy-blobs.ts';
import { folderSource } from './io/policies/read.ts';
import { runInSlices } from './io/policies/slices.ts';
import { createPolicyStore, type LoadOutcome } from './io/policies/store.ts';
import { createShadow, type Shadow, type ShadowCounters, type ShadowDeps } from './shadow.ts';

export interface ShadowPoliciesDeps extends Pick<ShadowDeps, 'recorder' | 'clock'> {
  /** The set is kept before it is asked, so that its records can be replayed. */
  readonly keep: StorePolicySet;
  readonly looseWatch: boolean;
  readonly log: Logger;
  readonly limits?: ShadowDeps['limits'];
}

export interface ShadowState extends ShadowCounters {
  /** Of the set that is asked; null while there is none. */
  readonly revision: string | null;
  readonly commit: string | null;
  readonly isFailing: boolean;
  /** By result. */
  readonly loads: ReadonlyMap<string, number>;
}

export interface ShadowPolicies extends Pick<Shadow, 'offer'> {
  state(): ShadowState;
  /** Never rejects. */
  load(): Promise<LoadOutcome>;
  close(): Promise<void>;
}

const MOST_LINES = 50;

/** @param folder undefined: there is no dry run */
export function openShadowPolicies(folder: string | undefined, deps: ShadowPoliciesDeps): ShadowPolicies | null {
  if (folder === undefined) return null;
  const { keep, looseWatch, log } = deps;
  const cache = createCompileCache();
  const loads = new Map<string, number>();
  let set: PolicySet | null = null;
  const store = createPolicyStore<PolicySet>({
    source: folderSource(folder),
    compile: (files, { commit }) => runInSlices(compileInSteps(files, { commit, cache })),
    activate: async (loaded) => {
      await keep(loaded);
      set = loaded;
    },
    onLoad: (outcome) => {
      loads.set(outcome.result, (loads.get(outcome.result) ?? 0) + 1);
      tell(outcome, log);
    },
  });
  // In the background: what is asked before it is there is counted as not judged.
  void store.load();
  const stop = store.watch({ loose: looseWatch });
  const { recorder, clock, limits } = deps;
  const shadow = createShadow({
    current: () => set,
    recorder,
    clock,
    log,
    ...(limits === undefined ? {} : { limits }),
  });
  return {
    offer: shadow.offer,
    load: store.load,
    state: () => {
      const { revision, commit, failure } = store.state();
      return { ...shadow.counters(), revision, commit, isFailing: failure !== null, loads };
    },
    async close() {
      stop();
      await shadow.close();
    },
  };
}

function tell({ result, revision, commit, diagnostics, failure }: LoadOutcome, log: Logger): void {
  if (result === 'unchanged') return;
  if (failure === null) {
    log.info({ result, revision, commit }, 'policies of the dry run loaded');
    return;
  }
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const problems = errors.slice(0, MOST_LINES).map(formatDiagnostic);
  const line = { result, revision, step: failure.step, problems, err: failure.cause ?? undefined };
  log.warn(line, 'policies of the dry run not loaded');
}
