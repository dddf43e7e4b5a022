// Rules out, by index, resources of which no rule can be true: whose team a person is not on, who is not responsible, what is not granted.
// It must never rule out one that `decide` might allow; whether it allows is for `decide` alone.
import type { DecisionRequest } from '../model/decision.ts';
import { isOfResource, SLOT, type Attribute } from './dictionary.ts';
import { attributesIn, type Expr, type Operand, type Ref } from './condition.ts';
import { testOf } from './evaluate.ts';
import { gatherFacts } from './facts.ts';
import { mattersWith } from './filter/bounds.ts';
import { isEntryTable, type Frame } from './frame.ts';
import { getter } from './operators.ts';
import type { PolicySet } from './policy-set.ts';
import { FALSE, TRUE, type Truth } from './truth.ts';

/** Ids of resources; null: any. */
type Bound = ReadonlySet<string> | null;

const NOTHING: ReadonlySet<string> = new Set();
const FACTS: ReadonlyMap<number, Parameters<typeof mattersWith>[1]> = new Map([
  [SLOT.matterClient, 'clientId'],
  [SLOT.matterPracticeGroup, 'practiceGroup'],
  [SLOT.matterResponsible, 'responsible'],
  [SLOT.matterProposing, 'proposing'],
  [SLOT.matterTeam, 'team'],
]);

/**
 * Resources that an allow rule can be true of; null where that may be any.
 * @param request about any one of them: nothing of it but its type, and what is said of all, is looked at
 */
export function reachable(set: PolicySet, request: DecisionRequest): Bound {
  const { type } = request.resource;
  const { frame } = gatherFacts(set, request);
  const find = createFinder(set, type === 'matter', frame);
  const candidates = set.ruleIndex.candidates(request.action, type, frame.slots[SLOT.userType]);
  const found = new Set<string>();
  for (const { rule, gates, exprs } of candidates) {
    if (rule.effect !== 'allow' || (gates & frame.gates) === 0) continue;
    for (const expr of exprs) {
      const bound = find(expr, TRUE);
      if (bound === null) return null;
      for (const id of bound) found.add(id);
    }
  }
  return found;
}

/** Resources of which a condition can have the truth. */
type Find = (expr: Expr, wanted: Truth) => Bound;

function createFinder({ data }: PolicySet, isMatter: boolean, frame: Frame): Find {
  /** Of what is the same for all resources, the value is there. */
  const valuesOf = (
    operand: Operand | { readonly kind: 'list'; readonly values: readonly unknown[] },
  ): readonly unknown[] | null => {
    if (operand.kind === 'list') return operand.values;
    if (operand.kind === 'literal') return spread(operand.value);
    return isClosed(operand.ref) ? spread(getter(operand.ref)(frame)) : null;
  };
  const holding = ({ attribute, field }: Ref, values: readonly unknown[]): Bound => {
    if (attribute === null || field !== null) return null;
    const { slot } = attribute;
    const texts = values.filter((value) => typeof value === 'string');
    if (slot === SLOT.resourceId || (isMatter && slot === SLOT.matterId)) return new Set(texts);
    const fact = isMatter ? FACTS.get(slot) : undefined;
    return fact === undefined ? null : new Set(texts.flatMap((value) => mattersWith(data.matters, fact, value)));
  };
  const meeting = (left: Ref, right: Parameters<typeof valuesOf>[0]): Bound => {
    if (!isClosed(left)) {
      const values = valuesOf(right);
      return values === null ? null : holding(left, values);
    }
    return right.kind === 'ref' ? holding(right.ref, spread(getter(left)(frame))) : null;
  };

  const find: Find = (expr, wanted) => {
    if (isSame(expr)) return testOf(expr)(frame) === wanted ? null : NOTHING;
    switch (expr.op) {
      case 'all':
      case 'any':
        return (expr.op === 'all') === (wanted === TRUE)
          ? smallest(expr.args.map((arg) => find(arg, wanted)))
          : union(expr.args.map((arg) => find(arg, wanted)));
      case 'not':
        return find(expr.arg, wanted === TRUE ? FALSE : TRUE);
      case 'term':
        return find(expr.arg, wanted);
      case 'eq':
      case 'in':
      case 'has':
        return wanted === TRUE ? meeting(expr.left, expr.right) : null;
      case 'has_any':
        return wanted === TRUE ? meeting(expr.left, { kind: 'list', values: expr.values }) : null;
      case 'some':
        return wanted === TRUE && isClosed(expr.left)
          ? ofEntries(getter(expr.left)(frame), conjuncts(expr.where))
          : null;
      default:
        return null;
    }
  };

  /** Resources that an entry names, among the entries about this person, or about whatever else is the same for all. */
  const ofEntries = (list: unknown, parts: readonly Expr[]): Bound => {
    if (!isEntryTable(list)) return null;
    const fields = parts.flatMap((part) => {
      if (part.op !== 'eq' || part.left.attribute !== null || part.left.field === null) return [];
      return [{ field: part.left.field, right: part.right }];
    });
    let entries = list.entries;
    for (const { field, right } of fields) {
      const [value, ...more] = valuesOf(right) ?? [];
      if (value === undefined || more.length > 0) continue;
      const own = list.find(field, value);
      if (own.length < entries.length) entries = own;
    }
    for (const { field, right } of fields) {
      if (right.kind !== 'ref') continue;
      const bound = holding(
        right.ref,
        entries.map((entry) => entry[field]),
      );
      if (bound !== null) return bound;
    }
    return null;
  };
  return find;
}

function conjuncts(expr: Expr): readonly Expr[] {
  if (expr.op === 'all') return expr.args.flatMap(conjuncts);
  return expr.op === 'term' ? conjuncts(expr.arg) : [expr];
}

/** The same for every resource: neither what is said or on file about it, nor its matter, stands in it. */
function isSame(expr: Expr): boolean {
  for (const attribute of attributesIn(expr)) if (isOpen(attribute)) return false;
  return !readsEntry(expr);
}

/** A part of `$some`, which alone has no truth. */
function readsEntry(expr: Expr): boolean {
  return 'left' in expr && expr.left.attribute === null;
}

function isClosed({ attribute }: Ref): boolean {
  return attribute !== null && !isOpen(attribute);
}

function isOpen({ namespace, slot }: Attribute): boolean {
  return isOfResource(namespace) && slot !== SLOT.resourceType;
}

function smallest(bounds: readonly Bound[]): Bound {
  return bounds.reduce((best, one) => (best === null || (one !== null && one.size < best.size) ? one : best), null);
}

function union(bounds: readonly Bound[]): Bound {
  const all = new Set<string>();
  for (const bound of bounds) {
    if (bound === null) return null;
    for (const id of bound) all.add(id);
  }
  return all;
}

function spread(value: unknown): readonly unknown[] {
  return Array.isArray(value) || value instanceof Set ? [...value] : [value];
}
