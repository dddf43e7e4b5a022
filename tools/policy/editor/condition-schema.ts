// What a condition of this firm may say, as JSON Schema: attribute paths, the operators of each type, the values of each enum. It must never
// refuse what parse-condition.ts accepts.
import { comparable, type AttributeType } from '../../../src/core/attribute-types.ts';
import type { Attribute, Dictionary } from '../../../src/core/dictionary.ts';
import { mapOf, words, type Schema } from './json-schema.ts';

export interface ConditionWords {
  readonly dictionary: Dictionary;
  readonly terms: readonly string[];
  readonly calendars: readonly string[];
  readonly titles: ReadonlyMap<string, string>;
  /** In firm.yaml, which declares its words itself, they are only offered. */
  readonly isOpen: boolean;
}

export interface ConditionSchemas {
  readonly condition: Schema;
  /** All that `condition` refers to. */
  readonly definitions: Readonly<Record<string, Schema>>;
}

interface Path {
  readonly path: string;
  readonly type: AttributeType;
  readonly description: string;
}

const INNER: Schema = { type: 'object', minProperties: 1 };
const DURATION: Schema = { type: 'string', pattern: '^P', examples: ['P90D', 'PT30M'] };
const COUNT: Schema = { type: 'integer', minimum: 0 };
const ORDERS = ['$lt', '$lte', '$gt', '$gte'];

export function conditionSchemas(given: ConditionWords): ConditionSchemas {
  const { dictionary, terms, calendars, isOpen } = given;
  const paths = dictionary.attributes.flatMap((attribute) => pathsOf(attribute, given.titles));
  const definitions: Record<string, Schema> = {};
  const names = new Map<string, string>();
  const to = (name: string): Schema => ({ $ref: `#/definitions/${name}` });
  const defined = (key: string, prefix: string, make: () => Schema): Schema => {
    let name = names.get(key);
    if (name === undefined) {
      names.set(key, (name = `${prefix}-${names.size + 1}`));
      definitions[name] = {}; // a list of entries may hold lists of entries
      definitions[name] = make();
    }
    return to(name);
  };

  /** `"${…}"`, with blanks or without. */
  const reference = (fits: (type: AttributeType) => boolean): Schema => {
    const found = paths.flatMap(({ path, type }) => (fits(type) ? [`\${${path}}`] : []));
    const other: Schema = {
      type: 'string',
      pattern: isOpen ? '^\\$\\{[^${}]+\\}$' : '^\\$\\{(\\s[^${}]*|[^${}]*\\s)\\}$',
    };
    return { anyOf: [words(found), other] };
  };
  const literal = (type: AttributeType): Schema => {
    switch (type.kind) {
      case 'boolean':
        return { type: 'boolean' };
      case 'number':
        return { type: 'number' };
      case 'enum':
        return words(type.values, isOpen);
      case 'timestamp':
        return { type: 'string', pattern: '^[0-9]{4}-', examples: ['2027-03-31T00:00:00Z'] };
      case 'duration':
        return DURATION;
      default:
        return { type: 'string', minLength: 1, not: { pattern: '\\$\\{' } };
    }
  };
  const operand = (type: AttributeType): Schema =>
    defined(`operand ${keyOf(type)}`, 'value', () => ({
      anyOf: [literal(type), reference((other) => comparable(type, other))],
    }));
  const literals = (type: AttributeType): Schema => ({ type: 'array', minItems: 1, items: literal(type) });
  const bounds = (value: Schema): Schema => ({
    ...mapOf(Object.fromEntries(ORDERS.map((order) => [order, value]))),
    minProperties: 1,
  });

  const operators = (type: AttributeType): Readonly<Record<string, Schema>> => {
    const always = { $exists: { type: 'boolean' }, $none: { type: 'boolean' } };
    if (type.kind === 'object') return always;
    if (type.kind === 'list') {
      if (type.items.kind === 'object') return { ...always, $some: entry(type.items.fields) };
      return { ...always, $has: operand(type.items), $has_any: literals(type.items) };
    }
    const isOrdered =
      type.kind === 'number' ||
      type.kind === 'timestamp' ||
      type.kind === 'duration' ||
      (type.kind === 'enum' && type.ordered);
    const among: Schema = {
      anyOf: [literals(type), reference((other) => other.kind === 'list' && comparable(other.items, type))],
    };
    return {
      ...{ $eq: operand(type), $ne: operand(type), $in: among, $nin: among },
      ...(isOrdered ? Object.fromEntries(ORDERS.map((order) => [order, operand(type)])) : {}),
      ...always,
      $same: reference((other) => comparable(type, other)),
      ...(type.kind === 'timestamp' ? { $age: bounds(DURATION), $during: words(calendars, isOpen) } : {}),
      ...(type.kind === 'string' ? { $length: bounds(COUNT) } : {}),
    };
  };
  const comparison = (type: AttributeType): Schema =>
    defined(`comparison ${keyOf(type)}`, 'is', () => {
      const withOperators: Schema = { ...mapOf(operators(type), isOpen), minProperties: 1 };
      return type.kind === 'list' || type.kind === 'object' ? withOperators : { anyOf: [operand(type), withOperators] };
    });

  const term = words(terms, isOpen);
  const condition = (self: Schema, members: readonly Path[]): Schema => ({
    ...mapOf(
      {
        ...Object.fromEntries(
          members.map(({ path, type, description }) => [path, { allOf: [comparison(type)], description }]),
        ),
        $is: {
          anyOf: [term, { type: 'array', minItems: 1, items: term }],
          description: 'terms of firm.yaml; all must hold',
        },
        $and: { type: 'array', minItems: 1, items: self, description: 'all must hold' },
        $or: { type: 'array', minItems: 1, items: self, description: 'one must hold' },
        $not: self,
      },
      isOpen,
    ),
    ...INNER,
    ...(isOpen ? { propertyNames: { pattern: '^(\\$(and|or|not|is)$|[^$])' } } : {}),
  });
  const entry = (fields: ReadonlyMap<string, AttributeType>): Schema =>
    defined(`entry ${keyOf({ kind: 'object', fields })}`, 'entry', () => {
      const own = [...fields].map(([path, type]): Path => ({ path, type, description: 'of the entry' }));
      const outer = paths.filter(({ path }) => (path.includes('.') || path === 'now') && !fields.has(path));
      const name = names.get(`entry ${keyOf({ kind: 'object', fields })}`) ?? '';
      return condition(to(name), [...own, ...outer]);
    });
  definitions['condition'] = condition(to('condition'), paths);
  return { condition: to('condition'), definitions };
}

/** An attribute, and the fields of an object by themselves. */
function pathsOf({ path, type, presence }: Attribute, titles: ReadonlyMap<string, string>): readonly Path[] {
  const absence =
    presence.kind === 'optional' || (presence.kind === 'required_for' && presence.meaning !== null)
      ? `; absent: ${presence.meaning ?? ''}`
      : '';
  const description = `${titles.get(path) ?? path}${absence}`;
  const fields = type.kind === 'object' ? [...type.fields] : [];
  return [
    { path, type, description },
    ...fields.map(([field, inner]) => ({ path: `${path}.${field}`, type: inner, description })),
  ];
}

function keyOf(type: AttributeType): string {
  if (type.kind === 'object') return JSON.stringify([...type.fields].map(([name, inner]) => [name, keyOf(inner)]));
  if (type.kind === 'list') return `list of ${keyOf(type.items)}`;
  return type.kind === 'enum' ? JSON.stringify([type.values, type.ordered]) : type.kind;
}
