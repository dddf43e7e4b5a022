// The decision: walls and rules judged against the facts, deny overrides, unknown denies (P2, P3, P4). It must never stop early, read a clock, or let an allow outweigh a deny.
import type { Decision, DecisionRequest, ObligationResult, RuleResult } from '../model/decision.ts';
import { SLOT } from './dictionary.ts';
import { gatherFacts, type Facts } from './facts.ts';
import { judgeLockdown } from './lockdown.ts';
import type { PolicySet } from './policy-set.ts';
import type { Rule } from './rules.ts';
import { stepUpOf } from './step-up.ts';
import { FALSE, TRUE, UNKNOWN } from './truth.ts';
import { judgeWalls, type WallVerdict } from './walls.ts';

export function decide(set: PolicySet, request: DecisionRequest): Decision {
  return decideFacts(set, request.action, request.resource.type, gatherFacts(set, request));
}

/** The decision about facts that are gathered already, for those who ask about many actions at once. The frame must be of this question. */
export function decideFacts(set: PolicySet, action: string, resourceType: string, facts: Facts): Decision {
  const { frame } = facts;
  const locked = judgeLockdown(set.lockdown, frame);
  const walls = judgeWalls(set.walls, frame);

  const results: RuleResult[] = walls.map(wallResult);
  const allowResults: RuleResult[] = [];
  const denying: string[] = locked === TRUE ? ['lockdown'] : [];
  const trueDenies: Rule[] = [];
  const trueAllows: Rule[] = [];
  let grants: string[] | null = null;
  let unknownDeny = locked === UNKNOWN;
  let unknownAllow = false;
  for (const { rule, truth } of walls) {
    if (truth === TRUE) denying.push(rule);
    else unknownDeny = true;
  }
  for (const candidate of set.ruleIndex.candidates(action, resourceType, frame.slots[SLOT.userType])) {
    if ((candidate.gates & frame.gates) === 0) continue; // false: for other roles
    const truth = candidate.test(frame);
    if (frame.matched.length > 0) {
      if (truth === TRUE) (grants ??= []).push(...frame.matched);
      frame.matched.length = 0;
    }
    if (truth === FALSE) continue;
    const { rule, whenTrue, whenUnknown } = candidate;
    const deny = rule.effect === 'deny';
    (deny ? results : allowResults).push(truth === TRUE ? whenTrue : whenUnknown);
    if (truth === TRUE) (deny ? trueDenies : trueAllows).push(rule);
    else if (deny) unknownDeny = true;
    else unknownAllow = true;
  }
  for (const { id } of trueDenies) denying.push(id);
  for (const result of allowResults) results.push(result);
  const allowed = denying.length === 0 && !unknownDeny && trueAllows.length > 0;
  return {
    outcome: allowed ? 'allow' : 'deny',
    decidedBy: denying.length > 0 ? names(denying) : nameOf(unknownDeny, trueAllows, unknownAllow),
    results,
    walls: walls.length === 0 ? NOTHING : names(walls.flatMap(idsOf)),
    grants: grants === null ? NOTHING : names(grants),
    obligations: allowed ? obligationsOf(set, trueAllows) : NO_OBLIGATIONS,
    advice: denying.length === 0 ? NOTHING : adviceOf(set, walls, trueDenies),
    missing: facts.missing,
    stepUp:
      allowed || unknownDeny || unknownAllow || trueAllows.length === 0
        ? null
        : stepUpOf(set, denying.length, trueDenies),
    matter: facts.matter,
    client: facts.client,
    onFile: facts.onFile,
  };
}

const NOTHING: readonly string[] = [];
const NO_OBLIGATIONS: readonly ObligationResult[] = [];

/** Sorted, each once. */
function names(list: readonly string[]): readonly string[] {
  return list.length < 2 ? list : [...new Set(list)].sort();
}

/** What decided when no deny is true. */
function nameOf(unknownDeny: boolean, allows: readonly Rule[], unknownAllow: boolean): readonly string[] {
  if (unknownDeny) return ['attribute-missing'];
  if (allows.length > 0) return names(allows.map(({ id }) => id));
  return [unknownAllow ? 'attribute-missing' : 'default-deny'];
}

function adviceOf(set: PolicySet, walls: readonly WallVerdict[], denies: readonly Rule[]): readonly string[] {
  const advice: string[] = [];
  for (const { rule, truth } of walls)
    if (rule === 'wall-memo-acknowledgement' && truth === TRUE) advice.push(...set.walls.memoAdvice);
  for (const rule of denies) advice.push(...rule.advice);
  return names(advice);
}

/** Ids of the walls that make a verdict true. */
export function idsOf({ truth, walls }: WallVerdict): readonly string[] {
  return truth === TRUE ? walls.map(({ id }) => id) : NOTHING;
}

export function wallResult({ rule, truth, walls }: WallVerdict): RuleResult {
  const source = walls.map((wall) => wall.source).join(' ');
  return { effect: 'wall', rule, source, truth: truth === TRUE ? 'true' : 'unknown' };
}

function obligationsOf(set: PolicySet, rules: readonly Rule[]): readonly ObligationResult[] {
  const ids: string[] = [];
  for (const { obligations } of rules) ids.push(...obligations);
  return names(ids).map((id) => {
    const entry = set.firm.obligations.get(id);
    return {
      id,
      type: id.split(':', 1)[0] ?? id,
      properties: entry?.properties ?? {},
      fulfilled_by: entry?.fulfilled_by ?? 'caller',
    };
  });
}
