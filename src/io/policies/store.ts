// Holds the policy set in force and replaces it. It must never put a set in force that lacks a part or is not yet recorded (P6), nor let a failed reload lift a lockdown.
import { LOCKDOWN_PATH } from '../../core/file-kind.ts';
import type { PolicySet } from '../../core/policy-set.ts';
import type { Diagnostic, SourceFile } from '../../model/diagnostic.ts';
import { PrivityError } from '../../model/errors.ts';
import type { PolicySnapshot, PolicySource } from './snapshot.ts';
import { watchSource } from './watch.ts';

/** What the store itself reads of a set. */
export type Loaded = Pick<PolicySet, 'revision' | 'commit'>;

export interface PolicyStoreDeps<S extends Loaded> {
  readonly source: PolicySource;
  readonly compile: (
    files: readonly SourceFile[],
    options: { readonly commit: string | null },
  ) => Compiled<S> | Promise<Compiled<S>>;
  /** Keeps the blobs and records policy_loaded; the set is in force only after that. */
  readonly activate: (set: S) => Promise<void>;
  /** Told of every load, for the log. */
  readonly onLoad?: (outcome: LoadOutcome) => void;
}

export interface Compiled<S> {
  readonly set: S | null;
  readonly diagnostics: readonly Diagnostic[];
}

export interface LoadOutcome {
  /**
   * `partly`: the load failed, but a new lockdown.yaml joined the last good files, or a broken one was replaced by the last
   * good one, and that set is in force. `failed`: the last good set stays, if there is one.
   */
  readonly result: 'activated' | 'unchanged' | 'partly' | 'failed';
  /** Of the set in force afterwards. */
  readonly revision: string | null;
  readonly commit: string | null;
  /** Errors and findings of what was read. */
  readonly diagnostics: readonly Diagnostic[];
  readonly failure: LoadFailure | null;
}

export interface LoadFailure {
  /** Milliseconds since 1970, UTC. */
  readonly at: number;
  /** `read` and `activate` may mend themselves and are tried again; `compile` waits for other files. */
  readonly step: 'read' | 'compile' | 'activate';
  readonly diagnostics: readonly Diagnostic[];
  /** What reading or activating threw. */
  readonly cause: unknown;
}

export interface PolicyState {
  readonly revision: string | null;
  readonly commit: string | null;
  /** When the set in force was put in force. */
  readonly since: number | null;
  readonly loading: boolean;
  /** Of the last load; null after a good one. */
  readonly failure: LoadFailure | null;
}

export interface PolicyStore<S extends Loaded> {
  /** @throws PrivityError no_policies */
  current(): S;
  /** Never rejects. One load at a time; a request during a load is met by one more load after it. */
  load(): Promise<LoadOutcome>;
  state(): PolicyState;
  /** Loads whatever is published from now on or, with `loose`, whatever changes in the folder. Returns how to stop. */
  watch(options: { readonly loose: boolean; readonly everyMs?: number }): () => void;
}

const EVERY_MS = 1_000;

interface Files {
  readonly rest: readonly SourceFile[];
  readonly lockdown: SourceFile | undefined;
}

export function createPolicyStore<S extends Loaded = PolicySet>(deps: PolicyStoreDeps<S>): PolicyStore<S> {
  let inForce: { readonly set: S; readonly files: Files; readonly since: number } | null = null;
  let failure: LoadFailure | null = null;
  let seenAs: PolicySnapshot['seenAs'] = null;
  let running: Promise<LoadOutcome> | null = null;
  let waiting: Promise<LoadOutcome> | null = null;

  const outcome = (result: LoadOutcome['result'], diagnostics: readonly Diagnostic[]): LoadOutcome => ({
    result,
    revision: inForce?.set.revision ?? null,
    commit: inForce?.set.commit ?? null,
    diagnostics,
    failure,
  });

  const fail = (step: LoadFailure['step'], diagnostics: readonly Diagnostic[], cause: unknown = null) => {
    failure = { at: Date.now(), step, diagnostics, cause };
  };

  /** False when the set is what is in force already. */
  const putInForce = async (set: S, files: Files): Promise<boolean> => {
    const same = inForce?.set.revision === set.revision && inForce.set.commit === set.commit;
    if (!same) await deps.activate(set);
    inForce = { set, files, since: same && inForce !== null ? inForce.since : Date.now() };
    return !same;
  };

  const loadOnce = async (): Promise<LoadOutcome> => {
    let diagnostics: readonly Diagnostic[] = [];
    let step: LoadFailure['step'] = 'read';
    try {
      const snapshot = await deps.source.read();
      diagnostics = snapshot.problems;
      seenAs = snapshot.seenAs;
      if (seenAs === null) {
        fail('read', diagnostics);
        return outcome('failed', diagnostics);
      }
      step = 'compile';
      const { set, diagnostics: said } = await deps.compile(snapshot.files, { commit: snapshot.commit });
      diagnostics = [...snapshot.problems, ...said];
      if (set !== null && !snapshot.problems.some(isError)) {
        step = 'activate';
        const isNew = await putInForce(set, split(snapshot.files));
        failure = null;
        return outcome(isNew ? 'activated' : 'unchanged', diagnostics);
      }
      const files = inForce === null ? null : saveWhatIsGood(snapshot, diagnostics, inForce.files);
      const saved = files === null ? null : await deps.compile(join(files), { commit: null });
      const differs = saved?.set != null && saved.set.revision !== inForce?.set.revision;
      if (files !== null && saved?.set != null && differs) {
        step = 'activate';
        await putInForce(saved.set, files);
      }
      fail('compile', diagnostics);
      return outcome(differs ? 'partly' : 'failed', diagnostics);
    } catch (error) {
      fail(step, diagnostics, error);
      return outcome('failed', diagnostics);
    }
  };

  const start = async (): Promise<LoadOutcome> => {
    const done = await loadOnce();
    deps.onLoad?.(done);
    return done;
  };

  const load = (): Promise<LoadOutcome> => {
    if (running === null) {
      running = start().finally(() => (running = null));
      return running;
    }
    waiting ??= running.then(() => {
      waiting = null;
      return load();
    });
    return waiting;
  };

  const state = (): PolicyState => ({
    revision: inForce?.set.revision ?? null,
    commit: inForce?.set.commit ?? null,
    since: inForce?.since ?? null,
    loading: running !== null,
    failure,
  });

  return {
    load,
    state,
    current() {
      if (inForce === null) throw new PrivityError('no_policies');
      return inForce.set;
    },
    watch({ loose, everyMs = EVERY_MS }) {
      const seen = () => seenAs?.[loose ? 'loose' : 'published'] ?? null;
      return watchSource({
        source: deps.source,
        load,
        seen,
        mayMendItself: () => mayMendItself(failure),
        loose,
        everyMs,
      });
    },
  };
}

function mayMendItself(failure: LoadFailure | null): boolean {
  return failure !== null && failure.step !== 'compile';
}

/**
 * DESIGN 4: a new lockdown takes effect although the rest is broken, and a broken one does not hold up a good rest; null when
 * neither can be said. Where the rest is broken, an absent lockdown.yaml lifts nothing: half a folder may be all there is.
 */
function saveWhatIsGood(snapshot: PolicySnapshot, diagnostics: readonly Diagnostic[], good: Files): Files | null {
  const { rest, lockdown } = split(snapshot.files);
  const errors = diagnostics.filter(isError);
  const lockdownIsBroken = errors.some(({ file }) => file === LOCKDOWN_PATH);
  const restIsBroken = errors.some(({ file }) => file !== LOCKDOWN_PATH);
  if (lockdownIsBroken === restIsBroken) return null;
  if (lockdownIsBroken) return { rest, lockdown: good.lockdown };
  return lockdown === undefined || lockdown.hash === good.lockdown?.hash ? null : { rest: good.rest, lockdown };
}

function split(files: readonly SourceFile[]): Files {
  return {
    rest: files.filter(({ path }) => path !== LOCKDOWN_PATH),
    lockdown: files.find(({ path }) => path === LOCKDOWN_PATH),
  };
}

function join({ rest, lockdown }: Files): readonly SourceFile[] {
  return lockdown === undefined ? rest : [...rest, lockdown].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function isError({ severity }: Diagnostic): boolean {
  return severity === 'error';
}
