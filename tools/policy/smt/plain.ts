// What makes a solution a request that people would write, as terms. It must never be taken for a law: requests of another kind exist.
import { SLOT } from '../../../src/core/dictionary.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { compare, implies, int, or, real, type Term } from './term.ts';
import type { FrameTerms } from './universe.ts';
import { isOneOf } from './value.ts';
import { LENGTH } from './variables.ts';

const EARLIEST = Date.UTC(2020, 0, 1);
const LATEST = Date.UTC(2035, 0, 1);

/** What makes a solution a request that people would write: whole milliseconds of these years, known names, declared assistants. */
export function plainSolutions(
  set: PolicySet,
  { slots, codes }: FrameTerms,
  named: Named = namedIn(set),
): readonly Term[] {
  return set.firm.dictionary.attributes.flatMap(({ slot, type, namespace }): Term[] => {
    const value = slots[slot];
    if (value?.is.kind !== 'scalar' || namespace === 'data') return [];
    const { term } = value.is;
    if (slot === SLOT.actorId) return [implies(value.known, isOneOf(term, named.assistants, codes))];
    if (slot === SLOT.subjectId)
      // A token without a subject is refused before any rule is asked.
      return [
        value.known,
        compare('>=', [LENGTH, term], int(1)),
        or(isOneOf(term, named.people, codes), compare('>=', term, int(codes.all().length))),
      ];
    if (slot === SLOT.resourceType) return [isOneOf(term, named.types, codes)];
    if (slot === SLOT.actionName) return [isOneOf(term, named.actions, codes)];
    if (type.kind === 'timestamp')
      return [
        ['is_int', ['/', term, real(1000)]],
        compare('>=', term, real(EARLIEST)),
        compare('<', term, real(LATEST)),
      ];
    return type.kind === 'duration' ? [['is_int', ['/', term, real(1000)]], compare('>=', term, real(0))] : [];
  });
}

/** Whom and what a policy set names. */
export interface Named {
  readonly assistants: Iterable<string>;
  readonly people: Iterable<string>;
  readonly types: Iterable<string>;
  readonly actions: Iterable<string>;
}

export function namedIn(set: PolicySet): Named {
  const { actions, resourceTypes } = set.firm.names;
  return {
    assistants: set.aiAssistants,
    people: peopleOf(set),
    types: new Set(resourceTypes.keys()),
    actions: new Set(actions.keys()),
  };
}

/** Everybody whom policy data or a wall names. */
function peopleOf({ data, walls }: PolicySet): ReadonlySet<string> {
  const people = new Set(data.people.keys());
  for (const { team, responsible, proposing } of data.matters.values())
    for (const one of [...team, responsible, proposing]) if (typeof one === 'string') people.add(one);
  for (const { excluded, included, sides } of walls.all)
    for (const one of [...excluded, ...included, ...sides.flatMap((side) => [...side.people])]) people.add(one);
  for (const { granted_to: one } of data.grants.entries) if (typeof one === 'string') people.add(one);
  return people;
}
