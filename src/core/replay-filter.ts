// Makes once more the filter that a record says was given, from the policy set it names. It must never call the same what is another
// condition.
import { FILTER_TARGETS, type FilterTarget } from '../model/filter.ts';
import { PrivityError } from '../model/errors.ts';
import { deriveFilter, type Filter, type FilterForm, type FilterQuestion } from './filter/filter.ts';
import type { PolicySet } from './policy-set.ts';
import { placeOfFilter } from './record/filter-record.ts';
import { isObject, type JsonObject } from './recorded-request.ts';
import { textOf } from './reading/row.ts';
import type { SearchedAgain } from './replay-search.ts';
import { parseTimestamp } from './time.ts';

/** Names what the record lacks where the filter cannot be made again. */
export function filterAgain(set: PolicySet, record: JsonObject): SearchedAgain | { readonly lacks: readonly string[] } {
  const part = (name: string): JsonObject => objectOf(record[name]);
  const [filter, subject, resource, caller] = [part('filter'), part('subject'), part('resource'), part('caller')];
  const now = parseTimestamp(String(record['at']));
  const form = formOf(filter);
  const [action, type, id] = [textOf(record['action']), textOf(resource['type']), textOf(subject['id'])];
  const lacks = [
    ...(now === undefined ? ['at'] : []),
    ...(form === null ? ['filter'] : []),
    ...(action === null ? ['action'] : []),
    ...(type === null ? ['resource.type'] : []),
    ...(id === null ? ['subject.id'] : []),
  ];
  if (now === undefined || form === null || action === null || type === null || id === null) return { lacks };
  const question: FilterQuestion = {
    subject: { id, attributes: objectOf(subject['attributes']) },
    actor: textOf(subject['actor']),
    action,
    resource: { type, properties: objectOf(resource['properties']) },
    context: part('context'),
    sourceSystem: textOf(caller['source_system']),
    now,
  };
  const again = derive(set, question, form);
  const { matter, client } = placeOfFilter(set, question);
  return {
    members: [
      ['matter', record['matter'], matter],
      ['client', record['client'], client],
      ['filter.kind', filter['kind'], again?.kind ?? null],
      ['filter.hash', filter['hash'], again?.hash ?? null],
      ['filter.conditions', filter['conditions'], again?.conditions ?? null],
    ],
  };
}

function derive(set: PolicySet, question: FilterQuestion, form: FilterForm): Filter | null {
  try {
    const work = deriveFilter(set, question, form);
    let step = work.next();
    while (step.done !== true) step = work.next();
    return step.value;
  } catch (error) {
    if (error instanceof PrivityError && error.code === 'filter_not_translatable') return null;
    throw error;
  }
}

function formOf(filter: JsonObject): FilterForm | null {
  const target = FILTER_TARGETS.find((one): one is FilterTarget => one === filter['target']);
  const columns = textsOf(filter['columns']);
  const { first_parameter: firstParameter, matters } = filter;
  if (target === undefined || columns['id'] === undefined || typeof firstParameter !== 'number') return null;
  if (!isObject(matters)) return { target, mapping: { columns, matters: null }, matters: null, firstParameter };
  const [table, id, named] = [textOf(matters['table']), textOf(matters['id']), textsOf(matters['columns'])];
  if (table === null || id === null) return null;
  return { target, mapping: { columns, matters: named }, matters: { table, id }, firstParameter };
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(objectOf(value));
  return Object.fromEntries(
    entries.flatMap(([name, text]) => (typeof text === 'string' ? [[name, text] as const] : [])),
  );
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
