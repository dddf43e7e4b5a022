// What searches and exports of the log share: who reads, whether policy lets them, which rows. It must never let what stands behind a
// wall of the reader answer differently from what nobody has ever heard of.
import type { FastifyRequest } from 'fastify';
import type { AuthorizeDeps } from '../authorize.ts';
import { resourceKey } from '../core/merge-data.ts';
import type { PolicySet } from '../core/policy-set.ts';
import { placesNoted } from '../core/reading/reading-places.ts';
import type { Search } from '../core/reading/search.ts';
import type { LogQuery } from '../io/reports/search.ts';
import { askingOf, type Gate } from './authenticate.ts';
import { NOWHERE, placesOf, readerOf, type Place, type Reader, type ReadingQuestion } from './own-question.ts';

export interface LogReading {
  readonly reader: Reader;
  readonly set: PolicySet;
  /** The reading as a whole, with the matter and client it asks for, under which it is recorded. */
  readonly question: ReadingQuestion;
  /** False: the reader is told that nothing is here. Says nothing about a matter or client that was asked for. */
  readonly isOpen: boolean;
  readonly query: LogQuery;
  readonly permits: RowPermits;
}

export interface RowPermits {
  at(id: string, matter: string | null, client: string | null): boolean;
  record(id: string, record: Readonly<Record<string, unknown>>): boolean;
}

/** No matter or client has it, for it is no id that a door would take. */
const UNHEARD_OF = '\u0000';

export async function openReading(
  gate: Gate,
  deps: AuthorizeDeps,
  request: FastifyRequest,
  search: Search,
  isExport: boolean,
): Promise<LogReading> {
  const { set } = askingOf(request);
  const reader = await readerOf(gate, deps, request);
  const question = search.view === 'log' ? aboutLog(set, search, isExport) : aboutReport(set, search, isExport);
  const isPermitted = reader.permits(question);
  const hidden = reader.hidden(question);
  return {
    reader,
    set,
    question,
    isOpen: isPermitted || wouldBeOpen(reader, question, search),
    query: { ...search, hidden, isVoid: !isPermitted },
    permits: rowPermits(reader, set, question, deps.clock),
  };
}

/** A record of the reading bears the matter that was asked for, so that it is read by those who may read of that matter. */
function aboutLog(set: PolicySet, { filter }: Search, isExport: boolean): ReadingQuestion {
  const { matter, client } = filter;
  const asked = matter === undefined && client === undefined ? [] : placesOf(set, matter, client);
  const resource = { type: 'decision_log', id: isExport ? 'export' : 'search' };
  return { action: isExport ? 'export' : 'list', resource, places: [...asked, ...NOWHERE] };
}

function aboutReport(set: PolicySet, { filter }: Search, isExport: boolean): ReadingQuestion {
  const { matter = '', client = set.data.matters.get(matter)?.clientId } = filter;
  const resource = { type: 'access_report', id: matter };
  return { action: isExport ? 'export' : 'read', resource, places: placesOf(set, matter, client) };
}

/** Whether the same would be open about matters and clients that do not exist. */
function wouldBeOpen(reader: Reader, question: ReadingQuestion, { view, filter }: Search): boolean {
  if (view === 'log') return reader.permits({ ...question, places: NOWHERE });
  const resource = { ...question.resource, id: UNHEARD_OF };
  const clients = filter.client === undefined ? [undefined] : [filter.client, UNHEARD_OF];
  return clients.some((client) => {
    const place: Place = { matter_id: UNHEARD_OF, ...(client === undefined ? {} : { client_id: client }) };
    return reader.permits({ ...question, resource, places: [place] });
  });
}

const FRESH_MS = 1_000;
const MOST_VERDICTS = 20_000;

const ofLog = new WeakMap<PolicySet, boolean>();

/** Whether policy data says anything of single records: it hardly ever does, and then no row needs to be looked up there. */
function hasOfType(set: PolicySet, type: string): boolean {
  let found = ofLog.get(set);
  if (found === undefined) {
    const prefix = resourceKey(type, '');
    found = set.data.resources.keys().some((key) => key.startsWith(prefix));
    ofLog.set(set, found);
  }
  return found;
}

/** Rows of one matter and client are judged once a second, where policy does not look at single records. */
function rowPermits(
  reader: Reader,
  set: PolicySet,
  { action, resource: { type, id: ofAll } }: ReadingQuestion,
  clock: { now(): number },
): RowPermits {
  const isOfLog = type === 'decision_log';
  const isOneOnFile = isOfLog && hasOfType(set, type);
  const verdicts = new Map<string, boolean | null>();
  let until = Number.NEGATIVE_INFINITY;
  /** Of the place that was judged last: rows of one request follow each other. */
  let last: { readonly matter: string | null; readonly client: string | null; readonly verdict: boolean } | null = null;

  function at(rowId: string, matter: string | null, client: string | null): boolean {
    const id = isOfLog ? rowId : ofAll;
    const question = (): ReadingQuestion => ({ action, resource: { type, id }, places: placesOf(set, matter, client) });
    if (isOneOnFile && set.data.resources.has(resourceKey(type, id))) return reader.permits(question());
    const now = clock.now();
    if (now >= until || now < until - FRESH_MS || verdicts.size > MOST_VERDICTS) {
      verdicts.clear();
      last = null;
      until = now + FRESH_MS;
    }
    if (last !== null && last.matter === matter && last.client === client) return last.verdict;
    const key = `${matter === null ? '-' : `=${matter}`}\u0000${client === null ? '-' : `=${client}`}`;
    let verdict = verdicts.get(key);
    if (verdict === undefined) {
      verdict = isOfLog ? reader.verdict(question()) : reader.permits(question());
      verdicts.set(key, verdict);
    }
    if (verdict === null) return reader.permits(question());
    last = { matter, client, verdict };
    return verdict;
  }

  return {
    at,
    record: (id, record) =>
      at(id, textOf(record['matter']), textOf(record['client'])) &&
      placesNoted(set, record).every(({ matter, client }) => at(id, matter, client)),
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
