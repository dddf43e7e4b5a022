// What a failed statement says about the fate of its batch. It must never call a batch rolled back that may be committed.

/**
 * - `unknown`: the statement may have been committed, or may still be;
 * - `transient`: rolled back, and the same statement may well succeed at once;
 * - `data`: rolled back because of what a row holds;
 * - `taken`: rolled back because another record has our sequence number already;
 * - `resource`: rolled back because the database cannot or may not do this at present.
 */
export type Fate = 'unknown' | 'transient' | 'data' | 'taken' | 'resource';

export interface Failure {
  readonly fate: Fate;
  /** SQLSTATE, or a word for what is not an error of PostgreSQL. Holds nothing of the rows. */
  readonly code: string;
}

interface DatabaseError extends Error {
  readonly code: string;
  readonly severity: string;
  readonly table?: string;
}

// SQLSTATE classes and codes (PostgreSQL documentation, appendix A).
const CONNECTION = /^(?:08...|57P..|25P0[34]|26000)$/;
const TRANSIENT = /^(?:40...|55P03|57014)$/;
const DATA = /^(?:22...|23...|54...)$/;
const UNIQUE_VIOLATION = '23505';

export function judgeFailure(error: unknown): Failure {
  if (!isDatabaseError(error)) return { fate: 'unknown', code: 'connection_lost' };
  const { code } = error;
  // A session that ends with an error may have ended after its commit.
  if (CONNECTION.test(code) || error.severity === 'FATAL' || error.severity === 'PANIC')
    return { fate: 'unknown', code };
  if (TRANSIENT.test(code)) return { fate: 'transient', code };
  if (code === UNIQUE_VIOLATION && (error.table === 'commitments' || error.table === 'heads'))
    return { fate: 'taken', code };
  return { fate: DATA.test(code) ? 'data' : 'resource', code };
}

/** No partition takes the row: the one data error that can be mended here. */
export function isPartitionMissing(failure: Failure): boolean {
  return failure.code === '23514';
}

// A system error has a code too (EPIPE even looks like a SQLSTATE), but no severity.
function isDatabaseError(error: unknown): error is DatabaseError {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string';
}
