// One type for what two policy sets call by one name, and how each of them reads it. It must never leave out a value that one of them can read.
import type { AttributeType } from '../../../src/core/attribute-types.ts';
import type { Codes } from '../smt/codes.ts';
import { and, int, not, or, type Term } from '../smt/term.ts';
import { isOneOf, NOT_THERE, type EntryValue, type Value } from '../smt/value.ts';

/** Which of the two sets: 0 is the old one. */
export type SideIndex = 0 | 1;

/** Values of different families are never read from the same raw value, but for some texts that are instants or durations. */
export function familyOf(type: AttributeType): string {
  if (type.kind === 'list') return `list-of-${familyOf(type.items)}`;
  return type.kind === 'string' || type.kind === 'person' || type.kind === 'enum' ? 'text' : type.kind;
}

/** Neither set reads what the other reads: texts, instants and durations are all written as texts. */
export function areApart(a: AttributeType, b: AttributeType): boolean {
  const written = new Set(['text', 'timestamp', 'duration']);
  const [left, right] = [familyOf(a), familyOf(b)];
  const number = new Set(['number', 'timestamp']); // tokens state instants as numbers
  const both = (set: ReadonlySet<string>): boolean => set.has(left) && set.has(right);
  return left !== right && !both(written) && !both(number) && !(left.startsWith('list') && right.startsWith('list'));
}

/** Of types of one family. Fields of different families stand side by side, as `name.0` and `name.1`. */
export function rawType(a: AttributeType, b: AttributeType): AttributeType {
  if (a.kind === 'list' && b.kind === 'list') return { kind: 'list', items: rawType(a.items, b.items) };
  if (a.kind === 'object' && b.kind === 'object') {
    const fields = new Map<string, AttributeType>();
    for (const name of new Set([...a.fields.keys(), ...b.fields.keys()])) {
      const [left, right] = [a.fields.get(name), b.fields.get(name)];
      if (left !== undefined && right !== undefined && familyOf(left) !== familyOf(right))
        fields.set(`${name}.0`, left).set(`${name}.1`, right);
      else {
        const one = left ?? right;
        if (one !== undefined) fields.set(name, rawType(left ?? one, right ?? one));
      }
    }
    return { kind: 'object', fields };
  }
  if (a.kind === 'enum' && b.kind === 'enum' && a.open !== true && b.open !== true)
    return { kind: 'enum', values: [...new Set([...a.values, ...b.values])], ordered: false };
  return a.kind === b.kind && a.kind !== 'enum' ? a : familyOf(a) === 'text' ? { kind: 'string' } : a;
}

/** What one of the sets makes of a raw value. */
export function readAs(raw: Value, type: AttributeType, from: AttributeType, side: SideIndex, codes: Codes): Value {
  const { is } = raw;
  if (is.kind === 'scalar' && type.kind === 'enum' && type.open !== true)
    return isAll(from, type.values) ? raw : narrowed(raw, isOneOf(is.term, type.values, codes));
  if (is.kind === 'list' && type.kind === 'list' && type.items.kind === 'enum' && type.items.open !== true) {
    const own = new Set(type.items.values);
    const others = from.kind === 'list' && from.items.kind === 'enum' ? from.items.values : [];
    const strange = others.filter((value) => !own.has(value)).map((value) => is.has(int(codes.of(value))));
    return narrowed(raw, not(or(...strange)));
  }
  if (is.kind === 'object' && type.kind === 'object' && from.kind === 'object')
    return { ...raw, is: { kind: 'object', fields: readFields(is.fields, type.fields, from.fields, side, codes) } };
  if (is.kind === 'entries' && type.kind === 'list' && from.kind === 'list') {
    const [items, raws] = [type.items, from.items];
    if (items.kind !== 'object' || raws.kind !== 'object') return raw;
    const entries = is.entries.map((entry): EntryValue => ({
      present: entry.present,
      fields: readFields(entry.fields, items.fields, raws.fields, side, codes),
    }));
    return { ...raw, is: { kind: 'entries', entries } };
  }
  return raw;
}

function readFields(
  fields: ReadonlyMap<string, Value>,
  types: ReadonlyMap<string, AttributeType>,
  raws: ReadonlyMap<string, AttributeType>,
  side: SideIndex,
  codes: Codes,
): ReadonlyMap<string, Value> {
  return new Map(
    [...types].map(([name, type]) => {
      const own = raws.has(name) ? name : `${name}.${side}`;
      return [name, readAs(fields.get(own) ?? NOT_THERE, type, raws.get(own) ?? type, side, codes)];
    }),
  );
}

/** Roles that a set does not know are dropped before it reads the list. */
export function onlyKnown(raw: Value, known: Iterable<string>, codes: Codes): Value {
  const { is } = raw;
  const names = [...known];
  if (is.kind !== 'list') return raw;
  return { ...raw, is: { kind: 'list', has: (item) => and(is.has(item), isOneOf(item, names, codes)) } };
}

function isAll(from: AttributeType, values: readonly string[]): boolean {
  return from.kind === 'enum' && from.open !== true && from.values.every((value) => values.includes(value));
}

/** Read only where it fits; otherwise it is mistyped. */
function narrowed(raw: Value, fits: Term): Value {
  if (fits === true) return raw;
  return { ...raw, known: and(raw.known, fits), unknown: or(raw.unknown, and(raw.known, not(fits))) };
}
