// Finds who may, what one may do it to, or what one may do (AuthZEN 1.0, section 8), by asking `decide` about every candidate that policy
// data knows. It must never give a result that the same question about it alone would not allow.
import { hash } from 'node:crypto';
import type { CallerEntry } from '../model/data.ts';
import type { Decision, DecisionRequest, ObligationResult, Subject } from '../model/decision.ts';
import { decide } from './decide.ts';
import { gatherFacts } from './facts.ts';
import { indexPeople } from './filter/bounds.ts';
import type { PolicySet } from './policy-set.ts';
import { resourceKey } from './merge-data.ts';
import { canonicalize } from './record/canonical.ts';
import { reachable } from './search-bounds.ts';
import { underTerms, type Terms } from './terms.ts';
import { vouchedSubject } from './vouch.ts';

/** Everything but what is searched. */
export interface EntityQuestion {
  readonly actor: string | null;
  readonly sourceSystem: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly supports: readonly string[];
  readonly now: number;
  /** False: nobody has said, or policy data does not know, who the subject is; then there are no results. */
  readonly isKnown: boolean;
  readonly sought: Sought;
}

export type Sought =
  | {
      readonly kind: 'subject';
      readonly type: string;
      /** What the caller says of every candidate. */
      readonly properties: Readonly<Record<string, unknown>>;
      readonly vouch: CallerEntry['vouch'];
      readonly action: string;
      readonly resource: DecisionRequest['resource'];
    }
  | {
      readonly kind: 'resource';
      readonly type: string;
      readonly properties: Readonly<Record<string, unknown>>;
      readonly subject: Pick<Subject, 'id' | 'attributes'>;
      readonly action: string;
    }
  | {
      readonly kind: 'action';
      readonly subject: Pick<Subject, 'id' | 'attributes'>;
      readonly resource: DecisionRequest['resource'];
    };

export interface Found {
  readonly id: string;
  readonly matter: string | null;
  readonly client: string | null;
  /** What the caller has to do for it. */
  readonly obligations: readonly ObligationResult[];
}

export interface EntityPage {
  readonly results: readonly Found[];
  /** The last result, if there are more; where the next page begins: empty before the first. */
  readonly next: string | null;
  /** As policies saw what was asked about; null where the candidates differ in it. */
  readonly matter: string | null;
  readonly client: string | null;
}

/** Candidates between two chances for others. */
const STEP = 50;
/** Stands for any resource while only what all have in common is looked at. */
const ANY = '*';

/** @param after a result of the page before; candidates are in the order of their code units */
export function* findEntities(
  set: PolicySet,
  question: EntityQuestion,
  after: string | null,
  limit: number,
): Generator<void, EntityPage> {
  if (question.sought.kind === 'resource') yield* indexPeople(set.data.matters);
  const candidates = question.isKnown ? candidatesOf(set, question) : NOTHING;
  const results: Found[] = [];
  const place = placeOf(set, question);
  let start = after === null ? 0 : firstAfter(candidates, after);
  for (; start < candidates.length; start++) {
    if (start % STEP === 0) yield;
    const id = candidates[start] ?? '';
    const { outcome, matter, client, obligations } = judge(set, question, id);
    if (outcome === 'deny') continue;
    if (results.length === limit) return { results, next: results.at(-1)?.id ?? after ?? '', ...place };
    results.push({ id, matter, client, obligations });
  }
  return { results, next: null, ...place };
}

/** Whether or not anybody or anything is found: whoever is walled off from the matter reads nothing of the search. */
function placeOf(set: PolicySet, question: EntityQuestion): Pick<EntityPage, 'matter' | 'client'> {
  const { actor, sourceSystem, context, now, sought } = question;
  const about = { actor, sourceSystem, context, now };
  if (sought.kind === 'resource') return { matter: null, client: null };
  const subject = sought.kind === 'action' ? sought.subject : { id: '', attributes: {} };
  const action = sought.kind === 'action' ? '' : sought.action;
  const { matter, client } = gatherFacts(set, { ...about, subject, action, resource: sought.resource, approvals: [] });
  return { matter, client };
}

/** What a record says of results: enough to tell whether the same search finds the same. */
export function resultsHash(results: readonly Found[]): string {
  return hash('sha256', canonicalize(results.map(({ id }) => id)), 'hex');
}

function judge(set: PolicySet, question: EntityQuestion, id: string): Decision {
  const { actor, sourceSystem, context, now, sought, supports } = question;
  const about = { actor, sourceSystem, context, approvals: [], now };
  const terms: Terms = { isStranger: false, supports };
  const asked = (
    subject: DecisionRequest['subject'],
    action: string,
    resource: DecisionRequest['resource'],
  ): Decision => underTerms(decide(set, { ...about, subject, action, resource }), terms);
  switch (sought.kind) {
    case 'subject': {
      const named = { type: sought.type, id, properties: sought.properties };
      return asked(vouchedSubject(set, sought.vouch, named).subject, sought.action, sought.resource);
    }
    case 'resource':
      return asked(sought.subject, sought.action, { type: sought.type, id, properties: sought.properties });
    case 'action':
      return asked(sought.subject, id, sought.resource);
  }
}

/** All that policy data knows of the kind, sorted; nothing where the type is not known. */
function candidatesOf(set: PolicySet, question: EntityQuestion): readonly string[] {
  const { sought } = question;
  switch (sought.kind) {
    case 'subject':
      return sought.vouch?.subject_types.includes(sought.type) === true ? listsOf(set).people : NOTHING;
    case 'resource':
      return withinReach(set, question, sought);
    case 'action':
      return listsOf(set).actions;
  }
}

/** Those of the type that some rule could allow, sorted. */
function withinReach(
  set: PolicySet,
  { actor, sourceSystem, context, now }: EntityQuestion,
  { type, properties, subject, action }: Extract<Sought, { readonly kind: 'resource' }>,
): readonly string[] {
  const resource = { type, id: ANY, properties };
  const bound = reachable(set, { actor, sourceSystem, context, now, subject, action, resource, approvals: [] });
  if (bound === null) return listsOf(set).resources.get(type) ?? NOTHING;
  const { matters, resources } = set.data;
  const isKnown = (id: string): boolean => (type === MATTER && matters.has(id)) || resources.has(resourceKey(type, id));
  return [...bound].filter(isKnown).sort();
}

interface Lists {
  readonly people: readonly string[];
  readonly actions: readonly string[];
  readonly resources: ReadonlyMap<string, readonly string[]>;
}

const NOTHING: readonly string[] = [];
const known = new WeakMap<PolicySet, Lists>();
/** Matters are known to policy data by themselves, other resources where `resources:` declares them. */
const MATTER = 'matter';

function listsOf(set: PolicySet): Lists {
  const made = known.get(set);
  if (made !== undefined) return made;
  const { data, firm } = set;
  const byType = Map.groupBy(data.resources.keys(), (key) => key.split('\u0000', 1)[0] ?? '');
  const resources = new Map<string, readonly string[]>();
  for (const [type, keys] of byType) resources.set(type, keys.map((key) => key.slice(type.length + 1)).sort());
  const matters = new Set([...data.matters.keys(), ...(resources.get(MATTER) ?? NOTHING)]);
  if (matters.size > 0) resources.set(MATTER, [...matters].sort());
  const lists = {
    people: [...data.directory.keys()].sort(),
    actions: [...firm.names.actions.keys()].sort(),
    resources,
  };
  known.set(set, lists);
  return lists;
}

function firstAfter(sorted: readonly string[], after: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
