// What the data of one policy set adds to a universe: who and what is on file, walls, and the emergency brake. It must never say more than facts.ts,
// walls.ts and lockdown.ts do.
import { SLOT } from '../../../src/core/dictionary.ts';
import type { OnFile } from '../../../src/core/data-entries.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { NONE } from '../../../src/core/truth.ts';
import type { Wall } from '../../../src/core/walls.ts';
import { and, compare, either, equal, implies, int, not, or, real, type Term } from './term.ts';
import type { FrameTerms } from './universe.ts';
import { isOneOf, literal, NOT_THERE, type Value } from './value.ts';

/** More than this is not asked of a solver at once. */
export const MOST_LOADED = 2_000;

/** Entries of policy data that terms would have to name. */
export function loadSize({ data, walls }: PolicySet): number {
  const { matters, people, grants, resources } = data;
  return matters.size + people.size + grants.entries.length + resources.size + walls.all.length;
}

interface Scene {
  readonly set: PolicySet;
  readonly universe: FrameTerms;
  slot(slot: number): Value;
  text(slot: number): Term;
  is(slot: number, texts: Iterable<string>): Term;
}

function sceneOf(set: PolicySet, universe: FrameTerms): Scene {
  const slot = (index: number): Value => universe.slots[index] ?? NOT_THERE;
  const text = (index: number): Term => {
    const { is } = slot(index);
    return is.kind === 'scalar' ? is.term : false;
  };
  return { set, universe, slot, text, is: (index, texts) => isOneOf(text(index), texts, universe.codes) };
}

/** Laws of what is on file. */
export function fileLaws(set: PolicySet, universe: FrameTerms): readonly Term[] {
  const scene = sceneOf(set, universe);
  const laws: Term[] = [];
  const subject = scene.slot(SLOT.subjectId).known;
  for (const [id, onFile] of set.data.people)
    laws.push(...onFile.map((one) => implies(and(subject, scene.is(SLOT.subjectId, [id])), holds(scene, one))));

  const overriding: Term[] = [];
  for (const [key, onFile] of set.data.resources) {
    const [type = '', id = ''] = key.split('\u0000');
    const isIt = and(
      scene.is(SLOT.resourceType, [type]),
      scene.slot(SLOT.resourceId).known,
      scene.is(SLOT.resourceId, [id]),
    );
    overriding.push(isIt);
    laws.push(...onFile.map((one) => implies(isIt, holds(scene, one))));
  }

  const matter = scene.slot(SLOT.matterId);
  const registered = and(scene.slot(SLOT.matterRegistered).known, scene.text(SLOT.matterRegistered));
  const ids = [...set.data.matters.keys()];
  laws.push(equal(registered, and(matter.known, scene.is(SLOT.matterId, ids))));
  for (const [id, facts] of set.data.matters) {
    const isIt = and(matter.known, scene.is(SLOT.matterId, [id]));
    const said = (slot: number, value: string | typeof NONE): Term =>
      value === NONE ? scene.slot(slot).none : and(scene.slot(slot).known, scene.is(slot, [value]));
    laws.push(
      implies(
        isIt,
        and(
          said(SLOT.matterClient, facts.clientId),
          said(SLOT.matterPracticeGroup, facts.practiceGroup),
          said(SLOT.matterResponsible, facts.responsible),
          said(SLOT.matterProposing, facts.proposing),
        ),
      ),
    );
    // The entry of the resource itself is more exact than that of its matter.
    for (const one of facts.onFile)
      laws.push(implies(and(isIt, not(overriddenBy(set, overriding, one.slot))), holds(scene, one)));
  }
  return laws;
}

function overriddenBy({ data }: PolicySet, overriding: readonly Term[], slot: number): Term {
  const files = [...data.resources.values()];
  return or(...overriding.filter((_, index) => files[index]?.some((one) => one.slot === slot) === true));
}

function holds({ set, universe, slot }: Scene, { slot: index, value }: OnFile[number]): Term {
  const attribute = set.firm.dictionary.attributes[index];
  const { known, is } = slot(index);
  if (attribute === undefined) return true;
  const { type } = attribute;
  const stated = and(known, not(universe.absent[index] ?? false));
  if (is.kind === 'scalar') return and(stated, equal(is.term, literal(value, universe.codes, type)));
  if (is.kind === 'list' && type.kind === 'list' && Array.isArray(value)) {
    const members = new Set<unknown>(value);
    const texts = universe.codes.all().filter((text) => !members.has(text));
    const [inside, outside] = [[...members], texts] as const;
    return and(
      stated,
      ...inside.map((one) => is.has(literal(one, universe.codes, type.items))),
      ...outside.map((one) => not(is.has(int(universe.codes.of(one))))),
    );
  }
  return stated;
}

/** No wall and nothing in lockdown.yaml stands in the way, nor is it unknown whether one does. */
export function nothingRefuses(set: PolicySet, universe: FrameTerms): Term {
  return and(...refusalsOf(set, universe).map(({ term }) => not(term)));
}

export interface Refusal {
  /** Null: lockdown.yaml. */
  readonly wall: Wall | null;
  /** It refuses, or may. */
  readonly term: Term;
}

/** Whatever beside rules can refuse, each for itself. */
export function refusalsOf(set: PolicySet, universe: FrameTerms): readonly Refusal[] {
  const scene = sceneOf(set, universe);
  return [
    ...set.walls.all.map((wall) => ({ wall, term: mayRefuse(scene, wall) })),
    { wall: null, term: mayBeLocked(scene) },
  ];
}

/** The wall names the person and covers the matter or client asked for, certainly. */
export function namesAndCovers(set: PolicySet, universe: FrameTerms, wall: Wall): Term {
  const scene = sceneOf(set, universe);
  return and(
    isActive(scene, wall),
    scene.slot(SLOT.subjectId).known,
    scene.is(SLOT.subjectId, wall.excluded),
    coveredAs(scene, wall, 'certain'),
  );
}

/** A wall lets the person in who has not acknowledged its memo yet. */
export function asksForMemo(set: PolicySet, universe: FrameTerms): Term {
  const scene = sceneOf(set, universe);
  const { slot, is } = scene;
  const asks = set.walls.inclusions.map(({ matter, included, acknowledged, ...wall }) => {
    const waiting = [...included].filter((person) => !acknowledged.has(person));
    if (matter === null || waiting.length === 0) return false;
    const isIt = and(slot(SLOT.matterId).known, is(SLOT.matterId, [matter]));
    return and(isActive(scene, wall), is(SLOT.subjectId, waiting), isIt);
  });
  return and(
    slot(SLOT.subjectId).known,
    or(...asks),
    not(is(SLOT.actionName, ['list'])),
    not(is(SLOT.resourceType, ['wall'])),
  );
}

function isActive({ universe }: Scene, { from, until }: Pick<Wall, 'from' | 'until'>): Term {
  return and(
    from === -Infinity ? true : compare('>=', universe.now, real(from)),
    until === Infinity ? true : compare('<', universe.now, real(until)),
  );
}

function coveredAs(scene: Scene, wall: Wall, how: 'certain' | 'possible'): Term {
  const matches = (slot: number, id: string | null): Term => {
    if (id === null) return false;
    const { known, unknown } = scene.slot(slot);
    return or(and(known, scene.is(slot, [id])), how === 'possible' ? unknown : false);
  };
  return or(
    matches(SLOT.matterId, wall.matter),
    matches(SLOT.clientId, wall.client),
    matches(SLOT.matterClient, wall.client),
  );
}

function mayRefuse(scene: Scene, wall: Wall): Term {
  const { set, slot, is } = scene;
  const subject = slot(SLOT.subjectId);
  const isOf = (people: Iterable<string>): Term => is(SLOT.subjectId, people);
  const someone = (known: Term): Term => and(isActive(scene, wall), either(subject.unknown, true, known));
  switch (wall.kind) {
    case 'exclusion': {
      const assistants = [...set.walls.assistants].flatMap(([assistant, people]) =>
        people.some((one) => wall.excluded.has(one)) && !wall.excluded.has(assistant) && !wall.released.has(assistant)
          ? [assistant]
          : [],
      );
      return someone(and(isOf([...wall.excluded, ...assistants]), coveredAs(scene, wall, 'possible')));
    }
    case 'inclusion': {
      const matter = slot(SLOT.matterId);
      const concerned = or(
        matter.unknown,
        and(matter.known, wall.matter === null ? false : is(SLOT.matterId, [wall.matter])),
      );
      const isListing = is(SLOT.actionName, ['list']);
      const checking = and(isListing, is(SLOT.resourceType, ['matter', 'client']));
      const roles = slot(SLOT.roles);
      const checkers = set.walls.conflictCheckers;
      const holdsRole =
        roles.is.kind === 'list'
          ? or(
              ...checkers.map((role) =>
                roles.is.kind === 'list' ? roles.is.has(int(scene.universe.codes.of(role))) : false,
              ),
            )
          : false;
      const exempt = and(checking, roles.known, holdsRole);
      const fine = or(
        and(isOf(wall.included), or(isListing, isOf(wall.acknowledged))),
        exempt,
        is(SLOT.resourceType, ['wall']),
      );
      return someone(and(concerned, not(fine)));
    }
    case 'opposing': {
      const [first, second] = wall.sides;
      if (first === undefined || second === undefined) return someone(false);
      const matter = slot(SLOT.matterId);
      const onSide = (matters: ReadonlySet<string>): Term =>
        matters.size === 0 ? false : or(matter.unknown, and(matter.known, is(SLOT.matterId, matters)));
      return someone(
        or(and(isOf(first.people), onSide(second.matters)), and(isOf(second.people), onSide(first.matters))),
      );
    }
  }
}

function mayBeLocked({ set, slot, is }: Scene): Term {
  const listed = (index: number, ids: ReadonlySet<string>): Term => {
    if (ids.size === 0) return false;
    const { known, unknown } = slot(index);
    return or(unknown, and(known, is(index, ids)));
  };
  const { people, matters, clients } = set.lockdown;
  return or(
    listed(SLOT.subjectId, people),
    listed(SLOT.actorId, people),
    listed(SLOT.matterId, matters),
    listed(SLOT.clientId, clients),
    listed(SLOT.matterClient, clients),
  );
}
