// What somebody may do as far as roles, status and given attributes go: a hint by which a front end hides buttons. It must never say anything
// about walls, lockdown or single matters, nor take for permitted what a rule needs and the hint cannot say.
import type { DecisionRequest } from '../model/decision.ts';
import { attributesIn, childrenOf, refsOf, type Expr } from './condition.ts';
import { isOfResource, SLOT } from './dictionary.ts';
import { testOf } from './evaluate.ts';
import { gatherFacts } from './facts.ts';
import type { Frame } from './frame.ts';
import type { Test } from './operators.ts';
import { conditionsOf, joined, type Clause } from './positive-conditions.ts';
import type { PolicySet } from './policy-set.ts';
import type { Rule } from './rules.ts';
import { FALSE, TRUE } from './truth.ts';

export interface Ability {
  readonly action: string;
  readonly resourceType: string;
  /** What the attributes must be; empty: whatever they are. */
  readonly conditions: Clause;
}

export type AbilityQuestion = Omit<DecisionRequest, 'action' | 'resource' | 'approvals'>;

/** Alternatives for one action and type; beyond them, what is left stays hidden. */
const MOST_CLAUSES = 40;

const EVERY: readonly Clause[] = [{}];
const NEVER: readonly Clause[] = [];

/** In the order of firm.yaml. Others get a chance after every type. */
export function* findAbilities(set: PolicySet, question: AbilityQuestion): Generator<void, readonly Ability[]> {
  const abilities: Ability[] = [];
  for (const resourceType of set.firm.names.resourceTypes.keys()) {
    yield;
    for (const action of set.firm.names.actions.keys()) {
      const resource = { type: resourceType, id: '', properties: {} };
      const { frame } = gatherFacts(set, { ...question, action, resource, approvals: [] });
      for (const conditions of clausesOf(set, { action, resourceType, frame })) {
        abilities.push({ action, resourceType, conditions });
      }
    }
  }
  return abilities;
}

/** All of it at once. */
export function abilitiesOf(set: PolicySet, question: AbilityQuestion): readonly Ability[] {
  const work = findAbilities(set, question);
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
}

interface Cell {
  readonly action: string;
  readonly resourceType: string;
  readonly frame: Frame;
}

function clausesOf(set: PolicySet, { action, resourceType, frame }: Cell): readonly Clause[] {
  const found: Clause[] = [];
  for (const { rule, gates } of set.ruleIndex.candidates(action, resourceType, frame.slots[SLOT.userType])) {
    if ((gates & frame.gates) === 0) continue;
    const isDeny = rule.effect === 'deny';
    // What a person can do something about is told when they try; hidden, nobody would learn of it.
    if (isDeny && tellsPerson(set, rule)) continue;
    for (const { actions, resources, expr } of rule.branches) {
      if (!actions.names.has(action) || !resources.names.has(resourceType)) continue;
      const clauses = ways(expr, true, resourceType, frame);
      if (!isDeny) found.push(...clauses);
      else if (clauses.some(isEmpty)) return NEVER;
    }
  }
  if (found.some(isEmpty)) return EVERY;
  return [...new Map(found.map((clause) => [JSON.stringify(clause), clause])).values()].slice(0, MOST_CLAUSES);
}

function tellsPerson({ firm }: PolicySet, { advice }: Rule): boolean {
  return advice.some((code) => firm.advice.get(code)?.fulfilled_by !== 'privity');
}

/** In which cases the condition certainly has that truth: each clause is one. */
function ways(expr: Expr, want: boolean, resourceType: string, frame: Frame): readonly Clause[] {
  if (!isOpen(expr)) return settled(testOf(expr), want, frame);
  switch (expr.op) {
    case 'all':
    case 'any':
      return (expr.op === 'all') === want
        ? inEvery(expr.args, want, resourceType, frame)
        : inSome(expr.args, want, resourceType, frame);
    case 'not':
      return ways(expr.arg, !want, resourceType, frame);
    case 'term':
      return ways(expr.arg, want, resourceType, frame);
    case 'some':
      return entryWays(expr, want, frame);
    default:
      return conditionsOf(expr, want, resourceType, frame);
  }
}

function settled(test: Test, want: boolean, frame: Frame): readonly Clause[] {
  const truth = test(frame);
  frame.matched.length = 0;
  return truth === (want ? TRUE : FALSE) ? EVERY : NEVER;
}

/**
 * Entries of policy data that name a matter, such as grants: which matter it is stays out of the hint, so one for any matter shows the
 * button for all.
 */
function entryWays(expr: Extract<Expr, { op: 'some' }>, want: boolean, frame: Frame): readonly Clause[] {
  if (expr.left.attribute?.namespace !== 'data' || !speaksOfMatterAlone(expr.where)) return NEVER;
  return settled(testOf(anyMatter(expr)), want, frame);
}

const widened = new WeakMap<Expr, Expr>();

function anyMatter(expr: Extract<Expr, { op: 'some' }>): Expr {
  let found = widened.get(expr);
  if (found === undefined) widened.set(expr, (found = { ...expr, where: withoutMatter(expr.where) }));
  return found;
}

function isMatter(expr: Expr): boolean {
  return expr.op === 'eq' && refsOf(expr).some(({ attribute }) => attribute?.slot === SLOT.matterId);
}

/** Only where the matter is one of several parts that must all hold. */
function speaksOfMatterAlone(where: Expr): boolean {
  const parts = where.op === 'all' ? where.args : [where];
  return parts.every((part) => isMatter(part) || !isOpen(part));
}

function withoutMatter(where: Expr): Expr {
  const parts = where.op === 'all' ? where.args : [where];
  return { op: 'all', args: parts.filter((part) => !isMatter(part)) };
}

const open = new WeakMap<Expr, boolean>();

/** Whether it depends on what the button is for. */
function isOpen(expr: Expr): boolean {
  let found = open.get(expr);
  if (found === undefined) {
    found = [...attributesIn(expr)].some(
      ({ namespace, slot }) => isOfResource(namespace) && slot !== SLOT.resourceType,
    );
    found ||= childrenOf(expr).some(isOpen);
    open.set(expr, found);
  }
  return found;
}

function inEvery(args: readonly Expr[], want: boolean, resourceType: string, frame: Frame): readonly Clause[] {
  let clauses = EVERY;
  for (const arg of args) {
    const part = ways(arg, want, resourceType, frame);
    if (part === EVERY) continue;
    if (clauses === EVERY) clauses = part;
    else {
      const pairs = clauses.flatMap((left) => part.map((right) => joined(left, right)));
      clauses = pairs.filter((one) => one !== null).slice(0, MOST_CLAUSES);
    }
    if (clauses.length === 0) return NEVER;
  }
  return clauses;
}

function inSome(args: readonly Expr[], want: boolean, resourceType: string, frame: Frame): readonly Clause[] {
  const clauses: Clause[] = [];
  for (const arg of args) {
    const part = ways(arg, want, resourceType, frame);
    if (part === EVERY) return EVERY;
    clauses.push(...part);
  }
  return clauses;
}

function isEmpty(clause: Clause): boolean {
  return Object.keys(clause).length === 0;
}
