// Decides what a record says was asked once more, under a candidate set, and says whether somebody would now be let in or shut out. It must
// never call the same what it could not judge.
import type { Decision } from '../../../src/model/decision.ts';
import { judgeApproval } from '../../../src/core/approve.ts';
import { decide } from '../../../src/core/decide.ts';
import { decideWithFields, type FieldDecision } from '../../../src/core/fields.ts';
import { judgeReview } from '../../../src/core/judge-review.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { textOf, textsOf } from '../../../src/core/reading/row.ts';
import { ENGINE_VERSION } from '../../../src/core/record/decision-record.ts';
import { RECORD_VERSION } from '../../../src/core/record/envelope.ts';
import { isObject, readRecorded, type JsonObject, type Recorded } from '../../../src/core/recorded-request.ts';
import { underTerms } from '../../../src/core/terms.ts';
import { createCompleter } from './question.ts';

export type Direction = 'newly_allowed' | 'newly_denied';

export interface Change {
  readonly direction: Direction;
  /** Of a question about the fields of a resource; null: about the resource itself. */
  readonly field: string | null;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** `file:line` of the first of `after`; null where it is no rule or wall of a file. */
  readonly source: string | null;
}

export type Reason =
  | 'attribute_not_recorded'
  | 'payload_purged'
  | 'data_not_kept'
  | 'not_a_decision'
  | 'other_engine'
  | 'other_version'
  | 'unreadable';

export type Judged =
  | { readonly result: 'same'; readonly otherReasons: boolean }
  | { readonly result: 'flipped'; readonly changes: readonly Change[] }
  | { readonly result: 'not_judged'; readonly reason: Reason; readonly what: string };

export interface Judge {
  of(record: JsonObject): Judged;
}

const SAME: Judged = { result: 'same', otherReasons: false };
const FOR_OTHER_REASONS: Judged = { result: 'same', otherReasons: true };
/** What decides where something is unknown. */
const UNKNOWN = 'attribute-missing';
const NO_FIELDS: readonly FieldDecision[] = [];

export function createJudge(set: PolicySet): Judge {
  const completer = createCompleter(set);
  return {
    of(record) {
      const { v, kind } = record;
      if (v !== RECORD_VERSION) return notJudged('other_version', `records of version ${String(v)}`);
      if (kind !== 'decision' && kind !== 'read' && kind !== 'approval') return noDecision(record);
      const { engine } = isObject(record['policy']) ? record['policy'] : record;
      if (engine !== ENGINE_VERSION) return notJudged('other_engine', `decided by engine ${String(engine)}`);
      const { record: completed, unknown } = completer.complete(record);
      const { said, lacks } = readRecorded(set, completed);
      const { outcome } = record;
      if (said === null) return notJudged('unreadable', `the record lacks ${lacks[0] ?? ''}`);
      if (outcome !== 'allow' && outcome !== 'deny') return notJudged('unreadable', 'the record lacks outcome');

      const { decision, fields } = decideAgain(set, said);
      if (unknown.length > 0 && !isCertain(decision, said)) {
        return notJudged('attribute_not_recorded', `the candidate reads ${unknown.join(', ')}`);
      }
      const before = record['decided_by'];
      const changes = fields.length === 0 ? null : fieldChanges(record, fields, unknown.length > 0);
      if (decision.outcome === outcome && (changes === null || changes.length === 0)) {
        // What is not known could be among the reasons.
        return unknown.length > 0 || isSameList(before, decision.decidedBy) ? SAME : FOR_OTHER_REASONS;
      }
      const own = decision.outcome === outcome ? [] : [changeOf(decision, null, textsOf(before))];
      return { result: 'flipped', changes: [...own, ...(changes ?? [])] };
    },
  };
}

function decideAgain(
  set: PolicySet,
  { request, approval, review, withFields, terms }: Recorded,
): { readonly decision: Decision; readonly fields: readonly FieldDecision[] } {
  if (approval !== null) {
    const { decision } = judgeApproval(set, request, approval.requester, approval.expiresAt);
    return { decision, fields: NO_FIELDS };
  }
  if (review !== null) return { decision: judgeReview(set, request, review.accessedBy), fields: NO_FIELDS };
  if (terms !== null) return { decision: underTerms(decide(set, request), terms), fields: NO_FIELDS };
  return withFields ? decideWithFields(set, request) : { decision: decide(set, request), fields: NO_FIELDS };
}

/**
 * Whether the outcome is the same whatever the unknown attributes were. Three-valued logic is monotonic: what is true or false with
 * something unknown stays so once it is known, so only what was decided for lack of an attribute may turn.
 */
function isCertain({ outcome, decidedBy, results }: Decision, { approval, review, terms }: Recorded): boolean {
  if (approval !== null || review !== null) return false;
  if (decidedBy.includes(UNKNOWN)) return false;
  // Another allow that turned out to be true could bring an obligation that the caller does not fulfil.
  return terms === null || outcome === 'deny' || results.every(({ truth }) => truth === 'true');
}

function fieldChanges(record: JsonObject, fields: readonly FieldDecision[], isPartly: boolean): readonly Change[] {
  const listed: readonly unknown[] = Array.isArray(record['fields']) ? record['fields'] : [];
  const recorded = new Map(listed.filter(isObject).map((one) => [one['field'], one] as const));
  return fields.flatMap(({ field, outcome, decidedBy }): readonly Change[] => {
    const was = recorded.get(field);
    // A field that was not protected was not asked about.
    if (was === undefined || was['outcome'] === outcome || (isPartly && decidedBy.includes(UNKNOWN))) return [];
    return [changeOf({ outcome, decidedBy, results: [] }, field, textsOf(was['decided_by']))];
  });
}

function changeOf(
  { outcome, decidedBy, results }: Pick<Decision, 'outcome' | 'decidedBy' | 'results'>,
  field: string | null,
  before: readonly string[],
): Change {
  const direction = outcome === 'allow' ? 'newly_allowed' : 'newly_denied';
  const source = results.find(({ rule, truth }) => truth === 'true' && rule === decidedBy[0])?.source ?? null;
  return { direction, field, before, after: decidedBy, source };
}

function noDecision({ kind, search }: JsonObject): Judged {
  const what = kind === 'search' && isObject(search) ? `${textOf(search['kind']) ?? 'entity'} searches` : String(kind);
  return notJudged('not_a_decision', kind === 'filter' ? 'list filters' : what);
}

function notJudged(reason: Reason, what: string): Judged {
  return { result: 'not_judged', reason, what };
}

function isSameList(recorded: unknown, decided: readonly string[]): boolean {
  if (!Array.isArray(recorded) || recorded.length !== decided.length) return false;
  for (let index = 0; index < decided.length; index++) if (recorded[index] !== decided[index]) return false;
  return true;
}
