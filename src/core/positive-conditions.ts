// Puts single conditions into the few operators of a front end that are false where an attribute is absent. It must never use one that
// absence makes true, nor name a matter.
import type { AttributeType } from './attribute-types.ts';
import type { Expr, Operand, Order, Ref } from './condition.ts';
import { isOfResource, SLOT } from './dictionary.ts';
import type { Frame } from './frame.ts';
import { getter } from './operators.ts';
import { NONE, UNKNOWN_VALUE } from './truth.ts';

/** Operators of MongoDB's query language. */
export interface FieldConditions {
  readonly $eq?: unknown;
  readonly $in?: readonly unknown[];
  readonly $lt?: number;
  readonly $lte?: number;
  readonly $gt?: number;
  readonly $gte?: number;
  readonly $exists?: true;
  readonly $ne?: null;
}

/** By field, as the front end's objects name it; all must hold. */
export type Clause = Readonly<Record<string, FieldConditions>>;

const NEVER: readonly Clause[] = [];

/** When a condition on the resource or its matter certainly has that truth; nothing where these operators cannot say it. */
export function conditionsOf(expr: Expr, want: boolean, resourceType: string, frame: Frame): readonly Clause[] {
  switch (expr.op) {
    case 'eq':
    case 'ne':
      return equality(expr, (expr.op === 'eq') === want, resourceType, frame);
    case 'in':
    case 'nin': {
      const { left, right } = expr;
      if (right.kind === 'ref' && expr.op === 'in' && want) {
        const item = known({ kind: 'ref', ref: left }, frame);
        if (item !== undefined) return on(right.ref, resourceType, { $in: [item] });
      }
      const values = right.kind === 'list' ? right.values : knownList(right, frame);
      return values === null ? NEVER : oneOf(left, values, (expr.op === 'in') === want, resourceType);
    }
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return ordered(expr, want, resourceType, frame);
    case 'has': {
      const { left, right } = expr;
      if (!want) return NEVER;
      const item = known(right, frame);
      if (item !== undefined) return on(left, resourceType, { $in: [item] });
      const list = knownList({ kind: 'ref', ref: left }, frame);
      return list === null || right.kind !== 'ref' ? NEVER : oneOf(right.ref, list, true, resourceType);
    }
    case 'has_any':
      return want ? on(expr.left, resourceType, { $in: expr.values }) : NEVER;
    default:
      return NEVER;
  }
}

/** Both at once; null where they contradict each other, or would need more than one of the same operator. */
export function joined(left: Clause, right: Clause): Clause | null {
  const fields: Record<string, FieldConditions> = { ...left };
  for (const [field, more] of Object.entries(right)) {
    const merged = merge(fields[field] ?? {}, more);
    if (merged === null) return null;
    fields[field] = merged;
  }
  return fields;
}

function merge(left: FieldConditions, right: FieldConditions): FieldConditions | null {
  const all: Record<string, unknown> = { ...left };
  for (const [operator, value] of Object.entries(right)) {
    const before = all[operator];
    if (before === undefined || before === value) all[operator] = value;
    else if (Array.isArray(before) && Array.isArray(value)) {
      const both = before.filter((one) => value.includes(one));
      if (both.length === 0) return null;
      all[operator] = both;
    } else return null;
  }
  return all;
}

/** One side is on the resource, the other is known. */
function equality(
  { left, right }: { readonly left: Ref; readonly right: Operand },
  want: boolean,
  resourceType: string,
  frame: Frame,
): readonly Clause[] {
  const value = known(right, frame);
  if (value !== undefined) return oneOf(left, [value], want, resourceType);
  if (right.kind !== 'ref') return NEVER;
  const other = known({ kind: 'ref', ref: left }, frame);
  return other === undefined ? NEVER : oneOf(right.ref, [other], want, resourceType);
}

function oneOf(ref: Ref, values: readonly unknown[], want: boolean, resourceType: string): readonly Clause[] {
  const wanted = want ? values : others(ref.type, values);
  const [only] = wanted;
  if (wanted.length === 0) return NEVER;
  return on(ref, resourceType, wanted.length === 1 ? { $eq: only } : { $in: wanted });
}

/** What else it can be, where the dictionary lists it. */
function others(type: AttributeType, values: readonly unknown[]): readonly unknown[] {
  if (type.kind === 'boolean') return [true, false].filter((one) => !values.includes(one));
  return type.kind === 'enum' && type.open !== true ? type.values.filter((one) => !values.includes(one)) : [];
}

/** For front ends, what is absent is less than every number, and null is zero. */
const STATED: FieldConditions = { $exists: true, $ne: null };

const OPPOSITE: Readonly<Record<Order, Order>> = { lt: 'gte', lte: 'gt', gt: 'lte', gte: 'lt' };

function ordered(
  { op, left, right }: { readonly op: Order; readonly left: Ref; readonly right: Operand },
  want: boolean,
  resourceType: string,
  frame: Frame,
): readonly Clause[] {
  const bound = known(right, frame);
  const order = want ? op : OPPOSITE[op];
  const { type } = left;
  if (type.kind === 'number' && typeof bound === 'number') {
    return on(left, resourceType, { ...STATED, [`$${order}`]: bound });
  }
  if (type.kind !== 'enum' || typeof bound !== 'string' || !type.values.includes(bound)) return NEVER;
  const place = type.values.indexOf(bound);
  const upTo = order === 'lte' || order === 'gt' ? place + 1 : place;
  const values = order === 'lt' || order === 'lte' ? type.values.slice(0, upTo) : type.values.slice(upTo);
  return oneOf(left, values, true, resourceType);
}

function on(ref: Ref, resourceType: string, conditions: FieldConditions): readonly Clause[] {
  const field = isPlain(ref.type) ? fieldOf(ref, resourceType) : null;
  return field === null ? NEVER : [{ [field]: conditions }];
}

/** Instants and durations are numbers here and text in a front end. */
function isPlain(type: AttributeType): boolean {
  if (type.kind === 'list') return isPlain(type.items);
  return type.kind !== 'timestamp' && type.kind !== 'duration' && type.kind !== 'object';
}

/** How a front end's object names it: attributes of the resource plainly, those of its matter below `matter`. */
function fieldOf({ attribute, field }: Ref, resourceType: string): string | null {
  if (attribute === null || field !== null) return null;
  switch (attribute.slot) {
    case SLOT.matterId:
      return null;
    case SLOT.resourceId:
      return resourceType === 'matter' ? null : 'id';
    case SLOT.clientId:
      return resourceType === 'client' ? 'id' : 'client_id';
  }
  if (attribute.path === 'resource.matter_id') return null;
  if (attribute.namespace === 'resource') return attribute.name;
  return attribute.namespace === 'matter' ? `matter.${attribute.name}` : null;
}

/** Undefined: it depends on the resource, is not stated, or is no plain value. */
function known(operand: Operand, frame: Frame): unknown {
  if (operand.kind === 'literal') return operand.value;
  const { attribute } = operand.ref;
  if (attribute === null || isOfResource(attribute.namespace)) return undefined;
  const value = getter(operand.ref)(frame);
  return value === NONE || value === UNKNOWN_VALUE || typeof value === 'object' ? undefined : value;
}

function knownList(operand: Operand, frame: Frame): readonly unknown[] | null {
  if (operand.kind === 'literal') return null;
  const { attribute } = operand.ref;
  if (attribute === null || isOfResource(attribute.namespace)) return null;
  const value = getter(operand.ref)(frame);
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : null;
}
