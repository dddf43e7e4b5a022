// Conditions judged straight from their YAML, operator by operator (POLICIES, Conditions). It must never share code with
// src/core, which it is there to check.
import {
  declaration,
  entryFields,
  everyOf,
  existsAt,
  fieldOf,
  isMap,
  listOf,
  mapOf,
  member,
  notOf,
  someOf,
  valueAt,
  type Raw,
  type Truth,
  type Value,
  type World,
} from './naive-values.ts';
import { durationOf, instantOf } from './naive-time.ts';

/** Ids of grants that made something true are noted on the way. */
export interface Judgement {
  readonly truth: Truth;
  readonly grants: readonly string[];
}
export const judged = (truth: Truth): Judgement => ({ truth, grants: [] });
export const all = (parts: readonly Judgement[]): Judgement => ({
  truth: everyOf(parts.map(({ truth }) => truth)),
  grants: parts.flatMap(({ grants }) => grants),
});
export const any = (parts: readonly Judgement[]): Judgement => ({
  truth: someOf(parts.map(({ truth }) => truth)),
  grants: parts.flatMap(({ truth, grants }) => (truth === true ? grants : [])),
});

/** `entry` is what the surrounding `$some` looks at. */
interface Within {
  readonly entry: Raw;
  readonly fields: Raw;
}

export function holds(world: World, condition: unknown, within: Within | null): Judgement {
  return all(
    Object.entries(mapOf(condition)).map(([key, inner]): Judgement => {
      if (key === '$and') return all(listOf(inner).map((one) => holds(world, one, within)));
      if (key === '$or') return any(listOf(inner).map((one) => holds(world, one, within)));
      if (key === '$not') return judged(notOf(holds(world, inner, within).truth));
      if (key === '$is') {
        const names = Array.isArray(inner) ? inner : [inner];
        return all(names.map((name) => holds(world, member(world.firm, 'terms', String(name)), null)));
      }
      if (!isMap(inner)) return judged(compare(world, key, '$eq', inner, within));
      return all(
        Object.entries(inner).map(([operator, operand]) =>
          operator === '$some'
            ? some(world, key, operand, within)
            : judged(compare(world, key, operator, operand, within)),
        ),
      );
    }),
  );
}

function read(world: World, path: string, within: Within | null): Value {
  return within === null || path.includes('.') || path === 'now'
    ? valueAt(world, path)
    : fieldOf(within.entry, within.fields, path);
}

function typeAt(world: World, path: string, within: Within | null): Raw {
  if (within !== null && !path.includes('.')) return mapOf(within.fields[path]);
  const whole = declaration(world, path);
  const dot = path.lastIndexOf('.');
  return whole ?? mapOf(member(declaration(world, path.slice(0, dot)), 'fields', path.slice(dot + 1)));
}

function some(world: World, path: string, condition: unknown, within: Within | null): Judgement {
  const list = read(world, path, within);
  if (list.is !== 'value') return judged(list.is === 'none' ? false : undefined);
  const fields = entryFields(typeAt(world, path, within));
  return any(
    listOf(list.value).map((item) => {
      const entry = mapOf(item);
      const { truth, grants } = holds(world, condition, { entry, fields });
      return { truth, grants: path === 'data.grants' ? [...grants, String(entry['id'])] : grants };
    }),
  );
}

/** A literal in the form that values of this type have, or the value of another attribute. */
function operandOf(world: World, raw: unknown, type: Raw): Value {
  const reference = typeof raw === 'string' ? /^\$\{(.+)\}$/.exec(raw) : null;
  if (reference !== null) return valueAt(world, reference[1] ?? '');
  if (type['type'] === 'timestamp') return { is: 'value', value: instantOf(String(raw)) };
  if (type['type'] === 'duration') return { is: 'value', value: durationOf(String(raw)) };
  return { is: 'value', value: raw };
}

const ORDERS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  $lt: (a, b) => a < b,
  $lte: (a, b) => a <= b,
  $gt: (a, b) => a > b,
  $gte: (a, b) => a >= b,
};

function compare(world: World, path: string, operator: string, operand: unknown, within: Within | null): Truth {
  const type = path === 'now' ? { type: 'timestamp' } : typeAt(world, path, within);
  const left = read(world, path, within);
  if (operator === '$exists') {
    const there =
      within !== null && !path.includes('.')
        ? left.is === 'unknown'
          ? undefined
          : left.is === 'value'
        : existsAt(world, path);
    return operand === true ? there : notOf(there);
  }
  if (operator === '$ne') return notOf(compare(world, path, '$eq', operand, within));
  if (operator === '$nin') return notOf(compare(world, path, '$in', operand, within));
  if (left.is === 'unknown') return undefined;
  const order = ORDERS[operator];
  if (order !== undefined) {
    const right = operandOf(world, operand, type);
    if (right.is === 'unknown') return undefined;
    if (left.is === 'none' || right.is === 'none') return false;
    const rank = (of: unknown) => (type['type'] === 'enum' ? listOf(type['values']).indexOf(of) : Number(of));
    return order(rank(left.value), rank(right.value));
  }
  switch (operator) {
    case '$none':
      return (left.is === 'none') === operand;
    case '$eq':
    case '$same': {
      const right = operandOf(world, operand, type);
      if (right.is === 'unknown') return undefined;
      if (left.is === 'none' || right.is === 'none') return operator === '$same' && left.is === right.is;
      return left.value === right.value;
    }
    case '$in': {
      const list = Array.isArray(operand)
        ? { is: 'value' as const, value: operand.map((one) => mapOf(operandOf(world, one, type))['value']) }
        : operandOf(world, operand, type);
      if (list.is === 'unknown') return undefined;
      return left.is === 'value' && list.is === 'value' && listOf(list.value).includes(left.value);
    }
    case '$has': {
      const item = operandOf(world, operand, mapOf({ type: type['items'] }));
      if (item.is === 'unknown') return undefined;
      return left.is === 'value' && item.is === 'value' && listOf(left.value).includes(item.value);
    }
    case '$has_any':
      return left.is === 'value' && listOf(operand).some((one) => listOf(left.value).includes(one));
    case '$during':
      return left.is === 'value' && during(mapOf(member(world.firm, 'calendars', String(operand))), Number(left.value));
    case '$age':
    case '$length': {
      if (left.is === 'none') return false;
      const measured =
        operator === '$age' ? world.request.now - Number(left.value) : Array.from(String(left.value)).length;
      return Object.entries(mapOf(operand)).every(([bound, limit]) =>
        ORDERS[bound]?.(measured, Number(operator === '$age' ? durationOf(String(limit)) : limit)),
      );
    }
    default:
      throw new Error(`unknown operator ${operator}`);
  }
}

function during(calendar: Raw, ms: number): boolean {
  if (calendar['timezone'] !== 'UTC') throw new Error('only UTC here');
  const iso = new Date(ms).toISOString();
  const day = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][new Date(ms).getUTCDay()];
  const time = iso.slice(-13, -5);
  return listOf(calendar['days']).includes(day) && time >= String(calendar['from']) && time < String(calendar['until']);
}
