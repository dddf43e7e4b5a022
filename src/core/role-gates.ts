// Which rules the roles of a subject can open at all, as bits, so that most rules for other roles need not be judged. It must never shut out a rule that could be true or unknown.
import type { Expr } from './condition.ts';
import { SLOT } from './dictionary.ts';

/** Bit 0 stands for everybody; roles share the other 30, so a firm may have any number of them. */
const EVERYBODY = 1;
const SHARED = 30;
const ALL = -1;

export interface RoleGates {
  /** Bits of a rule: it is false wherever they have none in common with those of the subject. */
  ofRule(conditions: readonly Expr[]): number;
  /** Bits of a subject. */
  ofSubject(roles: unknown): number;
}

export function createRoleGates(roles: Iterable<string>): RoleGates {
  const bits = new Map<unknown, number>([...roles].map((role, index) => [role, 1 << (1 + (index % SHARED))]));
  const bitsOf = (names: readonly unknown[], start: number): number =>
    names.reduce((sum: number, name) => sum | (bits.get(name) ?? ALL), start);

  /** Null: it does not depend on roles alone. */
  const needs = (expr: Expr): number | null => {
    switch (expr.op) {
      case 'has_any':
        return expr.left.attribute?.slot === SLOT.roles ? bitsOf(expr.values, 0) : null;
      case 'has':
        return expr.left.attribute?.slot === SLOT.roles && expr.right.kind === 'literal'
          ? bitsOf([expr.right.value], 0)
          : null;
      case 'all':
        return expr.args.map(needs).find((one) => one !== null) ?? null;
      case 'any': {
        const all = expr.args.map(needs);
        return all.reduce((sum, one) => (sum === null || one === null ? null : sum | one), 0);
      }
      case 'term':
        return needs(expr.arg);
      default:
        return null;
    }
  };
  return {
    ofRule: (conditions) => conditions.reduce((sum, expr) => sum | (needs(expr) ?? EVERYBODY), 0),
    ofSubject: (value) => (Array.isArray(value) ? bitsOf(value, EVERYBODY) : ALL),
  };
}
