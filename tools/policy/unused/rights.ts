// Every right that a policies folder gives and that somebody could do without: allow rules with their cases, roles, actions and types, grants,
// places on teams. It must never count a wall or a deny among them.
import { attributesIn, childrenOf, refsOf, type Expr } from '../../../src/core/condition.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { at, createReport, type Place } from '../../../src/core/report.ts';
import { isReview } from '../../../src/core/review.ts';
import type { Branch, Rule } from '../../../src/core/rules.ts';
import type { GrantEntry, MatterEntry } from '../../../src/model/data.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import type { RuleCaseEntry } from '../../../src/model/rules.ts';

export interface AllowCase {
  readonly branch: Branch;
  /** Plain names of the roles of which one is needed; null: of the rule's or case's header none is asked. */
  readonly ruleRoles: ReadonlySet<string> | null;
  readonly caseRoles: ReadonlySet<string> | null;
}

export interface AllowRule {
  readonly rule: Rule;
  readonly cases: readonly AllowCase[];
  /** Something the firm needs to have unused. */
  readonly isEmergency: boolean;
  readonly readsTeam: boolean;
}

export interface GrantRight {
  readonly entry: GrantEntry;
  readonly place: Place;
}

export interface Membership {
  readonly matter: string;
  readonly person: string;
  /** Of the entry of the matter. */
  readonly place: Place;
  readonly responsible: string | null;
}

/** Why use of something does not show in the log: another rule reads it where no record says so. */
export interface Blind {
  readonly rule: string;
  readonly source: string;
}

export interface Rights {
  readonly allows: ReadonlyMap<string, AllowRule>;
  readonly denies: ReadonlyMap<string, Rule>;
  readonly grants: ReadonlyMap<string, GrantRight>;
  /** By `membershipKey`. */
  readonly memberships: ReadonlyMap<string, Membership>;
  /** Denies that are false of somebody because of the team: every allow they speak of needs the place on it. */
  readonly teamDenies: readonly Rule[];
  readonly blindGrants: Blind | null;
  readonly blindTeams: Blind | null;
}

const TEAM = 'matter.team';
const GRANTS = 'data.grants';
/** NIST SP 800-53, AC-3(10): audited override of access control mechanisms. */
const EMERGENCY_CONTROL = 'nist-ac-3.10';

export function membershipKey(matter: string, person: string): string {
  return `${matter}\u0000${person}`;
}

export function rightsOf(set: PolicySet, files: readonly SourceFile[]): Rights {
  const reads = ({ branches }: Rule, path: string): boolean =>
    branches.some(({ expr }) => [...attributesIn(expr)].some((one) => one.path === path));
  const denies = set.rules.filter(({ effect }) => effect === 'deny');
  const grantDeny = denies.find((rule) => reads(rule, GRANTS));
  const otherwise = set.rules.find(({ branches }) => branches.some(({ expr }) => readsTeamOtherwise(expr)));
  return {
    allows: new Map(
      set.rules
        .filter(({ effect }) => effect === 'allow')
        .map((rule) => [rule.id, allowOf(set, rule, reads(rule, TEAM))]),
    ),
    denies: new Map(denies.map((rule) => [rule.id, rule])),
    grants: new Map(entriesOf<GrantEntry>(files, 'grants').map((one) => [one.entry.id, one])),
    memberships: membershipsOf(files),
    teamDenies: denies.filter((rule) => reads(rule, TEAM)),
    blindGrants: blind(grantDeny),
    blindTeams: blind(otherwise),
  };
}

function blind(rule: Rule | undefined): Blind | null {
  return rule === undefined ? null : { rule: rule.id, source: rule.source };
}

/** The one form by which a record shows whose place counted: the team has the subject. */
function readsTeamOtherwise(expr: Expr): boolean {
  const isOwn =
    expr.op === 'has' && expr.left.path === TEAM && expr.right.kind === 'ref' && expr.right.ref.path === 'subject.id';
  if (!isOwn && refsOf(expr).some((ref) => ref.attribute?.path === TEAM)) return true;
  return childrenOf(expr).some(readsTeamOtherwise);
}

function allowOf({ firm }: PolicySet, rule: Rule, readsTeam: boolean): AllowRule {
  const { entry, branches, place } = rule;
  const rolesOf = (header: RuleCaseEntry): ReadonlySet<string> | null =>
    header.roles === undefined ? null : firm.names.expand('role', header.roles, at(place, 'roles'), createReport());
  const ruleRoles = rolesOf(entry);
  return {
    rule,
    readsTeam,
    cases: branches.map((branch, index) => {
      const one = entry.cases?.[index];
      return { branch, ruleRoles, caseRoles: one === undefined ? null : rolesOf(one) };
    }),
    isEmergency: isEmergency(rule),
  };
}

/** As the pack marks them: by the control for audited overrides, or by a review that has to follow. */
export function isEmergency({ entry, obligations }: Rule): boolean {
  return (entry.controls ?? []).includes(EMERGENCY_CONTROL) || obligations.some(isReview);
}

export interface Found<T> {
  readonly entry: T;
  readonly place: Place;
}

/** Entries of a list of policy data, each with its place. The files have been compiled, so that their entries are what they should be. */
export function entriesOf<T extends { readonly id: string }>(files: readonly SourceFile[], root: string): Found<T>[] {
  return files.flatMap((file) => {
    const { value } = file;
    if (!file.path.startsWith('data/') && !file.path.startsWith('walls/')) return [];
    const list: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, root) : undefined;
    if (!Array.isArray(list)) return [];
    return (list as readonly T[]).map((entry, index) => ({
      entry,
      place: { file, path: [root, index], item: entry.id },
    }));
  });
}

function membershipsOf(files: readonly SourceFile[]): ReadonlyMap<string, Membership> {
  const found = new Map<string, Membership>();
  for (const { entry, place } of entriesOf<MatterEntry>(files, 'matters')) {
    for (const person of entry.team ?? []) {
      const responsible = entry.responsible_attorney ?? null;
      found.set(membershipKey(entry.id, person), { matter: entry.id, person, place, responsible });
    }
  }
  return found;
}
