// Searches once more what a record says was searched, in the policy set it names. It must never call the same what finds one result more
// or less.
import { findEntities, resultsHash, type EntityQuestion, type Sought } from './entity-search.ts';
import type { PolicySet } from './policy-set.ts';
import { isObject, type JsonObject } from './recorded-request.ts';
import { textOf } from './reading/row.ts';
import { parseTimestamp } from './time.ts';
import { vouchOf } from './vouch.ts';

export interface SearchedAgain {
  /** By path of the record's member: as recorded, and as found now. */
  readonly members: readonly (readonly [path: string, recorded: unknown, found: unknown])[];
}

/** Names what the record lacks where it cannot be searched again. */
export function searchAgain(set: PolicySet, record: JsonObject): SearchedAgain | { readonly lacks: readonly string[] } {
  const part = (name: string): JsonObject => {
    const value = record[name];
    return isObject(value) ? value : {};
  };
  const [search, subject, resource, caller] = [part('search'), part('subject'), part('resource'), part('caller')];
  const now = parseTimestamp(String(record['at']));
  const sought = soughtOf(set, record, { search, subject, resource, caller });
  const { limit, after, is_known: isKnown } = search;
  const lacks = [
    ...(now === undefined ? ['at'] : []),
    ...(typeof limit === 'number' ? [] : ['search.limit']),
    ...(typeof isKnown === 'boolean' ? [] : ['search.is_known']),
    ...(after === null || typeof after === 'string' ? [] : ['search.after']),
    ...(sought === null ? ['search.kind'] : []),
  ];
  if (lacks.length > 0 || now === undefined || sought === null || typeof limit !== 'number') return { lacks };
  const question: EntityQuestion = {
    actor: textOf(subject['actor']),
    sourceSystem: textOf(caller['source_system']) ?? '',
    context: part('context'),
    supports: Array.isArray(search['supports']) ? search['supports'].map(String) : [],
    now,
    isKnown: isKnown === true,
    sought,
  };
  const work = findEntities(set, question, textOf(after), limit);
  let step = work.next();
  while (step.done !== true) step = work.next();
  const { results, next, matter, client } = step.value;
  return {
    members: [
      ['matter', record['matter'], matter],
      ['client', record['client'], client],
      ['search.found', search['found'], results.length],
      ['search.hash', search['hash'], resultsHash(results)],
      ['search.is_complete', search['is_complete'], next === null],
    ],
  };
}

interface Parts {
  readonly search: JsonObject;
  readonly subject: JsonObject;
  readonly resource: JsonObject;
  readonly caller: JsonObject;
}

function soughtOf(set: PolicySet, record: JsonObject, { search, subject, resource, caller }: Parts): Sought | null {
  const properties = isObject(resource['properties']) ? resource['properties'] : {};
  const attributes = isObject(subject['attributes']) ? subject['attributes'] : {};
  const [type, id, action] = [textOf(resource['type']), textOf(resource['id']), textOf(record['action'])];
  const who = { id: textOf(subject['id']) ?? '', attributes };
  const about = type === null || id === null ? null : { type, id, properties };
  switch (search['kind']) {
    case 'subject': {
      const vouch = vouchOf(set, caller['id']);
      const wanted = textOf(search['type']);
      if (about === null || action === null || wanted === null) return null;
      return { kind: 'subject', type: wanted, properties: attributes, vouch, action, resource: about };
    }
    case 'resource':
      return type === null || action === null ? null : { kind: 'resource', type, properties, subject: who, action };
    case 'action':
      return about === null ? null : { kind: 'action', subject: who, resource: about };
    default:
      return null;
  }
}
