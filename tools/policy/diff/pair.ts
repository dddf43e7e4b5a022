// Two policy sets before one and the same request, as terms. It must never differ from what the engine makes of that request under each set.
import { childrenOf, type Expr } from '../../../src/core/condition.ts';
import { SLOT } from '../../../src/core/dictionary.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { createCodes } from '../smt/codes.ts';
import { createEncoder, type Encoder, type SharedParts } from '../smt/encode.ts';
import { fileLaws } from '../smt/loaded.ts';
import type { Calendars } from '../smt/calendars.ts';
import { and, not, or, type Term } from '../smt/term.ts';
import type { FrameTerms } from '../smt/universe.ts';
import { isOneOf, type Value } from '../smt/value.ts';
import { calendarPairs } from './calendar-laws.ts';
import type { ChangedData } from './changed-data.ts';
import {
  addData,
  addMatter,
  matterVariables,
  type DataMode,
  type DataVariables,
  type MatterVariables,
} from './matter-frame.ts';
import type { SideIndex } from './raw-types.ts';
import { frameOf, isText } from './side-frame.ts';
import { createSharedRequest, type Sets, type SharedRequest } from './shared-request.ts';

export interface Pair {
  readonly sets: Sets;
  readonly mode: DataMode;
  readonly request: SharedRequest;
  readonly frames: readonly [FrameTerms, FrameTerms];
  readonly encoders: readonly [Encoder, Encoder];
  readonly parts: SharedParts;
  /** What holds for every request, with data as it is in both sets. */
  readonly laws: readonly Term[];
  /** The token names nobody as acting, or somebody whom the set declares. */
  readonly knowsActor: readonly [Term, Term];
  readonly calendars: Calendars;
  readonly matters: readonly [MatterVariables, MatterVariables];
  readonly data: DataVariables;
}

const SIDES = [0, 1] as const;

/** @param entries at least so many of a list are told apart */
export function createPair(sets: Sets, changed: ChangedData, mode: DataMode, entries = 1): Pair {
  const during = calendarNames(sets);
  const request = createSharedRequest(sets, createCodes(), Math.max(entries, someCount(sets)));
  const { codes, functions, envelope } = request;
  const unfinished = SIDES.map((side) => frameOf(sets[side], side, request, changed));
  const [a, b] = [unfinished[0], unfinished[1]];
  if (a === undefined || b === undefined) throw new Error('there are two sides');
  const speaksOfOne = isSameValue(a.slots[SLOT.matterId], b.slots[SLOT.matterId]);
  const shared = matterVariables(sets[0], request, '');
  const matters = [shared, speaksOfOne ? shared : matterVariables(sets[1], request, 'other-')] as const;
  const data: DataVariables = new Map();
  const finished = (side: SideIndex): FrameTerms => {
    const [set, frame] = [sets[side], side === 0 ? a : b];
    addMatter(set, frame, request, matters[side], changed, mode);
    addData(sets, side, frame, request, changed, mode, data);
    return {
      ...{ codes, slots: frame.slots, absent: frame.absent, now: request.now },
      during: (calendar) => during[side].get(calendar) ?? calendar,
    };
  };
  const frames = [finished(0), finished(1)] as const;
  for (const names of during) for (const name of names.values()) functions.set(name, ['Real', 'Bool']);

  const parts: SharedParts = { definitions: new Map(), names: new Map() };
  const actor = envelope.actor;
  const added = ([mine, other]: Sets): readonly string[] => [...other.aiAssistants.difference(mine.aiAssistants)];
  const knows = (mine: PolicySet, other: PolicySet): Term =>
    mode === 'loaded'
      ? or(actor.none, ...[...mine.aiAssistants].map((one) => isText(actor, one, codes)))
      : not(and(actor.known, isOneOf(actor.is.kind === 'scalar' ? actor.is.term : false, added([mine, other]), codes)));
  return {
    ...{ sets, mode, request, frames, parts, matters, data },
    encoders: [createEncoder(sets[0], frames[0], parts), createEncoder(sets[1], frames[1], parts)],
    laws: mode === 'loaded' ? SIDES.flatMap((side) => fileLaws(sets[side], frames[side])) : [],
    knowsActor: [knows(sets[0], sets[1]), knows(sets[1], sets[0])],
    calendars: new Map(
      SIDES.flatMap((side) =>
        [...sets[side].firm.calendars].map(([name, contains]) => [frames[side].during(name), contains] as const),
      ),
    ),
  };
}

/** Calendars of one name that contain different hours are two functions. */
function calendarNames(sets: Sets): readonly [ReadonlyMap<string, string>, ReadonlyMap<string, string>] {
  const changed = new Map(calendarPairs(sets).map(({ name, isChanged }) => [name, isChanged]));
  const names = (side: SideIndex): ReadonlyMap<string, string> =>
    new Map(
      [...sets[side].firm.calendars.keys()].map((name) => [
        name,
        changed.get(name) === false ? `during-${name}` : `during-${name}.${side}`,
      ]),
    );
  return [names(0), names(1)];
}

function isSameValue(a: Value | undefined, b: Value | undefined): boolean {
  const text = (value: Value | undefined): string =>
    JSON.stringify(
      value === undefined ? null : [value.known, value.none, value.is.kind === 'scalar' ? value.is.term : null],
    );
  return text(a) === text(b);
}

/** As many entries of a list as there are different `$some` in both sets: each needs at most one that fits. */
function someCount(sets: Sets): number {
  const found = new Set<string>();
  for (const [side, set] of sets.entries()) {
    const seen = new Set<Expr>();
    const visit = (expr: Expr): void => {
      if (seen.has(expr)) return;
      seen.add(expr);
      if (expr.op === 'some') found.add(keyOf(expr, side, sets));
      childrenOf(expr).forEach(visit);
    };
    for (const { branches } of set.rules) for (const { expr } of branches) visit(expr);
  }
  return found.size;
}

/** The same for conditions that are true for the same entries; a calendar may be another one in each set. */
function keyOf(expr: Expr, side: number, sets: Sets): string {
  const names = calendarNames(sets)[side === 0 ? 0 : 1];
  return JSON.stringify(expr, (name, value: unknown) => {
    if (name === 'calendar' && typeof value === 'string') return names.get(value);
    if (name === 'attribute' && typeof value === 'object' && value !== null) return String(Reflect.get(value, 'path'));
    return value instanceof Map ? [...value] : value;
  });
}
