// Counts what came of a replay, and groups who would be let in or shut out by rule, matter and person. It must never grow with the number of
// records, nor lose one: what does not fit is counted in coarser groups that say so.
import type { Change, Direction, Reason } from './judge.ts';

/** `rules`: also with the data of the time; `data`: only because what is on file has changed since; `unknown`: that data is not to be had. */
export type Cause = 'rules' | 'data' | 'unknown';

/** What a record says of itself. */
export interface About {
  readonly id: string;
  readonly at: string;
  readonly subject: string | null;
  readonly matter: string | null;
  readonly action: string | null;
}

export interface Flip extends Change {
  readonly cause: Cause;
}

export interface Group {
  readonly direction: Direction;
  readonly cause: Cause;
  readonly field: string | null;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly source: string | null;
  /** Null: no matter; in a coarse group, of several. */
  readonly matter: string | null;
  readonly subject: string | null;
  /** Matters and people are not told apart any more; without rules neither those. */
  readonly coarse: 'no' | 'people' | 'rules';
  readonly actions: Set<string>;
  count: number;
  first: string;
  last: string;
  /** Evaluation id of the earliest. */
  example: string;
}

export interface NotJudged {
  readonly reason: Reason;
  readonly what: string;
  count: number;
  readonly example: string | null;
}

export interface Tally {
  /** Records that hold a question. */
  records: number;
  same: number;
  /** Of those: decided by other rules. */
  otherReasons: number;
  flipped: number;
  notJudged: number;
  /** Changes; one record may hold several, about fields. */
  readonly flips: Record<Direction, number>;
  readonly causes: Record<Direction, Record<Cause, number>>;
  flip(about: About, flip: Flip): void;
  lacking(reason: Reason, what: string, id: string | null, count?: number): void;
  /** Newly allowed first; those of rules before those of data, then the most frequent. */
  groups(): readonly Group[];
  reasons(): readonly NotJudged[];
}

export const MOST_GROUPS = 10_000;
const MOST_RULE_GROUPS = 1_000;
const MOST_REASONS = 200;
const MOST_ACTIONS = 12;
const OTHERS = 'others, which are not told apart any more';
const ORDER: readonly string[] = ['newly_allowed', 'newly_denied', 'rules', 'unknown', 'data'];
const NOTHING: readonly string[] = [];

export function createTally(mostGroups = MOST_GROUPS): Tally {
  const fine = new Map<string, Group>();
  const byRule = new Map<string, Group>();
  const rest = new Map<string, Group>();
  const lacking = new Map<string, NotJudged>();
  const none = (): Record<Cause, number> => ({ rules: 0, data: 0, unknown: 0 });

  function groupOf({ id, at, subject, matter }: About, flip: Flip): Group {
    const { direction, cause, field, before, after, source } = flip;
    const bare = { direction, cause, field, before, after, source, count: 0, first: at, last: at, example: id };
    const rules = JSON.stringify([direction, cause, field, before, after]);
    const key = `${rules}${JSON.stringify([matter, subject])}`;
    const made = fine.get(key);
    if (made !== undefined) return made;
    if (fine.size < mostGroups) return put(fine, key, { ...bare, matter, subject, coarse: 'no', actions: new Set() });
    const merged = byRule.get(rules);
    if (merged !== undefined) return merged;
    const others = { ...bare, matter: null, subject: null };
    if (byRule.size < MOST_RULE_GROUPS) {
      return put(byRule, rules, { ...others, coarse: 'people', actions: new Set() });
    }
    const left = `${direction} ${cause}`;
    const whole = { ...others, field: null, before: NOTHING, after: NOTHING, source: null };
    return rest.get(left) ?? put(rest, left, { ...whole, coarse: 'rules', actions: new Set() });
  }

  const tally: Tally = {
    records: 0,
    same: 0,
    otherReasons: 0,
    flipped: 0,
    notJudged: 0,
    flips: { newly_allowed: 0, newly_denied: 0 },
    causes: { newly_allowed: none(), newly_denied: none() },
    flip(about, flip) {
      tally.flips[flip.direction] += 1;
      tally.causes[flip.direction][flip.cause] += 1;
      const group = groupOf(about, flip);
      group.count += 1;
      // Records come in no order.
      if (about.at < group.first || (about.at === group.first && about.id < group.example)) {
        [group.first, group.example] = [about.at, about.id];
      }
      if (about.at > group.last) group.last = about.at;
      if (about.action !== null && group.actions.size < MOST_ACTIONS) group.actions.add(about.action);
    },
    lacking(reason, what, id, count = 1) {
      tally.notJudged += count;
      const key = `${reason} ${what}`;
      const known = lacking.get(key);
      if (known !== undefined) known.count += count;
      else if (lacking.size < MOST_REASONS) lacking.set(key, { reason, what, count, example: id });
      else {
        const others = lacking.get(reason) ?? { reason, what: OTHERS, count: 0, example: id };
        others.count += count;
        lacking.set(reason, others);
      }
    },
    groups: () =>
      [...fine.values(), ...byRule.values(), ...rest.values()].toSorted(
        (a, b) =>
          place(a.direction) - place(b.direction) ||
          place(a.cause) - place(b.cause) ||
          compare(rulesOf(a), rulesOf(b)) ||
          b.count - a.count ||
          compare(a.matter ?? '', b.matter ?? '') ||
          compare(a.subject ?? '', b.subject ?? ''),
      ),
    reasons: () => [...lacking.values()].toSorted((a, b) => b.count - a.count || compare(a.what, b.what)),
  };
  return tally;
}

export function rulesOf({ field, before, after }: Pick<Group, 'field' | 'before' | 'after'>): string {
  const change = `${before.join(', ')} → ${after.join(', ')}`;
  return field === null ? change : `${change} (field ${field})`;
}

function put(groups: Map<string, Group>, key: string, group: Group): Group {
  groups.set(key, group);
  return group;
}

function place(name: string): number {
  return ORDER.indexOf(name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
