// Parses one operator of a condition with its operand, checking types. It must never let a comparison through that can only be unknown or never true.
import { comparable, compileReader, describeType, type AttributeType } from './attribute-types.ts';
import { ALWAYS, type Bound, type Expr, type Operand, type Order, type Ref } from './condition.ts';
import { at, type Place } from './report.ts';
import { resolve, type Scope } from './scope.ts';
import { nearest } from './suggest.ts';
import { parseDuration } from './time.ts';
import { UNKNOWN_VALUE } from './truth.ts';

const ORDERS: ReadonlyMap<string, Order> = new Map([
  ['$lt', 'lt'],
  ['$lte', 'lte'],
  ['$gt', 'gt'],
  ['$gte', 'gte'],
]);

export const OPERATORS: readonly string[] = [
  ...[
    '$eq',
    '$ne',
    '$lt',
    '$lte',
    '$gt',
    '$gte',
    '$in',
    '$nin',
    '$has',
    '$has_any',
    '$some',
    '$exists',
    '$none',
    '$same',
  ],
  ...['$age', '$during', '$length'],
];

export function parseEquality(left: Ref, value: unknown, scope: Scope, place: Place): Expr {
  if (Array.isArray(value)) {
    scope.report.error(
      place,
      'wrong-type',
      `\`${left.path}\` cannot equal a list`,
      'write { $in: [ … ] }, or { $has_any: [ … ] } for a list attribute',
    );
    return ALWAYS;
  }
  return compare('eq', left, value, scope, place);
}

export function parseOperator(left: Ref, operator: string, value: unknown, scope: Scope, place: Place): Expr {
  const { report } = scope;
  const order = ORDERS.get(operator);
  if (order !== undefined) return compareOrder(order, left, value, scope, place);
  switch (operator) {
    case '$eq':
    case '$ne':
      return compare(operator === '$eq' ? 'eq' : 'ne', left, value, scope, place);
    case '$in':
    case '$nin':
      return parseIn(operator === '$in' ? 'in' : 'nin', left, value, scope, place);
    case '$has': {
      if (!isPlainList(left.type)) return wrongType(left, operator, 'a list of plain values', scope, place);
      const right = parseOperand(left.type.items, value, scope, place);
      return right === undefined ? ALWAYS : { op: 'has', left, right };
    }
    case '$has_any': {
      if (!isPlainList(left.type)) return wrongType(left, operator, 'a list of plain values', scope, place);
      const values = parseLiterals(left.type.items, value, scope, place);
      return values === undefined ? ALWAYS : { op: 'has_any', left, values };
    }
    case '$exists':
    case '$none': {
      if (typeof value !== 'boolean') {
        report.error(place, 'wrong-type', `\`${operator}\` takes true or false`);
        return ALWAYS;
      }
      return { op: operator === '$exists' ? 'exists' : 'none', left, want: value };
    }
    case '$same': {
      const right = parseOperand(left.type, value, scope, place);
      if (right === undefined) return ALWAYS;
      if (right.kind === 'ref') return { op: 'same', left, right: right.ref };
      report.error(place, 'wrong-type', '`$same` compares with another attribute', 'write "${other.attribute}"');
      return ALWAYS;
    }
    case '$age':
      if (left.type.kind !== 'timestamp') return wrongType(left, operator, 'a timestamp', scope, place);
      return {
        op: 'age',
        left,
        bounds: parseBounds(value, durationOf, 'ISO 8601 duration such as P90D or PT30M', scope, place),
      };
    case '$length':
      if (left.type.kind !== 'string') return wrongType(left, operator, 'a string', scope, place);
      return { op: 'length', left, bounds: parseBounds(value, countOf, 'whole number', scope, place) };
    case '$during': {
      if (left.type.kind !== 'timestamp') return wrongType(left, operator, 'a timestamp', scope, place);
      const contains = typeof value === 'string' ? scope.calendars.get(value) : undefined;
      if (contains !== undefined) return { op: 'during', left, calendar: String(value), contains };
      report.unknown(place, 'calendar', shownOf(value), scope.calendars.keys());
      return ALWAYS;
    }
    default: {
      const near = nearest(operator, OPERATORS);
      report.error(
        place,
        'unknown-operator',
        `\`${operator}\` is no operator`,
        near === undefined ? `known: ${OPERATORS.join(' ')}` : `did you mean \`${near}\`?`,
      );
      return ALWAYS;
    }
  }
}

function compare(op: 'eq' | 'ne', left: Ref, value: unknown, scope: Scope, place: Place): Expr {
  if (left.type.kind === 'list')
    return wrongType(left, op === 'eq' ? 'equality' : '$ne', 'a single value; use $has for lists', scope, place);
  if (left.type.kind === 'object') {
    return wrongType(
      left,
      op === 'eq' ? 'equality' : '$ne',
      `a single value; name a field, such as ${left.path}.${[...left.type.fields.keys()].join('|')}`,
      scope,
      place,
    );
  }
  const right = parseOperand(left.type, value, scope, place);
  return right === undefined ? ALWAYS : { op, left, right };
}

function compareOrder(op: Order, left: Ref, value: unknown, scope: Scope, place: Place): Expr {
  const { type } = left;
  const ordered =
    type.kind === 'number' ||
    type.kind === 'timestamp' ||
    type.kind === 'duration' ||
    (type.kind === 'enum' && type.ordered);
  if (!ordered)
    return wrongType(
      left,
      `$${op}`,
      'something with an order: a number, a timestamp, a duration or an ordered enum',
      scope,
      place,
    );
  const right = parseOperand(type, value, scope, place);
  if (right === undefined) return ALWAYS;
  if (
    right.kind === 'ref' &&
    type.kind === 'enum' &&
    (right.ref.type.kind !== 'enum' || right.ref.type.values.join() !== type.values.join())
  ) {
    return wrongType(
      left,
      `$${op}`,
      `compared with an attribute of the same ordered values, not \`${right.ref.path}\``,
      scope,
      place,
    );
  }
  return { op, left, right };
}

function parseIn(op: 'in' | 'nin', left: Ref, value: unknown, scope: Scope, place: Place): Expr {
  if (left.type.kind === 'list' || left.type.kind === 'object') {
    return wrongType(left, `$${op}`, 'a single value; use $has_any for lists', scope, place);
  }
  const ref = parseReference(value, scope, place);
  if (ref === null) return ALWAYS;
  if (ref !== undefined) {
    if (ref.type.kind === 'list' && comparable(ref.type.items, left.type))
      return { op, left, right: { kind: 'ref', ref } };
    return wrongType(ref, `$${op}`, `a list of ${describeType(left.type)}`, scope, place);
  }
  const values = parseLiterals(left.type, value, scope, place);
  return values === undefined ? ALWAYS : { op, left, right: { kind: 'list', values } };
}

function isPlainList(type: AttributeType): type is { kind: 'list'; items: AttributeType } {
  return type.kind === 'list' && type.items.kind !== 'object' && type.items.kind !== 'list';
}

/** Undefined: not a `${…}`; null: one that names nothing (reported). */
function parseReference(value: unknown, scope: Scope, place: Place): Ref | null | undefined {
  if (typeof value !== 'string' || !value.includes('${')) return undefined;
  const name = /^\$\{([^${}]+)\}$/.exec(value)?.[1];
  if (name === undefined) {
    scope.report.error(
      place,
      'reference-shape',
      `\`${value}\` mixes text and attributes`,
      'write one whole "${attribute}"',
    );
    return null;
  }
  return resolve(name.trim(), { ...scope, entry: null }, place) ?? null;
}

function parseOperand(type: AttributeType, value: unknown, scope: Scope, place: Place): Operand | undefined {
  const ref = parseReference(value, scope, place);
  if (ref === null) return undefined;
  if (ref === undefined) return parseLiteral(type, value, scope, place);
  if (comparable(type, ref.type)) return { kind: 'ref', ref };
  scope.report.error(
    place,
    'wrong-type',
    `\`${ref.path}\` is ${describeType(ref.type)} and cannot be compared with ${describeType(type)}`,
  );
  return undefined;
}

function parseLiteral(type: AttributeType, value: unknown, scope: Scope, place: Place): Operand | undefined {
  const read = value === null || value === '' ? UNKNOWN_VALUE : compileReader(type)(value);
  const listed = type.kind !== 'enum' || type.values.includes(String(read));
  if (read !== UNKNOWN_VALUE && listed) return { kind: 'literal', value: read, text: shownOf(value) };
  const shown = shownOf(value);
  const near = type.kind === 'enum' ? nearest(shown, type.values) : undefined;
  const absent = value === null || value === '' ? 'absence is asked with { $exists: false }' : undefined;
  scope.report.error(
    place,
    'literal-outside-type',
    `\`${shown}\` is not ${type.kind === 'enum' ? '' : 'a '}${describeType(type)}`,
    absent ?? (near === undefined ? undefined : `did you mean \`${near}\`?`),
  );
  return undefined;
}

function parseLiterals(
  type: AttributeType,
  value: unknown,
  scope: Scope,
  place: Place,
): readonly unknown[] | undefined {
  if (!Array.isArray(value) || value.length === 0) {
    scope.report.error(place, 'empty-list', 'here stands a list with at least one value', 'write [ a, b ]');
    return undefined;
  }
  const operands = value.map((one: unknown, index) => {
    const here = at(place, index);
    if (typeof one !== 'string' || !one.includes('${')) return parseLiteral(type, one, scope, here);
    scope.report.error(
      here,
      'reference-shape',
      `\`${one}\` cannot stand in a list`,
      'write $or with one comparison each',
    );
    return undefined;
  });
  return operands.flatMap((operand) => (operand?.kind === 'literal' ? [operand.value] : []));
}

function parseBounds(
  value: unknown,
  read: (raw: unknown) => number | undefined,
  what: string,
  scope: Scope,
  place: Place,
): Bound[] {
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (entries.length === 0)
    scope.report.error(place, 'condition-shape', 'here stand bounds', `write { $lte: ${what} }`);
  return entries.flatMap(([key, raw]: [string, unknown]) => {
    const order = ORDERS.get(key);
    const number = read(raw);
    if (order === undefined)
      scope.report.error(at(place, key), 'unknown-operator', `\`${key}\` is no bound`, 'use $lt, $lte, $gt or $gte');
    else if (number === undefined)
      scope.report.error(at(place, key), 'wrong-type', `\`${shownOf(raw)}\` is no ${what}`);
    return order === undefined || number === undefined ? [] : [{ order, value: number, text: String(raw) }];
  });
}

/** An object has no other text: it may name its own `toString`. */
function shownOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

function durationOf(raw: unknown): number | undefined {
  return typeof raw === 'string' ? parseDuration(raw) : undefined;
}

function countOf(raw: unknown): number | undefined {
  return typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= 0 ? raw : undefined;
}

function wrongType(left: Ref, operator: string, needs: string, scope: Scope, place: Place): Expr {
  scope.report.error(
    place,
    'wrong-type',
    `\`${operator}\` needs ${needs}; \`${left.path}\` is ${describeType(left.type)}`,
  );
  return ALWAYS;
}
