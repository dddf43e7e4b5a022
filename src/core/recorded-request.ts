// Reads out of a record the request that was decided. It must never fill in what the record does not say.
import type { DecisionRequest } from '../model/decision.ts';
import type { CarriedNamespace } from './facts-plan.ts';
import type { PolicySet } from './policy-set.ts';
import { isTemplate, type AccessRequest } from './access-request.ts';
import type { Terms } from './terms.ts';
import { parseTimestamp } from './time.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export interface Recorded {
  readonly request: DecisionRequest;
  readonly revision: string;
  readonly engine: string;
  /** Of records of approvals, given or refused. */
  readonly approval: { readonly requester: string; readonly expiresAt: number } | null;
  /** Of records of reviews, accepted or refused. */
  readonly review: { readonly accessedBy: string | null } | null;
  readonly withFields: boolean;
  /** Of questions in AuthZEN's words. */
  readonly terms: Terms | null;
}

type Read<T> = (value: unknown) => T | undefined;

const text: Read<string> = (value) => (typeof value === 'string' ? value : undefined);
const textOrNull: Read<string | null> = (value) => (value === null ? null : text(value));
const object: Read<JsonObject> = (value) => (isObject(value) ? value : undefined);
const time: Read<number> = (value) => (typeof value === 'string' ? parseTimestamp(value) : undefined);
const anything: Read<unknown> = (value) => value;
const flag: Read<boolean> = (value) => (typeof value === 'boolean' ? value : undefined);
const accessRequest: Read<AccessRequest> = (value) => {
  const { denial, template, until, isStated } = object(value) ?? {};
  const [from, end, stated] = [text(denial), time(until), flag(isStated)];
  if (from === undefined || end === undefined || stated === undefined || !isTemplate(template)) return undefined;
  return { denial: from, template, until: end, isStated: stated };
};
const texts: Read<readonly string[]> = (value) =>
  Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;

/** `lacks` names the members that are missing or of no use; the request is null unless there are none. */
export function readRecorded(
  set: PolicySet,
  record: JsonObject,
): { readonly said: Recorded | null; readonly lacks: readonly string[] } {
  const lacks: string[] = [];
  const read = <T>(path: readonly string[], as: Read<T>): T | undefined => {
    const value = as(path.reduce<unknown>((from, name) => (isObject(from) ? from[name] : undefined), record));
    if (value === undefined) lacks.push(path.join('.'));
    return value;
  };
  const values = (path: readonly string[], namespace: CarriedNamespace): JsonObject | undefined => {
    const found = read(path, object);
    if (found === undefined) return undefined;
    // Absence is explicit: what a rule reads and the record does not name was not recorded.
    for (const name in set.plan.unstated[namespace]) {
      if (!Object.hasOwn(found, name)) lacks.push([...path, name].join('.'));
    }
    return found;
  };

  const now = read(['at'], time);
  const action = read(['action'], text);
  const id = read(['subject', 'id'], text);
  const attributes = values(['subject', 'attributes'], 'subject');
  const actor = read(['subject', 'actor'], textOrNull);
  const type = read(['resource', 'type'], text);
  const resourceId = read(['resource', 'id'], text);
  const properties = values(['resource', 'properties'], 'resource');
  const context = values(['context'], 'context');
  const sourceSystem = read(['caller', 'source_system'], textOrNull);
  const approvals = read(['approvals', 'proven'], anything);
  const hasTerms = record['terms'] !== undefined;
  const isStranger = hasTerms ? read(['terms', 'stranger'], flag) : false;
  const supports = hasTerms ? read(['terms', 'supports'], texts) : [];
  const terms = object(record['terms']) ?? {};
  const request = terms['request'] === undefined ? undefined : read(['terms', 'request'], accessRequest);
  const revision = read(['policy', 'revision'], text);
  const engine = read(['policy', 'engine'], text);
  const isReview = record['kind'] === 'approval' && isObject(record['review']);
  const accessedBy = isReview ? read(['review', 'accessed_by'], textOrNull) : null;
  const isApproval = record['kind'] === 'approval' && !isReview;
  const requester = isApproval ? read(['approval', 'requester'], text) : '';
  const expiresAt = isApproval ? read(['approval', 'expires_at'], time) : 0;
  if (
    lacks.length > 0 ||
    now === undefined ||
    action === undefined ||
    id === undefined ||
    attributes === undefined ||
    actor === undefined ||
    type === undefined ||
    resourceId === undefined ||
    properties === undefined ||
    context === undefined ||
    sourceSystem === undefined ||
    isStranger === undefined ||
    supports === undefined ||
    revision === undefined ||
    engine === undefined ||
    accessedBy === undefined ||
    requester === undefined ||
    expiresAt === undefined
  ) {
    return { said: null, lacks };
  }
  const resource = { type, id: resourceId, properties };
  return {
    said: {
      request: { subject: { id, attributes }, actor, action, resource, context, sourceSystem, approvals, now },
      revision,
      engine,
      approval: isApproval ? { requester, expiresAt } : null,
      review: isReview ? { accessedBy } : null,
      withFields: Array.isArray(record['fields']),
      terms: hasTerms
        ? {
            isStranger,
            supports,
            ...(request === undefined ? {} : { request }),
            ...(terms['unrouted'] === true ? { isUnrouted: true } : {}),
          }
        : null,
    },
    lacks,
  };
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
