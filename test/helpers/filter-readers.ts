// Small readers of the other two forms of a filter, as a backend would have them: UCAST and Elasticsearch queries over plain rows. They
// must never share code with what writes them.

type Row = Readonly<Record<string, unknown>>;
type Json = Readonly<Record<string, unknown>>;

/** With SQL's null: a comparison with it is not true, but for `eq` and `ne` with a literal null. */
export function passesUcast(condition: unknown, row: Row): boolean {
  const { type, operator, value, field } = condition as Json;
  if (type === 'compound') {
    const parts = value as readonly unknown[];
    if (operator === 'and') return parts.every((part) => passesUcast(part, row));
    if (operator === 'or') return parts.some((part) => passesUcast(part, row));
    throw new Error(`compound ${String(operator)}`);
  }
  if (type !== 'field') throw new Error(`type ${String(type)}`);
  const actual = row[String(field)] ?? null;
  if (value === null) return operator === 'eq' ? actual === null : operator === 'ne' && actual !== null;
  if (actual === null) return false;
  if (operator === 'in' || operator === 'nin') {
    return (value as readonly unknown[]).includes(actual) === (operator === 'in');
  }
  const other = isObject(value) ? (row[String(value['field'])] ?? null) : value;
  if (other === null) return false;
  const [a, b] = [comparable(actual), comparable(other)];
  switch (operator) {
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'lt':
      return a < b;
    case 'lte':
      return a <= b;
    case 'gt':
      return a > b;
    case 'gte':
      return a >= b;
    default:
      throw new Error(`operator ${String(operator)}`);
  }
}

export function passesQuery(query: unknown, row: Row): boolean {
  const [[kind, body] = ['', {}], ...more] = Object.entries(query as Json);
  if (more.length > 0) throw new Error('a query of two kinds');
  const values = (field: string): readonly unknown[] => {
    const value = row[field] ?? [];
    return (Array.isArray(value) ? value : [value]).filter((one) => one !== null);
  };
  switch (kind) {
    case 'match_all':
      return true;
    case 'match_none':
      return false;
    case 'exists':
      return values(String((body as Json)['field'])).length > 0;
    case 'term':
    case 'terms': {
      const [[field, wanted] = ['', []]] = Object.entries(body as Json);
      const list = Array.isArray(wanted) ? wanted : [wanted];
      return values(field).some((value) => list.includes(value));
    }
    case 'range': {
      const [[field, ends] = ['', {}]] = Object.entries(body as Json);
      return values(field).some((value) => isWithin(comparable(value), ends as Json));
    }
    case 'bool': {
      const { filter = [], should = [], must_not: not = [], minimum_should_match: least = 0 } = body as Json;
      const count = (list: unknown) => (list as readonly unknown[]).filter((one) => passesQuery(one, row)).length;
      return (
        count(filter) === (filter as readonly unknown[]).length && count(not) === 0 && count(should) >= Number(least)
      );
    }
    default:
      throw new Error(`query ${kind}`);
  }
}

function isWithin(value: string | number | boolean, { gt, gte, lt, lte, format, ...others }: Json): boolean {
  if (Object.keys(others).length > 0 || (format !== undefined && format !== 'epoch_millis')) throw new Error('range');
  const number = Number(value);
  return (
    (gt === undefined || number > Number(gt)) &&
    (gte === undefined || number >= Number(gte)) &&
    (lt === undefined || number < Number(lt)) &&
    (lte === undefined || number <= Number(lte))
  );
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T/;

function comparable(value: unknown): string | number | boolean {
  if (typeof value === 'string') return INSTANT.test(value) ? Date.parse(value) : value;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  throw new Error('a value that has no order');
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
