// Compares what each person did in a period with what they did before it: volume, denials, hours, matters they had never touched. It must
// never compare one person's days with another's while their own past says enough.
import { DAY } from './period.ts';
import type { Period } from './report.ts';
import { median, usualRange, type SpreadRules, type UsualRange } from './spread.ts';

export type Habit =
  'decisions in an hour' | 'denials in an hour' | 'decisions in a day' | 'new matters in a day' | 'off hours in a day';

/** How far above the median of the past counts as unusual, and how many values of the past it takes. */
export const HABIT_RULES: Readonly<Record<Habit, SpreadRules>> = {
  'decisions in an hour': { leastPast: 10, deviations: 6, leastLimit: 30 },
  'denials in an hour': { leastPast: 10, deviations: 6, leastLimit: 5 },
  'decisions in a day': { leastPast: 5, deviations: 6, leastLimit: 100 },
  'new matters in a day': { leastPast: 5, deviations: 6, leastLimit: 5 },
  'off hours in a day': { leastPast: 5, deviations: 6, leastLimit: 10 },
};
const HABITS = Object.keys(HABIT_RULES) as readonly Habit[];

/** The past that a period is compared with. */
export const PAST_DAYS = 28;
/** At its beginning every matter is new: so many days are only learned from. */
const LEARNING_DAYS = 7;
const HOUR = 3_600_000;
const MOST_PEOPLE = 20_000;
const MOST_MATTERS = 5_000;

export interface Unusual {
  readonly person: string;
  readonly habit: Habit;
  /** When the hour or day began. */
  readonly at: number;
  readonly count: number;
  readonly usual: UsualRange;
  readonly comparedWith: 'own past' | "everybody's past";
}

export interface Habits {
  add(person: string, at: number, isDenied: boolean, matter: string | null): void;
  /** What stands out most comes first. */
  unusual(): readonly Unusual[];
  /** Matters that the person touched in the period and not in the past before it, with the first time. */
  newMatters(): readonly {
    readonly person: string;
    readonly matter: string;
    readonly at: number;
    readonly isDenied: boolean;
  }[];
  readonly people: number;
  /** Records of people beyond the bound, and matters beyond theirs. */
  readonly leftOut: number;
}

interface Counts {
  readonly values: Map<number, number>;
}

interface Person {
  readonly id: string;
  readonly counts: Readonly<Record<Habit, Counts>>;
  readonly matters: Map<string, { readonly at: number; readonly isDenied: boolean }>;
}

/** @param isOff whether an instant is outside working hours; null where the firm has not said when they are */
export function createHabits(period: Period, isOff: ((at: number) => boolean) | null): Habits {
  const people = new Map<string, Person>();
  const begin = period.from - PAST_DAYS * DAY;
  let leftOut = 0;

  function personOf(id: string): Person | null {
    let person = people.get(id);
    if (person === undefined) {
      if (people.size === MOST_PEOPLE) return null;
      const counts = Object.fromEntries(HABITS.map((habit) => [habit, { values: new Map() }]));
      people.set(id, (person = { id, counts: counts as Person['counts'], matters: new Map() }));
    }
    return person;
  }

  function pooled(habit: Habit): readonly number[] {
    return [...people.values()].flatMap(({ counts }) => median(pastOf(counts[habit], period, habit)) ?? []);
  }

  return {
    add(id, at, isDenied, matter) {
      const person = personOf(id);
      if (person === null) {
        leftOut += 1;
        return;
      }
      const { counts, matters } = person;
      const [hour, day] = [Math.floor(at / HOUR) * HOUR, Math.floor(at / DAY) * DAY];
      // An hour or day in which somebody was active has a value, even if it is zero.
      count(counts['decisions in an hour'], hour, 1);
      count(counts['denials in an hour'], hour, Number(isDenied));
      count(counts['decisions in a day'], day, 1);
      if (isOff !== null) count(counts['off hours in a day'], day, Number(isOff(at)));
      const isNew = matter !== null && !matters.has(matter);
      if (isNew && matters.size < MOST_MATTERS) matters.set(matter, { at, isDenied });
      else if (isNew) leftOut += 1;
      if (day >= begin + LEARNING_DAYS * DAY) count(counts['new matters in a day'], day, Number(isNew));
    },
    unusual() {
      const found: Unusual[] = [];
      for (const habit of HABITS) {
        const everybody = usualRange(pooled(habit), HABIT_RULES[habit]);
        for (const { id, counts } of people.values()) {
          const own = usualRange(pastOf(counts[habit], period, habit), HABIT_RULES[habit]);
          const usual = own ?? everybody;
          if (usual === null) continue;
          const comparedWith = own === null ? "everybody's past" : 'own past';
          for (const [at, value] of counts[habit].values) {
            if (at + unitOf(habit) <= period.from || value <= usual.limit) continue;
            found.push({ person: id, habit, at, count: value, usual, comparedWith });
          }
        }
      }
      return found.toSorted((a, b) => b.count / b.usual.limit - a.count / a.usual.limit || a.at - b.at);
    },
    newMatters: () =>
      [...people.values()]
        .flatMap(({ id, matters }) => [...matters].map(([matter, first]) => ({ person: id, matter, ...first })))
        .filter(({ at }) => at >= period.from)
        .toSorted((a, b) => a.at - b.at),
    get people() {
      return people.size;
    },
    get leftOut() {
      return leftOut;
    },
  };
}

function unitOf(habit: Habit): number {
  return habit.endsWith('hour') ? HOUR : DAY;
}

/** Hours or days that were over before the period began. */
function pastOf({ values }: Counts, { from }: Period, habit: Habit): readonly number[] {
  return [...values].filter(([at]) => at + unitOf(habit) <= from).map(([, value]) => value);
}

function count({ values }: Counts, at: number, by: number): void {
  values.set(at, (values.get(at) ?? 0) + by);
}
