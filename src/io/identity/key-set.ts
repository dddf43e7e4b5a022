// One issuer's keys over time: fetched in the background, last good ones kept for a bounded time, at most one fetch per cooldown
// on demand. It must never use keys past that time, nor let tokens decide how often an endpoint is asked.
import { describeFailure, type LoadKeys } from './key-source.ts';
import { readJwks, type PublishedKeys } from './jwks.ts';

export interface KeyTimes {
  /** Between two background fetches that succeed. */
  readonly refreshMs: number;
  /** Fetches caused by tokens: at most one in this time. */
  readonly cooldownMs: number;
  /** How long keys count after the last fetch that succeeded. */
  readonly lastGoodMs: number;
}

export interface UsableKeys extends PublishedKeys {
  /** Rises whenever the set of keys changes; never the same for two sets of keys, of whichever issuer. */
  readonly generation: number;
}

export interface KeyState {
  readonly issuer: string;
  readonly usable: boolean;
  readonly keys: number;
  readonly ignored: number;
  readonly generation: number | null;
  /** Since the last success; null when there was none. */
  readonly ageSeconds: number | null;
  /** Milliseconds since 1970, UTC. */
  readonly lastSuccessAt: number | null;
  /** Why the last fetch failed; null when it succeeded. */
  readonly problem: string | null;
}

export interface KeySet {
  /** What may be used now; null when there is nothing. */
  peek(): UsableKeys | null;
  /** As peek, but waits for a fetch when there is nothing. */
  current(): Promise<UsableKeys | null>;
  /** For a token that none of these keys fits: newer ones, or null. */
  newerThan(seen: UsableKeys): Promise<UsableKeys | null>;
  /** Fetches if the time has come; settles when the fetch under way has, never rejects. */
  refreshIfDue(): Promise<void>;
  state(): KeyState;
  close(): void;
}

export interface KeySetDeps {
  readonly issuer: string;
  readonly algorithms: readonly string[];
  readonly load: LoadKeys;
  readonly times: KeyTimes;
  readonly now: () => number;
  /** Milliseconds that never go back: ages must not follow a clock that jumps. */
  readonly elapsed: () => number;
  readonly random: () => number;
  readonly nextGeneration: () => number;
  readonly report: (state: KeyState) => void;
}

function problemOf({ count, ambiguous }: PublishedKeys): string | null {
  if (count === 0) return 'the key set holds no usable key';
  return ambiguous ? 'two keys have the same kid: tokens that name it are refused' : null;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;
/** Requests that may wait for one fetch; more are refused at once instead of piling up. */
const MAX_WAITING = 1_000;

export function createKeySet(deps: KeySetDeps): KeySet {
  const { times, elapsed } = deps;
  const closing = new AbortController();
  let good: { keys: UsableKeys; ignored: number; at: number; wallClock: number } | null = null;
  let fetching: Promise<void> | null = null;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let dueAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let waiting = 0;
  let problem: string | null = null;

  function peek(): UsableKeys | null {
    if (good === null || good.keys.count === 0 || elapsed() - good.at > times.lastGoodMs) return null;
    return good.keys;
  }

  /** Spreads replicas: 75 to 125 % of the time. */
  const jittered = (ms: number): number => ms * (0.75 + deps.random() / 2);

  async function fetchOnce(): Promise<void> {
    attemptedAt = elapsed();
    try {
      const published = await readJwks(await deps.load(closing.signal), deps.algorithms);
      const unchanged = good?.keys.fingerprint === published.fingerprint;
      const keys = good !== null && unchanged ? good.keys : { ...published, generation: deps.nextGeneration() };
      good = { keys, ignored: published.ignored, at: elapsed(), wallClock: deps.now() };
      failures = 0;
      // A well-formed set is the issuer's word even when nothing in it is usable: withdrawn keys stop counting.
      problem = problemOf(keys);
      dueAt = elapsed() + jittered(times.refreshMs);
    } catch (error) {
      problem = describeFailure(error);
      dueAt = elapsed() + jittered(Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS, times.refreshMs));
      failures += 1;
    }
    if (!closing.signal.aborted) deps.report(state());
  }

  function fetchShared(): Promise<void> {
    fetching ??= fetchOnce().finally(() => {
      fetching = null;
    });
    return fetching;
  }

  /** Joins the fetch under way, or starts one unless the last began less than a cooldown ago. */
  async function fetchOnDemand(): Promise<void> {
    const mayStart = !closing.signal.aborted && elapsed() - attemptedAt >= times.cooldownMs;
    if ((fetching === null && !mayStart) || waiting >= MAX_WAITING) return;
    waiting += 1;
    await fetchShared();
    waiting -= 1;
  }

  function state(): KeyState {
    const usable = peek();
    return {
      issuer: deps.issuer,
      usable: usable !== null,
      keys: usable?.count ?? 0,
      ignored: good?.ignored ?? 0,
      generation: usable?.generation ?? null,
      ageSeconds: good === null ? null : Math.round((elapsed() - good.at) / 1000),
      lastSuccessAt: good?.wallClock ?? null,
      problem,
    };
  }

  return {
    peek,
    async current() {
      if (peek() === null) await fetchOnDemand();
      return peek();
    },
    async newerThan(seen) {
      if (peek()?.generation === seen.generation) await fetchOnDemand();
      const newer = peek();
      return newer === null || newer.generation === seen.generation ? null : newer;
    },
    async refreshIfDue() {
      if (!closing.signal.aborted && (fetching !== null || elapsed() >= dueAt)) await fetchShared();
    },
    state,
    close: () => closing.abort(),
  };
}
