// What one check of `privity doctor` says: what it looked at, what it found, what to do. It must never say `ok` of what it could not see.

export type Verdict = 'ok' | 'warning' | 'failure' | 'could-not-check';

export interface Check {
  /** Stable, for programs: group and name, such as `database.writer`. */
  readonly name: string;
  readonly looksAt: string;
  readonly verdict: Verdict;
  readonly found: string;
  /** Null where there is nothing to do. */
  readonly todo: string | null;
}

export interface Subject {
  ok(found: string): Check;
  /** The service runs, but not as it should. */
  warning(found: string, todo: string): Check;
  /** The service does not start, cannot answer, or does not keep its promises. */
  failure(found: string, todo: string): Check;
  couldNotCheck(found: string, todo: string): Check;
}

export function about(name: string, looksAt: string): Subject {
  const say =
    (verdict: Verdict) =>
    (found: string, todo: string | null = null): Check => ({ name, looksAt, verdict, found, todo });
  return {
    ok: say('ok'),
    warning: say('warning'),
    failure: say('failure'),
    couldNotCheck: say('could-not-check'),
  };
}

/** Why something failed, without a stack; of a connection refused on every address, each. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.message === '') {
    return [...new Set(error.errors.map(reasonOf))].join('; ');
  }
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}

/** The first of many, and how many more there are. */
export function some(items: readonly string[], most = 5): string {
  const more = items.length - most;
  return more > 0 ? `${items.slice(0, most).join(', ')} and ${more} more` : items.join(', ');
}
