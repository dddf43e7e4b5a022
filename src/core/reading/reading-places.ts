// Notes with a reading the walled places its rows were of, and reads that note again: how many rows somebody was given must not tell
// anybody else what stands behind their walls. It must never leave a walled place out of the note.
import type { PolicySet } from '../policy-set.ts';
import { isNamed, namedPlaces } from './walled.ts';

export interface ReadingPlace {
  readonly matter: string | null;
  readonly client: string | null;
}

export interface ReadingNote {
  add(matter: string | null, client: string | null): void;
  /** For the `read` member of the record; empty where no row was of such a place. */
  members(): Readonly<Record<string, unknown>>;
}

/** Beyond it a record only says that there were many. */
const MOST = 1_000;
const MEMBER = 'behind_walls';
const MANY = 'many';

export function noteReading(set: PolicySet): ReadingNote {
  const seen = new Set<string>();
  const places = new Map<string, ReadingPlace>();
  let last: ReadingPlace | null = null;
  return {
    add(matter, client) {
      // Rows of one request follow each other.
      if (last !== null && last.matter === matter && last.client === client) return;
      last = { matter, client };
      const key = `${matter ?? ''}\u0000${client ?? ''}`;
      if (seen.has(key) || places.size > MOST) return;
      seen.add(key);
      if (isNamed(set, matter, client)) places.set(key, { matter, client });
    },
    members() {
      if (places.size === 0) return {};
      const list = [...places]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { matter, client }]) => ({ client, matter }));
      return { [MEMBER]: places.size > MOST ? MANY : list };
    },
  };
}

/** Where else, beside its own matter and client, a record of a reading belongs to. */
export function placesNoted(set: PolicySet, record: Readonly<Record<string, unknown>>): readonly ReadingPlace[] {
  const noted = memberOf(record['read'], MEMBER);
  if (noted === undefined) return [];
  if (Array.isArray(noted)) {
    return noted.map((one: unknown) => ({
      matter: textOf(memberOf(one, 'matter')),
      client: textOf(memberOf(one, 'client')),
    }));
  }
  const { matters, clients } = namedPlaces(set);
  return [
    ...[...matters].map((matter) => ({ matter, client: null })),
    ...[...clients].map((client) => ({ matter: null, client })),
  ];
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
