// Makes up what a large firm asks all day about its documents, hours and bills. It must never ask anything that a real system would
// not send, and leaves the verdict to the policies.
import type { Grant, LargeFirm, Matter, Person } from './data.ts';
import type { Dice } from './random.ts';

type Values = Readonly<Record<string, unknown>>;

export interface Question {
  readonly action: { readonly name: string };
  readonly resource: { readonly type: string; readonly id: string; readonly properties: Values };
  readonly context: Values;
}

export interface Asked {
  readonly person: Person;
  /** Id of callers.yaml. */
  readonly caller: string;
  readonly question: Question;
}

const DOCUMENT_ACTIONS = { read: 45, list: 25, edit: 10, download: 9, print: 4, create: 5, checkout: 2 };
const COPIES = new Set(['download', 'print', 'export']);

export interface Everyday {
  /** A question about one of the person's own matters, or now and then of somebody else's. */
  ask(person: Person): Asked;
  /** Anybody's question. */
  askAny(): Asked;
}

export function createEveryday(firm: LargeFirm, dice: Dice): Everyday {
  const mattersOf = new Map<string, Matter[]>();
  for (const matter of firm.matters) for (const person of matter.team) listOf(mattersOf, person).push(matter);
  const grantsOf = new Map<string, Grant[]>();
  for (const grant of firm.grants) listOf(grantsOf, grant.person).push(grant);
  let asked = 0;

  const matterOf = ({ id }: Person): Matter => {
    const own = [...(mattersOf.get(id) ?? []), ...(grantsOf.get(id) ?? []).map(({ matter }) => matter)];
    return own.length > 0 && dice.chance(0.8) ? dice.pick(own) : dice.pick(firm.matters);
  };

  function ask(person: Person): Asked {
    asked += 1;
    const outside = person.id.startsWith('x-');
    const matter = matterOf(person);
    const kind = outside ? 'document' : dice.weighted({ document: 78, time_entry: 12, invoice: 5, matter: 5 });
    switch (kind) {
      case 'document':
        return {
          person,
          caller: outside ? 'portal' : dice.weighted({ dms: 85, search: 15 }),
          question: document(matter),
        };
      case 'time_entry':
        return { person, caller: 'time', question: timeEntry(matter, person) };
      case 'invoice':
        return { person, caller: 'ebilling', question: invoice(matter) };
      case 'matter':
        return { person, caller: 'dms', question: profile(matter) };
    }
  }

  function document(matter: Matter): Question {
    const name = dice.weighted(DOCUMENT_ACTIONS);
    const level = dice.weighted({ public: 4, internal: 25, confidential: 58, highly_confidential: 12, eyes_only: 1 });
    const properties = {
      ...bound(matter),
      confidentiality: level,
      privileged: dice.chance(0.2),
      work_product: dice.chance(0.2),
      work_product_internal: false,
      phi: dice.chance(0.02),
      pii: dice.chance(0.1),
      export_controlled: dice.chance(0.01),
      data_region: dice.weighted({ US: 80, EU: 15, other: 5 }),
      external_ok: dice.chance(0.5),
      state: dice.weighted({ draft: 80, final: 20 }),
    };
    const type = dice.weighted({ document: 80, email: 15, note: 5 });
    return { action: { name }, resource: { type, id: `D-${asked}`, properties }, context: circumstances(name) };
  }

  function timeEntry(matter: Matter, { id: owner }: Person): Question {
    const name = dice.weighted({ create: 60, read: 30, edit: 10 });
    const properties = { ...bound(matter), confidentiality: 'internal', owner, billed: dice.chance(0.1) };
    return {
      action: { name },
      resource: { type: 'time_entry', id: `T-${asked}`, properties },
      context: circumstances(name),
    };
  }

  function invoice(matter: Matter): Question {
    const name = dice.weighted({ read: 60, list: 30, approve: 10 });
    const billed = { invoice_status: 'draft', amount: 1_000 + dice.below(200_000), created_by: 'u-banks' };
    const properties = { ...bound(matter), confidentiality: 'internal', ...billed };
    return {
      action: { name },
      resource: { type: 'invoice', id: `I-${asked}`, properties },
      context: circumstances(name),
    };
  }

  function profile({ id, client }: Matter): Question {
    const name = dice.weighted({ list: 80, read: 20 });
    return {
      action: { name },
      resource: { type: 'matter', id, properties: { client_id: client } },
      context: circumstances(name),
    };
  }

  function circumstances(action: string): Values {
    return {
      network_zone: dice.weighted({ office: 60, vpn: 25, home: 15 }),
      device_managed: dice.chance(0.93),
      country: dice.weighted({ US: 85, DE: 10, BR: 5 }),
      ...(COPIES.has(action) ? { bulk_count: 1 + dice.below(12), recent_downloads: dice.below(40) } : {}),
    };
  }

  return { ask, askAny: () => ask(dice.pick(firm.people)) };
}

function bound({ id, client, status }: Matter): Values {
  return { matter_id: id, client_id: client, matter_status: status };
}

function listOf<T>(map: Map<string, T[]>, key: string): T[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}
