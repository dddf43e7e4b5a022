// The access-control matrix that auditors ask for: roles × actions × resource types, each cell with the rules that may let somebody in. It must never show a right without its conditions.
import { conjunctsOf, rolesOf } from './describe-policy.ts';
import { describeExpr } from './describe.ts';
import type { PolicySet } from './policy-set.ts';

export interface MatrixRow {
  /** Null: whatever the role. */
  readonly role: string | null;
  readonly action: string;
  readonly resourceType: string;
  readonly effect: 'allow' | 'deny';
  readonly rule: string;
  readonly source: string;
  /** All must hold; empty: always. */
  readonly conditions: readonly string[];
}

/** One row for each case of each rule, action, type and role it speaks of: sorted by type, action, effect, role, rule. */
export function matrixRows(set: PolicySet): readonly MatrixRow[] {
  const rows: MatrixRow[] = [];
  for (const rule of set.rules) {
    for (const { actions, resources, expr } of rule.branches) {
      const roles = rolesOf(expr);
      const conditions = conjunctsOf(expr).map(describeExpr);
      for (const resourceType of resources.names) {
        for (const action of actions.names) {
          for (const role of roles ?? [null]) {
            rows.push({
              role,
              action,
              resourceType,
              effect: rule.effect,
              rule: rule.id,
              source: rule.source,
              conditions,
            });
          }
        }
      }
    }
  }
  const order = (names: Iterable<string>) => new Map([...names].map((name, index) => [name, index]));
  const [types, actions, roles] = [
    order(set.firm.names.resourceTypes.keys()),
    order(set.firm.names.actions.keys()),
    order(set.firm.names.roles.keys()),
  ];
  const rank = (row: MatrixRow): readonly number[] => [
    types.get(row.resourceType) ?? 0,
    actions.get(row.action) ?? 0,
    row.effect === 'allow' ? 0 : 1,
    row.role === null ? -1 : (roles.get(row.role) ?? 0),
  ];
  return rows
    .map((row) => ({ row, key: rank(row) }))
    .sort((a, b) => compareKeys(a.key, b.key) || (a.row.rule < b.row.rule ? -1 : 1))
    .map(({ row }) => row);
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  for (const [index, left] of a.entries()) {
    const difference = left - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
