// How a rule, term or group changed, in plain English. It must never say less than the rule does.
import { describeExpr } from '../../../src/core/describe.ts';
import { describeRule, type DescribedCase, type DescribedRule } from '../../../src/core/describe-policy.ts';
import { termsIn } from '../../../src/core/condition.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Branch, Rule } from '../../../src/core/rules.ts';
import { canonical, first, listChange } from './members.ts';

/** Members that only people read. */
const FOR_READERS = ['title', 'owner', 'review_by', 'note', 'controls', 'accept'] as const;

export interface Told {
  readonly lines: readonly string[];
  /** False: no effect on decisions. */
  readonly decides: boolean;
}

export function tellRule(set: PolicySet, rule: Rule): Told {
  const described = describeRule(set, rule);
  return { lines: [...described.cases.map((one) => sentence(described, one)), ...described.afterwards], decides: true };
}

export function tellRuleChange(sets: readonly [PolicySet, PolicySet], before: Rule, after: Rule): Told {
  const [a, b] = [describeRule(sets[0], before), describeRule(sets[1], after)];
  const lines: string[] = [];
  if (a.effect !== b.effect) lines.push(`effect: ${a.effect} → ${b.effect}`);
  const most = Math.max(a.cases.length, b.cases.length);
  for (let index = 0; index < most; index++) {
    const [left, right] = [a.cases[index], b.cases[index]];
    const label = most > 1 ? `case ${index + 1}: ` : '';
    if (left === undefined && right !== undefined) lines.push(`${label}added: ${sentence(b, right)}`);
    else if (right === undefined && left !== undefined) lines.push(`${label}removed: ${sentence(a, left)}`);
    else if (left !== undefined && right !== undefined)
      lines.push(
        ...caseChanges(left, right, before.branches[index], after.branches[index]).map((line) => `${label}${line}`),
      );
  }
  for (const member of ['advice', 'obligations'] as const) {
    const change = listChange(before[member], after[member]);
    if (change !== '') lines.push(`${member}: ${change}`);
  }
  const deciding = (rule: Rule): string =>
    canonical(Object.fromEntries(Object.entries(rule.entry).filter(([name]) => !isForReaders(name))));
  const decides = deciding(before) !== deciding(after);
  // What groups and titles change is told of them.
  if (!decides) lines.length = 0;
  if (lines.length === 0 && decides) lines.push('written in another way, read the same');
  const [left, right]: readonly Readonly<Record<string, unknown>>[] = [before.entry, after.entry];
  const read = FOR_READERS.filter((name) => canonical(left?.[name]) !== canonical(right?.[name]));
  if (read.length > 0) lines.push(`no effect on decisions: ${read.join(', ')}`);
  return { lines, decides };
}

function isForReaders(name: string): boolean {
  return FOR_READERS.some((one) => one === name);
}

function caseChanges(
  before: DescribedCase,
  after: DescribedCase,
  left: Branch | undefined,
  right: Branch | undefined,
): readonly string[] {
  const lines: string[] = [];
  if (before.who !== after.who) lines.push(`who: ${before.who} → ${after.who}`);
  for (const member of ['actions', 'resources'] as const) {
    if (before[member] === after[member]) continue;
    const [a, b] = [left?.[member], right?.[member]];
    const isNamed = a !== undefined && b !== undefined && a.others === b.others;
    lines.push(
      `${member}: ${isNamed ? listChange([...a.names], [...b.names]) : `${before[member]} → ${after[member]}`}`,
    );
  }
  const removed = before.when.filter((one) => !after.when.includes(one));
  const added = after.when.filter((one) => !before.when.includes(one));
  const [from, to] = [removed[0], added[0]];
  if (removed.length === 1 && added.length === 1 && from !== undefined && to !== undefined)
    return [...lines, `condition: ${from} → ${to}`];
  return [
    ...lines,
    ...removed.map((one) => `no longer needed: ${one}`),
    ...added.map((one) => `now also needed: ${one}`),
  ];
}

export function sentence(
  { effect }: Pick<DescribedRule, 'effect'>,
  { who, actions, resources, when }: DescribedCase,
): string {
  const people = who === 'anyone' ? who : `role ${who}`;
  const conditions = when.length === 0 ? '' : `, when ${when.join(', and ')}`;
  return `${effect === 'allow' ? 'may' : 'must not'}: ${people}; ${actions}; ${resources}${conditions}`;
}

export function tellTerm(sets: readonly [PolicySet | null, PolicySet | null], name: string): readonly string[] {
  const [before, after] = sets.map((set) => set?.firm.terms.get(name));
  const lines: string[] = [];
  if (before !== undefined && after !== undefined)
    lines.push(`meaning: ${describeExpr(before)} → ${describeExpr(after)}`);
  else for (const one of [before, after]) if (one !== undefined) lines.push(`meaning: ${describeExpr(one)}`);
  const readers = new Set<string>();
  for (const set of sets)
    for (const { id, branches } of set?.rules ?? [])
      if (branches.some(({ expr }) => termsIn(expr).has(name))) readers.add(id);
  return [...lines, readers.size === 0 ? 'no rule reads it' : `read by: ${first([...readers])}`];
}

/** Rules that name a group, in their words. */
export function readersOfGroup(sets: readonly PolicySet[], name: string): readonly string[] {
  const names = (value: unknown): boolean =>
    Array.isArray(value)
      ? value.some(names)
      : typeof value === 'object' && value !== null
        ? Object.values(value).some(names)
        : value === name;
  const readers = new Set(sets.flatMap(({ rules }) => rules.filter(({ entry }) => names(entry)).map(({ id }) => id)));
  return readers.size === 0 ? [] : [`rules that name it: ${first([...readers])}`];
}
