// Policy data as it stands in one set, as values: grants, services, consents, teams. It must never leave out an entry.
import type { AttributeType } from '../../../src/core/attribute-types.ts';
import type { Attribute } from '../../../src/core/dictionary.ts';
import { isEntryTable } from '../../../src/core/frame.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { NONE, UNKNOWN_VALUE } from '../../../src/core/truth.ts';
import type { Codes } from './codes.ts';
import { and, equal, int, or, type Term } from './term.ts';
import { isOneOf, known, literal, NONE_THERE, NOT_THERE, type EntryValue, type Value } from './value.ts';

export function isOnTeam({ data }: PolicySet, matter: Term, person: Term, codes: Codes): Term {
  return or(
    ...[...data.matters].map(([id, { team }]) => and(equal(matter, int(codes.of(id))), isOneOf(person, team, codes))),
  );
}

/** Policy data as it stands in the set. */
export function loadedValue({ data, firm }: PolicySet, { path, type }: Attribute, codes: Codes): Value {
  const consents = /^data\.consents\.(.*)$/.exec(path)?.[1];
  if (consents !== undefined) {
    const list = data.consents.get(consents) ?? new Set<string>();
    return known({ kind: 'list', has: (item) => isOneOf(item, list, codes) });
  }
  const table = path === 'data.grants' ? data.grants : path === 'data.services' ? data.services : null;
  if (table === null || !isEntryTable(table) || type.kind !== 'list' || firm.dictionary.byPath.get(path) === undefined)
    throw new Error(`${path} has no terms`);
  return loadedContent(table.entries, type, codes);
}

export function loadedContent(actual: unknown, type: AttributeType, codes: Codes): Value {
  if (actual === NONE) return NONE_THERE;
  if (actual === UNKNOWN_VALUE) return NOT_THERE;
  if (type.kind === 'list' && Array.isArray(actual)) {
    const { items } = type;
    if (items.kind !== 'object') {
      const list = actual.map((one: unknown) => literal(one, codes, items));
      return known({ kind: 'list', has: (item) => or(...list.map((one) => equal(item, one))) });
    }
    const entries = actual.map((entry: unknown): EntryValue => ({
      present: true,
      fields: loadedFields(entry, items.fields, codes),
    }));
    return known({ kind: 'entries', entries });
  }
  if (type.kind === 'object') return known({ kind: 'object', fields: loadedFields(actual, type.fields, codes) });
  return known({ kind: 'scalar', term: literal(actual, codes, type) });
}

function loadedFields(
  entry: unknown,
  types: ReadonlyMap<string, AttributeType>,
  codes: Codes,
): ReadonlyMap<string, Value> {
  const valueOf = (field: string): unknown =>
    typeof entry === 'object' && entry !== null ? Reflect.get(entry, field) : NONE;
  return new Map([...types].map(([field, type]) => [field, loadedContent(valueOf(field), type, codes)]));
}
