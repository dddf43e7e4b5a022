// The decision: walls and rules judged against the facts, deny overrides, unknown denies (P2, P3, P4). It must never stop early, read a clock, or let an allow outweigh a deny.
import type { Decision, DecisionRequest, ObligationResult, RuleResult } from '../model/decision.ts';
import type { Candidate } from './ability.ts';
import { gatherFacts } from './facts.ts';
import type { Frame } from './frame.ts';
import { judgeLockdown } from './lockdown.ts';
import type { PolicySet } from './policy-set.ts';
import type { Rule } from './rules.ts';
import { stepUpOf } from './step-up.ts';
import { FALSE, TRUE, UNKNOWN, type Truth } from './truth.ts';
import { judgeWalls, type WallVerdict } from './walls.ts';

interface Judged {
  readonly rule: Rule;
  readonly truth: Truth;
}

export function decide(set: PolicySet, request: DecisionRequest): Decision {
  const facts = gatherFacts(set, request);
  const { frame } = facts;
  const locked = judgeLockdown(set.lockdown, frame);
  const walls = judgeWalls(set.walls, frame);

  const denies: Judged[] = [];
  const allows: Judged[] = [];
  const denying: string[] = locked === TRUE ? ['lockdown'] : [];
  const trueDenies: Rule[] = [];
  const trueAllows: Rule[] = [];
  const grants: string[] = [];
  let unknownDeny = locked === UNKNOWN;
  for (const { rule, truth } of walls) {
    if (truth === TRUE) denying.push(rule);
    else unknownDeny = true;
  }
  for (const candidate of set.ruleIndex.candidates(request.action, request.resource.type)) {
    const truth = judge(candidate, frame);
    if (truth === TRUE) grants.push(...frame.matched);
    frame.matched.length = 0;
    if (truth === FALSE) continue;
    const { rule } = candidate;
    if (rule.effect === 'allow') {
      allows.push({ rule, truth });
      if (truth === TRUE) trueAllows.push(rule);
    } else {
      denies.push({ rule, truth });
      if (truth === TRUE) {
        trueDenies.push(rule);
        denying.push(rule.id);
      } else unknownDeny = true;
    }
  }
  const unknownAllow = allows.length > trueAllows.length;
  const allowed = denying.length === 0 && !unknownDeny && trueAllows.length > 0;
  return {
    outcome: allowed ? 'allow' : 'deny',
    decidedBy: denying.length > 0 ? names(denying) : nameOf(unknownDeny, trueAllows, unknownAllow),
    results: [...walls.map(wallResult), ...denies.map(ruleResult), ...allows.map(ruleResult)],
    walls: walls.length === 0 ? NOTHING : names(walls.flatMap(idsOf)),
    grants: grants.length === 0 ? NOTHING : names(grants),
    obligations: allowed ? obligationsOf(set, trueAllows) : [],
    advice: allowed || denying.length === 0 ? NOTHING : adviceOf(set, walls, trueDenies),
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
  const advice = denies.flatMap((rule) => rule.advice);
  const memo = walls.some(({ rule, truth }) => rule === 'wall-memo-acknowledgement' && truth === TRUE);
  return names(memo ? [...set.walls.memoAdvice, ...advice] : advice);
}

function idsOf({ truth, walls }: WallVerdict): readonly string[] {
  return truth === TRUE ? walls.map(({ id }) => id) : NOTHING;
}

function wallResult({ rule, truth, walls }: WallVerdict): RuleResult {
  return { rule, effect: 'wall', truth: word(truth), source: walls.map(({ source }) => source).join(' ') };
}

function ruleResult({ rule, truth }: Judged): RuleResult {
  return { rule: rule.id, effect: rule.effect, truth: word(truth), source: rule.source };
}

/** A rule is the OR of its branches; all are looked at. */
function judge({ tests }: Candidate, frame: Frame): Truth {
  let result: Truth = FALSE;
  for (const test of tests) {
    const truth = test(frame);
    if (truth > result) result = truth;
  }
  return result;
}

function obligationsOf(set: PolicySet, rules: readonly Rule[]): readonly ObligationResult[] {
  return names(rules.flatMap(({ obligations }) => obligations)).map((id) => {
    const entry = set.firm.obligations.get(id);
    return {
      id,
      type: id.split(':', 1)[0] ?? id,
      properties: entry?.properties ?? {},
      fulfilled_by: entry?.fulfilled_by ?? 'caller',
    };
  });
}

function word(truth: Truth): 'true' | 'unknown' {
  return truth === TRUE ? 'true' : 'unknown';
}
