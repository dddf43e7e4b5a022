// Writes a filter as UCAST, in the JSON that OPA's Compile API gives. It must never leave it to a reader's handling of null whether a row
// passes, nor use an operator that other readers understand in another way.
import { formatTimestamp } from '../time.ts';
import { sorted, type Field, type Formula, type Leaf, type Range } from './formula.ts';
import { isTextual, notTranslatable } from './target.ts';

export interface UcastCompound {
  readonly type: 'compound';
  readonly operator: 'and' | 'or';
  readonly value: readonly Ucast[];
}

export interface UcastField {
  readonly type: 'field';
  readonly field: string;
  readonly operator: 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte' | 'in' | 'nin';
  readonly value: unknown;
}

export type Ucast = UcastCompound | UcastField;

/** @throws PrivityError `filter_not_translatable` */
export function writeUcast(formula: Formula): Ucast {
  switch (formula.op) {
    case 'const':
      return formula.value ? all([]) : any([]);
    case 'and':
      return all(formula.args.map(writeUcast));
    case 'or':
      return any(formula.args.map(writeUcast));
    default:
      return ofLeaf(formula);
  }
}

function ofLeaf(leaf: Leaf): Ucast {
  switch (leaf.op) {
    case 'points':
      return ofPoints(leaf);
    case 'ranges':
      if (leaf.measure === 'length') throw notTranslatable(`the length of ${leaf.field.path}, as ucast`);
      return any([
        ...leaf.ranges.map((range) => ofRange(leaf.field, range)),
        ...(leaf.absent ? absent(leaf.field) : []),
      ]);
    case 'compare': {
      const { left, right, order } = leaf;
      return all([...present(left), ...present(right), is(left, order, { field: right.column })]);
    }
    // OPA's `contains` is about parts of texts, so no operator is left that every reader takes for lists.
    case 'overlaps':
      throw notTranslatable(`the list ${leaf.field.path}, as ucast`);
    case 'member':
      throw notTranslatable(`the list ${leaf.list.path}, as ucast`);
    case 'registered':
      throw notTranslatable('something of matters, as ucast');
    case 'refused':
      throw notTranslatable(leaf.reason);
  }
}

function ofPoints({ field, values, complement, absent: orAbsent }: Extract<Leaf, { op: 'points' }>): Ucast {
  const list = sorted(values);
  const nothing = orAbsent ? absent(field) : [];
  if (complement) {
    const others = isTextual(field) ? [...list, ''] : list;
    const value = others.length === 0 ? [] : [is(field, 'nin', others)];
    return any([all([is(field, 'ne', null), ...value]), ...nothing]);
  }
  const [first] = list;
  if (first === undefined) return any(nothing);
  return any([list.length === 1 ? is(field, 'eq', first) : is(field, 'in', list), ...nothing]);
}

function ofRange(field: Field, { from, fromIncluded, to, toIncluded }: Range): Ucast {
  if (from !== null && from === to) return is(field, 'eq', valueOf(field, from));
  return all([
    ...present(field),
    ...(from === null ? [] : [is(field, fromIncluded ? 'gte' : 'gt', valueOf(field, from))]),
    ...(to === null ? [] : [is(field, toIncluded ? 'lte' : 'lt', valueOf(field, to))]),
  ]);
}

function valueOf({ type, path }: Field, value: number): unknown {
  if (type.kind !== 'timestamp') return value;
  if (!Number.isInteger(value)) throw notTranslatable(`${path} to a fraction of a millisecond, as ucast`);
  try {
    return formatTimestamp(value);
  } catch {
    throw notTranslatable(`${path} at an instant that no date names`);
  }
}

/** Said for every comparison: some readers take null for less than any number. */
function present(field: Field): Ucast[] {
  return isTextual(field) ? [is(field, 'ne', null), is(field, 'ne', '')] : [is(field, 'ne', null)];
}

function absent(field: Field): Ucast[] {
  return isTextual(field) ? [is(field, 'eq', null), is(field, 'eq', '')] : [is(field, 'eq', null)];
}

function is({ column }: Field, operator: UcastField['operator'], value: unknown): Ucast {
  return { type: 'field', field: column, operator, value };
}

function all(value: readonly Ucast[]): Ucast {
  return join('and', value);
}

function any(value: readonly Ucast[]): Ucast {
  return join('or', value);
}

function join(operator: 'and' | 'or', value: readonly Ucast[]): Ucast {
  const [only] = value;
  return value.length === 1 && only !== undefined ? only : { type: 'compound', operator, value };
}
