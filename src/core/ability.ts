// The only file that uses CASL: its rule index tells which rules speak of an action and a resource type, and its packing is what front ends
// unpack. It must never let CASL judge a condition or see what a caller sent.
import { Ability, type RawRuleOf } from '@casl/ability';
import { packRules } from '@casl/ability/extra';
import type { RuleResult } from '../model/decision.ts';
import { USER_TYPES } from '../model/firm.ts';
import type { Expr } from './condition.ts';
import { compileExpr, type Test } from './evaluate.ts';
import type { RoleGates } from './role-gates.ts';
import type { Branch, Rule, Selection } from './rules.ts';
import { FALSE, type Truth } from './truth.ts';
import { forUserType } from './user-type.ts';

/** A rule with those of its branches that speak of one action and one type, and can be true of one kind of subject. */
export interface Candidate {
  readonly rule: Rule;
  readonly gates: number;
  readonly test: Test;
  /** The condition is any of these. */
  readonly exprs: readonly Expr[];
  /** What a decision says of the rule, made once: members in canonical order, so that records take them as they are. */
  readonly whenTrue: RuleResult;
  readonly whenUnknown: RuleResult;
}

export interface RuleIndex {
  /**
   * Rules to judge, in file order; the same list for every name that firm.yaml does not know.
   * @param userType any value but the four kinds: rules for all of them
   */
  candidates(action: string, resourceType: string, userType: unknown): readonly Candidate[];
}

// Names of firm.yaml begin with a letter or digit, so none of these can be one. CASL's wildcards `manage` and `all` become ordinary names.
const OTHER = '?';
const KINDS: readonly unknown[] = USER_TYPES;
const options = { anyAction: '*any-action*', anySubjectType: '*any-type*' };

/** What a front end may show: rules that permit, and nothing else. */
export interface HintRule {
  readonly actions: readonly string[];
  readonly resourceType: string;
  /** In MongoDB's query language; empty: whatever the attributes. */
  readonly conditions: Readonly<Record<string, unknown>>;
}

/** For `createMongoAbility(unpackRules(…))`. Names of firm.yaml hold no comma, which packing would split at. */
export function packHints(hints: readonly HintRule[]): readonly (readonly unknown[])[] {
  return packRules(
    hints.map(({ actions, resourceType, conditions }) => ({
      action: [...actions],
      subject: resourceType,
      ...(Object.keys(conditions).length === 0 ? {} : { conditions }),
    })),
  );
}

interface Case {
  readonly expr: Expr;
  readonly test: Test;
}

interface Origin {
  readonly rule: Rule;
  readonly order: number;
  readonly cases: readonly (Case | null)[];
}

export interface RuleIndexNames {
  readonly actions: Iterable<string>;
  readonly resourceTypes: Iterable<string>;
  readonly gates: RoleGates;
}

/** CASL calls our resource a "subject". */
export function createRuleIndex(rules: readonly Rule[], names: RuleIndexNames): RuleIndex {
  const raws: RawRuleOf<Ability>[] = [];
  const origins = new Map<unknown, Origin>();
  for (const rule of rules) {
    for (const branch of rule.branches) {
      const [action, subject] = [namesOf(branch.actions), namesOf(branch.resources)];
      if (action.length === 0 || subject.length === 0) continue;
      const raw: RawRuleOf<Ability> = { action, subject, inverted: rule.effect === 'deny' };
      raws.push(raw);
      origins.set(raw, { rule, order: origins.size, cases: casesOf(branch) });
    }
  }
  const ability = new Ability(raws, options);
  const actions = new Set(names.actions);
  const types = new Set(names.resourceTypes);
  const lists = new Map<string, Map<string, (readonly Candidate[] | undefined)[]>>();

  const collect = (action: string, type: string, kind: number): readonly Candidate[] => {
    const found = ability.rulesFor(action, type).flatMap(({ origin }) => origins.get(origin) ?? []);
    found.sort((a, b) => a.order - b.order); // CASL lists the last rule first
    const grouped = new Map<Rule, Case[]>();
    for (const { rule, cases } of found) {
      const one = cases[kind];
      if (one === undefined || one === null) continue;
      const list = grouped.get(rule);
      if (list === undefined) grouped.set(rule, [one]);
      else list.push(one);
    }
    return [...grouped].map(([rule, list]) => ({
      rule,
      gates: names.gates.ofRule(list.map(({ expr }) => expr)),
      test: anyOf(list.map(({ test }) => test)),
      exprs: list.map(({ expr }) => expr),
      whenTrue: resultOf(rule, 'true'),
      whenUnknown: resultOf(rule, 'unknown'),
    }));
  };

  return {
    candidates(action, resourceType, userType) {
      const a = actions.has(action) ? action : OTHER;
      const t = types.has(resourceType) ? resourceType : OTHER;
      const kind = KINDS.indexOf(userType) + 1;
      let byType = lists.get(a);
      if (byType === undefined) lists.set(a, (byType = new Map()));
      let byKind = byType.get(t);
      if (byKind === undefined) byType.set(t, (byKind = []));
      return (byKind[kind] ??= collect(a, t, kind));
    },
  };
}

/** For any kind of subject first, then for each; null where it can never be true. */
function casesOf({ expr, test }: Branch): readonly (Case | null)[] {
  const special = USER_TYPES.map((userType): Case | null => {
    const left = forUserType(expr, userType);
    return left === null ? null : { expr: left, test: compileExpr(left) };
  });
  return [{ expr, test }, ...special];
}

/** A rule is the OR of its branches; all are looked at, for each may note entries that matched. */
function anyOf(tests: readonly Test[]): Test {
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return (frame) => {
    let result: Truth = FALSE;
    for (const test of tests) {
      const truth = test(frame);
      if (truth > result) result = truth;
    }
    return result;
  };
}

function resultOf({ effect, id, source }: Rule, truth: RuleResult['truth']): RuleResult {
  return Object.freeze({ effect, rule: id, source, truth });
}

function namesOf({ names, others }: Selection): string[] {
  return others ? [...names, OTHER] : [...names];
}
