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
    if ((expr.op === 'in' || expr.op === 'nin') && expr.right.kind === 'list')
      for (const one of expr.right.values) into.add(String(one));
  }
  for (const child of childrenOf(expr)) collect(child, into);
}

export interface FieldDecision {
  readonly field: string;
  readonly outcome: Decision['outcome'];
  readonly decidedBy: readonly string[];
}

export interface DecisionWithFields {
  /** Of the request as it stands, with the obligations of every field that is permitted. */
  readonly decision: Decision;
  readonly fields: readonly FieldDecision[];
}

/** The request decided as it stands, and once more for each protected field: whoever may not see the resource sees no field of it. */
export function decideWithFields(set: PolicySet, request: DecisionRequest): DecisionWithFields {
  const base = decide(set, request);
  const obligations = new Map(base.obligations.map((one) => [one.id, one]));
  const fields = protectedFields(set).map((field): FieldDecision => {
    const properties = { ...request.resource.properties, [FIELD_ATTRIBUTE]: field };
    const decision = decide(set, { ...request, resource: { ...request.resource, properties } });
    if (base.outcome === 'deny') return { field, outcome: 'deny', decidedBy: base.decidedBy };
    for (const one of decision.obligations) obligations.set(one.id, one);
    return { field, outcome: decision.outcome, decidedBy: decision.decidedBy };
  });
  if (obligations.size === base.obligations.length) return { decision: base, fields };
  const all = [...obligations.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { decision: { ...base, obligations: all }, fields };
}
