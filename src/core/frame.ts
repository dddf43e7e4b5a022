// The values of one request while it is judged, one slot for each attribute of the dictionary. It must never outlive the decision.
import type { Entry } from './attribute-types.ts';

export interface Frame {
  /** By Attribute.slot: a typed value, NONE or UNKNOWN_VALUE. */
  readonly slots: unknown[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** By slot: 1 where the attribute was not sent (a required one is then UNKNOWN_VALUE, yet known to be absent). */
  readonly absent: number[];
  /** Truth of terms already judged for this frame, by their index; -1 where not yet. */
  readonly terms: number[];
  /** The entry that the innermost `$some` looks at. */
  entry: Entry | null;
  /** What the roles of the subject can open (role-gates.ts). */
  gates: number;
  /** Ids of policy data entries that satisfied a `$some` since it was last emptied. */
  readonly matched: string[];
}

/** A long list of policy data, indexed by the value of a field when first asked. */
export interface EntryTable {
  readonly entries: readonly Entry[];
  /** Entries whose field has the value. */
  find(field: string, value: unknown): readonly Entry[];
}

const NOTHING: readonly Entry[] = [];

export function createEntryTable(entries: readonly Entry[]): EntryTable {
  const indexes = new Map<string, Map<unknown, Entry[]>>();
  const indexOf = (field: string): Map<unknown, Entry[]> => {
    let index = indexes.get(field);
    if (index === undefined) {
      index = new Map();
      for (const entry of entries) {
        const bucket = index.get(entry[field]);
        if (bucket === undefined) index.set(entry[field], [entry]);
        else bucket.push(entry);
      }
      indexes.set(field, index);
    }
    return index;
  };
  return { entries, find: (field, value) => indexOf(field).get(value) ?? NOTHING };
}

export function isEntryTable(value: unknown): value is EntryTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && 'find' in value;
}
