// Adds up what rights were used for, from sums over the log. It must never take a right for unused that a recorded allow may have rested on.
import type { Selection } from '../../../src/core/rules.ts';
import type { UseRow } from '../../../src/io/reports/read-use.ts';
import { membershipKey, type AllowCase, type AllowRule, type Rights } from './rights.ts';

export interface Use {
  count: number;
  /** Milliseconds since 1970; null: never. */
  last: number | null;
}

export interface CaseUse extends Use {
  readonly actions: Map<string, Use>;
  readonly types: Map<string, Use>;
  readonly roles: Map<string, Use>;
}

export interface RuleUse extends Use {
  readonly cases: readonly CaseUse[];
  /** Allows that no other rule would have given as well. */
  alone: number;
  /** Rules that always allowed the same, in allows that this one did not give alone. */
  readonly beside: Map<string, number>;
}

export interface GrantUse extends Use {
  readonly actions: Map<string, Use>;
}

export interface Tally {
  readonly rules: ReadonlyMap<string, RuleUse>;
  readonly denies: ReadonlyMap<string, Use>;
  readonly grants: ReadonlyMap<string, GrantUse>;
  readonly memberships: ReadonlyMap<string, Use>;
  readonly roles: ReadonlyMap<string, Use>;
  /** By person and role, for reviews. */
  readonly holders: ReadonlyMap<string, Use>;
  /** List filters and searches, which do not say which rule let a row in: what they may rest on counts as used. */
  readonly lists: number;
  readonly decisions: number;
  readonly allowed: number;
  add(row: UseRow): void;
}

/** Every action or type that firm.yaml does not know: requests may hold any number of them. */
export const OTHER = '?';

export function holderKey(person: string, role: string): string {
  return `${person}\u0000${role}`;
}

const never = (): Use => ({ count: 0, last: null });

/** @param holders pairs of `holderKey` that somebody wants to know of */
export function createTally(rights: Rights, holders: Iterable<string> = []): Tally {
  const rules = new Map([...rights.allows].map(([id, { cases }]) => [id, newRuleUse(cases.length)]));
  const denies = new Map([...rights.denies.keys()].map((id) => [id, never()]));
  const grants = new Map(
    [...rights.grants.keys()].map((id): [string, GrantUse] => [id, { ...never(), actions: new Map() }]),
  );
  const memberships = new Map([...rights.memberships.keys()].map((key) => [key, never()]));
  const byHolder = new Map([...holders].map((key) => [key, never()]));
  const roles = new Map<string, Use>();
  for (const { cases } of rights.allows.values()) {
    for (const { ruleRoles, caseRoles } of cases)
      for (const role of [...(ruleRoles ?? []), ...(caseRoles ?? [])]) roles.set(role, never());
  }
  const counts = { lists: 0, decisions: 0, allowed: 0 };

  /** Every case that can have been true: which one it was, records do not say. */
  function useRule(allow: AllowRule, row: UseRow, isAlone: boolean): void {
    const use = rules.get(allow.rule.id);
    if (use === undefined) return;
    note(use, row);
    if (isAlone) use.alone += row.count;
    const fitting = allow.cases.map((one) => fits(one, row));
    // Of a rule that said something else at the time anything may have been used.
    const isOther = !fitting.some(Boolean);
    for (const [index, one] of allow.cases.entries()) {
      const caseUse = use.cases[index];
      if (caseUse === undefined || !(isOther || fitting[index] === true)) continue;
      note(caseUse, row);
      if (row.action === null || isOther)
        for (const action of one.branch.actions.names) noteIn(caseUse.actions, action, row);
      else noteIn(caseUse.actions, one.branch.actions.names.has(row.action) ? row.action : OTHER, row);
      if (row.type === null || isOther) for (const type of one.branch.resources.names) noteIn(caseUse.types, type, row);
      else noteIn(caseUse.types, one.branch.resources.names.has(row.type) ? row.type : OTHER, row);
      for (const named of [one.ruleRoles, one.caseRoles]) {
        for (const role of named ?? []) {
          if (!isOther && row.roles !== null && !row.roles.includes(role)) continue;
          noteIn(caseUse.roles, role, row);
          noteIn(roles, role, row);
          const held = row.subject === null ? undefined : byHolder.get(holderKey(row.subject, role));
          if (held !== undefined) note(held, row);
        }
      }
    }
  }

  function useTeam(row: UseRow, decidedBy: readonly string[]): void {
    if (row.subject === null || row.matter === null) return;
    const use = memberships.get(membershipKey(row.matter, row.subject));
    if (use === undefined) return;
    const isNeeded =
      row.kind === 'approval' ||
      decidedBy.some((id) => rights.allows.get(id)?.readsTeam ?? true) ||
      rights.teamDenies.some(({ branches }) =>
        branches.some((one) => speaksOf(one.actions, row.action) && speaksOf(one.resources, row.type)),
      );
    if (isNeeded) note(use, row);
  }

  function addAllow(row: UseRow, decidedBy: readonly string[]): void {
    for (const id of decidedBy) {
      const allow = rights.allows.get(id);
      if (allow === undefined) continue;
      useRule(allow, row, decidedBy.length === 1);
      const beside = rules.get(id)?.beside;
      for (const other of decidedBy) if (other !== id) beside?.set(other, (beside.get(other) ?? 0) + row.count);
    }
    useTeam(row, decidedBy);
  }

  return {
    rules,
    denies,
    grants,
    memberships,
    roles,
    holders: byHolder,
    get lists() {
      return counts.lists;
    },
    get decisions() {
      return counts.decisions;
    },
    get allowed() {
      return counts.allowed;
    },
    add(row) {
      if (row.kind === 'search' || row.kind === 'filter') {
        // Hints for front ends let nobody in: they name no action and no type.
        if (row.action === null && row.type === null) return;
        counts.lists += row.count;
        for (const allow of rights.allows.values())
          if (allow.cases.some((one) => fits(one, row))) useRule(allow, row, true);
        return;
      }
      counts.decisions += row.count;
      if (row.outcome === 'allow') {
        counts.allowed += row.count;
        addAllow(row, row.decidedBy);
        for (const id of row.grants) {
          const use = grants.get(id);
          if (use === undefined) continue;
          note(use, row);
          if (row.action !== null) noteIn(use.actions, row.action, row);
        }
      } else for (const id of row.decidedBy) noteIfKnown(denies, id, row);
      for (const field of row.fields) {
        if (field.outcome === 'allow') addAllow(row, field.decidedBy);
        else for (const id of field.decidedBy) noteIfKnown(denies, id, row);
      }
    },
  };
}

function newRuleUse(cases: number): RuleUse {
  const one = (): CaseUse => ({ ...never(), actions: new Map(), types: new Map(), roles: new Map() });
  return { ...never(), alone: 0, beside: new Map(), cases: Array.from({ length: cases }, one) };
}

function note(use: Use, { count, last }: UseRow): void {
  use.count += count;
  use.last = Math.max(use.last ?? 0, last);
}

function noteIn(uses: Map<string, Use>, name: string, row: UseRow): void {
  let use = uses.get(name);
  if (use === undefined) uses.set(name, (use = never()));
  note(use, row);
}

function noteIfKnown(uses: ReadonlyMap<string, Use>, name: string, row: UseRow): void {
  const use = uses.get(name);
  if (use !== undefined) note(use, row);
}

function fits({ branch, ruleRoles, caseRoles }: AllowCase, { action, type, roles }: UseRow): boolean {
  if (!speaksOf(branch.actions, action) || !speaksOf(branch.resources, type)) return false;
  return [ruleRoles, caseRoles].every(
    (named) => named === null || roles === null || roles.some((role) => named.has(role)),
  );
}

/** What a record does not say may have been anything. */
function speaksOf({ names, others }: Selection, name: string | null): boolean {
  return name === null || others || names.has(name);
}
