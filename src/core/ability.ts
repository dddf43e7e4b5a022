// The only file that uses CASL: its rule index tells which rules speak of an action and a resource type. It must never let CASL judge a condition or see what a caller sent.
import { Ability, type RawRuleOf } from '@casl/ability';
import type { Test } from './evaluate.ts';
import type { Rule, Selection } from './rules.ts';

/** A rule with those of its branches that speak of one action and one type. */
export interface Candidate {
  readonly rule: Rule;
  readonly tests: readonly Test[];
}

export interface RuleIndex {
  /** Rules to judge, in file order; the same list for every name that firm.yaml does not know. */
  candidates(action: string, resourceType: string): readonly Candidate[];
}

// Names of firm.yaml begin with a letter or digit, so none of these can be one. CASL's wildcards `manage` and `all` become ordinary names.
const OTHER = '?';
const options = { anyAction: '*any-action*', anySubjectType: '*any-type*' };

/** CASL calls our resource a "subject". */
export function createRuleIndex(
  rules: readonly Rule[],
  actions: Iterable<string>,
  resourceTypes: Iterable<string>,
): RuleIndex {
  const raws: RawRuleOf<Ability>[] = [];
  const origins = new Map<unknown, { rule: Rule; test: Test; order: number }>();
  for (const rule of rules) {
    for (const branch of rule.branches) {
      const [action, subject] = [namesOf(branch.actions), namesOf(branch.resources)];
      if (action.length === 0 || subject.length === 0) continue;
      const raw: RawRuleOf<Ability> = { action, subject, inverted: rule.effect === 'deny' };
      raws.push(raw);
      origins.set(raw, { rule, test: branch.test, order: origins.size });
    }
  }
  const ability = new Ability(raws, options);
  const knownActions = new Set(actions);
  const knownTypes = new Set(resourceTypes);
  const lists = new Map<string, Map<string, readonly Candidate[]>>();

  const collect = (action: string, type: string): readonly Candidate[] => {
    const found = ability.rulesFor(action, type).flatMap(({ origin }) => origins.get(origin) ?? []);
    found.sort((a, b) => a.order - b.order); // CASL lists the last rule first
    const grouped = new Map<Rule, Test[]>();
    for (const { rule, test } of found) {
      const tests = grouped.get(rule);
      if (tests === undefined) grouped.set(rule, [test]);
      else tests.push(test);
    }
    return [...grouped].map(([rule, tests]) => ({ rule, tests }));
  };

  return {
    candidates(action, resourceType) {
      const a = knownActions.has(action) ? action : OTHER;
      const t = knownTypes.has(resourceType) ? resourceType : OTHER;
      let byType = lists.get(a);
      if (byType === undefined) lists.set(a, (byType = new Map()));
      let list = byType.get(t);
      if (list === undefined) byType.set(t, (list = collect(a, t)));
      return list;
    },
  };
}

function namesOf({ names, others }: Selection): string[] {
  return others ? [...names, OTHER] : [...names];
}
