// For which rows neither a wall nor the lockdown says anything: judged by the check's own judges with every client that they name. It must
// never let a row through that one of them keeps back or is in doubt about.
import { SLOT } from '../dictionary.ts';
import { judgeLockdown } from '../lockdown.ts';
import type { PolicySet } from '../policy-set.ts';
import { FALSE } from '../truth.ts';
import { judgeWalls, type Wall } from '../walls.ts';
import { and, constant, points, type Field, type Formula, type Point } from './formula.ts';
import { NO_CLIENT, NOT_IN_TABLE } from './situations.ts';
import { UNSTATED, withValue, type Situation } from './situation.ts';

/** Walls that name the subject or somebody whom the subject assists; inclusion walls name everybody else. */
function wallsAbout({ walls }: PolicySet, subject: unknown): readonly Wall[] {
  if (typeof subject !== 'string') return [];
  const assisted = walls.assistants.get(subject) ?? [];
  return [
    ...[subject, ...assisted].flatMap((person) => walls.exclusionsByPerson.get(person) ?? []),
    ...(walls.opposingByPerson.get(subject) ?? []),
  ];
}

/** Clients that a wall or the lockdown may keep from the subject. */
export function clientsNamed(set: PolicySet, { frame }: Situation): ReadonlySet<string> {
  const clients = new Set(set.lockdown.clients);
  for (const { client } of wallsAbout(set, frame.slots[SLOT.subjectId])) if (client !== null) clients.add(client);
  return clients;
}

/** Matters likewise. */
export function mattersNamed(set: PolicySet, { frame }: Situation): Set<string> {
  const matters = new Set(set.lockdown.matters);
  for (const { matter, sides } of wallsAbout(set, frame.slots[SLOT.subjectId])) {
    if (matter !== null) matters.add(matter);
    for (const side of sides) for (const id of side.matters) matters.add(id);
  }
  for (const id of set.walls.inclusionsByMatter.keys()) matters.add(id);
  return matters;
}

/** Of these, matters of which every row is kept back, whatever client it names: a client can only add walls. */
export function mattersShut(set: PolicySet, at: Situation, matters: Iterable<string>): ReadonlySet<string> {
  const { frame } = at;
  const before = [SLOT.matterId, SLOT.clientId, SLOT.matterClient].map((slot) => [slot, frame.slots[slot]] as const);
  frame.slots[SLOT.clientId] = NO_CLIENT;
  frame.slots[SLOT.matterClient] = NO_CLIENT;
  const shut = new Set<string>();
  for (const id of matters) {
    frame.slots[SLOT.matterId] = id;
    if (judgeWalls(set.walls, frame).length > 0) shut.add(id);
  }
  for (const [slot, value] of before) frame.slots[slot] = value;
  return shut;
}

/** @param clients those that are named: any other is like every other */
export function unguarded(set: PolicySet, at: Situation, clients: ReadonlySet<string>): Formula {
  const isOpen = ({ frame }: Situation): boolean =>
    judgeLockdown(set.lockdown, frame) === FALSE && judgeWalls(set.walls, frame).length === 0;
  const client = at.fields[SLOT.clientId];
  const onFile = at.fields[SLOT.matterClient];
  const ofMatter = onFile?.type === NOT_IN_TABLE ? undefined : onFile;
  if (client === undefined && ofMatter === undefined) return constant(isOpen(at));
  // A wall covers a client that is asked for, or that of the matter on file: either is enough, so each is asked about apart.
  const openFor = (field: Field, there: Situation): Formula => {
    const others = withValue(there, field, NO_CLIENT, isOpen);
    const absent = withValue(there, field, UNSTATED, isOpen);
    const values = new Set<Point>([...clients].filter((id) => withValue(there, field, id, isOpen) !== others));
    return points(field, { values, complement: others, absent });
  };
  if (client === undefined) return ofMatter === undefined ? constant(isOpen(at)) : openFor(ofMatter, at);
  if (ofMatter === undefined) return openFor(client, at);
  return and([
    withValue(at, ofMatter, NO_CLIENT, (there) => openFor(client, there)),
    withValue(at, client, NO_CLIENT, (there) => openFor(ofMatter, there)),
  ]);
}
