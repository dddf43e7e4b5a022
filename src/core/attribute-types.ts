// The types of attributes, and how a raw JSON value becomes a typed one. It must never guess: what does not fit is UNKNOWN_VALUE.
import type { AttributeEntry, FieldEntry } from '../model/firm.ts';
import { parseDuration, parseTimestamp } from './time.ts';
import { NONE, UNKNOWN_VALUE } from './truth.ts';

export type ScalarKind = 'boolean' | 'number' | 'string' | 'person' | 'timestamp' | 'duration' | 'enum';

export type AttributeType =
  | { readonly kind: Exclude<ScalarKind, 'enum'> }
  | {
      readonly kind: 'enum';
      readonly values: readonly string[];
      readonly ordered: boolean;
      /** Requests may hold other values, which are in no named list; policies may not. */
      readonly open?: true;
    }
  | { readonly kind: 'list'; readonly items: AttributeType }
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, AttributeType> };

/** An entry of a list of objects, or an object attribute, after reading: every declared field has a value, NONE or UNKNOWN_VALUE. */
export type Entry = Readonly<Record<string, unknown>>;

export type Reader = (raw: unknown) => unknown;

/** No Date reaches further (ECMA-262, 21.4.1.1): calendars and explanations could not name the instant. */
const LAST_SECOND = 8.64e12;

export function isAbsent(raw: unknown): raw is null | undefined | '' {
  return raw === undefined || raw === null || raw === '';
}

/**
 * A reader gives a present raw value its type: strings for string, person and enum; numbers (milliseconds) for timestamp and duration;
 * arrays for lists; entries for objects; UNKNOWN_VALUE for whatever does not fit.
 * @param numericDate tokens may state instants in seconds (RFC 7519 section 2, NumericDate)
 */
export function compileReader(type: AttributeType, numericDate = false): Reader {
  switch (type.kind) {
    case 'boolean':
      return (raw) => (typeof raw === 'boolean' ? raw : UNKNOWN_VALUE);
    case 'number':
      return (raw) => (typeof raw === 'number' && Number.isFinite(raw) ? raw : UNKNOWN_VALUE);
    case 'string':
    case 'person':
      return (raw) => (typeof raw === 'string' ? raw : UNKNOWN_VALUE);
    case 'enum': {
      const values = new Set(type.values);
      if (type.open === true) return (raw) => (typeof raw === 'string' ? raw : UNKNOWN_VALUE);
      return (raw) => (typeof raw === 'string' && values.has(raw) ? raw : UNKNOWN_VALUE);
    }
    case 'timestamp':
      return (raw) => {
        if (typeof raw === 'string') return parseTimestamp(raw) ?? UNKNOWN_VALUE;
        return numericDate && typeof raw === 'number' && Math.abs(raw) <= LAST_SECOND ? raw * 1000 : UNKNOWN_VALUE;
      };
    case 'duration':
      return (raw) => (typeof raw === 'string' ? (parseDuration(raw) ?? UNKNOWN_VALUE) : UNKNOWN_VALUE);
    case 'list':
      return listReader(type.items, numericDate);
    case 'object':
      return objectReader(type.fields, numericDate);
  }
}

function listReader(items: AttributeType, numericDate: boolean): Reader {
  const read = compileReader(items, numericDate);
  return (raw) => {
    if (!Array.isArray(raw)) return UNKNOWN_VALUE;
    const values: unknown[] = [];
    for (const item of raw) {
      const value: unknown = isAbsent(item) ? UNKNOWN_VALUE : read(item);
      if (value === UNKNOWN_VALUE) return UNKNOWN_VALUE;
      values.push(value);
    }
    return values;
  };
}

function objectReader(fields: ReadonlyMap<string, AttributeType>, numericDate: boolean): Reader {
  const readers = [...fields].map(([name, type]) => ({ name, read: compileReader(type, numericDate) }));
  return (raw) => {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return UNKNOWN_VALUE;
    const source = new Map(Object.entries(raw));
    const entry: Record<string, unknown> = {};
    for (const { name, read } of readers) {
      const value = source.get(name);
      entry[name] = isAbsent(value) ? NONE : read(value);
    }
    return entry;
  };
}

/** What is wrong with the declaration of a type, or the type itself. */
export function typeOf(entry: AttributeEntry | FieldEntry): AttributeType | { readonly problem: string } {
  const kind = entry.type;
  if ('ordered' in entry && entry.ordered === true && kind !== 'enum')
    return { problem: '`ordered` belongs to type enum only' };
  if (entry.values !== undefined && kind !== 'enum') return { problem: '`values` belongs to type enum only' };
  switch (kind) {
    case 'enum': {
      if (entry.values === undefined) return { problem: 'an enum needs `values`' };
      if (new Set(entry.values).size < entry.values.length) return { problem: 'a value is listed twice' };
      return { kind, values: entry.values, ordered: 'ordered' in entry && entry.ordered === true };
    }
    case 'list':
      return 'items' in entry && entry.items !== undefined
        ? listType(entry.items)
        : { problem: 'a list needs `items`, the type of its entries' };
    case 'object':
      return 'fields' in entry && entry.fields !== undefined
        ? objectType(entry.fields)
        : { problem: 'an object needs `fields`' };
    default:
      return { kind };
  }
}

function listType(items: NonNullable<AttributeEntry['items']>): AttributeType | { readonly problem: string } {
  const inner =
    typeof items === 'string' ? typeOf({ type: items }) : 'type' in items ? typeOf(items) : objectType(items.fields);
  return 'problem' in inner ? inner : { kind: 'list', items: inner };
}

function objectType(fields: Readonly<Record<string, FieldEntry>>): AttributeType | { readonly problem: string } {
  const types = new Map<string, AttributeType>();
  for (const [name, field] of Object.entries(fields)) {
    if (name.includes('.')) return { problem: `field \`${name}\` must be named without a dot` };
    if (field.type === 'list' || field.type === 'object')
      return { problem: `field \`${name}\` must be of a simple type` };
    const type = typeOf(field);
    if ('problem' in type) return { problem: `field \`${name}\`: ${type.problem}` };
    types.set(name, type);
  }
  return { kind: 'object', fields: types };
}

/** The type in the words of the policy language. */
export function describeType(type: AttributeType): string {
  if (type.kind === 'enum') return `one of ${type.values.join(', ')}`;
  if (type.kind === 'list') return `list (${describeType(type.items)})`;
  return type.kind;
}

/** Strings, persons and enums compare by value; the others only with their own kind. */
export function comparable(a: AttributeType, b: AttributeType): boolean {
  const family = (type: AttributeType) =>
    type.kind === 'string' || type.kind === 'person' || type.kind === 'enum' ? 'text' : type.kind;
  return family(a) === family(b) && a.kind !== 'list' && a.kind !== 'object';
}
