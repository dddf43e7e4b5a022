// A part of data that is too much for a solver: whatever changed and what it touches, and some more. It must never be taken for all of it.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { createEntryTable } from '../../../src/core/frame.ts';
import { SLOT } from '../../../src/core/dictionary.ts';
import { indexWalls, type Wall } from '../../../src/core/walls.ts';
import { not, type Term } from '../smt/term.ts';
import { NOT_THERE } from '../smt/value.ts';
import type { ChangedData } from './changed-data.ts';
import type { Pair } from './pair.ts';
import { isText } from './side-frame.ts';
import type { Sets } from './shared-request.ts';

export interface Sample {
  readonly sets: Sets;
  readonly changed: ChangedData;
  /** Nothing is asked about what is on file and not part of it. */
  laws(pair: Pair): readonly Term[];
}

/** Of each kind. */
const MOST_CHANGED = 60;
const MORE_MATTERS = 30;
const MOST_PEOPLE = 300;
const MOST_WALLS = 100;
const MOST_GRANTS = 100;

export function sampleOf(sets: Sets, changed: ChangedData): Sample {
  const some = (ids: Iterable<string>): readonly string[] => [...ids].slice(0, MOST_CHANGED);
  const kept = new Set(some(changed.matters));
  const walls = sets.map(({ walls: { all } }) => new Map(all.map((wall) => [wall.id, wall] as const)));
  const isChanged = (wall: Wall): boolean => {
    const [a, b] = walls.map((each) => each.get(wall.id));
    return a === undefined || b === undefined || textOf(a) !== textOf(b);
  };
  const changedWalls = sets.flatMap((set) => set.walls.all.filter(isChanged).slice(0, MOST_CHANGED));
  for (const { matter, sides } of changedWalls)
    for (const id of [matter, ...sides.flatMap(({ matters }) => [...matters].slice(0, 5))])
      if (id !== null) kept.add(id);
  const clients = new Set(changedWalls.flatMap(({ client }) => client ?? []));
  for (const { data } of sets) {
    const grants = data.grants.entries.filter(({ id }) => changed.grants.has(String(id))).slice(0, MOST_CHANGED);
    for (const { matter_id: id } of grants) kept.add(String(id));
    let left = MORE_MATTERS;
    for (const [id, { clientId }] of data.matters) {
      if (left === 0) break;
      if (clients.size > 0 && !clients.has(clientId) && left < MORE_MATTERS / 2) continue;
      kept.add(id);
      left--;
    }
  }
  const people = new Set(some(changed.people));
  for (const { excluded, included, sides } of changedWalls)
    for (const one of [...excluded, ...included, ...sides.flatMap((side) => [...side.people])]) people.add(one);
  for (const { data } of sets)
    for (const id of kept) for (const one of data.matters.get(id)?.team ?? []) people.add(one);
  const isKept = new Set([...people].slice(0, MOST_PEOPLE));
  const resources = new Set(some(changed.resources));
  const reduced = sets.map((set) => reduce(set, { matters: kept, people: isKept, resources, changed, isChanged }));
  const [old, now] = reduced;
  if (old === undefined || now === undefined) throw new Error('there are two sides');
  const only = (all: ReadonlySet<string>, part: ReadonlySet<string>): ReadonlySet<string> => all.intersection(part);
  return {
    sets: [old, now],
    changed: {
      ...changed,
      matters: only(changed.matters, kept),
      people: only(changed.people, isKept),
      resources: only(changed.resources, resources),
    },
    laws(pair) {
      const { codes, envelope } = pair.request;
      const laws: Term[] = [];
      for (const [index, set] of sets.entries()) {
        const matter = pair.frames[index === 0 ? 0 : 1].slots[SLOT.matterId] ?? NOT_THERE;
        for (const text of [...codes.all()]) {
          if (set.data.matters.has(text) && !kept.has(text)) laws.push(not(isText(matter, text, codes)));
          if (set.data.people.has(text) && !isKept.has(text)) laws.push(not(isText(envelope.subject, text, codes)));
        }
      }
      return laws;
    },
  };
}

interface Part {
  readonly matters: ReadonlySet<string>;
  readonly people: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
  readonly changed: ChangedData;
  isChanged(wall: Wall): boolean;
}

function reduce(set: PolicySet, { matters, people, resources, changed, isChanged }: Part): PolicySet {
  const { data, walls } = set;
  const part = <T>(all: ReadonlyMap<string, T>, wanted: ReadonlySet<string>): ReadonlyMap<string, T> =>
    new Map(
      [...wanted].flatMap((id) => {
        const one = all.get(id);
        return one === undefined ? [] : [[id, one] as const];
      }),
    );
  const isAbout = (wall: Wall): boolean =>
    (wall.matter !== null && matters.has(wall.matter)) || wall.client !== null || wall.sides.length > 0;
  const chosen = walls.all.filter(isChanged).concat(walls.all.filter((wall) => !isChanged(wall) && isAbout(wall)));
  const grants = data.grants.entries.filter(
    (entry) => changed.grants.has(String(entry['id'])) || matters.has(String(entry['matter_id'])),
  );
  const { conflictCheckers, memoAdvice } = walls;
  const kept = new Set(chosen.slice(0, MOST_WALLS));
  const assistants = new Map([...walls.assistants].filter(([id]) => people.has(id)));
  return {
    ...set,
    data: {
      ...data,
      matters: part(data.matters, matters),
      people: part(data.people, people),
      resources: part(data.resources, resources),
      grants: createEntryTable(grants.slice(0, MOST_GRANTS)),
    },
    walls: indexWalls(
      walls.all.filter((wall) => kept.has(wall)),
      { assistants, conflictCheckers, memoAdvice },
    ),
  };
}

function textOf(wall: Wall): string {
  return JSON.stringify({ ...wall, place: null, source: null }, (_, value: unknown) =>
    value instanceof Set ? [...value].map((one) => JSON.stringify(one)).sort() : value,
  );
}
