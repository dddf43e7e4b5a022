// The typed tree of a condition, and how to walk it. It must never hold behaviour of its own: evaluate.ts gives it truth.
import type { AttributeType } from './attribute-types.ts';
import type { Attribute } from './dictionary.ts';

/** What a condition names: an attribute, a field of an object attribute, or a field of the entry that `$some` looks at. */
export interface Ref {
  readonly path: string;
  /** Null for a field of an entry. */
  readonly attribute: Attribute | null;
  readonly field: string | null;
  readonly type: AttributeType;
}

export type Operand =
  | { readonly kind: 'literal'; readonly value: unknown; readonly text: string }
  | { readonly kind: 'ref'; readonly ref: Ref };

export type Order = 'lt' | 'lte' | 'gt' | 'gte';

export interface Bound {
  readonly order: Order;
  readonly value: number;
  /** As written, for explanations. */
  readonly text: string;
}

export type Expr =
  | { readonly op: 'all' | 'any'; readonly args: readonly Expr[] }
  | { readonly op: 'not'; readonly arg: Expr }
  | { readonly op: 'term'; readonly name: string; readonly index: number; readonly arg: Expr }
  | { readonly op: 'eq' | 'ne'; readonly left: Ref; readonly right: Operand }
  | { readonly op: Order; readonly left: Ref; readonly right: Operand }
  | {
      readonly op: 'in' | 'nin';
      readonly left: Ref;
      readonly right: Operand | { readonly kind: 'list'; readonly values: readonly unknown[] };
    }
  | { readonly op: 'has'; readonly left: Ref; readonly right: Operand }
  | { readonly op: 'has_any'; readonly left: Ref; readonly values: readonly unknown[] }
  | { readonly op: 'exists' | 'none'; readonly left: Ref; readonly want: boolean }
  | { readonly op: 'same'; readonly left: Ref; readonly right: Ref }
  | { readonly op: 'age' | 'length'; readonly left: Ref; readonly bounds: readonly Bound[] }
  | { readonly op: 'during'; readonly left: Ref; readonly calendar: string; readonly contains: (ms: number) => boolean }
  | { readonly op: 'some'; readonly left: Ref; readonly where: Expr };

export const ALWAYS: Expr = { op: 'all', args: [] };

export function all(args: readonly Expr[]): Expr {
  const [first] = args;
  return args.length === 1 && first !== undefined ? first : { op: 'all', args };
}

export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.op) {
    case 'all':
    case 'any':
      return expr.args;
    case 'not':
    case 'term':
      return [expr.arg];
    case 'some':
      return [expr.where];
    default:
      return [];
  }
}

/** Number of parts, those of terms counted wherever a term is named. */
export function sizeOf(expr: Expr): number {
  return childrenOf(expr).reduce((sum, child) => sum + sizeOf(child), 1);
}

/** Every reference in a tree, entries' fields left out. */
export function attributesIn(expr: Expr, into = new Set<Attribute>()): Set<Attribute> {
  for (const ref of refsOf(expr)) if (ref.attribute !== null) into.add(ref.attribute);
  for (const child of childrenOf(expr)) attributesIn(child, into);
  return into;
}

export function termsIn(expr: Expr, into = new Set<string>()): Set<string> {
  if (expr.op === 'term') into.add(expr.name);
  for (const child of childrenOf(expr)) termsIn(child, into);
  return into;
}

export function refsOf(expr: Expr): readonly Ref[] {
  if (!('left' in expr)) return [];
  if (!('right' in expr)) return [expr.left];
  const { right } = expr;
  if (!('kind' in right)) return [expr.left, right];
  return right.kind === 'ref' ? [expr.left, right.ref] : [expr.left];
}
