// What each wall and each entry of the lockdown does, and whether a test case shows it: one that would be judged otherwise without it. It must never
// judge a wall by itself.
import { judgeLockdown, NO_LOCKDOWN } from '../../../src/core/lockdown.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { at, type Place } from '../../../src/core/report.ts';
import { FALSE, TRUE, UNKNOWN, type Truth } from '../../../src/core/truth.ts';
import { indexWalls, judgeWalls, type Wall, type WallIndex, type WallRule } from '../../../src/core/walls.ts';
import type { Frame } from '../../../src/core/frame.ts';
import { SLOT } from '../../../src/core/dictionary.ts';

export interface Effect {
  readonly text: string;
  readonly place: Place;
  isShownBy(frame: Frame): boolean;
}

export interface WallParts {
  readonly wall: Wall;
  /** Whether the wall bars; null: the case is not about anybody whom it names. */
  truthFor(frame: Frame): Truth | null;
  readonly effects: readonly Effect[];
  /** What is written and does nothing, with the reason. */
  readonly idle: readonly { readonly text: string; readonly why: string; readonly place: Place }[];
}

type Settings = Pick<WallIndex, 'assistants' | 'conflictCheckers' | 'memoAdvice'>;

export function wallPartsOf({ walls }: PolicySet): readonly WallParts[] {
  const { assistants, conflictCheckers, memoAdvice } = walls;
  return walls.all.map((wall) => partsOf(wall, { assistants, conflictCheckers, memoAdvice }));
}

function partsOf(wall: Wall, settings: Settings): WallParts {
  const verdict = (one: Wall, how: Settings = settings): ((frame: Frame) => string) => {
    const index = indexWalls([one], how);
    return (frame) => {
      const [found] = judgeWalls(index, frame);
      return found === undefined ? '' : `${found.rule} ${found.truth}`;
    };
  };
  const actual = verdict(wall);
  const effects: Effect[] = [];
  const idle: WallParts['idle'][number][] = [];
  const add = (text: string, member: string, changed: Wall, how: Settings = settings, who?: string): void => {
    const otherwise = verdict(changed, how);
    // What is said of one person is shown by what that person asks, not by an assistant who shares it.
    const isAbout = ({ slots }: Frame): boolean => who === undefined || slots[SLOT.subjectId] === who;
    const isShownBy = (frame: Frame): boolean => isAbout(frame) && actual(frame) !== otherwise(frame);
    effects.push({ text, place: placeOf(wall, member), isShownBy });
  };
  const without = (people: ReadonlySet<string>, one: string): ReadonlySet<string> =>
    new Set([...people].filter((person) => person !== one));

  for (const person of wall.excluded)
    add(`${person} is excluded`, 'excluded', { ...wall, excluded: without(wall.excluded, person) }, settings, person);
  const inheriting = [...settings.assistants].flatMap(([assistant, people]) => {
    const of = people.filter((person) => wall.excluded.has(person));
    return of.length === 0 || wall.excluded.has(assistant) ? [] : [{ assistant, of }];
  });
  for (const { assistant, of } of inheriting) {
    const text = `${assistant}, who assists ${of.join(' and ')}`;
    if (wall.released.has(assistant))
      add(`${text}, is released`, 'released', { ...wall, released: without(wall.released, assistant) });
    else add(`${text}, inherits it`, 'excluded', { ...wall, released: new Set([...wall.released, assistant]) });
  }
  for (const person of wall.released)
    if (!inheriting.some(({ assistant }) => assistant === person))
      idle.push({
        text: `${person} is released`,
        why: `${person} assists nobody whom the wall excludes`,
        place: placeOf(wall, 'released'),
      });

  if (wall.kind === 'inclusion') {
    for (const person of wall.included)
      add(`${person} is included`, 'included', { ...wall, included: without(wall.included, person) });
    for (const person of wall.acknowledged) {
      const text = `${person} has acknowledged the memo`;
      if (wall.included.has(person))
        add(text, 'acknowledged', { ...wall, acknowledged: without(wall.acknowledged, person) });
      else idle.push({ text, why: `${person} is not included`, place: placeOf(wall, 'acknowledged') });
    }
    const barred = (text: string, rule: WallRule): void =>
      void effects.push({ text, place: wall.place, isShownBy: (frame) => actual(frame) === `${rule} ${TRUE}` });
    barred('somebody not included is kept out', 'inclusion-wall');
    if ([...wall.included].some((person) => !wall.acknowledged.has(person)))
      barred('somebody included, without acknowledgement, is kept out', 'wall-memo-acknowledgement');
    if (settings.conflictCheckers.length > 0)
      add('a conflict checker still sees that it exists', 'place', wall, { ...settings, conflictCheckers: [] });
  }
  for (const [index, side] of wall.sides.entries()) {
    for (const person of side.people) {
      const sides = wall.sides.with(index, { ...side, people: without(side.people, person) });
      add(`${person} is kept from the other side`, 'sides', { ...wall, sides });
    }
  }
  if (wall.from !== -Infinity) add('not yet in force', 'from', { ...wall, from: -Infinity });
  if (wall.until !== Infinity) add('no longer in force', 'until', { ...wall, until: Infinity });

  const judged = indexWalls([wall], settings);
  const concerned = new Set([
    ...[...wall.excluded, ...wall.included, ...inheriting.map(({ assistant }) => assistant)],
    ...wall.sides.flatMap(({ people }) => [...people]),
  ]);
  return {
    wall,
    truthFor(frame) {
      const [found] = judgeWalls(judged, frame);
      if (found !== undefined) return found.truth;
      const subject = frame.slots[SLOT.subjectId];
      return typeof subject === 'string' && concerned.has(subject) ? FALSE : null;
    },
    effects,
    idle,
  };
}

const WRITTEN: Readonly<Record<string, string>> = {
  excluded: 'excluded_people',
  included: 'included_people',
  acknowledged: 'acknowledged_by',
  released: 'released_assistants',
  sides: 'sides',
  from: 'valid_from',
  until: 'valid_until',
};

function placeOf({ place }: Wall, member: string): Place {
  const written = WRITTEN[member];
  return written === undefined ? place : at(place, written);
}

export interface LockdownEntry {
  readonly kind: 'people' | 'matters' | 'clients' | 'callers' | 'tokens';
  readonly id: string;
  /** Null: requests of such callers and tokens are turned away before any case could show it. */
  isShownBy: ((frame: Frame) => boolean) | null;
}

export function lockdownParts({ lockdown }: PolicySet): readonly LockdownEntry[] {
  const kinds = ['people', 'matters', 'clients', 'callers', 'tokens'] as const;
  return kinds.flatMap((kind) =>
    [...lockdown[kind]].map((id): LockdownEntry => {
      const alone = { ...NO_LOCKDOWN, [kind]: new Set([id]) };
      const isJudged = kind !== 'callers' && kind !== 'tokens';
      return { kind, id, isShownBy: isJudged ? (frame) => judgeLockdown(alone, frame) === TRUE : null };
    }),
  );
}

export const TRUTH_WORDS = { [FALSE]: 'false', [UNKNOWN]: 'unknown', [TRUE]: 'true' } as const;
