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
import { judgeWalls } from './walls.ts';

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
  const grants = new Set<string>();
  for (const candidate of set.ruleIndex.candidates(request.action, request.resource.type)) {
    frame.matched.length = 0;
    const truth = judge(candidate, frame);
    if (truth === FALSE) continue;
    (candidate.rule.effect === 'deny' ? denies : allows).push({ rule: candidate.rule, truth });
    if (truth === TRUE) for (const id of frame.matched) grants.add(id);
  }

  const trueDenies = denies.filter(({ truth }) => truth === TRUE).map(({ rule }) => rule);
  const trueAllows = allows.filter(({ truth }) => truth === TRUE).map(({ rule }) => rule);
  const trueWalls = walls.filter(({ truth }) => truth === TRUE);
  const denying = [
    ...(locked === TRUE ? ['lockdown'] : []),
    ...trueWalls.map(({ rule }) => rule),
    ...trueDenies.map(({ id }) => id),
  ];
  const unknownDeny = locked === UNKNOWN || walls.length > trueWalls.length || denies.length > trueDenies.length;
  const unknownAllow = allows.length > trueAllows.length;
  const decidedBy =
    denying.length > 0
      ? denying
      : unknownDeny
        ? ['attribute-missing']
        : trueAllows.length > 0
          ? trueAllows.map(({ id }) => id)
          : [unknownAllow ? 'attribute-missing' : 'default-deny'];
  const allowed = denying.length === 0 && !unknownDeny && trueAllows.length > 0;
  const memo = trueWalls.some(({ rule }) => rule === 'wall-memo-acknowledgement') ? set.walls.memoAdvice : [];

  return {
    outcome: allowed ? 'allow' : 'deny',
    decidedBy: [...new Set(decidedBy)].sort(),
    results: [
      ...walls.map(({ rule, truth, walls: which }): RuleResult => ({
        rule,
        effect: 'wall',
        truth: nameOf(truth),
        source: which.map(({ source }) => source).join(' '),
      })),
      ...[...denies, ...allows].map(({ rule, truth }): RuleResult => ({
        rule: rule.id,
        effect: rule.effect,
        truth: nameOf(truth),
        source: rule.source,
      })),
    ],
    walls: [...new Set(trueWalls.flatMap((verdict) => verdict.walls.map(({ id }) => id)))].sort(),
    grants: [...grants].sort(),
    obligations: allowed ? obligationsOf(set, trueAllows) : [],
    advice: allowed ? [] : [...new Set([...memo, ...trueDenies.flatMap(({ advice }) => advice)])].sort(),
    missing: facts.missing,
    stepUp:
      allowed || unknownDeny || unknownAllow || trueAllows.length === 0
        ? null
        : stepUpOf(set, denying.length, trueDenies),
    facts: facts.recorded,
  };
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
  const codes = new Set(rules.flatMap(({ obligations }) => obligations));
  return [...codes].sort().map((id) => {
    const entry = set.firm.obligations.get(id);
    return {
      id,
      type: id.split(':', 1)[0] ?? id,
      properties: entry?.properties ?? {},
      fulfilled_by: entry?.fulfilled_by ?? 'caller',
    };
  });
}

function nameOf(truth: Truth): 'true' | 'unknown' {
  return truth === TRUE ? 'true' : 'unknown';
}
