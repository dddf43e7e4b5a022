// Follows one ethical wall through the policy sets that were loaded, as they were kept. It must never fill a gap: where a set was not
// kept, it says so.
import { formatSource, objectIn, textIn, textsIn } from './plain.ts';
import { canonicalize } from '../record/canonical.ts';
import { parseTimestamp } from '../time.ts';
import { PAUSE, type Want } from './report.ts';

/** One wall as a policy set had it. */
export interface WallEntry {
  readonly kind: string;
  readonly reason: string | null;
  readonly matters: readonly string[];
  readonly clients: readonly string[];
  /** Kept out, or on one of two sides. */
  readonly people: ReadonlySet<string>;
  readonly included: ReadonlySet<string>;
  readonly acknowledged: ReadonlySet<string>;
  readonly released: ReadonlySet<string>;
  readonly sides: readonly { readonly people: readonly string[]; readonly matters: readonly string[] }[];
  /** Milliseconds since 1970; infinite where the file names none. */
  readonly from: number;
  readonly until: number;
  /** `file:line` */
  readonly source: string;
}

/** A loaded set from which on the wall was another than before. */
export interface WallVersion {
  /** When a service put it in force, milliseconds since 1970. */
  readonly at: number;
  readonly record: string;
  readonly revision: string;
  readonly commit: string | null;
  /** Null: the wall is not in this set. */
  readonly entry: WallEntry | null;
}

export interface WallHistory {
  /** Oldest first; empty where no set ever had it. */
  readonly versions: readonly WallVersion[];
  /** Sets that were loaded. */
  readonly loads: number;
  /** Revisions that were not kept. */
  readonly lost: readonly string[];
  /** False: there were more sets than are looked at. */
  readonly isWhole: boolean;
}

interface Load {
  readonly at: number;
  readonly record: string;
  readonly revision: string;
  readonly commit: string | null;
}

const MOST_REVISIONS = 5_000;

export function* followWall(id: string): Generator<Want, WallHistory, void> {
  const loads: Load[] = [];
  let count = 0;
  yield {
    want: 'rows',
    search: { filter: { kind: 'policy_loaded' }, order: 'oldest' },
    each(row) {
      count += 1;
      const policy = objectIn(row.record, 'policy');
      const revision = row.found.revision ?? '';
      // Every start of a process loads the set again.
      if (loads.at(-1)?.revision === revision) return;
      loads.push({ at: row.at, record: row.id, revision, commit: textIn(policy, 'commit') });
    },
  };
  const found = new Map<string, Found | 'lost'>();
  const versions: WallVersion[] = [];
  let last = ABSENT.text;
  for (const load of loads) {
    let wall = found.get(load.revision);
    if (wall === undefined && found.size === MOST_REVISIONS) break;
    if (wall === undefined) found.set(load.revision, (wall = yield* wallIn(load.revision, id)));
    if (wall === 'lost' || wall.text === last) continue;
    last = wall.text;
    versions.push({ ...load, entry: wall.entry });
    yield PAUSE;
  }
  return {
    versions,
    loads: count,
    lost: [...found].flatMap(([revision, wall]) => (wall === 'lost' ? [revision] : [])),
    isWhole: found.size < MOST_REVISIONS,
  };
}

interface Found {
  /** What it says, for comparing. */
  readonly text: string;
  readonly entry: WallEntry | null;
}

const ABSENT: Found = { text: '', entry: null };

function* wallIn(revision: string, id: string): Generator<Want, Found | 'lost', void> {
  let found: Found | 'lost' = ABSENT;
  yield {
    want: 'sources',
    revision,
    folder: 'walls/',
    give(files) {
      if (files === null) {
        found = 'lost';
        return;
      }
      for (const file of files) {
        const walls: unknown =
          typeof file.value === 'object' && file.value !== null ? Reflect.get(file.value, 'walls') : null;
        if (!Array.isArray(walls)) continue;
        const index = walls.findIndex((one: unknown) => textIn(one, 'id') === id);
        if (index < 0) continue;
        const source = formatSource(file, ['walls', index]);
        found = { text: canonicalize(walls[index]), entry: entryOf(walls[index], source) };
        return;
      }
    },
  };
  return found;
}

function entryOf(raw: unknown, source: string): WallEntry {
  const [matter, client] = [textIn(raw, 'matter_id'), textIn(raw, 'client_id')];
  const listed: unknown = typeof raw === 'object' && raw !== null ? Reflect.get(raw, 'sides') : null;
  const sides = (Array.isArray(listed) ? listed : []).map((side: unknown) => ({
    people: textsIn(side, 'people'),
    matters: textsIn(side, 'matters'),
  }));
  const instant = (name: string, otherwise: number): number => parseTimestamp(textIn(raw, name) ?? '') ?? otherwise;
  return {
    kind: textIn(raw, 'kind') ?? '',
    reason: textIn(raw, 'reason'),
    matters: [...(matter === null ? [] : [matter]), ...sides.flatMap((side) => side.matters)],
    clients: client === null ? [] : [client],
    people: new Set([...textsIn(raw, 'excluded_people'), ...sides.flatMap(({ people }) => people)]),
    included: new Set(textsIn(raw, 'included_people')),
    acknowledged: new Set(textsIn(raw, 'acknowledged_by')),
    released: new Set(textsIn(raw, 'released_assistants')),
    sides,
    from: instant('valid_from', -Infinity),
    until: instant('valid_until', Infinity),
    source,
  };
}
