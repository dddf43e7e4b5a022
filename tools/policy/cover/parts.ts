// All that test cases can exercise of the rules: each rule, each of its cases, each part of their conditions. It must never count a part twice.
import { childrenOf, type Expr } from '../../../src/core/condition.ts';
import { describeExpr } from '../../../src/core/describe.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { at, type Place } from '../../../src/core/report.ts';
import type { Branch, Rule } from '../../../src/core/rules.ts';

export type PartKind = 'rule' | 'branch' | 'condition';

export interface Part {
  readonly kind: PartKind;
  /** Id of the rule, or `term` and the name of the term it stands in. */
  readonly of: string;
  readonly place: Place;
  /** In plain words. */
  readonly text: string;
  readonly expr: Expr | null;
  /** Where it is judged: branches that speak of it; none for a term, which is judged wherever some rule names it. */
  readonly branches: readonly Branch[];
}

export interface Parts {
  readonly rules: ReadonlyMap<Rule, Part>;
  /** Of rules with cases. */
  readonly branches: ReadonlyMap<Branch, Part>;
  /** A term at each place that names it, and the parts of each term once. */
  readonly conditions: ReadonlyMap<Expr, Part>;
}

export function partsOf({ rules, firm }: PolicySet): Parts {
  const ofRules = new Map<Rule, Part>();
  const ofBranches = new Map<Branch, Part>();
  const conditions = new Map<Expr, Part>();

  const collect = (expr: Expr, of: string, near: Place, branches: readonly Branch[]): void => {
    const place = firm.places.get(expr) ?? placeWithin(expr, firm.places) ?? near;
    if (!conditions.has(expr))
      conditions.set(expr, { kind: 'condition', of, place, text: describeExpr(expr), expr, branches });
    // A term is written elsewhere, and within an entry of a list a part has no truth of its own.
    if (expr.op !== 'term' && expr.op !== 'some')
      for (const child of childrenOf(expr)) collect(child, of, place, branches);
  };

  for (const rule of rules) {
    const { id, place, branches, entry } = rule;
    ofRules.set(rule, { kind: 'rule', of: id, place: at(place, 'id'), text: entry.title ?? id, expr: null, branches });
    for (const part of rule.parts) collect(part, id, place, branches);
    if (entry.cases === undefined) continue;
    for (const [index, branch] of branches.entries()) {
      const text = `case ${index + 1} of ${branches.length}`;
      ofBranches.set(branch, {
        kind: 'branch',
        of: id,
        place: branch.place,
        text,
        expr: branch.expr,
        branches: [branch],
      });
      for (const part of branch.parts) collect(part, id, branch.place, [branch]);
    }
  }
  for (const [name, expr] of firm.terms)
    if (isNamed(name, rules)) collect(expr, `term ${name}`, { file: firm.file, path: ['terms', name] }, []);
  return { rules: ofRules, branches: ofBranches, conditions };
}

/** A list of conditions that was written without a place of its own stands where its first part does. */
function placeWithin(expr: Expr, places: WeakMap<Expr, Place>): Place | undefined {
  const [first] = childrenOf(expr);
  const found = first === undefined ? undefined : places.get(first);
  return found === undefined ? undefined : { ...found, path: found.path.slice(0, -1) };
}

/** Terms that no rule names are never judged. */
function isNamed(name: string, rules: readonly Rule[]): boolean {
  const names = (expr: Expr): boolean => (expr.op === 'term' && expr.name === name) || childrenOf(expr).some(names);
  return rules.some(({ branches }) => branches.some(({ expr }) => names(expr)));
}
