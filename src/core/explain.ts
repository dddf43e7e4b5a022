// Shows why a request is decided as it is: every rule and wall considered, the truth of each part of its condition, the values it read. It must never decide by itself.
import type { Decision, DecisionRequest } from '../model/decision.ts';
import { childrenOf, refsOf, type Expr, type Ref } from './condition.ts';
import { decide } from './decide.ts';
import { describeExpr } from './describe.ts';
import { compileExpr } from './evaluate.ts';
import { gatherFacts } from './facts.ts';
import type { Frame } from './frame.ts';
import type { PolicySet } from './policy-set.ts';
import type { Branch, Selection } from './rules.ts';
import { FALSE, NONE, or, TRUE, UNKNOWN_VALUE, type Truth } from './truth.ts';
import { judgeWalls, WALL_RULES } from './walls.ts';

export type TruthWord = 'true' | 'false' | 'unknown';

export interface ExplainedPart {
  readonly text: string;
  readonly truth: TruthWord;
  /** What the references of this part read, in words. */
  readonly values: readonly { readonly path: string; readonly value: string }[];
  readonly parts: readonly ExplainedPart[];
}

export interface ExplainedRule {
  readonly rule: string;
  readonly effect: 'allow' | 'deny' | 'wall';
  readonly source: string;
  readonly truth: TruthWord;
  /** Why it is not even about the request, otherwise null. */
  readonly outOfScope: string | null;
  /** One for each case of the rule that speaks of the action and type. */
  readonly conditions: readonly ExplainedPart[];
}

export interface Explanation {
  readonly decision: Decision;
  readonly rules: readonly ExplainedRule[];
  readonly walls: readonly ExplainedRule[];
}

export function explain(set: PolicySet, request: DecisionRequest): Explanation {
  const decision = decide(set, request);
  const { frame } = gatherFacts(set, request);
  const known = {
    action: set.firm.names.actions.has(request.action),
    type: set.firm.names.resourceTypes.has(request.resource.type),
  };
  const rules = set.rules.map((rule): ExplainedRule => {
    const inScope = rule.branches.filter(
      ({ actions, resources }) =>
        speaksOf(actions, request.action, known.action) && speaksOf(resources, request.resource.type, known.type),
    );
    const conditions = inScope.map(({ expr }) => explainExpr(expr, frame));
    const truth = inScope.reduce<Truth>((sum, { test }) => or(sum, test(frame)), FALSE);
    return {
      rule: rule.id,
      effect: rule.effect,
      source: rule.source,
      truth: word(truth),
      outOfScope: inScope.length > 0 ? null : scopeReason(rule.branches, request, known.action),
      conditions,
    };
  });
  return { decision, rules, walls: explainWalls(set, frame) };
}

function explainWalls(set: PolicySet, frame: Frame): readonly ExplainedRule[] {
  const verdicts = judgeWalls(set.walls, frame);
  return WALL_RULES.map((rule) => {
    const verdict = verdicts.find((one) => one.rule === rule);
    const walls = verdict?.walls ?? [];
    return {
      rule,
      effect: 'wall',
      source: walls.map(({ source }) => source).join(' '),
      truth: verdict === undefined ? 'false' : word(verdict.truth),
      outOfScope: verdict === undefined ? 'no active wall of this kind concerns the person and the matter' : null,
      conditions: walls.map(({ id, kind, source }) => ({
        text: `${kind} wall ${id} (${source})`,
        truth: verdict === undefined ? 'false' : word(verdict.truth),
        values: [],
        parts: [],
      })),
    };
  });
}

function speaksOf(selection: Selection, name: string, isKnown: boolean): boolean {
  return isKnown ? selection.names.has(name) : selection.others;
}

function scopeReason(branches: readonly Branch[], request: DecisionRequest, knownAction: boolean): string {
  const action = branches.some(({ actions }) => speaksOf(actions, request.action, knownAction));
  return action
    ? `it does not speak of ${request.action} on the type ${request.resource.type}`
    : `it does not speak of the action ${request.action}`;
}

function explainExpr(expr: Expr, frame: Frame): ExplainedPart {
  // Within an entry of a list a part has no truth of its own: only the whole `$some` has.
  const parts = expr.op === 'some' ? [] : childrenOf(expr).map((child) => explainExpr(child, frame));
  return {
    text: describeExpr(expr),
    truth: word(compileExpr(expr)(frame)),
    values: refsOf(expr).flatMap((ref) =>
      ref.attribute === null ? [] : [{ path: ref.path, value: show(ref, frame) }],
    ),
    parts,
  };
}

function show(ref: Ref, frame: Frame): string {
  const { attribute, field } = ref;
  const slot: unknown = attribute === null ? UNKNOWN_VALUE : frame.slots[attribute.slot];
  const value: unknown =
    field !== null && typeof slot === 'object' && slot !== null && field in slot ? Reflect.get(slot, field) : slot;
  if (value === NONE) return 'not stated';
  if (value === UNKNOWN_VALUE) return attribute !== null && frame.absent[attribute.slot] === 1 ? 'missing' : 'unknown';
  if (value instanceof Set) return `a list of ${value.size}`;
  if (attribute?.namespace === 'data') return 'policy data';
  if (ref.type.kind === 'timestamp' && typeof value === 'number') return new Date(value).toISOString();
  return JSON.stringify(value) ?? String(value);
}

function word(truth: Truth): TruthWord {
  return truth === TRUE ? 'true' : truth === FALSE ? 'false' : 'unknown';
}
