// Turns the YAML of a condition into its typed tree, checking every name and type. It must never accept an operator, name or literal that could silently be never true.
import { all, ALWAYS, type Expr, type Ref } from './condition.ts';
import { parseOperator, OPERATORS, parseEquality } from './parse-operator.ts';
import { at, type Place } from './report.ts';
import { resolve, type Scope } from './scope.ts';

/** Deeper conditions are refused: nobody can read them, and stacks are finite. */
const MAX_DEPTH = 32;

export function parseCondition(value: unknown, scope: Scope, place: Place, depth = 0): Expr {
  const { report } = scope;
  if (!isMap(value)) {
    report.error(
      place,
      'condition-shape',
      'a condition is a map of attributes and operators',
      'write `attribute: value`',
    );
    return ALWAYS;
  }
  if (depth > MAX_DEPTH) {
    report.error(
      place,
      'condition-depth',
      `conditions may be nested ${MAX_DEPTH} deep at most`,
      'name parts of it as terms in firm.yaml',
    );
    return ALWAYS;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) report.error(place, 'empty-condition', 'an empty condition says nothing', 'remove it');
  const members = entries.map(([key, inner]) => {
    const here = at(place, key);
    return placed(parseMember(key, inner, scope, here, depth + 1), scope, here);
  });
  return all(members);
}

/** Notes where it was written; what was noted of it before is more exact. */
export function placed(expr: Expr, { places }: Scope, place: Place): Expr {
  if (!places.has(expr)) places.set(expr, place);
  return expr;
}

function parseMember(key: string, value: unknown, scope: Scope, place: Place, depth: number): Expr {
  switch (key) {
    case '$and':
    case '$or': {
      const op = key === '$and' ? 'all' : 'any';
      if (!Array.isArray(value) || value.length === 0) {
        scope.report.error(place, 'condition-shape', `\`${key}\` needs a list of conditions`);
        return ALWAYS;
      }
      const args = value.map((one: unknown, index) => {
        const here = at(place, index);
        return placed(parseCondition(one, scope, here, depth), scope, here);
      });
      return { op, args };
    }
    case '$not':
      return { op: 'not', arg: parseCondition(value, scope, place, depth) };
    case '$is':
      return parseTerms(value, scope, place);
    default:
      if (key.startsWith('$')) {
        scope.report.error(
          place,
          'unknown-operator',
          `\`${key}\` is no operator that can stand here`,
          OPERATORS.includes(key)
            ? `write \`attribute: { ${key}: … }\``
            : 'here stand attributes, $and, $or, $not and $is',
        );
        return ALWAYS;
      }
      return parseAttribute(key, value, scope, place, depth);
  }
}

/** The name of a term, or a list of names that must all hold. */
export function parseTerms(value: unknown, scope: Scope, place: Place): Expr {
  const names: readonly unknown[] = Array.isArray(value) ? value : [value];
  const exprs = names.map((name, index): Expr => {
    const here = Array.isArray(value) ? at(place, index) : place;
    if (typeof name !== 'string') {
      scope.report.error(here, 'condition-shape', '`$is` needs the name of a term, or a list of names');
      return ALWAYS;
    }
    const arg = scope.term(name, here);
    if (arg === undefined) return ALWAYS;
    return placed({ op: 'term', name, index: scope.termNames.indexOf(name), arg }, scope, here);
  });
  if (exprs.length === 0) scope.report.error(place, 'condition-shape', '`$is` needs at least one term');
  return all(exprs);
}

function parseAttribute(path: string, value: unknown, scope: Scope, place: Place, depth: number): Expr {
  const left = resolve(path, scope, place);
  if (left === undefined) return ALWAYS;
  if (!isMap(value)) return parseEquality(left, value, scope, place);
  const operators = Object.entries(value);
  if (operators.length === 0) {
    scope.report.error(
      place,
      'empty-condition',
      `\`${path}\` has no operator`,
      'write a value, or an operator such as { $in: [ … ] }',
    );
    return ALWAYS;
  }
  return all(
    operators.map(([operator, operand]) => {
      const here = at(place, operator);
      if (operator === '$some') return placed(parseSome(left, operand, scope, here, depth), scope, here);
      return placed(parseOperator(left, operator, operand, scope, here), scope, here);
    }),
  );
}

function parseSome(left: Ref, value: unknown, scope: Scope, place: Place, depth: number): Expr {
  if (left.type.kind !== 'list' || left.type.items.kind !== 'object') {
    scope.report.error(
      place,
      'wrong-type',
      `\`$some\` looks at a list of entries; \`${left.path}\` is none`,
      'use $has for plain lists',
    );
    return ALWAYS;
  }
  const inner: Scope = { ...scope, entry: left.type.items.fields };
  return { op: 'some', left, where: parseCondition(value, inner, place, depth) };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
