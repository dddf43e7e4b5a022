// What the test cases of a policies folder exercise, part by part: shown, still open, or impossible to show. It must never count what cannot be
// shown against anybody, nor call it shown.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Place } from '../../../src/core/report.ts';
import { FALSE, TRUE, UNKNOWN, type Truth } from '../../../src/core/truth.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import type { TestCase } from '../../../src/model/rules.ts';
import type { Solver } from '../smt/solver.ts';
import { exerciseRules, exercisesOf, type Exercise } from './exercise.ts';
import { partsOf, type Part } from './parts.ts';
import { askSolver, reckoned, type Open, type Proof } from './reach.ts';
import { lockdownParts, TRUTH_WORDS, wallPartsOf } from './wall-parts.ts';

export const KINDS = ['rules', 'branches', 'conditions', 'walls'] as const;
export type Kind = (typeof KINDS)[number];

export interface Wanted {
  /** `true`, `false`, `unknown`, or `shown` of something that a wall does. */
  readonly what: string;
  readonly state: 'exercised' | 'open' | 'unreachable';
  /** Of what is unreachable. */
  readonly why: string | null;
}

export interface Item {
  readonly kind: Kind;
  /** Id of the rule or wall, or the term. */
  readonly of: string;
  readonly place: Place;
  readonly text: string;
  readonly wanted: readonly Wanted[];
}

export interface CoverageOptions {
  /** lockdown.yaml, where there is one. */
  readonly lockdown: SourceFile | undefined;
  /** Started only where reckoning leaves something open. */
  readonly startSolver: () => Promise<Solver>;
  readonly onProgress: (text: string) => void;
}

export async function coverageOf(
  set: PolicySet,
  tests: readonly TestCase[],
  options: CoverageOptions,
): Promise<readonly Item[]> {
  options.onProgress(`${tests.length} cases …`);
  const exercises = exercisesOf(set, tests);
  return [
    ...(await ruleItems(set, exercises, options)),
    ...wallItems(set, exercises),
    ...lockdownItems(set, exercises, options.lockdown),
  ];
}

const TRUTHS: readonly Truth[] = [TRUE, FALSE, UNKNOWN];
const KIND_OF = { rule: 'rules', branch: 'branches', condition: 'conditions' } as const;

async function ruleItems(
  set: PolicySet,
  exercises: readonly Exercise[],
  { startSolver, onProgress }: CoverageOptions,
): Promise<readonly Item[]> {
  const { rules, branches, conditions } = partsOf(set);
  const seen = exerciseRules(set, exercises);
  const open: Open[] = [];
  const keyed = [...rules, ...branches, ...conditions] as readonly (readonly [unknown, Part])[];
  for (const [key, part] of keyed)
    for (const truth of TRUTHS) if (((seen.get(key) ?? 0) & (1 << truth)) === 0) open.push({ part, truth });
  onProgress('looking for what no request can show …');
  const proofs = new Map<Open, Proof>([...reckoned(set, open)].map((one) => [one, 'reckoned']));
  const left = open.filter((one) => !proofs.has(one));
  if (left.length > 0) {
    const solver = await startSolver();
    const found = await askSolver(set, left, solver, (number) =>
      onProgress(`asking the solver about ${number} parts …`),
    );
    for (const [one, proof] of found) proofs.set(one, proof);
  }
  const byPart = Map.groupBy(open, ({ part }) => part);
  return keyed.map(([, part]) => ({
    kind: KIND_OF[part.kind],
    of: part.of,
    place: part.place,
    text: part.text,
    wanted: TRUTHS.map((truth): Wanted => {
      const what = TRUTH_WORDS[truth];
      const one = byPart.get(part)?.find((other) => other.truth === truth);
      if (one === undefined) return { what, state: 'exercised', why: null };
      const proof = proofs.get(one);
      return proof === undefined
        ? { what, state: 'open', why: null }
        : { what, state: 'unreachable', why: WHY[proof].replace('%', what) };
    }),
  }));
}

const WHY: Readonly<Record<Proof, string>> = {
  reckoned: 'what it reads and speaks of can never make it %',
  solver: 'no request makes it %, as the solver found',
  'solver with this data':
    'with the people, matters and grants of this folder no request makes it %, as the solver found',
};

function wallItems(set: PolicySet, exercises: readonly Exercise[]): readonly Item[] {
  return wallPartsOf(set).flatMap(({ wall, truthFor, effects, idle }): Item[] => {
    const seen = new Set(exercises.map(({ frame }) => truthFor(frame)));
    const base = { kind: 'walls', of: wall.id } as const;
    const truths = TRUTHS.map((truth): Wanted => ({
      what: TRUTH_WORDS[truth],
      state: seen.has(truth) ? 'exercised' : 'open',
      why: null,
    }));
    return [
      { ...base, place: wall.place, text: `the ${wall.kind} wall`, wanted: truths },
      ...effects.map(({ text, place, isShownBy }): Item => {
        const state = exercises.some(({ frame }) => isShownBy(frame)) ? 'exercised' : 'open';
        return { ...base, place, text, wanted: [{ what: 'shown', state, why: null }] };
      }),
      ...idle.map(({ text, why, place }): Item => {
        return { ...base, place, text, wanted: [{ what: 'shown', state: 'unreachable', why }] };
      }),
    ];
  });
}

function lockdownItems(set: PolicySet, exercises: readonly Exercise[], file: SourceFile | undefined): readonly Item[] {
  if (file === undefined) return [];
  return lockdownParts(set).map(({ kind, id, isShownBy }): Item => {
    const why = isShownBy === null ? `${kind} are turned away before any test case could show it` : null;
    const isShown = isShownBy !== null && exercises.some(({ frame }) => isShownBy(frame));
    const state = why === null ? (isShown ? 'exercised' : 'open') : 'unreachable';
    return {
      kind: 'walls',
      of: 'lockdown',
      place: { file, path: [kind] },
      text: `${id} of ${kind} is locked`,
      wanted: [{ what: 'shown', state, why }],
    };
  });
}

export interface Total {
  readonly exercised: number;
  readonly open: number;
  readonly unreachable: number;
}

export function totalOf(items: readonly Item[]): Total {
  const all = items.flatMap(({ wanted }) => wanted);
  const number = (state: Wanted['state']): number => all.filter((one) => one.state === state).length;
  return { exercised: number('exercised'), open: number('open'), unreachable: number('unreachable') };
}

/** Of what can be shown; null: there is nothing to show. */
export function percentOf({ exercised, open }: Total): number | null {
  return exercised + open === 0 ? null : (100 * exercised) / (exercised + open);
}

/** What no case shows. */
export function openOf(
  items: readonly Item[],
  state: 'open' | 'unreachable' = 'open',
): readonly (Item & { what: string; why: string | null })[] {
  return items.flatMap((item) =>
    item.wanted.flatMap((one) => (one.state === state ? [{ ...item, what: one.what, why: one.why }] : [])),
  );
}
