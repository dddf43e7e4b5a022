// Keeps one key set per issuer of the policy sets in use and refreshes them in the background.
// It must never answer for one issuer with another's keys.
import type { IssuerEntry } from '../../model/data.ts';
import { createKeySet, type KeySet, type KeyState, type KeyTimes } from './key-set.ts';
import { keysFromUrl, type FetchLimits, type LoadKeys } from './key-source.ts';

export interface KeysDeps {
  readonly now: () => number;
  readonly elapsed: () => number;
  /** Bytes of a key file; the path is as issuers.yaml says it, relative to the policies folder. */
  readonly readKeyFile: (path: string) => Promise<Uint8Array>;
  readonly times?: Partial<KeyTimes & FetchLimits>;
  readonly random?: () => number;
  /** Told after every fetch, successful or not. */
  readonly report?: (state: KeyState) => void;
}

export interface Keys {
  of(issuer: IssuerEntry): KeySet;
  /** From now on these issuers are refreshed; resolves when each has been tried once. */
  use(issuers: readonly IssuerEntry[]): Promise<void>;
  /** Fetches what is due. */
  tick(): Promise<void>;
  /** Of the issuers in use. */
  state(): readonly KeyState[];
  close(): void;
}

export const KEY_DEFAULTS: KeyTimes & FetchLimits = {
  refreshMs: 5 * 60_000,
  cooldownMs: 30_000,
  lastGoodMs: 24 * 60 * 60_000,
  timeoutMs: 5_000,
  maxBytes: 256 * 1024,
};

export function createKeys(deps: KeysDeps): Keys {
  const times = { ...KEY_DEFAULTS, ...deps.times };
  const sets = new Map<string, KeySet>();
  let inUse = new Set<string>();
  let usedBefore = new Set<string>();
  let generation = 0;

  function of(issuer: IssuerEntry): KeySet {
    const name = nameOf(issuer);
    const known = sets.get(name);
    if (known !== undefined) return known;
    const created = createKeySet({
      issuer: issuer.issuer,
      algorithms: issuer.algorithms,
      load: loader(issuer),
      times,
      now: deps.now,
      elapsed: deps.elapsed,
      random: deps.random ?? Math.random,
      nextGeneration: () => (generation += 1),
      report: deps.report ?? (() => undefined),
    });
    sets.set(name, created);
    return created;
  }

  function loader(issuer: IssuerEntry): LoadKeys {
    if ('url' in issuer.keys) return keysFromUrl(issuer.keys.url, times);
    const { file } = issuer.keys;
    return () => deps.readKeyFile(file);
  }

  function close(name: string, set: KeySet): void {
    set.close();
    sets.delete(name);
  }

  const refreshed = (): readonly KeySet[] =>
    [...inUse].map((name) => sets.get(name)).filter((set) => set !== undefined);

  return {
    of,
    async use(issuers) {
      usedBefore = inUse;
      inUse = new Set(issuers.map(nameOf));
      // The keys of the set before stay for the requests that still run with it (P6); older ones go.
      for (const [name, set] of sets) if (!inUse.has(name) && !usedBefore.has(name)) close(name, set);
      await Promise.all(issuers.map((issuer) => of(issuer).refreshIfDue()));
    },
    async tick() {
      await Promise.all(refreshed().map((set) => set.refreshIfDue()));
    },
    state: () => refreshed().map((set) => set.state()),
    close() {
      for (const [name, set] of sets) close(name, set);
    },
  };
}

/** Everything that a key set depends on: an issuer whose keys move to another URL starts anew. */
function nameOf(issuer: IssuerEntry): string {
  return JSON.stringify([issuer.issuer, issuer.keys, issuer.algorithms]);
}
