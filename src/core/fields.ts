// Which protected fields of a resource the rules know, and which of them somebody may see. It must never list a field that a decision about it would refuse.
import type { Decision, DecisionRequest } from '../model/decision.ts';
import { childrenOf, type Expr } from './condition.ts';
import { decide } from './decide.ts';
import type { PolicySet } from './policy-set.ts';

/** The attribute by which a request names a protected field. */
export const FIELD_ATTRIBUTE = 'field';
const FIELD_PATH = `resource.${FIELD_ATTRIBUTE}`;

const known = new WeakMap<PolicySet, readonly string[]>();

/** Every field that some rule of the set names, sorted. */
export function protectedFields(set: PolicySet): readonly string[] {
  let fields = known.get(set);
  if (fields === undefined) {
    const found = new Set<string>();
    for (const { branches } of set.rules) for (const { expr } of branches) collect(expr, found);
    known.set(set, (fields = [...found].sort()));
  }
  return fields;
}

function collect(expr: Expr, into: Set<string>): void {
  if ('left' in expr && expr.left.path === FIELD_PATH) {
    if ((expr.op === 'eq' || expr.op === 'ne') && expr.right.kind === 'literal') into.add(String(expr.right.value));
    if ((expr.op === 'in' || expr.op === 'nin') && expr.right.kind === 'list') for (const one of expr.right.values) into.add(String(one));
  }
  for (const child of childrenOf(expr)) collect(child, into);
}

export interface FieldDecision {
  readonly field: string;
  readonly outcome: Decision['outcome'];
  readonly decidedBy: readonly string[];
}

/** The request decided once for each protected field. */
export function decideFields(set: PolicySet, request: DecisionRequest): readonly FieldDecision[] {
  return protectedFields(set).map((field) => {
    const properties = { ...request.resource.properties, [FIELD_ATTRIBUTE]: field };
    const { outcome, decidedBy } = decide(set, { ...request, resource: { ...request.resource, properties } });
    return { field, outcome, decidedBy };
  });
}
