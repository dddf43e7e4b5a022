// Allow rules that add nothing for some of the actions and types they speak of, because another allows the same. It must never name one
// whose loss would take something from somebody.
import { attributesIn, type Expr } from '../../../src/core/condition.ts';
import { createReviewer, type Reviewer } from '../../../src/core/findings-conditions.ts';
import type { Firm } from '../../../src/core/firm.ts';
import { NOT_TRUE, ONLY_TRUE } from '../../../src/core/possible/can-be.ts';
import type { Report } from '../../../src/core/report.ts';
import type { Branch, Rule, Selection } from '../../../src/core/rules.ts';

/** @param told rules that add nothing at all, which is said already */
export function reviewOverlaps(firm: Firm, rules: readonly Rule[], told: ReadonlySet<string>, report: Report): void {
  const reviewer = createReviewer(firm);
  const allows = rules.filter(({ effect, id }) => effect === 'allow' && !told.has(id));
  for (const [index, rule] of allows.entries()) {
    for (const [otherIndex, other] of allows.entries()) {
      if (other === rule || !rule.obligations.every((code) => other.obligations.includes(code))) continue;
      const shared = new Map<string, Set<string>>();
      for (const branch of rule.branches) for (const wide of other.branches) addShared(shared, branch, wide, reviewer);
      // Where each says for these what the other says, it is told once.
      if (shared.size === 0 || (otherIndex < index && saysTheSame(other, rule, reviewer))) continue;
      const what = [...Map.groupBy(shared, ([, actions]) => [...actions].toSorted().join(', '))]
        .map(
          ([actions, of]) =>
            `${actions} on ${of
              .map(([type]) => type)
              .toSorted()
              .join(', ')}`,
        )
        .join('; ');
      report.finding(
        rule.place,
        'overlapping-allows',
        `for ${what} the rule adds nothing: \`${other.id}\` (${other.source}) allows the same`,
        'leave them to one of the two rules',
      );
    }
  }
}

/** By resource type, the actions for which the first adds nothing to the second. */
function addShared(into: Map<string, Set<string>>, one: Branch, wide: Branch, { prover, sceneOf }: Reviewer): void {
  if (one.expr === wide.expr) return;
  const actions = common(one.actions, wide.actions);
  const resources = common(one.resources, wide.resources);
  if (actions.names.size === 0 || resources.names.size === 0 || !couldCover(one.expr, wide.expr)) return;
  const supposed = prover.suppose([{ expr: one.expr, truths: ONLY_TRUE }], sceneOf({ actions, resources }));
  if (!supposed.canBe() || supposed.canBe([{ expr: wide.expr, truths: NOT_TRUE }])) return;
  for (const type of resources.names) {
    const list = into.get(type) ?? new Set();
    for (const action of actions.names) list.add(action);
    into.set(type, list);
  }
}

function saysTheSame(one: Rule, other: Rule, reviewer: Reviewer): boolean {
  const shared = new Map<string, Set<string>>();
  for (const branch of one.branches) for (const wide of other.branches) addShared(shared, branch, wide, reviewer);
  return shared.size > 0 && one.obligations.every((code) => other.obligations.includes(code));
}

function common(a: Selection, b: Selection): Selection {
  return { names: new Set([...a.names].filter((name) => b.names.has(name))), others: a.others && b.others };
}

/** Every part of the wider one reads something that the other reads as well: what it leaves open cannot imply it. */
function couldCover(one: Expr, wide: Expr): boolean {
  const reads = attributesIn(one);
  return partsOf(wide).every((part) =>
    [...attributesIn(part)].some((attribute) => isNamed(attribute.path) || reads.has(attribute)),
  );
}

function isNamed(path: string): boolean {
  return path === 'action.name' || path === 'resource.type';
}

function partsOf(expr: Expr): readonly Expr[] {
  if (expr.op === 'all') return expr.args.flatMap(partsOf);
  return expr.op === 'term' ? partsOf(expr.arg) : [expr];
}
