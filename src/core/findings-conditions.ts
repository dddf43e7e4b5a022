// Rules, cases, alternatives, exceptions and terms that can never be true, with the parts that exclude each other. It must never name one that some request makes true.
import type { Expr } from './condition.ts';
import { describeExpr } from './describe.ts';
import type { Firm } from './firm.ts';
import { createProver, ONLY_TRUE, type Prover, type Wish } from './possible/can-be.ts';
import { createScene, type Scene } from './possible/variables.ts';
import { sourceOf, type Place, type Report } from './report.ts';
import type { Branch, Rule, Selection } from './rules.ts';

/** What proofs about the conditions of one firm need. */
export interface Reviewer {
  readonly firm: Firm;
  readonly prover: Prover;
  /** Any action on any resource. */
  readonly anywhere: Scene;
  sceneOf(spoken: Spoken): Scene;
}

/** What a rule or case speaks of. */
type Spoken = Pick<Branch, 'actions' | 'resources'>;

export function createReviewer(firm: Firm): Reviewer {
  const attribute = firm.dictionary.byPath.get('now');
  if (attribute === undefined) throw new Error('the dictionary lacks now');
  const names = {
    actions: new Set(firm.names.actions.keys()),
    resourceTypes: new Set(firm.names.resourceTypes.keys()),
  };
  const scenes = new WeakMap<Spoken, Scene>();
  return {
    firm,
    prover: createProver({ path: 'now', attribute, field: null, type: attribute.type }),
    anywhere: createScene(names),
    sceneOf(spoken) {
      const scene = scenes.get(spoken) ?? createScene(names, spoken);
      scenes.set(spoken, scene);
      return scene;
    },
  };
}

export function* reviewTerms(reviewer: Reviewer, report: Report): Generator<void> {
  const { firm, anywhere } = reviewer;
  for (const [name, expr] of firm.terms) {
    const place: Place = { file: firm.file, path: ['terms', name], item: name };
    reviewWhole({ reviewer, scene: anywhere, report, place }, [], [expr], 'the term is never true');
    yield;
  }
  if (firm.approvals === null) return;
  const place: Place = { file: firm.file, path: ['approvals', 'approver'] };
  reviewWhole({ reviewer, scene: anywhere, report, place }, [], [firm.approvals.expr], 'nobody can ever approve');
}

/** Branches of the rule that can be true, as far as can be told. */
export function reviewRule(rule: Rule, reviewer: Reviewer, report: Report): readonly Branch[] {
  const { branches, parts, place } = rule;
  const header = reviewer.sceneOf(spokenOf(branches));
  if (!reviewWhole({ reviewer, scene: header, report, place }, [], parts, 'the rule is never true')) return [];
  if (rule.entry.cases === undefined) return branches;
  return branches.filter((branch) => {
    const setting = { reviewer, scene: reviewer.sceneOf(branch), report, place: branch.place };
    return reviewWhole(setting, parts, branch.parts, 'the case is never true');
  });
}

function spokenOf(branches: readonly Branch[]): Spoken {
  const [only] = branches;
  if (only !== undefined && branches.length === 1) return only;
  const union = (selections: readonly Selection[]): Selection => ({
    names: new Set(selections.flatMap(({ names: list }) => [...list])),
    others: selections.some(({ others }) => others),
  });
  return {
    actions: union(branches.map(({ actions }) => actions)),
    resources: union(branches.map(({ resources }) => resources)),
  };
}

interface Setting {
  readonly reviewer: Reviewer;
  readonly scene: Scene;
  readonly report: Report;
  readonly place: Place;
}

/** False: `own` cannot hold where `given` does, which is reported. Otherwise what is inside `own` is looked at. */
function reviewWhole(setting: Setting, given: readonly Expr[], own: readonly Expr[], what: string): boolean {
  const before = given.flatMap((expr) => wishesFor(expr, ''));
  const parts = own.flatMap((expr) => wishesFor(expr, ''));
  if (!isPossible([...before, ...parts], setting)) {
    tell(setting, before, parts, what);
    return false;
  }
  for (const part of parts) lookInside(part, [...before, ...parts.filter((other) => other !== part)], setting);
  return true;
}

function isPossible(wishes: readonly Wish[], { scene, reviewer }: Setting): boolean {
  return reviewer.prover.suppose(wishes, scene).canBe();
}

/** Every part of a conjunction for itself; terms stay whole, for they are written elsewhere. */
function wishesFor(expr: Expr, entry: string): readonly Wish[] {
  if (expr.op === 'all') return expr.args.flatMap((arg) => wishesFor(arg, entry));
  return [{ expr, truths: ONLY_TRUE, entry }];
}

/** Alternatives and exceptions that cannot hold where all the rest does. */
function lookInside({ expr, entry = '' }: Wish, context: readonly Wish[], setting: Setting): void {
  switch (expr.op) {
    case 'any': {
      const alternatives = expr.args.map((arg) => ({ arg, parts: wishesFor(arg, entry) }));
      const possible = alternatives.filter(({ parts }) => isPossible([...context, ...parts], setting));
      for (const { arg, parts } of alternatives) {
        if (possible.some((one) => one.arg === arg)) lookAtParts(parts, context, setting);
        else if (possible.length > 0)
          tell(placedAt(setting, arg), context, parts, 'this alternative is never true', REMOVE);
      }
      return;
    }
    case 'not': {
      const parts = wishesFor(expr.arg, entry);
      if (isPossible([...context, ...parts], setting)) lookAtParts(parts, context, setting);
      else tell(placedAt(setting, expr), context, parts, 'this exception is never true', REMOVE);
      return;
    }
    case 'some': {
      const inner = `${entry}@`;
      lookAtParts(wishesFor(expr.where, inner), context, setting);
      return;
    }
    default: // a comparison is whole, a term is looked at where it is written
  }
}

function lookAtParts(parts: readonly Wish[], context: readonly Wish[], setting: Setting): void {
  for (const part of parts) lookInside(part, [...context, ...parts.filter((other) => other !== part)], setting);
}

function placedAt(setting: Setting, expr: Expr): Setting {
  const { reviewer, place } = setting;
  const found = reviewer.firm.places.get(expr);
  return found === undefined ? setting : { ...setting, place: { ...found, item: place.item } };
}

const REMOVE = 'change it, or remove it';

/** Names as few parts as exclude each other. */
function tell(setting: Setting, given: readonly Wish[], own: readonly Wish[], what: string, mend?: string): void {
  const { reviewer, report } = setting;
  const few = fewest(given, own, setting);
  const everywhere = !reviewer.prover.suppose(few, reviewer.anywhere).canBe();
  const last = few.findLast((wish) => own.includes(wish));
  const place = mend === undefined && last !== undefined ? placeOf(setting, last.expr) : setting.place;
  const covering = few.find(({ expr }) => reviewer.firm.places.get(expr)?.path.at(-1) === 'unless');
  const others = few.filter((wish) => wish !== covering);
  const covered = covering !== undefined && others.length > 0;
  const why = covered
    ? `wherever ${names(others, place, setting)} ${others.length > 1 ? 'hold' : 'holds'}, so does its \`unless\``
    : `${names(few, place, setting)} ${few.length > 2 ? 'cannot all be true' : few.length === 2 ? 'exclude each other' : 'is impossible'}`;
  const where = everywhere ? '' : ' for the actions and resources it speaks of';
  const hint = covered ? 'narrow the exception' : few.length > 1 ? EITHER : 'change it';
  report.finding(place, 'never-holds', `${what}: ${why}${where}`, mend ?? hint);
}

const EITHER = 'change one of them; if either is meant, use `$or` or cases';

/** One part or two, where that is enough. */
function fewest(given: readonly Wish[], own: readonly Wish[], setting: Setting): readonly Wish[] {
  const all = [...given, ...own];
  for (const one of own) if (!isPossible([one], setting)) return [one];
  for (const one of own)
    for (const other of all)
      if (other !== one && !isPossible([other, one], setting))
        return all.filter((wish) => wish === one || wish === other);
  return all.reduce((few, wish) => {
    const fewer = few.filter((other) => other !== wish);
    return isPossible(fewer, setting) ? few : fewer;
  }, all);
}

/** Where the part itself was written, if that is inside what is reviewed. */
function placeOf({ reviewer, place }: Setting, expr: Expr): Place {
  const found = reviewer.firm.places.get(expr);
  const inside = found?.file === place.file && place.path.every((step, index) => found.path[index] === step);
  return found === undefined || !inside ? place : { ...found, item: place.item };
}

function names(wishes: readonly Wish[], here: Place, { reviewer }: Setting): string {
  const line = sourceOf(here);
  const list = wishes.map(({ expr }) => {
    const place = reviewer.firm.places.get(expr);
    const source = place === undefined ? line : sourceOf(place);
    const from =
      source === line ? '' : place?.file === here.file ? ` (line ${source.split(':').at(-1)})` : ` (${source})`;
    return `\`${describeExpr(expr)}\`${from}`;
  });
  return list.length < 2 ? list.join('') : `${list.slice(0, -1).join(', ')} and ${list.at(-1)}`;
}
