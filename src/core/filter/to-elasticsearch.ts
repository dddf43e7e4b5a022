// Writes a filter as a query of Elasticsearch and OpenSearch, in filter context. It must never take an empty list for one that is not
// there, nor let scores decide.
import { sorted, type Field, type Formula, type Leaf, type Range } from './formula.ts';
import { isTextual, notTranslatable } from './target.ts';

export type Query = Readonly<Record<string, unknown>>;

/** A cluster refuses queries with more clauses (indices.query.bool.max_clause_count was 1,024). */
const MOST_CLAUSES = 1_000;

/** @throws PrivityError `filter_not_translatable` */
export function writeElasticsearch(formula: Formula): Query {
  let clauses = 0;
  const write = (one: Formula): Query => {
    if (++clauses > MOST_CLAUSES) throw notTranslatable(`more than ${MOST_CLAUSES} clauses, for elasticsearch`);
    switch (one.op) {
      case 'const':
        return one.value ? { match_all: {} } : { match_none: {} };
      case 'and':
        return { bool: { filter: one.args.map(write) } };
      case 'or':
        return any(one.args.map(write));
      default:
        return ofLeaf(one);
    }
  };
  return write(formula);
}

function ofLeaf(leaf: Leaf): Query {
  switch (leaf.op) {
    case 'points':
      return ofPoints(leaf);
    case 'ranges':
      if (leaf.measure === 'length') throw notTranslatable(`the length of ${leaf.field.path}, for elasticsearch`);
      return any([
        ...leaf.ranges.map((range) => ofRange(leaf.field, range)),
        ...(leaf.absent ? absent(leaf.field) : []),
      ]);
    case 'overlaps':
      return ofList(leaf);
    case 'member':
      throw notTranslatable(`${leaf.item.path} compared with ${leaf.list.path}, for elasticsearch`);
    case 'compare':
      throw notTranslatable(`${leaf.left.path} compared with ${leaf.right.path}, for elasticsearch`);
    case 'registered':
      throw notTranslatable('something of matters, for elasticsearch');
    case 'refused':
      throw notTranslatable(leaf.reason);
  }
}

function ofPoints({ field, values, complement, absent: orAbsent }: Extract<Leaf, { op: 'points' }>): Query {
  if (field.type.kind === 'list') throw notTranslatable(`${field.path}, whether it is empty, for elasticsearch`);
  const list = sorted(values);
  const nothing = orAbsent ? absent(field) : [];
  if (complement) {
    const others = isTextual(field) ? [...list, ''] : list;
    const but = others.length === 0 ? {} : { must_not: [{ terms: { [field.column]: others } }] };
    return any([{ bool: { filter: [exists(field)], ...but } }, ...nothing]);
  }
  return any([...(list.length === 0 ? [] : [{ terms: { [field.column]: list } }]), ...nothing]);
}

/** An index does not know whether a list is empty or not there. */
function ofList({ field, values, complement, absent: orAbsent }: Extract<Leaf, { op: 'overlaps' }>): Query {
  if (complement !== orAbsent) throw notTranslatable(`${field.path}, whether it is empty, for elasticsearch`);
  if (field.type.kind === 'list' && field.type.items.kind === 'enum')
    throw notTranslatable(`the list ${field.path}, for elasticsearch`);
  // An item without a value makes the whole list doubtful.
  if (complement) return { bool: { must_not: [{ terms: { [field.column]: [...values, ''] } }] } };
  return { bool: { filter: [{ terms: { [field.column]: values } }], must_not: [{ term: { [field.column]: '' } }] } };
}

function ofRange(field: Field, { from, fromIncluded, to, toIncluded }: Range): Query {
  if (from === null && to === null) return exists(field);
  const ends = {
    ...(from === null ? {} : { [fromIncluded ? 'gte' : 'gt']: from }),
    ...(to === null ? {} : { [toIncluded ? 'lte' : 'lt']: to }),
  };
  if (field.type.kind !== 'timestamp') return { range: { [field.column]: ends } };
  if ([from, to].some((end) => end !== null && !Number.isInteger(end)))
    throw notTranslatable(`${field.path} to a fraction of a millisecond, for elasticsearch`);
  return { range: { [field.column]: { ...ends, format: 'epoch_millis' } } };
}

function absent(field: Field): Query[] {
  const missing = { bool: { must_not: [exists(field)] } };
  return isTextual(field) ? [missing, { term: { [field.column]: '' } }] : [missing];
}

function exists({ column }: Field): Query {
  return { exists: { field: column } };
}

function any(list: readonly Query[]): Query {
  const [only] = list;
  if (list.length === 1 && only !== undefined) return only;
  return list.length === 0 ? { match_none: {} } : { bool: { should: list, minimum_should_match: 1 } };
}
