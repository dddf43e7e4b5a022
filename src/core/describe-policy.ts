// The rules of a policy set as plain English: who may, or must not, do what to which, and when. It must never say less than a rule does.
import type { Expr } from './condition.ts';
import { describeExpr } from './describe.ts';
import type { PolicySet } from './policy-set.ts';
import type { Branch, Rule, Selection } from './rules.ts';

export interface DescribedCase {
  readonly who: string;
  readonly actions: string;
  readonly resources: string;
  /** Empty: always. */
  readonly when: readonly string[];
}

export interface DescribedRule {
  readonly id: string;
  readonly title: string;
  readonly effect: 'allow' | 'deny';
  readonly source: string;
  readonly note: string | null;
  readonly cases: readonly DescribedCase[];
  readonly afterwards: readonly string[];
}

export interface DescribedTerm {
  readonly name: string;
  readonly meaning: string;
}

export function describeRule(set: PolicySet, rule: Rule): DescribedRule {
  const { entry } = rule;
  return {
    id: rule.id,
    title: entry.title ?? rule.id,
    effect: rule.effect,
    source: rule.source,
    note: entry.note?.trim() ?? null,
    cases: rule.branches.map((branch) => describeBranch(set, branch)),
    afterwards: [
      ...rule.advice.map((code) => `advice ${code}${textOf(set.firm.advice.get(code)?.text)}`),
      ...rule.obligations.map((code) => `obligation ${code}${textOf(set.firm.obligations.get(code)?.text)}`),
    ],
  };
}

export function describeTerms(set: PolicySet): readonly DescribedTerm[] {
  return [...set.firm.terms].map(([name, expr]) => ({ name: name.replaceAll('_', ' '), meaning: describeExpr(expr) }));
}

function describeBranch(set: PolicySet, branch: Branch): DescribedCase {
  const conjuncts = conjunctsOf(branch.expr);
  const gate = gateOf(branch.expr);
  return {
    who:
      gate === null
        ? 'anyone'
        : listed(
            [...gate.roles].map((role) => set.firm.names.roles.get(role) ?? role),
            'or',
          ),
    actions: selected(branch.actions, set.firm.names.actions, 'any action'),
    resources: selected(branch.resources, set.firm.names.resourceTypes, 'anything'),
    when: conjuncts.filter((part) => part !== gate?.part || part.op === 'term').map(describeExpr),
  };
}

/** The parts that must all hold, header and conditions alike. */
export function conjunctsOf(expr: Expr): readonly Expr[] {
  return expr.op === 'all' ? expr.args.flatMap(conjunctsOf) : [expr];
}

/** Roles of which the subject must hold one for the condition to be true; null when any role, or none, will do. */
export function rolesOf(expr: Expr): ReadonlySet<string> | null {
  return gateOf(expr)?.roles ?? null;
}

interface Gate {
  readonly roles: ReadonlySet<string>;
  /** The part that asks for them. */
  readonly part: Expr;
}

/** Of several parts that ask for roles the one with the fewest; whoever holds several roles may pass them all, so they are not one. */
function gateOf(expr: Expr): Gate | null {
  let gate: Gate | null = null;
  for (const part of conjunctsOf(expr)) {
    const roles = part.op === 'term' ? rolesOf(part.arg) : isRoleTest(part) ? roleNames(part) : null;
    if (roles !== null && (gate === null || roles.size < gate.roles.size)) gate = { roles, part };
  }
  return gate;
}

function isRoleTest(expr: Expr): boolean {
  return (
    (expr.op === 'has_any' || (expr.op === 'has' && expr.right.kind === 'literal')) &&
    expr.left.path === 'subject.roles'
  );
}

function roleNames(expr: Expr): ReadonlySet<string> {
  if (expr.op === 'has_any') return new Set(expr.values.map(String));
  return expr.op === 'has' && expr.right.kind === 'literal' ? new Set([String(expr.right.value)]) : new Set();
}

function selected({ names, others }: Selection, titles: ReadonlyMap<string, string>, everything: string): string {
  const every = [...titles.keys()];
  if (!others) return listed([...names], 'and');
  const except = every.filter((name) => !names.has(name));
  return except.length === 0 ? everything : `${everything} except ${listed(except, 'and')}`;
}

function listed(names: readonly string[], word: 'and' | 'or'): string {
  const last = names.at(-1);
  return names.length < 2 || last === undefined ? names.join('') : `${names.slice(0, -1).join(', ')} ${word} ${last}`;
}

function textOf(text: string | undefined): string {
  return text === undefined ? '' : `: ${text}`;
}
