// Works out what an import would change: entries, teams, what is rejected and what deserves a second look. It must never write.
import { isDeepStrictEqual } from 'node:util';
import type { Column } from './columns.ts';
import { kept, type Entry, type Fields, type Rejected } from './entries.ts';
import type { Present } from './present.ts';

/** Rows of one export, each for itself. */
export interface Export {
  readonly file: string;
  readonly columns: readonly Column[];
  readonly entries: readonly Entry[];
}

export interface Exports {
  readonly people: Export | null;
  readonly matters: Export | null;
  readonly teams: Export | null;
}

export interface Changes {
  readonly before: number;
  readonly after: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

export interface Plan {
  /** All entries of each list as they will be; null: the list stays as it is. */
  readonly people: readonly Fields[] | null;
  readonly matters: readonly Fields[] | null;
  readonly changes: { readonly people: Changes | null; readonly matters: Changes | null };
  readonly teams: { readonly joined: number; readonly left: number };
  readonly changedClients: readonly { readonly id: string; readonly from: string; readonly to: string }[];
  /** Whom the export no longer has, with the number of teams that they were on. */
  readonly vanished: readonly { readonly id: string; readonly teams: number }[];
}

export function planImport(
  { people, matters, teams }: Exports,
  present: { readonly people: Present; readonly matters: Present },
  reject: (one: Rejected) => void,
): Plan {
  const newPeople = people === null ? null : joined(people, present.people, reject);
  const known = new Set([...(newPeople ?? present.people.owned).keys(), ...present.people.byHand.keys()]);
  const ownMatters = matters === null ? present.matters.owned : joined(matters, present.matters, reject, known);
  const newMatters =
    matters === null && teams === null ? null : withTeams(ownMatters, teams, present.matters, known, reject);
  return {
    people: newPeople === null ? null : [...newPeople.values()],
    matters: newMatters === null ? null : [...newMatters.values()],
    changes: {
      people: newPeople === null ? null : changesBetween(present.people.owned, newPeople),
      matters: newMatters === null ? null : changesBetween(present.matters.owned, newMatters),
    },
    teams: newMatters === null ? { joined: 0, left: 0 } : teamChanges(present.matters.owned, newMatters),
    changedClients: changedClients(present.matters.owned, newMatters),
    vanished: vanished(present, newPeople),
  };
}

type Entries = ReadonlyMap<string, Fields>;

/** With `known`, people whom a matter names must be among them. */
function joined(
  { file, entries, columns }: Export,
  { owned, byHand }: Present,
  reject: (one: Rejected) => void,
  known?: ReadonlySet<string>,
): Entries {
  const result = new Map<string, Fields>();
  for (const { id, line, fields } of entries) {
    const place = byHand.get(id);
    if (place !== undefined) {
      const hint = 'take one of them out, or let the import own the list with `--take-over`';
      reject({ file, line, code: 'kept-by-hand', what: id, why: `it stands in ${place} already`, hint });
      continue;
    }
    const strangers = known === undefined ? [] : peopleIn(fields).filter((one) => !known.has(one));
    for (const one of strangers) reject({ file, line, code: 'unknown-person', what: id, ...stranger(one) });
    if (strangers.length === 0) result.set(id, kept(fields, owned.get(id), columns));
  }
  return result;
}

function peopleIn(fields: Fields): readonly string[] {
  const { team, responsible_attorney: responsible, proposing_partner: proposing } = fields;
  return [...(Array.isArray(team) ? team : []), responsible, proposing].filter((one) => typeof one === 'string');
}

function stranger(person: string): Pick<Rejected, 'why' | 'hint'> {
  return { why: `nobody is known as \`${person}\``, hint: 'people come from the export of people, or data/' };
}

/** One line for each member; without such an export the teams stay as they are. */
function withTeams(
  matters: Entries,
  teams: Export | null,
  { byHand }: Present,
  known: ReadonlySet<string>,
  reject: (one: Rejected) => void,
): Entries {
  if (teams === null) return matters;
  const members = new Map<string, Map<string, number>>();
  for (const { line, fields } of teams.entries) {
    const [matter, person] = [String(fields['matter_id']), String(fields['person_id'])];
    const here = { file: teams.file, line, what: matter };
    const team = members.get(matter) ?? new Map<string, number>();
    const earlier = team.get(person);
    if (byHand.has(matter))
      reject({
        ...here,
        code: 'kept-by-hand',
        why: `its team stands in ${byHand.get(matter) ?? ''}`,
        hint: 'change it there',
      });
    else if (!matters.has(matter))
      reject({
        ...here,
        code: 'unknown-matter',
        why: `there is no matter \`${matter}\``,
        hint: 'it comes from the export of matters',
      });
    else if (!known.has(person)) reject({ ...here, code: 'unknown-person', ...stranger(person) });
    else if (earlier !== undefined)
      reject({
        ...here,
        code: 'duplicate',
        why: `\`${person}\` is on this team already, by line ${earlier}`,
        hint: null,
      });
    else members.set(matter, team.set(person, line));
  }
  return new Map(
    [...matters].map(([id, before]): [string, Fields] => {
      const fields = Object.fromEntries(Object.entries(before).filter(([name]) => name !== 'team'));
      const team = [...(members.get(id)?.keys() ?? [])].toSorted();
      return [id, team.length === 0 ? fields : { ...fields, team }];
    }),
  );
}

function changesBetween(before: Entries, after: Entries): Changes {
  return {
    before: before.size,
    after: after.size,
    added: [...after.keys()].filter((id) => !before.has(id)),
    removed: [...before.keys()].filter((id) => !after.has(id)),
    changed: [...after]
      .filter(([id, fields]) => before.has(id) && !isDeepStrictEqual(fields, before.get(id)))
      .map(([id]) => id),
  };
}

function teamOf(fields: Fields | undefined): ReadonlySet<unknown> {
  const team = fields?.['team'];
  return new Set(Array.isArray(team) ? team : []);
}

function teamChanges(before: Entries, after: Entries): Plan['teams'] {
  const count = (from: Entries, to: Entries): number =>
    [...from].reduce((sum, [id, fields]) => sum + teamOf(fields).difference(teamOf(to.get(id))).size, 0);
  return { joined: count(after, before), left: count(before, after) };
}

/** Walls round a client cover its matters by what is on file. */
function changedClients(before: Entries, after: Entries | null): Plan['changedClients'] {
  return [...(after ?? [])].flatMap(([id, fields]) => {
    const [from, to] = [before.get(id)?.['client_id'], fields['client_id']];
    return typeof from !== 'string' || typeof to !== 'string' || from === to ? [] : [{ id, from, to }];
  });
}

function vanished(
  present: { readonly people: Present; readonly matters: Present },
  after: Entries | null,
): Plan['vanished'] {
  if (after === null) return [];
  const teams = new Map<unknown, number>();
  for (const fields of present.matters.owned.values())
    for (const one of teamOf(fields)) teams.set(one, (teams.get(one) ?? 0) + 1);
  return [...present.people.owned.keys()]
    .filter((id) => !after.has(id))
    .map((id) => ({ id, teams: teams.get(id) ?? 0 }));
}
