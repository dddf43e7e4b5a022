// Writes a filter as a condition of PostgreSQL, every value a parameter. It must never be null where it should be false under AND and OR,
// let a value into the text, nor read a name in another table than the caller's.
import { listedValues } from './situation.ts';
import { isTextual, notTranslatable } from './target.ts';
import { sorted, type Field, type Formula, type Leaf, type Range } from './formula.ts';
import { formatTimestamp } from '../time.ts';

export interface PostgresOptions {
  /** Null: there is no table of matters. */
  readonly matters: { readonly table: string; readonly id: string } | null;
  /** The column that says to which matter a row belongs. */
  readonly matterColumn: string | null;
  /** Number of the first parameter. */
  readonly first: number;
}

/** Alias of the table of matters; no table of the caller may be called this. */
export const MATTER_ALIAS = 'privity_matter';
/** What a timestamp of RFC 3339 can say. */
const FIRST_INSTANT = -62_135_596_800_000;
const LAST_INSTANT = 253_402_300_800_000;

export interface Sql {
  readonly text: string;
  readonly params: readonly unknown[];
}

/** @throws PrivityError `filter_not_translatable` */
export function writePostgres(formula: Formula, { matters, matterColumn, first }: PostgresOptions): Sql {
  const params: unknown[] = [];
  const known = new Map<string, string>();
  const param = (value: unknown, type: string): string => {
    const key = `${type} ${JSON.stringify(value)}`;
    let name = known.get(key);
    if (name === undefined) {
      params.push(value);
      known.set(key, (name = `$${first + params.length - 1}::${type}`));
    }
    return name;
  };

  const write = (one: Formula): string => {
    switch (one.op) {
      case 'const':
        return one.value ? 'true' : 'false';
      case 'and':
      case 'or':
        return `(${one.args.map(write).join(` ${one.op} `)})`;
      default:
        return ofLeaf(one);
    }
  };
  const ofLeaf = (leaf: Leaf): string => {
    const fields = fieldsOf(leaf);
    const text = leaf.op === 'registered' ? '' : plain(leaf, param);
    if (leaf.op !== 'registered' && fields.every(({ of }) => of === 'row')) return text;
    if (matters === null || matterColumn === null)
      throw notTranslatable('something of matters, without a table of them');
    const row = `(${nameOf(matterColumn)})::text`;
    const alias = `"${MATTER_ALIAS}"`;
    const found = `exists (select from ${nameOf(matters.table)} ${alias} where (${alias}.${nameOf(matters.id)})::text = ${row}${text === '' ? '' : ` and ${text}`})`;
    if (leaf.op !== 'registered' || leaf.is) return found;
    return `(${row} <> '' and not ${found})`;
  };
  return { text: write(formula), params };
}

type Param = (value: unknown, type: string) => string;

function fieldsOf(leaf: Leaf): readonly Field[] {
  if (leaf.op === 'compare') return [leaf.left, leaf.right];
  if (leaf.op === 'member') return [leaf.item, leaf.list];
  return leaf.op === 'refused' ? [] : [leaf.field];
}

function plain(leaf: Exclude<Leaf, { op: 'registered' }>, param: Param): string {
  switch (leaf.op) {
    case 'points':
      return orAbsent(ofPoints(leaf, param), leaf);
    case 'ranges': {
      const one = (range: Range): string => ofRange(leaf.field, leaf.measure, range, param);
      const text = leaf.ranges.map(one).join(' or ');
      return orAbsent(leaf.ranges.length > 1 ? `(${text})` : text, leaf);
    }
    case 'overlaps': {
      const list = `(${columnOf(leaf.field)})::text[]`;
      const inside = leaf.values.length === 0 ? 'false' : `${list} && ${param(leaf.values, 'text[]')}`;
      return orAbsent(
        `(${wellTypedList(leaf.field, param)} and ${leaf.complement ? `not (${inside})` : inside})`,
        leaf,
      );
    }
    case 'compare':
      return ofComparison(leaf);
    case 'member': {
      const item = textOf(leaf.item);
      const list = `(${columnOf(leaf.list)})::text[]`;
      const inside = leaf.complement ? `${item} <> all (${list})` : `${item} = any (${list})`;
      return `(${item} <> '' and ${wellTypedList(leaf.list, param)} and ${inside})`;
    }
    case 'refused':
      throw notTranslatable(leaf.reason);
  }
}

function ofPoints({ field, values, complement }: Extract<Leaf, { op: 'points' }>, param: Param): string {
  if (values.size === 0 && !complement) return 'false';
  if (field.type.kind === 'boolean') {
    const column = columnOf(field);
    if (values.size === 2) return `${column} is not null`;
    return `${column} is ${String([...values][0])}`;
  }
  const list = sorted(values);
  const column = textOf(field);
  if (!complement) return `${column} = any (${param(list, 'text[]')})`;
  return list.length === 0 ? `${column} <> ''` : `(${column} <> '' and ${column} <> all (${param(list, 'text[]')}))`;
}

function orAbsent(text: string, { field, absent }: { readonly field: Field; readonly absent: boolean }): string {
  if (!absent) return text;
  const missing = `${columnOf(field)} is null`;
  const nothing = isTextual(field) ? `${missing} or ${textOf(field)} = ''` : missing;
  return text === 'false' ? `(${nothing})` : `(${text} or ${nothing})`;
}

function ofRange(field: Field, measure: 'value' | 'length', range: Range, param: Param): string {
  if (measure === 'length') {
    const length = `char_length(${textOf(field)})`;
    return conjunction([`${textOf(field)} <> ''`, ...bounds(length, range, (value) => param(value, 'int'))]);
  }
  if (field.type.kind === 'number') {
    const column = numberOf(field);
    return conjunction([...finite(field), ...bounds(column, range, (value) => param(value, 'float8'))]);
  }
  const ends = [range.from, range.to].filter((end) => end !== null);
  if (ends.some((end) => !Number.isInteger(end))) {
    // As exact as the check is, at the price of an index.
    const ms = `(extract(epoch from ${columnOf(field)}) * 1000)::float8`;
    return conjunction([...sayable(field), ...bounds(ms, range, (value) => param(value, 'float8'))]);
  }
  if ((range.from ?? FIRST_INSTANT) >= LAST_INSTANT || (range.to ?? LAST_INSTANT) < FIRST_INSTANT) return 'false';
  const within = {
    ...range,
    from: range.from !== null && range.from < FIRST_INSTANT ? null : range.from,
    to: range.to !== null && range.to >= LAST_INSTANT ? null : range.to,
  };
  const instant = (value: number): string => param(formatTimestamp(value), 'timestamptz');
  return conjunction([...sayable(field), ...bounds(columnOf(field), within, instant)]);
}

function bounds(column: string, range: Range, value: (end: number) => string): string[] {
  const { from, fromIncluded, to, toIncluded } = range;
  if (from !== null && from === to) return [`${column} = ${value(from)}`];
  return [
    ...(from === null ? [] : [`${column} ${fromIncluded ? '>=' : '>'} ${value(from)}`]),
    ...(to === null ? [] : [`${column} ${toIncluded ? '<=' : '<'} ${value(to)}`]),
  ];
}

function ofComparison({ order, left, right }: Extract<Leaf, { op: 'compare' }>): string {
  const sign = { eq: '=', ne: '<>', lt: '<', lte: '<=', gt: '>', gte: '>=' }[order];
  if (left.type.kind === 'number')
    return conjunction([...finite(left), ...finite(right), `${numberOf(left)} ${sign} ${numberOf(right)}`]);
  if (left.type.kind === 'timestamp')
    return conjunction([...sayable(left), ...sayable(right), `${columnOf(left)} ${sign} ${columnOf(right)}`]);
  return conjunction([`${textOf(left)} <> ''`, `${textOf(right)} <> ''`, `${textOf(left)} ${sign} ${textOf(right)}`]);
}

/** What is no number of JSON is mistyped. */
function finite(field: Field): string[] {
  return [`${numberOf(field)} > '-Infinity'`, `${numberOf(field)} < 'Infinity'`];
}

function sayable(field: Field): string[] {
  const column = columnOf(field);
  return [`${column} >= '0001-01-01T00:00:00Z'::timestamptz`, `${column} < '10000-01-01T00:00:00Z'::timestamptz`];
}

/** One dimension, no item without a value, and of a closed list of values no other. */
function wellTypedList(field: Field, param: Param): string {
  const column = `(${columnOf(field)})::text[]`;
  const { type } = field;
  const listed = type.kind === 'list' ? listedValues(type.items) : null;
  return conjunction([
    `coalesce(array_ndims(${column}), 1) = 1`,
    `(select count(*) from unnest(${column}) privity_list (privity_item) where privity_item <> '') = cardinality(${column})`,
    ...(listed === null ? [] : [`${column} <@ ${param(listed, 'text[]')}`]),
  ]);
}

function conjunction(parts: readonly string[]): string {
  return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(' and ')})`;
}

function columnOf(field: Field): string {
  if (field.of === 'row') return nameOf(field.column);
  const onFile = `"${MATTER_ALIAS}".${nameOf(field.column)}`;
  if (field.otherwise === undefined) return onFile;
  const inRow = nameOf(field.otherwise);
  return isTextual(field)
    ? `coalesce(nullif((${onFile})::text, ''), (${inRow})::text)`
    : `coalesce(${onFile}, ${inRow})`;
}

/** As text: compared byte by byte, whatever type the column has. */
function textOf(field: Field): string {
  return `(${columnOf(field)})::text`;
}

function numberOf(field: Field): string {
  return `(${columnOf(field)})::float8`;
}

function nameOf(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part}"`)
    .join('.');
}
