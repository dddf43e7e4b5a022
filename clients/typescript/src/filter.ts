// Makes of a list filter what a list can use. It must never let a row pass by a kind of filter that nobody here knows, nor by one
// that is out of date.
import type { FilterAnswer } from './api.ts';

/** What a list may show. Only `conditional` has a filter, in the form that was asked for. */
export type RowFilter =
  | { readonly kind: 'always_denied' }
  | { readonly kind: 'always_allowed'; readonly expiresAt: Date }
  | {
      readonly kind: 'conditional';
      readonly expiresAt: Date;
      readonly condition?: FilterAnswer['condition'];
      readonly sql?: FilterAnswer['sql'];
      readonly query?: FilterAnswer['query'];
    };

export interface SqlWhere {
  /** A condition for WHERE. */
  readonly text: string;
  readonly params: readonly unknown[];
}

const NOTHING: RowFilter = { kind: 'always_denied' };
const NO_ROW: SqlWhere = { text: 'false', params: [] };
const EVERY_ROW: SqlWhere = { text: 'true', params: [] };

export function passing({ kind, expires_at: until, condition, sql, query }: FilterAnswer, now = Date.now()): RowFilter {
  const expiresAt = new Date(until);
  if (!(expiresAt.getTime() > now)) return NOTHING;
  if (kind === 'always_allowed') return { kind, expiresAt };
  if (kind !== 'conditional' || (condition === undefined && sql === undefined && query === undefined)) return NOTHING;
  return { kind, expiresAt, condition, sql, query };
}

/** For a filter of the target `postgresql`, used at once: `select … where (${where.text})`. */
export function sqlWhere(filter: RowFilter, now = Date.now()): SqlWhere {
  if (filter.kind === 'always_denied' || !(filter.expiresAt.getTime() > now)) return NO_ROW;
  if (filter.kind === 'always_allowed') return EVERY_ROW;
  const { sql } = filter;
  if (sql === undefined || typeof sql.text !== 'string' || sql.text === '' || !Array.isArray(sql.params)) return NO_ROW;
  return sql;
}
