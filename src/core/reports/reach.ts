// Reckons who could do what in a matter, whatever a request may still say: everything that neither directory nor policy data states is
// left open, so that what is called impossible is impossible. It must never call impossible what decide would allow.
import type { DecisionRequest } from '../../model/decision.ts';
import type { Candidate } from '../ability.ts';
import { decideFacts, idsOf } from '../decide.ts';
import { isRequired, SLOT } from '../dictionary.ts';
import { gatherFacts, type Facts } from '../facts.ts';
import { judgeLockdown } from '../lockdown.ts';
import type { PolicySet } from '../policy-set.ts';
import { FALSE, TRUE } from '../truth.ts';
import { isActive, judgeWalls } from '../walls.ts';

/** Of no type that an attribute can have: read as unknown wherever it stands. */
const OPEN: unique symbol = Symbol('open');
/** No system that a firm could declare, hence unknown. */
const OPEN_SYSTEM = '\u0000';

export interface Somebody {
  readonly id: string;
  /** False: neither the directory nor the services of the policy set know them, so that everything about them is open. */
  readonly isKnown: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface Reach {
  /** Actions by type of resource, in the order of firm.yaml. */
  readonly can: ReadonlyMap<string, readonly string[]>;
  /** Rules that let them in, or would under the right circumstances. */
  readonly rules: readonly string[];
}

export interface Pair {
  readonly type: string;
  readonly action: string;
}

/** What the directory says of somebody, and nothing else. */
export function somebody(set: PolicySet, id: string): Somebody {
  const stated = set.data.directory.get(id);
  const isService = set.data.services.find('sub', id).length > 0;
  const attributes: Record<string, unknown> = {};
  for (const name of set.plan.members.subject.keys()) attributes[name] = stated?.[name] ?? OPEN;
  if (isService && stated?.['user_type'] === undefined) attributes['user_type'] = 'service';
  return { id, isKnown: stated !== undefined || isService, attributes };
}

/** Everybody whom the policy set knows: directory, what outranks tokens, services. */
export function everybody({ data }: PolicySet): ReadonlySet<string> {
  const services = data.services.entries.map((entry) => String(entry['sub']));
  return new Set([...data.directory.keys(), ...data.people.keys(), ...services]);
}

/** Pairs of type and action, with the rules that could allow them to a kind of people at all: looked up once for everybody. */
export interface Pairs {
  of(userType: unknown): readonly Openable[];
}

interface Openable extends Pair {
  readonly allows: readonly Candidate[];
}

/** Types of resources that belong to a matter, and the matter itself, with every action. */
export function matterPairs(
  { firm, plan, ruleIndex }: PolicySet,
  only: { readonly type?: string; readonly action?: string },
): Pairs {
  const { matterId } = plan;
  const pairs: Pair[] = [];
  for (const type of firm.names.resourceTypes.keys()) {
    if (only.type !== undefined && only.type !== type) continue;
    for (const action of firm.names.actions.keys()) {
      if (only.action !== undefined && only.action !== action) continue;
      const belongs = matterId !== null && isRequired(matterId.presence, type, action, undefined);
      if (belongs || type === 'matter') pairs.push({ type, action });
    }
  }
  const known = new Map<unknown, readonly Openable[]>();
  return {
    of(userType) {
      let openable = known.get(userType);
      if (openable === undefined) {
        openable = pairs.flatMap(({ type, action }) => {
          const allows = ruleIndex.candidates(action, type, userType).filter(({ rule }) => rule.effect === 'allow');
          return allows.length === 0 ? [] : [{ type, action, allows }];
        });
        known.set(userType, openable);
      }
      return openable;
    },
  };
}

/** Somebody at a matter at an instant: everything that decisions about them have in common. */
export interface Standing {
  readonly walls: readonly string[];
  readonly isLocked: boolean;
  reach(pairs: Pairs): Reach;
}

export function standingOf(set: PolicySet, person: Somebody, matter: string, now: number): Standing {
  // With everything open, facts differ by type and action in nothing but these two themselves, but for the matter's own entry on file.
  const ofMatter = gatherFacts(set, question(set, person, matter, MATTER, now));
  const ofContent = gatherFacts(set, question(set, person, matter, CONTENT, now));
  const { frame } = ofMatter;
  const walls = judgeWalls(set.walls, frame).flatMap(idsOf);
  return {
    walls: [...new Set(walls)].toSorted(),
    isLocked: judgeLockdown(set.lockdown, frame) === TRUE,
    reach(pairs) {
      const can = new Map<string, string[]>();
      const rules = new Set<string>();
      for (const pair of pairs.of(frame.slots[SLOT.userType])) {
        const { type, action } = pair;
        const allows = allowing(set, type === MATTER.type ? ofMatter : ofContent, pair);
        if (allows.length === 0) continue;
        const actions = can.get(type);
        if (actions === undefined) can.set(type, [action]);
        else actions.push(action);
        for (const rule of allows) rules.add(rule);
      }
      return { can, rules: [...rules].toSorted() };
    },
  };
}

const MATTER: Pair = { type: 'matter', action: 'read' };
/** Of no type that any firm declares. */
const CONTENT: Pair = { type: '', action: 'read' };

/** Rules that let in, or might: none where a deny, a wall or the lockdown is certain, for that stays so whatever else a request says. */
function allowing(set: PolicySet, facts: Facts, { type, action, allows }: Openable): readonly string[] {
  const { frame } = facts;
  const mine = allows.filter(({ gates }) => (gates & frame.gates) !== 0);
  if (mine.length === 0) return [];
  const begin = (): void => {
    for (let index = 0; index < frame.terms.length; index++) frame.terms[index] = set.noTerms[index] ?? -1;
    frame.matched.length = 0;
  };
  frame.slots[SLOT.actionName] = action;
  frame.slots[SLOT.resourceType] = type;
  begin();
  // Most people and actions end here.
  if (mine.every(({ test }) => test(frame) === FALSE)) return [];
  begin();
  const { outcome, decidedBy, results } = decideFacts(set, action, type, facts);
  if (outcome === 'deny' && !decidedBy.includes('attribute-missing')) return [];
  return results.filter(({ effect }) => effect === 'allow').map(({ rule }) => rule);
}

/** Instants within a period at which something about this person begins or ends: walls they stand at, grants they hold. */
export function turningPoints(
  { walls, data }: PolicySet,
  person: string,
  { from, to }: { readonly from: number; readonly to: number },
): readonly number[] {
  const bounds: unknown[] = [];
  for (const wall of walls.all) bounds.push(wall.from, wall.until);
  for (const grant of data.grants.find('granted_to', person)) bounds.push(grant['valid_from'], grant['valid_until']);
  const inside = bounds.filter((one): one is number => typeof one === 'number' && one > from && one < to);
  return [...new Set(inside)].toSorted((a, b) => a - b);
}

/** Ids of grants on the matter that somebody holds at an instant; whether a rule honours them is another matter. */
export function grantsOf({ data }: PolicySet, person: string, matter: string, now: number): readonly string[] {
  return data.grants
    .find('granted_to', person)
    .filter((grant) => grant['matter_id'] === matter && isActive(spanOf(grant), now))
    .map(({ id }) => String(id))
    .toSorted();
}

export function spanOf(entry: Readonly<Record<string, unknown>>): { readonly from: number; readonly until: number } {
  const { valid_from: from, valid_until: until } = entry;
  return {
    from: typeof from === 'number' ? from : -Infinity,
    until: typeof until === 'number' ? until : Infinity,
  };
}

/** `read, list (document, email); create (time_entry)` */
export function inWords({ can }: Pick<Reach, 'can'>): string {
  const groups = new Map<string, string[]>();
  for (const [type, actions] of can) {
    const key = actions.join(', ');
    const types = groups.get(key);
    if (types === undefined) groups.set(key, [type]);
    else types.push(type);
  }
  return [...groups].map(([actions, types]) => `${actions} (${types.join(', ')})`).join('; ');
}

interface Stated {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly context: Readonly<Record<string, unknown>>;
}

const statedIn = new WeakMap<PolicySet, Stated>();

/** Everything that a request may carry, open. */
function openOf(set: PolicySet): Stated {
  let stated = statedIn.get(set);
  if (stated === undefined) {
    const open = (names: Iterable<string>) => Object.fromEntries([...names].map((name) => [name, OPEN]));
    const { resource, context } = set.plan.members;
    statedIn.set(set, (stated = { resource: open(resource.keys()), context: open(context.keys()) }));
  }
  return stated;
}

function question(
  set: PolicySet,
  person: Somebody,
  matter: string,
  { type, action }: Pair,
  now: number,
): DecisionRequest {
  const { resource, context } = openOf(set);
  const { matterId, clientId } = set.plan;
  const client = set.data.matters.get(matter)?.clientId;
  return {
    subject: { id: person.id, attributes: person.attributes },
    actor: null,
    action,
    resource: {
      type,
      id: type === 'matter' ? matter : '',
      properties: {
        ...resource,
        ...(matterId === null ? {} : { [matterId.name]: matter }),
        ...(clientId === null || client === undefined ? {} : { [clientId.name]: client }),
      },
    },
    context,
    sourceSystem: OPEN_SYSTEM,
    approvals: OPEN,
    now,
  };
}
