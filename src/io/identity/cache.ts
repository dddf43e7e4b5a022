// Remembers tokens that were verified, in memory, bounded by count and size. It must never say that a token is good:
// digest, key generation, time, audience and lockdown are judged on every use.

export interface CacheLimits {
  readonly entries: number;
  /** Estimated memory. */
  readonly bytes: number;
}

export interface CacheEntry<T> {
  readonly token: T;
  /** Trust digest that gave the claims their meaning. */
  readonly digest: string;
  /** Of the issuer's keys that verified the signature. */
  readonly generation: number;
}

interface Sized<T> extends CacheEntry<T> {
  readonly bytes: number;
}

export interface TokenCache<T> {
  /** Null under any other digest; the generation is for the caller to compare, who knows the issuer's keys. */
  get(token: string, digest: string): CacheEntry<T> | null;
  put(token: string, entry: CacheEntry<T>): void;
  delete(token: string): void;
  state(): { readonly entries: number; readonly bytes: number };
}

export const CACHE_DEFAULTS: CacheLimits = { entries: 20_000, bytes: 32 * 1024 * 1024 };

/**
 * Two halves: new entries go into the young one; when it is full it becomes the old one, and what nobody asked for since is
 * gone. The key is the whole token, compared byte by byte: never its signature, its id or a part of it. (A digest of the
 * token as key would cost ten times as much per request, and hide little: the requests themselves hold the token.)
 */
export function createTokenCache<T>(limits: CacheLimits = CACHE_DEFAULTS): TokenCache<T> {
  let young = new Map<string, Sized<T>>();
  let old = new Map<string, Sized<T>>();
  let youngBytes = 0;
  let oldBytes = 0;

  function add(token: string, entry: Sized<T>): void {
    remove(token);
    if (young.size + 1 > limits.entries / 2 || youngBytes + entry.bytes > limits.bytes / 2) {
      old = young;
      oldBytes = youngBytes;
      young = new Map();
      youngBytes = 0;
    }
    young.set(token, entry);
    youngBytes += entry.bytes;
  }

  function remove(token: string): void {
    youngBytes -= young.get(token)?.bytes ?? 0;
    oldBytes -= old.get(token)?.bytes ?? 0;
    young.delete(token);
    old.delete(token);
  }

  return {
    get(token, digest) {
      const fresh = young.get(token);
      const entry = fresh ?? old.get(token);
      if (entry === undefined || entry.digest !== digest) return null;
      if (fresh === undefined) add(token, entry);
      return entry;
    },
    put(token, entry) {
      // The token, its claims about twice as large, and the objects around them.
      const bytes = token.length * 4 + 1024;
      if (bytes <= limits.bytes / 2) add(token, { ...entry, bytes });
    },
    delete: remove,
    state: () => ({ entries: young.size + old.size, bytes: youngBytes + oldBytes }),
  };
}
