// The rights of a policies folder that somebody can review, each with whose it is and a hash of what it says. It must never leave out a right
// of the scope that was asked for.
import { createReport, sourceOf, at, type Place } from '../../src/core/report.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import type { ReviewScope } from '../../src/model/access-review.ts';
import type { PersonEntry, WallEntry } from '../../src/model/data.ts';
import type { SourceFile } from '../../src/model/diagnostic.ts';
import { grantHash, hashOf, ruleHash } from '../policy/unused/content.ts';
import type { Looked } from '../policy/unused/look.ts';
import { entriesOf, membershipKey, rightsOf } from '../policy/unused/rights.ts';
import { holderKey, type Use } from '../policy/unused/tally.ts';

export interface Reviewable {
  readonly id: string;
  /** Null: whoever has the role. */
  readonly holder: string | null;
  readonly role: string | null;
  readonly right: string;
  /** `file:line` */
  readonly source: string;
  readonly hash: string;
  readonly proposedReviewer: string | null;
  /** Null: records do not show it. */
  use(looked: Looked): Use | null;
}

type List = (set: PolicySet, files: readonly SourceFile[]) => readonly Reviewable[];

export function reviewableRights(
  set: PolicySet,
  files: readonly SourceFile[],
  scope: ReviewScope,
): readonly Reviewable[] {
  return LISTS[scope](set, files);
}

/** Pairs of person and role whose use a review of roles asks for. */
export function holdersIn(rights: readonly Reviewable[], scope: ReviewScope): readonly string[] {
  if (scope !== 'roles') return [];
  return rights.flatMap(({ holder, role }) => (holder === null || role === null ? [] : [holderKey(holder, role)]));
}

const NEVER: Use = { count: 0, last: null };

const LISTS: Readonly<Record<ReviewScope, List>> = {
  rules(set, files) {
    const firm = files.find(({ path }) => path === 'firm.yaml')?.value;
    return set.rules.flatMap((rule): readonly Reviewable[] => {
      const { entry, effect, id, source, place } = rule;
      if (effect !== 'allow') return [];
      const hash = ruleHash(entry, firm);
      const named = [entry, ...(entry.cases ?? [])].flatMap(({ roles }) => roles ?? []);
      const roles = [...set.firm.names.expand('role', named, at(place, 'roles'), createReport())];
      const base = { holder: null, source, hash, proposedReviewer: entry.owner ?? null };
      const what = entry.title ?? id;
      if (roles.length === 0) {
        const use = ({ tally }: Looked) => tally.rules.get(id) ?? NEVER;
        return [{ ...base, id: idOf('rule', id), role: null, right: `${what}, whatever the role`, use }];
      }
      return roles.map((role) => ({
        ...base,
        id: idOf('rule', id, role),
        role,
        right: `${what}, for the role ${role}`,
        use: ({ tally }) =>
          together((tally.rules.get(id)?.cases ?? []).flatMap(({ roles: used }) => used.get(role) ?? [])),
      }));
    });
  },
  roles(_, files) {
    return entriesOf<PersonEntry>(files, 'people').flatMap(({ entry, place }) => {
      const { directory, ...overrides } = entry;
      // What stands beside the directory outranks the token, and so the directory.
      const roles: unknown = Reflect.get(overrides, 'roles') ?? directory?.['roles'];
      return (Array.isArray(roles) ? roles.map(String) : []).map((role) => ({
        id: idOf('role', role, entry.id),
        holder: entry.id,
        role,
        right: `the role ${role}`,
        source: sourceOf(place),
        hash: hashOf({ person: entry.id, role }),
        proposedReviewer: null,
        use: ({ tally }) => tally.holders.get(holderKey(entry.id, role)) ?? NEVER,
      }));
    });
  },
  grants(set, files) {
    return [...rightsOf(set, files).grants.values()].map(({ entry, place }) => ({
      id: idOf('grant', entry.id),
      holder: entry.granted_to,
      role: null,
      right: `${entry.actions.join(', ')} on ${entry.matter_id}${entry.valid_until === undefined ? ', without an end' : `, until ${entry.valid_until}`}`,
      source: sourceOf(place),
      hash: grantHash(entry),
      proposedReviewer: unlessOwn(entry.approved_by, entry.granted_to),
      use: ({ tally, rights }) => (rights.blindGrants === null ? (tally.grants.get(entry.id) ?? NEVER) : null),
    }));
  },
  teams(set, files) {
    return [...rightsOf(set, files).memberships.values()].map(({ matter, person, place, responsible }) => ({
      id: idOf('team', matter, person),
      holder: person,
      role: null,
      right: `on the team of ${matter}`,
      source: sourceOf(place),
      hash: hashOf({ matter, person }),
      proposedReviewer: unlessOwn(responsible, person),
      use: ({ tally, rights }) =>
        rights.blindTeams === null ? (tally.memberships.get(membershipKey(matter, person)) ?? NEVER) : null,
    }));
  },
  walls(set, files) {
    return entriesOf<WallEntry>(files, 'walls').flatMap(({ entry, place }) => {
      const responsible = set.data.matters.get(entry.matter_id ?? '')?.responsible;
      const of = (how: string, right: string, people: readonly string[] = []): readonly Reviewable[] =>
        people.map((person) =>
          wallRight(entry, place, how, right, person, typeof responsible === 'string' ? responsible : null),
        );
      return [
        ...of('included', 'let in by the wall', entry.included_people),
        ...of('released', 'an assistant released from the wall', entry.released_assistants),
      ];
    });
  },
};

function wallRight(
  entry: WallEntry,
  place: Place,
  how: string,
  right: string,
  person: string,
  responsible: string | null,
): Reviewable {
  const { id, kind, matter_id: matter = null, client_id: client = null } = entry;
  return {
    id: idOf('wall', id, how, person),
    holder: person,
    role: null,
    right: `${right} ${id} (${matter ?? client ?? 'several matters'})`,
    source: sourceOf(place),
    hash: hashOf({ wall: id, kind, matter, client, how, person }),
    proposedReviewer: unlessOwn(responsible, person),
    use: () => null,
  };
}

/** Nobody is proposed for what is their own. */
function unlessOwn(reviewer: string | null, holder: string): string | null {
  return reviewer === holder ? null : reviewer;
}

function together(uses: readonly Use[]): Use {
  return uses.reduce((most, one) => (one.count > most.count ? one : most), NEVER);
}

/** Such as `team:M-1001:u-park`; a colon within a part is written as in a URL. */
function idOf(...parts: readonly string[]): string {
  return parts.map((part) => part.replaceAll('%', '%25').replaceAll(':', '%3A')).join(':');
}
