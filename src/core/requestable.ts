// Tells whether a denied question is one that somebody may request access for (AuthZEN access request and approval profile): whether an
// approval, or an emergency, would open the like of it. It must never look at the matter itself: what it says is the same for a wall, a
// matter that nobody knows and a plain deny (P7).
import type { DecisionRequest } from '../model/decision.ts';
import type { Template } from './access-request.ts';
import type { MatterFacts } from './data-entries.ts';
import { decide, decideFacts } from './decide.ts';
import { SLOT } from './dictionary.ts';
import { gatherFacts } from './facts.ts';
import { createEntryTable } from './frame.ts';
import type { PolicySet } from './policy-set.ts';
import { formatTimestamp } from './time.ts';
import { NONE } from './truth.ts';

/** The context attribute by which a firm knows emergencies; a firm that does not declare it has none. */
export const EMERGENCY_REASON = 'break_glass_reason';

const SOMEBODY = '*';
const SOME_REASON = 'x'.repeat(100);
const NO_GRANTS = createEntryTable([]);

/** Null: nothing that anybody could request would help. */
export function requestableOf(set: PolicySet, request: DecisionRequest): Template | null {
  if (opens(set, request)) return null;
  if (set.firm.approvals !== null && opens(set, { ...request, approvals: approvalsOf(set) })) return 'approval';
  const { context } = request;
  const isDeclared = set.plan.members.context.has(EMERGENCY_REASON);
  if (!isDeclared || context[EMERGENCY_REASON] !== undefined) return null;
  return isEmergency(set, { ...request, context: { ...context, [EMERGENCY_REASON]: SOME_REASON } })
    ? 'emergency'
    : null;
}

/** The emergency is stated as policy wants it. The person may still have to sign in again. */
export function isEmergency(set: PolicySet, request: DecisionRequest): boolean {
  return opens(set, signedIn(set, request));
}

/**
 * Whether what a second person said is what policy asks for, walls aside: those keep the requester out afterwards, and show in nothing
 * that is said before (P7).
 */
export function isOpenedBy(set: PolicySet, request: DecisionRequest, approvals: readonly unknown[]): boolean {
  const { walls, lockdown } = blankOf(set);
  return decide({ ...set, walls, lockdown }, signedIn(set, { ...request, approvals })).outcome === 'allow';
}

/** Of a second person of every role, whoever is responsible for the matter. */
function approvalsOf(set: PolicySet) {
  return [...set.firm.names.roles.keys()].map((role) => ({ by: SOMEBODY, role }));
}

/** As if the person had signed in with everything that any advice asks for, just now. */
function signedIn({ firm, plan }: PolicySet, request: DecisionRequest): DecisionRequest {
  const { subject, now } = request;
  const { amr } = subject.attributes;
  const methods = [...firm.advice.values()].flatMap(({ acr_values }) => acr_values?.split(' ') ?? []);
  const stated = {
    amr: [...new Set([...(Array.isArray(amr) ? amr.map(String) : []), ...methods])],
    auth_time: formatTimestamp(now),
  };
  const declared = Object.entries(stated).filter(([name]) => plan.members.subject.has(name));
  return {
    ...request,
    subject: { ...subject, attributes: { ...subject.attributes, ...Object.fromEntries(declared) } },
  };
}

/** Whether policy allows it for a matter of which nothing is known but what the request says, and which no wall protects. */
function opens(set: PolicySet, request: DecisionRequest): boolean {
  const blank = blankOf(set);
  const { matter, client } = gatherFacts(blank, request);
  const standIn: MatterFacts = {
    clientId: client ?? '',
    practiceGroup: NONE,
    responsible: SOMEBODY,
    proposing: NONE,
    team: [],
    onFile: [],
  };
  const matters = new Map<string, MatterFacts>(matter === null ? [] : [[matter, standIn]]);
  const data = { ...blank.data, matters };
  const facts = gatherFacts({ ...blank, data }, request);
  facts.frame.slots[SLOT.grants] = NO_GRANTS;
  return decideFacts(blank, request.action, request.resource.type, facts).outcome === 'allow';
}

const blanks = new WeakMap<PolicySet, PolicySet>();

/** The rules of the firm, and the people; no matter, no wall, nobody locked out. */
function blankOf(set: PolicySet): PolicySet {
  const made = blanks.get(set);
  if (made !== undefined) return made;
  const nobody: ReadonlySet<string> = new Set();
  const none: ReadonlyMap<string, never> = new Map<string, never>();
  const blank: PolicySet = {
    ...set,
    walls: {
      ...set.walls,
      all: [],
      exclusionsByPerson: none,
      inclusions: [],
      inclusionsByMatter: none,
      opposingByPerson: none,
    },
    lockdown: { people: nobody, matters: nobody, clients: nobody, callers: nobody, tokens: nobody },
    data: { ...set.data, matters: none, resources: none },
  };
  blanks.set(set, blank);
  return blank;
}
