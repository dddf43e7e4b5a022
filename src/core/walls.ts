// Judges ethical walls, apart from all rules: nothing else in a policy set can open one (P2). It must never read what a caller claims where something is on file.
import type { WallEntry } from '../model/data.ts';
import { SLOT } from './dictionary.ts';
import type { Frame } from './frame.ts';
import type { Place } from './report.ts';
import { and, FALSE, known, NONE, not, or, TRUE, UNKNOWN, UNKNOWN_VALUE, type Truth } from './truth.ts';

export const WALL_RULES = [
  'exclusion-wall',
  'client-wide-exclusion',
  'lateral-hire-screen',
  'assistants-inherit-screen',
  'inclusion-wall',
  'wall-memo-acknowledgement',
  'opposing-teams',
] as const;
export type WallRule = (typeof WALL_RULES)[number];

export interface Wall {
  readonly id: string;
  readonly kind: WallEntry['kind'];
  readonly place: Place;
  /** `file:line` */
  readonly source: string;
  readonly matter: string | null;
  readonly client: string | null;
  /** Name of the rule by which an exclusion wall decides. */
  readonly exclusionRule: WallRule;
  readonly excluded: ReadonlySet<string>;
  readonly included: ReadonlySet<string>;
  readonly acknowledged: ReadonlySet<string>;
  readonly released: ReadonlySet<string>;
  readonly sides: readonly { readonly people: ReadonlySet<string>; readonly matters: ReadonlySet<string> }[];
  /** Milliseconds since 1970: from inclusive, until exclusive. */
  readonly from: number;
  readonly until: number;
}

export interface WallIndex {
  readonly all: readonly Wall[];
  readonly exclusionsByPerson: ReadonlyMap<string, readonly Wall[]>;
  readonly inclusions: readonly Wall[];
  readonly inclusionsByMatter: ReadonlyMap<string, readonly Wall[]>;
  readonly opposingByPerson: ReadonlyMap<string, readonly Wall[]>;
  /** Whom an assistant assists. */
  readonly assistants: ReadonlyMap<string, readonly string[]>;
  /** Roles that may list matters and clients behind an inclusion wall, to check conflicts. */
  readonly conflictCheckers: readonly string[];
  readonly memoAdvice: readonly string[];
}

export interface WallVerdict {
  readonly rule: WallRule;
  truth: Truth;
  /** The walls that make it true; when unknown, the first that might. */
  readonly walls: Wall[];
}

const NO_WALLS: readonly Wall[] = [];

export function indexWalls(
  walls: readonly Wall[],
  settings: Pick<WallIndex, 'assistants' | 'conflictCheckers' | 'memoAdvice'>,
): WallIndex {
  const exclusionsByPerson = new Map<string, Wall[]>();
  const inclusionsByMatter = new Map<string, Wall[]>();
  const opposingByPerson = new Map<string, Wall[]>();
  const put = (index: Map<string, Wall[]>, key: string, wall: Wall) => {
    const list = index.get(key);
    if (list === undefined) index.set(key, [wall]);
    else if (!list.includes(wall)) list.push(wall);
  };
  for (const wall of walls) {
    if (wall.kind === 'exclusion') for (const person of wall.excluded) put(exclusionsByPerson, person, wall);
    if (wall.kind === 'inclusion' && wall.matter !== null) put(inclusionsByMatter, wall.matter, wall);
    for (const side of wall.sides) for (const person of side.people) put(opposingByPerson, person, wall);
  }
  const inclusions = walls.filter(({ kind }) => kind === 'inclusion');
  return { all: walls, exclusionsByPerson, inclusions, inclusionsByMatter, opposingByPerson, ...settings };
}

/** Every wall rule that is true or unknown for the request in the frame. */
export function judgeWalls(index: WallIndex, frame: Frame): readonly WallVerdict[] {
  const verdicts: WallVerdict[] = [];
  const { slots, now } = frame;
  const subject = slots[SLOT.subjectId];
  if (typeof subject !== 'string') {
    for (const wall of index.all) if (isActive(wall, now)) add(verdicts, ruleOf(wall), UNKNOWN, wall);
    return verdicts;
  }

  for (const wall of index.exclusionsByPerson.get(subject) ?? NO_WALLS) {
    if (isActive(wall, now)) add(verdicts, wall.exclusionRule, covers(wall, slots), wall);
  }
  for (const person of index.assistants.get(subject) ?? []) {
    for (const wall of index.exclusionsByPerson.get(person) ?? NO_WALLS) {
      if (!isActive(wall, now) || wall.excluded.has(subject) || wall.released.has(subject)) continue;
      add(verdicts, 'assistants-inherit-screen', covers(wall, slots), wall);
    }
  }
  judgeInclusion(index, frame, subject, verdicts);
  for (const wall of index.opposingByPerson.get(subject) ?? NO_WALLS) {
    if (!isActive(wall, now)) continue;
    const [first, second] = wall.sides;
    if (first === undefined || second === undefined) continue;
    if (first.people.has(subject)) add(verdicts, 'opposing-teams', isIn(slots[SLOT.matterId], second.matters), wall);
    if (second.people.has(subject)) add(verdicts, 'opposing-teams', isIn(slots[SLOT.matterId], first.matters), wall);
  }
  return verdicts;
}

function ruleOf({ kind, exclusionRule }: Wall): WallRule {
  if (kind === 'inclusion') return 'inclusion-wall';
  return kind === 'opposing' ? 'opposing-teams' : exclusionRule;
}

function judgeInclusion(index: WallIndex, frame: Frame, subject: string, verdicts: WallVerdict[]): void {
  const { slots, now } = frame;
  const type = slots[SLOT.resourceType];
  const action = slots[SLOT.actionName];
  if (type === 'wall' || index.inclusions.length === 0) return; // walls are kept by those who may not see behind them
  const matter = slots[SLOT.matterId];
  if (matter === NONE) return;
  const candidates = typeof matter === 'string' ? (index.inclusionsByMatter.get(matter) ?? NO_WALLS) : index.inclusions;
  const concerns = typeof matter === 'string' ? TRUE : UNKNOWN;
  const checking = action === 'list' && (type === 'matter' || type === 'client');
  const exempt = checking ? holdsAny(slots[SLOT.roles], index.conflictCheckers) : FALSE;
  const truth = and(concerns, not(exempt));
  for (const wall of candidates) {
    if (!isActive(wall, now)) continue;
    if (!wall.included.has(subject)) add(verdicts, 'inclusion-wall', truth, wall);
    else if (action !== 'list' && !wall.acknowledged.has(subject))
      add(verdicts, 'wall-memo-acknowledgement', truth, wall);
  }
}

function add(verdicts: WallVerdict[], rule: WallRule, truth: Truth, wall: Wall): void {
  if (truth === FALSE) return;
  const verdict = verdicts.find((one) => one.rule === rule);
  if (verdict === undefined) {
    verdicts.push({ rule, truth, walls: [wall] });
  } else if (truth > verdict.truth) {
    verdict.truth = truth;
    verdict.walls.splice(0, verdict.walls.length, wall);
  } else if (truth === TRUE) {
    if (!verdict.walls.includes(wall)) verdict.walls.push(wall);
  }
}

export function isActive(wall: Pick<Wall, 'from' | 'until'>, now: number): boolean {
  return now >= wall.from && now < wall.until;
}

/** The matter asked for, or the wall's client being the client asked for or the client of the matter on file. */
function covers(wall: Wall, slots: readonly unknown[]): Truth {
  let truth: Truth = wall.matter === null ? FALSE : equals(slots[SLOT.matterId], wall.matter);
  if (wall.client !== null) {
    truth = or(truth, equals(slots[SLOT.clientId], wall.client));
    truth = or(truth, equals(slots[SLOT.matterClient], wall.client));
  }
  return truth;
}

function equals(value: unknown, id: string): Truth {
  return value === UNKNOWN_VALUE ? UNKNOWN : known(value === id);
}

function isIn(value: unknown, ids: ReadonlySet<string>): Truth {
  if (value === UNKNOWN_VALUE) return ids.size === 0 ? FALSE : UNKNOWN;
  return known(typeof value === 'string' && ids.has(value));
}

function holdsAny(roles: unknown, wanted: readonly string[]): Truth {
  if (roles === UNKNOWN_VALUE) return wanted.length === 0 ? FALSE : UNKNOWN;
  return known(Array.isArray(roles) && wanted.some((role) => roles.includes(role)));
}
