// The doors of AuthZEN 1.0 searches (section 8): who may, to what, or what may be done, of everything that policy data knows. They must
// never give a result before the search is recorded, nor one that an evaluation would deny.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AuthorizeDeps } from '../authorize.ts';
import { findEntities, type EntityPage, type Sought } from '../core/entity-search.ts';
import type { StandardObligation } from '../core/obligation-types.ts';
import type { PolicySet } from '../core/policy-set.ts';
import { uuidv7 } from '../core/record/uuid.ts';
import { searchEntry } from '../core/record/search-record.ts';
import { mayVouch, vouchOf } from '../core/vouch.ts';
import { runInSlices } from '../io/policies/slices.ts';
import type { ActionSearch, ResourceSearch, SearchPage, SubjectSearch } from '../model/authzen.ts';
import type { ObligationResult } from '../model/decision.ts';
import { PrivityError } from '../model/errors.ts';
import { askingOf, type Gate } from './authenticate.ts';
import { circumstancesOf, supportedOf } from './authzen-context.ts';
import { toFulfil } from './authzen-answer.ts';
import { readPageToken, writePageToken } from './authzen-page.ts';
import { subjectSource, type NamedSubject } from './authzen-subject.ts';
import { checkId, checkQuestion } from './envelope.ts';
import { describe, shared } from './openapi.ts';

export interface AuthzenSearchOptions {
  readonly gate: Gate;
  readonly deps: AuthorizeDeps;
}

type Values = Readonly<Record<string, unknown>>;
const NOTHING: Values = Object.freeze({});
/** Results of one page: beyond it there is always a token. */
const MOST = 10_000;
/** For checks of what a search leaves open; no result is ever called this. */
const ANY = '*';

interface Search {
  readonly sought: Sought;
  /** Null in a search for subjects. */
  readonly subject: NamedSubject | null;
  readonly context: Values;
  /** Everything that must be the same on every page. */
  readonly of: Values;
  readonly page: SubjectSearch['page'];
}

export function authzenSearchDoor(app: FastifyInstance, { gate, deps }: AuthzenSearchOptions, done: () => void): void {
  async function find(
    request: FastifyRequest,
    search: Search,
  ): Promise<EntityPage & { readonly page: SearchPage | null }> {
    const { set, bearer } = askingOf(request);
    const { caller } = bearer;
    const { sought, context, page } = search;
    const subject = search.subject?.subject ?? null;
    const now = deps.clock.now();
    const of = { caller: caller.id, ...search.of };
    const after = page?.token === undefined || page.token === '' ? null : readPageToken(page.token, of);
    const limit = Math.min(page?.limit ?? MOST, MOST);
    const actor = caller.aiAssistant ?? subject?.actor ?? null;
    const supports = supportedOf(set, context);
    const isKnown = search.subject === null || isKnownTo(set, search.subject);
    const question = { actor, sourceSystem: caller.sourceSystem, context, supports, now, isKnown, sought };
    const found = await runInSlices(findEntities(set, question, after, limit));
    const id = uuidv7(now);
    const durationUs = Math.round((performance.now() - request.arrivedAt) * 1000);
    const event = { id, question, page: found, after, limit, subject, caller, requestId: request.id };
    await deps.recorder.append([searchEntry(set, { ...event, traceId: request.traceId, durationUs })]);
    const next = found.next === null ? '' : writePageToken(found.next, of);
    // Section 8.1.2: always there where the answer is not all there is.
    const isPaged = page !== undefined || next !== '';
    return { ...found, page: isPaged ? { next_token: next, count: found.results.length } : null };
  }

  async function subjectOf(request: FastifyRequest, body: ResourceSearch | ActionSearch): Promise<NamedSubject> {
    checkId(body.subject.type, '/subject/type');
    checkId(body.subject.id, '/subject/id');
    const source = await subjectSource(gate, request, askingOf(request), body.subject_token);
    return source.of(body.subject, '/subject');
  }

  app.post<{ Body: SubjectSearch }>(
    '/access/v1/search/subject',
    {
      config: { right: 'search' },
      schema: {
        ...describe('searchSubjects'),
        body: shared('SubjectSearch'),
        response: { 200: shared('SearchAnswer') },
      },
    },
    async (request) => {
      const { set, bearer } = askingOf(request);
      const { subject: wanted, action, resource, page } = request.body;
      const context = circumstancesOf(request.body.action, request.body.context);
      checkQuestion(set, { action, resource, context }, '');
      checkId(wanted.type, '/subject/type');
      const { caller } = bearer;
      if (!mayVouch(caller)) {
        throw new PrivityError('caller_not_allowed', {
          detail: 'who may do something is told to a caller with the right `vouch`, asking with its own token',
        });
      }
      const vouch = vouchOf(set, caller.id);
      const properties = wanted.properties ?? NOTHING;
      const about = { type: resource.type, id: resource.id, properties: resource.properties ?? NOTHING };
      const sought = {
        kind: 'subject',
        type: wanted.type,
        properties,
        vouch,
        action: action.name,
        resource: about,
      } as const;
      const of = { kind: 'subject', type: wanted.type, properties, action, resource: about, context };
      const { results, page: answered } = await find(request, { sought, subject: null, context, of, page });
      return {
        ...paged(answered),
        results: results.map(({ id, obligations }) => ({ type: wanted.type, id, ...duties(obligations) })),
      };
    },
  );

  app.post<{ Body: ResourceSearch }>(
    '/access/v1/search/resource',
    {
      config: { right: 'search' },
      schema: {
        ...describe('searchResources'),
        body: shared('ResourceSearch'),
        response: { 200: shared('SearchAnswer') },
      },
    },
    async (request) => {
      const { set } = askingOf(request);
      const { action, resource: wanted, page } = request.body;
      const context = circumstancesOf(request.body.action, request.body.context);
      checkQuestion(set, { action, resource: { ...wanted, id: ANY }, context }, '');
      const named = await subjectOf(request, request.body);
      const { type, properties = NOTHING } = wanted;
      const sought = { kind: 'resource', type, properties, subject: named.subject, action: action.name } as const;
      const of = { kind: 'resource', type, properties, action, subject: request.body.subject, context };
      const { results, page: answered } = await find(request, { sought, subject: named, context, of, page });
      return {
        ...paged(answered),
        results: results.map(({ id, obligations }) => ({ type, id, ...duties(obligations) })),
      };
    },
  );

  app.post<{ Body: ActionSearch }>(
    '/access/v1/search/action',
    {
      config: { right: 'search' },
      schema: {
        ...describe('searchActions'),
        body: shared('ActionSearch'),
        response: { 200: shared('ActionsAnswer') },
      },
    },
    async (request) => {
      const { set } = askingOf(request);
      const { resource, page } = request.body;
      const context = request.body.context ?? NOTHING;
      checkQuestion(set, { action: { name: ANY }, resource, context }, '');
      const named = await subjectOf(request, request.body);
      const about = { type: resource.type, id: resource.id, properties: resource.properties ?? NOTHING };
      const sought = { kind: 'action', subject: named.subject, resource: about } as const;
      const of = { kind: 'action', subject: request.body.subject, resource: about, context };
      const { results, page: answered } = await find(request, { sought, subject: named, context, of, page });
      return {
        ...paged(answered),
        results: results.map(({ id, obligations }) => ({ name: id, ...duties(obligations) })),
      };
    },
  );
  done();
}

/** A person whom a caller names has to be one that policy data knows (section 8: nobody is found for who is not known). */
function isKnownTo({ data }: PolicySet, { subject, isStranger }: NamedSubject): boolean {
  return !isStranger && (subject.evidence.kind !== 'vouched' || data.directory.has(subject.id));
}

/** Obligations profile, section 3.3: each result has its own. */
function duties(all: readonly ObligationResult[]): { readonly obligations?: StandardObligation[] } {
  const obligations = toFulfil(all);
  return obligations.length === 0 ? {} : { obligations: [...obligations] };
}

function paged(page: SearchPage | null): { readonly page?: SearchPage } {
  return page === null ? {} : { page };
}
