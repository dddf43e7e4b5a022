// What a change of policies does to decisions: for every request with any data that did not change, then with the data there is. It must never call
// equivalent what the solver did not settle, nor show an example that the engine does not confirm.
import { loadSize, MOST_LOADED } from '../smt/loaded.ts';
import type { Session, Solver } from '../smt/solver.ts';
import { not, or, type Term } from '../smt/term.ts';
import { differenceBeyond } from './beyond.ts';
import { changedData, countOf, type ChangedData } from './changed-data.ts';
import { differsBeyond, flips, type Both } from './flips.ts';
import { AMONG, createLooker, type Found, type Looked } from './look.ts';
import { createPair } from './pair.ts';
import { sampleOf } from './sample.ts';
import type { Sets } from './shared-request.ts';
import { createWorld, openSession, type Cause, type Direction, type World } from './world.ts';

export interface Example extends Found {
  readonly direction: Direction;
  readonly cause: Pick<Cause, 'kind' | 'id'>;
}

export interface DirectionResult {
  readonly verdict: 'possible' | 'impossible' | 'unknown';
  /** Of what is impossible: for any data that both sets have alike, or only with the data there is. */
  readonly basis: 'any' | 'loaded' | null;
  readonly examples: readonly Example[];
  readonly why: string | null;
}

export type EffectVerdict = 'equivalent' | 'stricter' | 'wider' | 'incomparable' | 'unknown';

export interface Effect {
  readonly verdict: EffectVerdict;
  readonly newly_allowed: DirectionResult;
  readonly newly_denied: DirectionResult;
  /** The same decision with other advice or obligations. */
  readonly beyond: { readonly verdict: 'none' | 'possible' | 'unknown'; readonly example: Found | null };
  /** Attributes that each set reads in a way of its own. */
  readonly apart: readonly string[];
  readonly changed: ChangedData;
}

export interface EffectOptions {
  readonly solver: Solver;
  /** Of one question to the solver. */
  readonly timeoutMs: number;
  /** Most examples in each direction. */
  readonly examples: number;
  readonly onProgress: (text: string) => void;
}

/** More changed entries of data are not named one by one. */
const MOST_CHANGED = 500;

interface Opened {
  readonly world: World;
  readonly session: Session;
}

export async function effectOf(sets: Sets, options: EffectOptions): Promise<Effect> {
  const { solver, timeoutMs, onProgress } = options;
  const changed = changedData(sets[0], sets[1]);
  const opened: Session[] = [];
  const open = async (world: World, more: readonly Term[]): Promise<Opened> => {
    const session = await openSession(world.pair, solver, timeoutMs, more);
    opened.push(session);
    return { world, session };
  };
  const isSampled = Math.max(loadSize(sets[0]), loadSize(sets[1])) > MOST_LOADED;
  const any = countOf(changed) > MOST_CHANGED ? null : createWorld(createPair(sets, changed, 'any'));
  let anyOpened: Opened | undefined;
  let loadedOpened: Opened | undefined;
  /** Opened for the first question that needs it, after all its terms were made. */
  const withAny = async (world: World): Promise<Opened> => (anyOpened ??= await open(world, []));
  const withData = async (): Promise<Opened> => {
    if (loadedOpened !== undefined) return loadedOpened;
    onProgress('loading the data …');
    const sample = isSampled ? sampleOf(sets, changed) : null;
    const pair = createPair(sample?.sets ?? sets, sample?.changed ?? changed, 'loaded');
    const world = createWorld(pair);
    return (loadedOpened = await open(world, sample?.laws(pair) ?? []));
  };

  const direction = async (which: Direction): Promise<DirectionResult> => {
    onProgress(which === 'newly_allowed' ? 'is anything newly allowed? …' : 'is anything newly denied? …');
    if (any !== null) {
      const causes = any.causes(which);
      const term = any.difference(which, causes);
      if (term === false || (await (await withAny(any)).session.check([term])).verdict === 'impossible')
        return { verdict: 'impossible', basis: 'any', examples: [], why: null };
    }
    return lookForExamples(await withData(), which);
  };

  const lookForExamples = async ({ world, session }: Opened, which: Direction): Promise<DirectionResult> => {
    const look = createLooker(world.pair, sets, session);
    const causes = inOrder(world.causes(which));
    const examples: Example[] = [];
    const explained: Term[] = [];
    const unsettled: string[] = [];
    const isIt = (both: Both): boolean => flips(both, which);
    for (const cause of causes) {
      if (examples.length >= options.examples) break;
      const asked = [world.difference(which, [cause]), not(or(...explained))];
      // Once there is an example, rules that only read what changed need not each have one.
      const isAside = examples.length > 0 && isUnchanged(cause);
      for (const among of isAside ? AMONG.slice(0, 1) : AMONG) {
        onProgress(`${which.replace('_', ' ')} because of ${cause.id}? …`);
        const looked = await look(asked, isIt, among);
        if (looked.verdict === 'possible') {
          explained.push(cause.term);
          examples.push({ ...looked.found, direction: which, cause: { kind: cause.kind, id: cause.id } });
          break;
        }
        if (looked.verdict === 'unknown' && among === 'all') unsettled.push(looked.why);
      }
    }
    if (examples.length > 0) return { verdict: 'possible', basis: null, examples: distinct(examples), why: null };
    const [why] = unsettled;
    if (why !== undefined) return { verdict: 'unknown', basis: null, examples, why };
    if (isSampled) return { verdict: 'unknown', basis: null, examples, why: SAMPLED };
    return { verdict: 'impossible', basis: 'loaded', examples, why: null };
  };

  const beyond = async (): Promise<Effect['beyond']> => {
    if (any !== null) {
      const term = differenceBeyond(any);
      if (term === false) return { verdict: 'none', example: null };
      onProgress('advice and obligations …');
      if ((await (await open(any, [])).session.check([term])).verdict === 'impossible')
        return { verdict: 'none', example: null };
    }
    const { world } = await withData();
    const term = differenceBeyond(world);
    // Its terms may name texts that nobody named before.
    const { session } = await open(world, []);
    const look = createLooker(world.pair, sets, session);
    let looked: Looked = { verdict: 'impossible' };
    for (const among of AMONG) {
      looked = await look([term], differsBeyond, among);
      if (looked.verdict === 'possible') return { verdict: 'possible', example: looked.found };
    }
    return { verdict: looked.verdict === 'impossible' && !isSampled ? 'none' : 'unknown', example: null };
  };

  try {
    const newlyAllowed = await direction('newly_allowed');
    const newlyDenied = await direction('newly_denied');
    return {
      verdict: verdictOf(newlyAllowed, newlyDenied),
      newly_allowed: newlyAllowed,
      newly_denied: newlyDenied,
      beyond: await beyond(),
      apart: any?.pair.request.apart ?? [],
      changed,
    };
  } finally {
    for (const session of opened) session.close();
  }
}

const SAMPLED = `some data could make a difference; the folders have more than ${MOST_LOADED} people, matters, grants and walls, and those that were tried do not`;

function verdictOf(allowed: DirectionResult, denied: DirectionResult): EffectVerdict {
  if (allowed.verdict === 'unknown' || denied.verdict === 'unknown') return 'unknown';
  if (allowed.verdict === 'possible') return denied.verdict === 'possible' ? 'incomparable' : 'wider';
  return denied.verdict === 'possible' ? 'stricter' : 'equivalent';
}

/** Rules that were added, removed or rewritten before those that only read changed words or data. */
function inOrder(causes: readonly Cause[]): readonly Cause[] {
  const weight = (cause: Cause): number => (cause.kind !== 'rule' ? 1 : isUnchanged(cause) ? 2 : 0);
  return causes.toSorted((a, b) => weight(a) - weight(b));
}

function isUnchanged({ rule }: Cause): boolean {
  if (rule === null) return false;
  const [before, after] = rule.rules;
  return JSON.stringify(before?.entry) === JSON.stringify(after?.entry);
}

/** Two reasons may be shown by one and the same request. */
function distinct(examples: readonly Example[]): readonly Example[] {
  return [...new Map(examples.map((one) => [JSON.stringify(one.case), one])).values()];
}
