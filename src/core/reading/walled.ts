// Knows which matters and clients stand behind walls or under lockdown: those that one reader certainly gets nothing of, so that the
// database need not look at them, and those that anybody is kept from, so that counts of readings stay behind the same walls. It must
// never call hidden what decide would let somebody see.
import type { DecisionRequest } from '../../model/decision.ts';
import { gatherFacts } from '../facts.ts';
import { judgeLockdown } from '../lockdown.ts';
import type { PolicySet } from '../policy-set.ts';
import { TRUE } from '../truth.ts';
import { judgeWalls } from '../walls.ts';

export interface HiddenPlaces {
  readonly matters: readonly string[];
  readonly clients: readonly string[];
}

/** What walls and lockdown name. */
interface NamedPlaces {
  readonly matters: ReadonlySet<string>;
  readonly clients: ReadonlySet<string>;
}

const named = new WeakMap<PolicySet, NamedPlaces>();

/**
 * A wall that is true of a matter alone stays true whatever client comes with it, and the other way round: rows of these places are
 * denied, without a look at the other one.
 * @param ask the reader's question about a place
 */
export function hiddenPlaces(
  set: PolicySet,
  ask: (properties: Readonly<Record<string, string>>) => DecisionRequest,
): HiddenPlaces {
  const { matters, clients } = namedPlaces(set);
  const isHidden = (properties: Readonly<Record<string, string>>): boolean => {
    const { frame } = gatherFacts(set, ask(properties));
    return (
      judgeLockdown(set.lockdown, frame) === TRUE || judgeWalls(set.walls, frame).some(({ truth }) => truth === TRUE)
    );
  };
  const hiddenClients = new Set([...clients].filter((id) => isHidden({ client_id: id })));
  const hiddenMatters = [...matters].filter((id) => isHidden({ matter_id: id }));
  if (hiddenClients.size > 0) {
    for (const [id, { clientId }] of set.data.matters) {
      if (!matters.has(id) && hiddenClients.has(clientId)) hiddenMatters.push(id);
    }
  }
  return { matters: hiddenMatters, clients: [...hiddenClients] };
}

/** Whether some wall or the lockdown, in force or not, is about the place. */
export function isNamed(set: PolicySet, matter: string | null, client: string | null): boolean {
  const { matters, clients } = namedPlaces(set);
  if (client !== null && clients.has(client)) return true;
  if (matter === null) return false;
  if (matters.has(matter)) return true;
  const onFile = set.data.matters.get(matter)?.clientId;
  return onFile !== undefined && clients.has(onFile);
}

export function namedPlaces(set: PolicySet): NamedPlaces {
  let places = named.get(set);
  if (places === undefined) {
    const matters = new Set(set.lockdown.matters);
    const clients = new Set(set.lockdown.clients);
    for (const { matter, client, sides } of set.walls.all) {
      if (matter !== null) matters.add(matter);
      if (client !== null) clients.add(client);
      for (const side of sides) for (const id of side.matters) matters.add(id);
    }
    named.set(set, (places = { matters, clients }));
  }
  return places;
}
