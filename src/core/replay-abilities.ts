// Makes once more the hint that a record says was given, in the policy set it names. It must never call the same what has one rule more or
// less.
import { abilitiesOf } from './abilities.ts';
import type { PolicySet } from './policy-set.ts';
import { abilitiesHash } from './record/abilities-record.ts';
import { isObject, type JsonObject } from './recorded-request.ts';
import type { SearchedAgain } from './replay-search.ts';
import { textOf } from './reading/row.ts';
import { parseTimestamp } from './time.ts';

/** Names what the record lacks where the hint cannot be made again. */
export function hintedAgain(set: PolicySet, record: JsonObject): SearchedAgain | { readonly lacks: readonly string[] } {
  const part = (of: JsonObject, name: string): JsonObject => {
    const value = of[name];
    return isObject(value) ? value : {};
  };
  const [search, subject, caller] = [part(record, 'search'), part(record, 'subject'), part(record, 'caller')];
  const now = parseTimestamp(String(record['at']));
  const id = textOf(subject['id']);
  if (now === undefined || id === null) return { lacks: [now === undefined ? 'at' : 'subject.id'] };
  const abilities = abilitiesOf(set, {
    subject: { id, attributes: part(subject, 'attributes') },
    actor: textOf(subject['actor']),
    context: part(record, 'context'),
    sourceSystem: textOf(caller['source_system']),
    now,
  });
  return {
    members: [
      ['search.found', search['found'], abilities.length],
      ['search.hash', search['hash'], abilitiesHash(abilities)],
    ],
  };
}
