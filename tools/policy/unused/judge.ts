// Says of every right whether the log shows that somebody used it, and where that cannot be said, why. It must never call unused what is younger
// than the window, or what records do not show.
import { formatTimestamp, parseTimestamp } from '../../../src/core/time.ts';
import { at, type Place } from '../../../src/core/report.ts';
import { keyOf } from './content.ts';
import type { Since } from './history.ts';
import { membershipKey, type AllowRule, type Blind, type Rights } from './rights.ts';
import { OTHER, type CaseUse, type RuleUse, type Tally, type Use } from './tally.ts';

export type FindingKind =
  | 'rule'
  | 'case'
  | 'roles_of_rule'
  | 'actions_of_rule'
  | 'resources_of_rule'
  | 'role'
  | 'grant'
  | 'actions_of_grant'
  | 'membership'
  | 'deny';

/** `never_alone`: other rules allowed the same every time. `never_decided`: a deny that decided nothing. */
export type State = 'unused' | 'never_alone' | 'never_decided' | 'too_new' | 'not_judged';

export interface Finding {
  readonly kind: FindingKind;
  readonly state: State;
  /** Such as `team-lawyers`, `G-1`, `u-park on M-1001`. */
  readonly right: string;
  /** What of it, where it is not all: roles, actions, types. */
  readonly names: readonly string[];
  /** Of these the text of the list may stay or go. */
  readonly used: ReadonlySet<string>;
  readonly place: Place;
  readonly count: number;
  readonly last: number | null;
  /** Of what is too new: in force as it stands since then; null: never loaded as it stands. */
  readonly since: number | null;
  readonly why: string | null;
  readonly isEmergency: boolean;
}

export interface Judging {
  readonly rights: Rights;
  readonly tally: Tally;
  readonly since: ReadonlyMap<string, Since>;
  readonly from: number;
  readonly now: number;
}

const NONE: ReadonlySet<string> = new Set();
const BASE = { names: [], used: NONE, since: null, why: null, isEmergency: false, count: 0, last: null } as const;

export function judgeRights(judging: Judging): readonly Finding[] {
  const { rights } = judging;
  return [
    ...[...rights.allows.values()].flatMap((allow) => judgeAllow(judging, allow)),
    ...judgeRoles(judging),
    ...judgeGrants(judging),
    ...judgeTeams(judging),
    ...judgeDenies(judging),
  ];
}

/** Keys of the rights whose age matters: what was used whole needs none. */
export function agesWanted({ rights, tally }: Pick<Judging, 'rights' | 'tally'>): readonly string[] {
  const all = { rights, tally, since: new Map<string, Since>(), from: 0, now: 0 };
  const rules = [...rights.allows.values()].filter((allow) => judgeAllow(all, allow).length > 0);
  const unused = (uses: ReadonlyMap<string, Use>) =>
    [...uses].flatMap(([key, { count }]) => (count === 0 ? [key] : []));
  return [
    ...rules.map(({ rule }) => keyOf.rule(rule.id)),
    ...unused(tally.denies).map(keyOf.rule),
    ...judgeGrants(all).map(({ place }) => keyOf.grant(place.item ?? '')),
    ...unused(tally.memberships).map((key) => `team ${key}`),
  ];
}

function judgeAllow(judging: Judging, allow: AllowRule): readonly Finding[] {
  const { rule, isEmergency } = allow;
  const use = judging.tally.rules.get(rule.id);
  if (use === undefined) return [];
  const base = { ...BASE, right: rule.id, place: rule.place, count: use.count, last: use.last, isEmergency };
  const found =
    use.count === 0 ? [{ ...base, kind: 'rule' as const, state: 'unused' as const }] : partsOf(allow, use, base);
  const isNeverAlone = use.count > 0 && use.alone === 0;
  const beside: readonly Finding[] = isNeverAlone
    ? [{ ...base, kind: 'rule', state: 'never_alone', why: `allowed only together with ${besideWords(use)}` }]
    : [];
  const young = found.length === 0 ? null : tooNew(judging, keyOf.rule(rule.id));
  return young === null ? [...found, ...beside] : [{ ...base, kind: 'rule', ...young }, ...beside];
}

function besideWords({ beside, count }: RuleUse): string {
  const ranked = [...beside].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const always = ranked.filter(([, times]) => times === count).map(([id]) => id);
  const words = always.length > 0 ? always : ranked.map(([id]) => id);
  return words.slice(0, 3).join(', ');
}

type Base = Omit<Finding, 'kind' | 'state'>;

function partsOf({ rule, cases }: AllowRule, use: RuleUse, base: Base): readonly Finding[] {
  const found: Finding[] = [];
  const { entry, place } = rule;
  const listed = (
    kind: FindingKind,
    member: 'roles' | 'actions' | 'resources',
    where: Place,
    names: readonly string[],
    used: ReadonlySet<string>,
  ) => {
    const gone = names.filter((name) => !used.has(name));
    if (gone.length === 0 || used.has(OTHER) || gone.length === names.length) return;
    found.push({ ...base, kind, state: 'unused', names: gone, used, place: at(where, member) });
  };
  const usedIn = (member: 'roles' | 'actions' | 'types', of: readonly CaseUse[]): ReadonlySet<string> =>
    new Set(of.flatMap((one) => [...one[member].keys()]));
  listed('roles_of_rule', 'roles', place, [...(cases[0]?.ruleRoles ?? [])], usedIn('roles', use.cases));
  for (const [member, kind, uses] of [
    ['actions', 'actions_of_rule', 'actions'],
    ['resources', 'resources_of_rule', 'types'],
  ] as const) {
    const isInherited = entry.cases === undefined || entry.cases.some((one) => one[member] === undefined);
    if (entry[member] === undefined || (!isInherited && !Array.isArray(entry[member]))) continue;
    listed(
      kind,
      member,
      place,
      [...new Set(cases.flatMap(({ branch }) => [...branch[member].names]))],
      usedIn(uses, use.cases),
    );
  }
  for (const [index, one] of (entry.cases ?? []).entries()) {
    const [own, judged] = [use.cases[index], cases[index]];
    if (own === undefined || judged === undefined) continue;
    const where = at(place, 'cases', index);
    if (own.count === 0) {
      found.push({
        ...base,
        kind: 'case',
        state: 'unused',
        names: [`case ${index + 1}`],
        place: where,
        count: 0,
        last: null,
      });
      continue;
    }
    listed('roles_of_rule', 'roles', where, [...(judged.caseRoles ?? [])], usedIn('roles', [own]));
    if (one.actions !== undefined)
      listed('actions_of_rule', 'actions', where, [...judged.branch.actions.names], usedIn('actions', [own]));
    if (one.resources !== undefined)
      listed('resources_of_rule', 'resources', where, [...judged.branch.resources.names], usedIn('types', [own]));
  }
  return found;
}

function judgeRoles(judging: Judging): readonly Finding[] {
  const { rights, tally } = judging;
  return [...tally.roles].flatMap(([role, { count }]): readonly Finding[] => {
    if (count > 0) return [];
    const naming = [...rights.allows.values()].filter(({ cases }) =>
      cases.some(({ ruleRoles, caseRoles }) => ruleRoles?.has(role) === true || caseRoles?.has(role) === true),
    );
    const [first] = naming.filter(({ rule }) => tooNew(judging, keyOf.rule(rule.id)) === null);
    if (first === undefined) return []; // said of the rules
    const why = `named by ${naming.map(({ rule }) => rule.id).join(', ')}; who holds it is known to the identity provider`;
    return [{ ...BASE, kind: 'role', state: 'unused', right: role, place: first.rule.place, why }];
  });
}

function judgeGrants(judging: Judging): readonly Finding[] {
  const { rights, tally, from, now } = judging;
  const [first] = rights.grants.values();
  if (first !== undefined && rights.blindGrants !== null) {
    const why = blindWords(rights.blindGrants, 'grants');
    return [{ ...BASE, kind: 'grant', state: 'not_judged', right: 'all grants', place: first.place, why }];
  }
  return [...rights.grants.values()].flatMap(({ entry, place }): readonly Finding[] => {
    const use = tally.grants.get(entry.id);
    if (use === undefined) return [];
    const gone = entry.actions.filter((action) => !use.actions.has(action));
    // Where nothing asked for the action, records do not show which one of a grant was needed.
    if (use.count > 0 && (gone.length === 0 || gone.length === entry.actions.length)) return [];
    const until = entry.valid_until === undefined ? undefined : parseTimestamp(entry.valid_until);
    const why = until !== undefined && until <= now ? `ended at ${formatTimestamp(until)}` : null;
    const base = { ...BASE, right: entry.id, place, count: use.count, last: use.last, why };
    const begins = entry.valid_from === undefined ? undefined : parseTimestamp(entry.valid_from);
    const young = tooNew(judging, keyOf.grant(entry.id), begins !== undefined && begins > from ? begins : null);
    if (young !== null) return [{ ...base, kind: 'grant', ...young }];
    if (use.count === 0) return [{ ...base, kind: 'grant', state: 'unused' }];
    const used = new Set(use.actions.keys());
    return [{ ...base, kind: 'actions_of_grant', state: 'unused', names: gone, used, place: at(place, 'actions') }];
  });
}

function judgeTeams(judging: Judging): readonly Finding[] {
  const { rights, tally } = judging;
  const [first] = rights.memberships.values();
  if (first !== undefined && rights.blindTeams !== null) {
    const why = blindWords(rights.blindTeams, 'teams');
    return [{ ...BASE, kind: 'membership', state: 'not_judged', right: 'all teams', place: first.place, why }];
  }
  return [...rights.memberships.values()].flatMap(({ matter, person, place }): readonly Finding[] => {
    const use = tally.memberships.get(membershipKey(matter, person));
    if (use === undefined || use.count > 0) return [];
    const base = { ...BASE, kind: 'membership' as const, right: `${person} on ${matter}`, names: [person], place };
    return [{ ...base, state: 'unused', ...tooNew(judging, keyOf.membership(matter, person)) }];
  });
}

function judgeDenies(judging: Judging): readonly Finding[] {
  const { rights, tally } = judging;
  return [...rights.denies.values()].flatMap((rule): readonly Finding[] => {
    if ((tally.denies.get(rule.id)?.count ?? 0) > 0) return [];
    const base = { ...BASE, kind: 'deny' as const, right: rule.id, place: rule.place };
    return [{ ...base, state: 'never_decided', ...tooNew(judging, keyOf.rule(rule.id)) }];
  });
}

function blindWords({ rule, source }: Blind, what: string): string {
  return `the rule ${rule} (${source}) reads ${what} where records do not show which one counted`;
}

type Young = Pick<Finding, 'state' | 'since' | 'why'>;

function tooNew({ since, from }: Judging, key: string, begins: number | null = null): Young | null {
  const known = since.get(key);
  if (known === undefined) {
    return begins === null ? null : { state: 'too_new', since: begins, why: `valid from ${formatTimestamp(begins)}` };
  }
  if (known.at === null)
    return { state: 'too_new', since: null, why: 'no policy set that was loaded holds it as it stands here' };
  if (known.at <= from) return null;
  const time = formatTimestamp(known.at);
  const why = known.isLeast
    ? `in force at ${time}; what was in force before was not kept`
    : `in force as it stands since ${time}`;
  return { state: 'too_new', since: known.at, why };
}
