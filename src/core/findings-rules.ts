// Rules that change nothing beside others: duplicates, redundant ones, allows that a deny always beats. It must never name one that decides some request.
import type { Expr } from './condition.ts';
import { attributesIn } from './condition.ts';
import { SLOT } from './dictionary.ts';
import { createReviewer, reviewRule, reviewTerms, type Reviewer } from './findings-conditions.ts';
import type { Firm } from './firm.ts';
import { NOT_FALSE, NOT_TRUE, ONLY_FALSE, ONLY_TRUE, type Supposition, type Wish } from './possible/can-be.ts';
import type { Report } from './report.ts';
import type { Branch, Rule, Selection } from './rules.ts';

interface Subject {
  readonly rule: Rule;
  /** None where none can be true. */
  readonly branches: readonly Reviewed[];
}

interface Reviewed {
  readonly branch: Branch;
  /** False: it is never true, which is told already; it may still be unknown. */
  readonly isLive: boolean;
  /** As bits: the actions and resource types it speaks of, the attributes it reads, and those that each of its parts reads. */
  readonly actions: bigint;
  readonly resources: bigint;
  readonly reads: bigint;
  readonly parts: readonly bigint[];
  /** Once it is true, and once it is not false. */
  readonly whenTrue: Supposition;
  readonly whenNotFalse: () => Supposition;
}

/** Pauses after every rule. */
export function* reviewRules(firm: Firm, rules: readonly Rule[], report: Report): Generator<void> {
  const reviewer = createReviewer(firm);
  yield* reviewTerms(reviewer, report);
  const subjects: Subject[] = [];
  for (const rule of rules) {
    const live = reviewRule(rule, reviewer, report);
    const branches = live.length === 0 ? [] : rule.branches;
    subjects.push({ rule, branches: branches.map((one) => reviewed(one, live.includes(one), reviewer)) });
    yield;
  }
  const silent = new Set<Subject>();
  for (const subject of subjects.toReversed()) {
    const { rule, branches } = subject;
    if (branches.length === 0) continue;
    if (rule.effect === 'allow' && tellShadowed(subject, subjects, report)) silent.add(subject);
    else if (tellRedundant(subject, subjects, silent, reviewer, report)) silent.add(subject);
    else tellCases(subject, report);
    yield;
  }
}

const NAMED = (1n << BigInt(SLOT.actionName)) | (1n << BigInt(SLOT.resourceType));

function reviewed(branch: Branch, isLive: boolean, { firm, prover, sceneOf }: Reviewer): Reviewed {
  const { expr, actions, resources } = branch;
  const scene = sceneOf(branch);
  return {
    branch,
    isLive,
    actions: spoken(actions, firm.names.actions),
    resources: spoken(resources, firm.names.resourceTypes),
    reads: bitsOf(expr) | NAMED,
    parts: partsOf(expr).map(bitsOf),
    whenTrue: prover.suppose([{ expr, truths: ONLY_TRUE }], scene),
    whenNotFalse: () => prover.suppose([{ expr, truths: NOT_FALSE }], scene),
  };
}

/** The first bit stands for names that firm.yaml does not know. */
function spoken({ names, others }: Selection, all: ReadonlyMap<string, string>): bigint {
  let bits = others ? 1n : 0n;
  let bit = 1n;
  for (const name of all.keys()) {
    bit <<= 1n;
    if (names.has(name)) bits |= bit;
  }
  return bits;
}

function partsOf(expr: Expr): readonly Expr[] {
  if (expr.op === 'all') return expr.args.flatMap(partsOf);
  return expr.op === 'term' ? partsOf(expr.arg) : [expr];
}

function bitsOf(expr: Expr): bigint {
  let bits = 0n;
  for (const { slot } of attributesIn(expr)) bits |= 1n << BigInt(slot);
  return bits;
}

/** Those that speak of all that the branch speaks of, and read nothing in any part that it leaves wholly open. */
function wider({ actions, resources, reads }: Reviewed, others: readonly Reviewed[]): readonly Reviewed[] {
  return others.filter(
    (other) =>
      (actions & ~other.actions) === 0n &&
      (resources & ~other.resources) === 0n &&
      other.parts.every((part) => (part & reads) !== 0n),
  );
}

function areAll(truths: number, list: readonly Reviewed[]): readonly Wish[] {
  return list.map(({ branch: { expr } }) => ({ expr, truths }));
}

/** Wherever the first is true, or unknown, the others are so at least: it changes nothing. */
function covers(one: Reviewed, others: readonly Reviewed[]): boolean {
  const found = wider(one, others);
  return (
    found.length > 0 &&
    !one.whenTrue.canBe(areAll(NOT_TRUE, found)) &&
    !one.whenNotFalse().canBe(areAll(ONLY_FALSE, found))
  );
}

/** Where the branch is true, none of the others is false. */
function isBeaten(one: Reviewed, denies: readonly Reviewed[]): boolean {
  const found = wider(one, denies);
  return found.length > 0 && !one.whenTrue.canBe(areAll(ONLY_FALSE, found));
}

function tellShadowed({ rule, branches }: Subject, subjects: readonly Subject[], report: Report): boolean {
  const denies = subjects.filter((other) => other.rule.effect === 'deny');
  const live = branches.filter(({ isLive }) => isLive);
  const beaten = live.map((one) => {
    return { one, by: denies.find((deny) => isBeaten(one, deny.branches)) };
  });
  const [first] = beaten;
  const whole = beaten.every(({ by }) => by !== undefined);
  const hint = 'remove it, or make an exception in the deny with `unless`';
  if (whole && beaten.every(({ by }) => by === first?.by)) {
    report.finding(
      rule.place,
      'shadowed-rule',
      `the rule can never let anybody in: whatever it allows, ${named(first?.by?.rule)} refuses`,
      hint,
    );
    return true;
  }
  for (const { one, by } of beaten) {
    if (by === undefined) continue;
    report.finding(
      one.branch.place,
      'shadowed-rule',
      `the case can never let anybody in: whatever it allows, ${named(by.rule)} refuses`,
      hint,
    );
  }
  return whole;
}

function tellRedundant(
  subject: Subject,
  subjects: readonly Subject[],
  silent: ReadonlySet<Subject>,
  reviewer: Reviewer,
  report: Report,
): boolean {
  const { rule } = subject;
  const by = subjects.find((other) => other !== subject && !silent.has(other) && isRedundant(subject, other, reviewer));
  if (by === undefined) return false;
  if (isRedundant(by, subject, reviewer)) {
    report.finding(rule.place, 'duplicate-rule', `the rule says the same as ${named(by.rule)}`, 'keep one of them');
    return true;
  }
  const does = rule.effect === 'allow' ? 'allows' : 'refuses';
  report.finding(
    rule.place,
    'redundant-rule',
    `the rule adds nothing: whatever it ${does}, ${named(by.rule)} ${does} as well`,
    'remove it, or narrow the other one',
  );
  return true;
}

function isRedundant({ rule, branches }: Subject, by: Subject, reviewer: Reviewer): boolean {
  return (
    rule.effect === by.rule.effect &&
    branches.length > 0 &&
    hasNothingOfItsOwn(rule, by.rule, reviewer.firm) &&
    branches.every((one) => covers(one, by.branches))
  );
}

/** An obligation, advice, or a deny that no step-up cures would be missed. */
function hasNothingOfItsOwn(rule: Rule, by: Rule, { advice }: Firm): boolean {
  const isCure = (code: string) => advice.get(code)?.acr_values !== undefined;
  return (
    rule.obligations.every((code) => by.obligations.includes(code)) &&
    rule.advice.every((code) => by.advice.includes(code)) &&
    by.advice.every((code) => !isCure(code) || rule.advice.includes(code))
  );
}

function tellCases({ branches }: Subject, report: Report): void {
  let left = branches;
  for (const one of branches.toReversed()) {
    const others = left.filter((other) => other !== one);
    if (!one.isLive || !covers(one, others)) continue;
    left = others;
    report.finding(
      one.branch.place,
      'redundant-case',
      'the case adds nothing: other cases of the rule cover it',
      'remove it, or narrow the others',
    );
  }
}

function named(rule: Rule | undefined): string {
  return rule === undefined ? 'another rule' : `\`${rule.id}\` (${rule.source})`;
}
