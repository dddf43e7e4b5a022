// What the example firm's systems ask all day: allows, denies, walls, batches, missing attributes, readings of the log, and requests
// that are no good. It must always know what was asked, and what must come of it.
import type { ServiceFirm } from '../helpers/service-firm.ts';
import { type Asked, type Attempt, decisionsOf, evaluationId, type Exchange } from './exchange.ts';
import type { Random } from './random.ts';

type Json = Readonly<Record<string, unknown>>;

export interface Questions {
  next(exchanges: readonly Exchange[]): Attempt;
}

/** A person, whether they may read documents of the matter, and whose client it is. */
type Case = readonly [person: string, matter: string, client: string, mayRead: boolean];

const CASES: readonly Case[] = [
  // On the team.
  ['u-okafor', 'M-1001', 'C-100', true],
  ['u-lind', 'M-1001', 'C-100', true],
  ['u-park', 'M-1001', 'C-100', true],
  ['u-nash', 'M-1001', 'C-100', true],
  ['u-okafor', 'M-4001', 'C-500', true],
  ['u-lind', 'M-4001', 'C-500', true],
  ['u-carvalho', 'M-2001', 'C-200', true],
  ['u-reyes', 'M-2002', 'C-300', true],
  // Not on the team, or with a role that opens no files.
  ['u-carvalho', 'M-1001', 'C-100', false],
  ['u-reyes', 'M-4001', 'C-500', false],
  ['u-audley', 'M-1001', 'C-100', false],
  ['u-banks', 'M-1001', 'C-100', false],
  // Behind a wall, on the team or not.
  ['u-voss', 'M-1001', 'C-100', false],
  ['u-hale', 'M-1001', 'C-100', false],
  ['u-adler', 'M-1001', 'C-100', false],
  ['u-reyes', 'M-2001', 'C-200', false],
  ['u-mori', 'M-2002', 'C-300', false],
  // Not a matter of the firm's.
  ['u-okafor', 'M-9999', 'C-100', false],
];

const CONTEXT: Json = {
  network_zone: 'office',
  device_managed: true,
  bulk_count: 1,
  recent_downloads: 0,
  country: 'US',
};
const SERVICE: Json = {
  user_type: 'service',
  roles: ['service'],
  idtyp: undefined,
  amr: undefined,
  auth_time: undefined,
};
const LARGEST_BATCH = 40;
/** Tokens are used again, so that the service's cache of them takes part. */
const TOKENS_EACH = 3;

export function createQuestions(firm: ServiceFirm, random: Random): Questions {
  const callers = new Map<string, string>();
  const tokens = new Map<string, string>();
  let asked = 0;

  function bearerOf(caller: string): string {
    const known = callers.get(caller) ?? firm.callerToken(caller);
    callers.set(caller, known);
    return known;
  }

  function tokenOf(kind: 'subjectToken' | 'personToken', caller: string, person: string, claims: Json = {}): string {
    const name = [kind, caller, person, random.below(TOKENS_EACH)].join(' ');
    const known = tokens.get(name) ?? firm[kind](caller, person, claims);
    tokens.set(name, known);
    return known;
  }

  function post(
    caller: string,
    bearer: string,
    path: string,
    body: Json | string,
  ): Omit<Attempt, 'leaves' | 'questions'> {
    asked += 1;
    return {
      requestId: `request-${asked}`,
      method: 'POST',
      path,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      caller,
      statuses: [200],
    };
  }

  function question([person, matter, client, mayRead]: Case): { asked: Asked; wire: Json } {
    const id = `D-${(asked += 1)}`;
    const isMissing = random.below(12) === 0;
    const properties: Json = {
      matter_id: matter,
      client_id: client,
      ...(isMissing ? {} : { matter_status: 'open' }),
      confidentiality: 'confidential',
      privileged: false,
      work_product: false,
      work_product_internal: false,
      phi: false,
      pii: false,
      export_controlled: false,
    };
    const wire = { action: { name: 'read' }, resource: { type: 'document', id, properties }, context: CONTEXT };
    return { asked: { person, action: 'read', type: 'document', id, expect: mayRead && !isMissing }, wire };
  }

  function single(): Attempt {
    const one = random.pick(CASES);
    const { asked: about, wire } = question(one);
    const body = { subject_token: tokenOf('subjectToken', 'dms', one[0]), ...wire };
    return { ...post('dms', bearerOf('dms'), '/v1/authorize', body), leaves: 'decisions', questions: [about] };
  }

  /** The bearer is the person's own. */
  function own(): Attempt {
    const one = random.pick(CASES);
    const { asked: about, wire } = question(one);
    const bearer = tokenOf('personToken', 'dms', one[0]);
    return { ...post('dms', bearer, '/v1/authorize', wire), leaves: 'decisions', questions: [about] };
  }

  function batch(): Attempt {
    const [person] = random.pick(CASES);
    const ofPerson = CASES.filter((one) => one[0] === person);
    const all = Array.from({ length: 1 + random.below(LARGEST_BATCH) }, () => question(random.pick(ofPerson)));
    const body = { subject_token: tokenOf('subjectToken', 'dms', person), evaluations: all.map(({ wire }) => wire) };
    const questions = all.map((one) => one.asked);
    return { ...post('dms', bearerOf('dms'), '/v1/authorize/batch', body), leaves: 'decisions', questions };
  }

  /** A service account asks about itself: it may read what it indexes. */
  function service(): Attempt {
    const person = 'svc-search-indexer';
    const { asked: about, wire } = question([person, 'M-1001', 'C-100', true]);
    const bearer = tokenOf('personToken', 'search-indexer', person, SERVICE);
    const questions = [about];
    return { ...post('search-indexer', bearer, '/v1/authorize', wire), leaves: 'decisions', questions };
  }

  /** An auditor, or somebody who is none, reads a record that was answered before. */
  function reading(exchanges: readonly Exchange[]): Attempt {
    const earlier = exchanges.length === 0 ? undefined : exchanges[random.below(exchanges.length)];
    const decision = earlier === undefined ? undefined : decisionsOf(earlier)[0];
    const id = decision === undefined ? '0195a0de-0000-7000-8000-000000000000' : evaluationId(decision);
    const bearer = tokenOf('personToken', 'log-review', random.pick(['u-audley', 'u-okafor']));
    const path = `/v1/decisions/${id}`;
    return { ...get('log-review', bearer, path), leaves: 'reading', questions: [], statuses: [200, 404] };
  }

  function get(caller: string, bearer: string, path: string): Omit<Attempt, 'leaves' | 'questions'> {
    return { ...post(caller, bearer, path, ''), method: 'GET', headers: { authorization: `Bearer ${bearer}` } };
  }

  function bad(): Attempt {
    const good = single();
    const { authorization: _, ...anonymous } = good.headers;
    const spoiled = random.pick<Partial<Attempt>>([
      { body: good.body.slice(0, -1), statuses: [400] },
      { body: good.body.replace('"read"', '7'), statuses: [400] },
      { body: good.body.replace('"action"', '"acton"'), statuses: [400] },
      { body: good.body.replace('office', 'off\\u0000ice'), statuses: [400] },
      { body: good.body.replace('"country"', '"source_system":"dms","country"'), statuses: [400] },
      { headers: { ...good.headers, 'content-type': 'text/plain' }, statuses: [400] },
      { headers: anonymous, statuses: [401] },
      { headers: { ...good.headers, authorization: `${good.headers['authorization']}x` }, statuses: [401] },
      { headers: { ...good.headers, authorization: `Bearer ${bearerOf('log-review')}` }, statuses: [403] },
      { path: '/v1/authorise', statuses: [404] },
      { path: '/v1/decisions/1', statuses: [405] },
    ]);
    return { ...good, ...spoiled, leaves: 'nothing', questions: [] };
  }

  const mix: readonly ((exchanges: readonly Exchange[]) => Attempt)[] = [
    ...Array.from({ length: 10 }, () => single),
    ...[own, own, own, batch, batch, service, reading, bad, bad],
  ];
  return { next: (exchanges) => random.pick(mix)(exchanges) };
}
