// Rows for proofs of list filters: the same values in a table of PostgreSQL, in a document and in a request. It must never judge a row.
import type pg from 'pg';
import { decide } from '../../src/core/decide.ts';
import { deriveFilter, type Filter, type FilterForm, type FilterQuestion } from '../../src/core/filter/filter.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import type { Decision } from '../../src/model/decision.ts';
import { PrivityError } from '../../src/model/errors.ts';
import { passesQuery, passesUcast } from './filter-readers.ts';

/** Every attribute under its own name; null is no value, for PostgreSQL as for the request. */
export type Row = Readonly<Record<string, unknown>>;

const SQL_TYPES: Readonly<Record<string, string>> = { boolean: 'boolean', number: 'float8', timestamp: 'timestamptz' };

/** A table for rows of the attributes that the firm declares, by its column names. */
export async function createRows(client: pg.Client, set: PolicySet, table: string, rows: readonly Row[]) {
  const columns = columnsOf(set);
  const declared = columns.map(({ name, sql }) => `"${name}" ${sql}`).join(', ');
  await client.query(`create table ${table} (n int, id text, ${declared})`);
  const names = ['n', 'id', ...columns.map(({ name }) => name)];
  const marks = names.map((_, index) => `$${index + 1}`).join(', ');
  for (const [n, row] of rows.entries()) {
    const values = names.map((name) => (name === 'n' ? n : (row[name] ?? null)));
    await client.query(`insert into ${table} values (${marks})`, values);
  }
}

/** Facts of the register, and what matters have on file under the names of the attributes. */
export async function createMatters(client: pg.Client, set: PolicySet, table: string) {
  const columns = columnsOf(set).filter(({ name }) => name !== 'matter_id' && name !== 'client_id');
  const declared = columns.map(({ name, sql }) => `, "${name}" ${sql}`).join('');
  await client.query(`create table ${table}
    (id text, client_id text, practice_group text, responsible_attorney text, proposing_partner text, team text[]${declared})`);
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  for (const [id, one] of set.data.matters) {
    const onFile = new Map(one.onFile.map(({ path, value }) => [path, value]));
    const values = [
      ...[id, one.clientId, text(one.practiceGroup), text(one.responsible), text(one.proposing)],
      one.team,
      ...columns.map(({ name }) => onFile.get(`resource.${name}`) ?? null),
    ];
    await client.query(`insert into ${table} values (${values.map((_, index) => `$${index + 1}`).join(', ')})`, values);
  }
}

export interface ColumnOf {
  readonly name: string;
  readonly sql: string;
}

export function columnsOf(set: PolicySet): readonly ColumnOf[] {
  return set.firm.dictionary.declared
    .filter(({ namespace }) => namespace === 'resource')
    .map(({ name, type }) => ({ name, sql: type.kind === 'list' ? 'text[]' : (SQL_TYPES[type.kind] ?? 'text') }));
}

export function decideRow(set: PolicySet, question: FilterQuestion, names: readonly string[], row: Row): Decision {
  const { type, properties } = question.resource;
  const stated = Object.fromEntries(names.filter((name) => name !== 'id').map((name) => [name, row[name]]));
  const id = names.includes('id') && typeof row['id'] === 'string' ? row['id'] : '';
  const resource = { type, id, properties: { ...properties, ...stated } };
  return decide(set, { ...question, approvals: [], resource });
}

export type Derived = Filter | { readonly kind: 'refused'; readonly why: string };

export function derive(set: PolicySet, question: FilterQuestion, form: FilterForm): Derived {
  try {
    const work = deriveFilter(set, question, form);
    let step = work.next();
    while (step.done !== true) step = work.next();
    return step.value;
  } catch (error) {
    if (error instanceof PrivityError && error.code === 'filter_not_translatable')
      return { kind: 'refused', why: error.message };
    throw error;
  }
}

/** Numbers of the rows that pass. */
export async function passing(
  client: pg.Client,
  table: string,
  rows: readonly Row[],
  { kind, members }: Filter,
): Promise<ReadonlySet<number>> {
  const all = rows.map((_, index) => index);
  if (kind !== 'conditional') return new Set(kind === 'always_allowed' ? all : []);
  const { sql, condition, query } = members;
  if (condition !== undefined) return new Set(all.filter((n) => passesUcast(condition, rows[n] ?? {})));
  if (query !== undefined) return new Set(all.filter((n) => passesQuery(query, rows[n] ?? {})));
  const { text, params } = sql as { text: string; params: unknown[] };
  const { rows: found } = await client.query<{ n: number }>(`select d.n from ${table} d where ${text}`, params);
  return new Set(found.map(({ n }) => n));
}

/** Rows of which every form can hold the values: whole milliseconds, finite numbers, lists without gaps. */
export function isPlain(row: Row): boolean {
  return Object.values(row).every((value) => {
    if (Array.isArray(value)) return value.length > 0 && !value.includes(null);
    if (typeof value === 'number') return Number.isFinite(value);
    return typeof value !== 'string' || !(value.endsWith('infinity') || /\.\d{4,}/.test(value));
  });
}
