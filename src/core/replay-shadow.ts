// Decides once more what a dry run says it would have answered, in the shadow set that its record names. It must never call the same what
// differs in a single rule.
import { decide } from './decide.ts';
import type { PolicySet } from './policy-set.ts';
import { decideWithFields } from './fields.ts';
import { canonicalize } from './record/canonical.ts';
import { isObject, readRecorded, type JsonObject } from './recorded-request.ts';
import type { SearchedAgain } from './replay-search.ts';
import { underTerms } from './terms.ts';

/** Names what the record lacks where it cannot be decided again. */
export function shadowAgain(set: PolicySet, record: JsonObject): SearchedAgain | { readonly lacks: readonly string[] } {
  const search = isObject(record['search']) ? record['search'] : {};
  const { said, lacks } = readRecorded(set, { ...record, at: search['at'] });
  if (said === null) return { lacks: lacks.map((path) => (path === 'at' ? 'search.at' : path)) };
  const { request, terms, withFields } = said;
  const decided = withFields ? decideWithFields(set, request).decision : decide(set, request);
  const decision = terms === null ? decided : underTerms(decided, terms);
  const compared = (name: string, found: unknown) =>
    [`search.${name}`, canonicalize(search[name] ?? null), canonicalize(found)] as const;
  return {
    members: [
      compared('outcome', decision.outcome),
      compared('decided_by', decision.decidedBy),
      compared('rules', decision.results),
      compared('walls', decision.walls),
      compared('grants', decision.grants),
    ],
  };
}
