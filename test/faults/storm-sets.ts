// The sets of policies of the storm, good and broken, and what each good one says, reckoned here without the engine. Every file that
// changes bears the number of its set, so that a decision by files of two moments shows. It must never learn an answer from Privity.
import { hash } from 'node:crypto';
import type { LoggedRecord } from '../service/log.ts';
import type { KeptSet } from './replay.ts';
import { SMALL_PACK } from './small-pack.ts';

type Json = Readonly<Record<string, unknown>>;
export type Files = Readonly<Record<string, string>>;

export const PEOPLE = ['l-moss', 'l-reed', 'a-finch'] as const;
export const MATTERS = ['M-1', 'M-2', 'M-3'] as const;
export const CLIENTS_OF = { 'M-1': 'C-1', 'M-2': 'C-2', 'M-3': 'C-1' } as const;

/** What rules of this set say of the first matter and of the second: always the opposite. Of the third they say nothing. */
const effectsOf = (set: number): Readonly<Record<string, string>> =>
  set % 2 === 0 ? { 'M-1': 'allow', 'M-2': 'deny' } : { 'M-1': 'deny', 'M-2': 'allow' };
const excludedBy = (set: number) => ({ matter: MATTERS[set % 3], person: PEOPLE[set % 2] });
/** Of the small pack itself. */
const ALWAYS_EXCLUDED = { matter: 'M-2', person: 'l-moss' };
const lockedBy = (set: number): readonly string[] => (set % 7 === 0 ? ['a-finch'] : []);

/** Two files say the same, each under names of its own: whatever takes one file of this set and another of the next tells on itself. */
const FILES = { 'rules/flip.yaml': 'flip', 'rules/echo.yaml': 'echo' } as const;

function rulesFile(name: string, set: number): string {
  const rules = Object.entries(effectsOf(set)).map(([matter, effect]) => ({
    id: `${name}-${matter.toLowerCase()}-${set}`,
    effect,
    actions: ['read'],
    resources: ['document'],
    when: { 'resource.matter_id': matter },
  }));
  return JSON.stringify({ version: 1, rules });
}

export function goodSet(set: number): Files {
  const { matter, person } = excludedBy(set);
  const wall = {
    id: `W-storm-${set}`,
    kind: 'exclusion',
    reason: 'former_client',
    matter_id: matter,
    excluded_people: [person],
  };
  return {
    ...SMALL_PACK,
    ...Object.fromEntries(Object.entries(FILES).map(([path, name]) => [path, rulesFile(name, set)])),
    'walls/more.yaml': JSON.stringify({ walls: [wall] }),
    // Lists of people may be the same; the number is in a comment.
    'lockdown.yaml': `# ${set}\n${JSON.stringify({ version: 1, people: lockedBy(set) })}`,
  };
}

/** All of these would give answers that no good set gives, were they to go live; the last three are files cut short. */
export const BREAKS: readonly ((files: Files) => Files)[] = [
  (files) => ({ ...files, 'rules/flip.yaml': String(files['rules/flip.yaml']).replace('"read"', '"raed"') }),
  (files) => ({ ...files, 'rules/flip.yaml': `${files['rules/flip.yaml']}\n]` }),
  (files) => Object.fromEntries(Object.entries(files).filter(([name]) => name !== 'firm.yaml')),
  (files) => ({ ...files, 'walls/more.yaml': String(files['walls/more.yaml']).replace('exclusion', 'exclusionn') }),
  (files) => ({ ...files, 'data/firm.yaml': String(files['data/firm.yaml']).replace('matters:', 'maters:') }),
  (files) => ({ ...files, 'rules/flip.yaml': String(files['rules/flip.yaml']).slice(0, -9) }),
  (files) => ({ ...files, 'callers.yaml': String(files['callers.yaml']).slice(0, -30) }),
  (files) => ({ ...files, 'walls/more.yaml': String(files['walls/more.yaml']).slice(0, -3) }),
];

/** The number of the set that each changing file of a revision is of. */
interface Numbers {
  readonly rules: readonly (readonly [name: string, set: number])[];
  readonly wall: number;
  readonly lockdown: number;
}

export interface SetsVerdict {
  /** One line for every decision that is not what the files of its own revision say. */
  readonly wrong: readonly string[];
  /** Revisions that decided. */
  readonly told: ReadonlySet<string>;
}

export function judgeSets(
  records: readonly LoggedRecord[],
  kept: readonly KeptSet[],
  sets: readonly number[],
): SetsVerdict {
  const numberOf = new Map<string, number>();
  for (const set of sets) {
    for (const [path, text] of Object.entries(goodSet(set))) numberOf.set(`${path} ${hash('sha256', text)}`, set);
  }
  const byRevision = new Map(kept.map(({ revision, manifest }) => [revision, numbersOf(manifest, numberOf)]));
  const wrong: string[] = [];
  const told = new Set<string>();
  for (const { id, kind, said } of records) {
    if (kind !== 'decision') continue;
    const revision = String((said['policy'] as Json)['revision']);
    const numbers = byRevision.get(revision);
    told.add(revision);
    const expected = numbers === undefined ? null : expectedOf(numbers, said);
    const found = foundIn(said);
    if (JSON.stringify(found) !== JSON.stringify(expected)) {
      wrong.push(`${id}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
    }
  }
  return { wrong, told };
}

function numbersOf(manifest: Readonly<Record<string, string>>, numberOf: ReadonlyMap<string, number>): Numbers {
  const of = (path: string): number => numberOf.get(`${path} ${manifest[path]}`) ?? -1;
  return {
    rules: Object.entries(FILES).map(([path, name]) => [name, of(path)] as const),
    wall: of('walls/more.yaml'),
    lockdown: of('lockdown.yaml'),
  };
}

function expectedOf({ rules, wall, lockdown }: Numbers, said: Json) {
  const person = String((said['subject'] as Json)['id']);
  const { matter_id: matter } = (said['resource'] as Json)['properties'] as {
    readonly matter_id: (typeof MATTERS)[number];
  };
  const named = rules.flatMap(([name, set]) => {
    const effect = effectsOf(set)[matter];
    return effect === undefined ? [] : [{ rule: `${name}-${matter.toLowerCase()}-${set}`, effect }];
  });
  const excluded = excludedBy(wall);
  const walls = excluded.matter === matter && excluded.person === person ? [`W-storm-${wall}`] : [];
  const isAlwaysOut = matter === ALWAYS_EXCLUDED.matter && person === ALWAYS_EXCLUDED.person;
  const isDenied =
    isAlwaysOut ||
    walls.length > 0 ||
    lockedBy(lockdown).includes(person) ||
    named.some(({ effect }) => effect === 'deny');
  // Nobody of these is on the team of the third matter.
  const outcome = named.length > 0 && !isDenied ? 'allow' : 'deny';
  return { outcome, walls, named: named.map(({ rule }) => rule).toSorted(byText) };
}

function foundIn(said: Json) {
  const names = (said['rules'] as { readonly rule: string }[]).map(({ rule }) => rule);
  const own = names.filter((name) => Object.values(FILES).some((one) => name.startsWith(`${one}-`)));
  const walls = (said['walls'] as string[]).filter((wall) => /^W-storm-\d+$/.test(wall));
  return { outcome: said['outcome'], walls, named: own.toSorted(byText) };
}

const byText = (one: string, other: string): number => (one < other ? -1 : 1);
