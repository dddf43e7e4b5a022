// Decides once more what a record says was decided, from the record and the policy set it names. It must never take anything from
// elsewhere, nor call a decision the same that differs in a single rule.
import type { RecordKind } from '../model/record.ts';
import { judgeApproval } from './approve.ts';
import { decide } from './decide.ts';
import { decideWithFields } from './fields.ts';
import { judgeReview } from './judge-review.ts';
import type { PolicySet } from './policy-set.ts';
import { approvalEntry } from './record/approval-record.ts';
import { canonicalize } from './record/canonical.ts';
import { ABILITY_SEARCH } from './record/abilities-record.ts';
import { decisionEntry, ENGINE_VERSION } from './record/decision-record.ts';
import { RECORD_VERSION } from './record/envelope.ts';
import { SHADOW_SEARCH } from './record/shadow-record.ts';
import { isObject, readRecorded, type JsonObject, type Recorded } from './recorded-request.ts';
import { hintedAgain } from './replay-abilities.ts';
import { filterAgain } from './replay-filter.ts';
import { searchAgain } from './replay-search.ts';
import { shadowAgain } from './replay-shadow.ts';
import { underTerms } from './terms.ts';

/** Kinds of records that hold a decision. */
export const DECIDING_KINDS: readonly RecordKind[] = ['decision', 'read', 'search', 'filter', 'approval'];

export interface Difference {
  /** Path of the record's member, such as `rules`. */
  readonly member: string;
  readonly recorded: unknown;
  readonly replayed: unknown;
}

export interface Replay {
  readonly result: 'same' | 'different' | 'not_recorded';
  readonly differences: readonly Difference[];
  /** What the record would have to hold. */
  readonly lacks: readonly string[];
  /** The engine that decided, where it is not this one: a difference may come from there. */
  readonly engine: string | null;
}

/** What is compared: what was read, as the set keeps it, and everything that was concluded. */
const MEMBERS: readonly (readonly string[])[] = [
  ['subject', 'attributes'],
  ['resource', 'properties'],
  ['context'],
  ['free_text'],
  ['matter'],
  ['client'],
  ['on_file'],
  ['outcome'],
  ['decided_by'],
  ['rules'],
  ['walls'],
  ['grants'],
  ['obligations'],
  ['duties'],
  ['advice'],
  ['missing'],
];

const NOBODY = { kind: 'test', issuer: null, tokenId: null, keyId: null, claimsHash: null, droppedRoles: [] } as const;

export function notRecorded(lacks: readonly string[]): Replay {
  return { result: 'not_recorded', differences: [], lacks, engine: null };
}

/** @param set compiled from what was kept under the revision that the record names */
export function replay(set: PolicySet, record: JsonObject): Replay {
  const { kind, v } = record;
  if (v !== RECORD_VERSION) return notRecorded([`v: records of version ${String(v)} are not known here`]);
  if (!DECIDING_KINDS.some((one) => one === kind)) return notRecorded(['a decision']);
  if (kind === 'search') {
    const sought = isObject(record['search']) ? record['search']['kind'] : null;
    if (sought === ABILITY_SEARCH) return replayAnswer(set, record, hintedAgain(set, record));
    if (sought === SHADOW_SEARCH) return replayAnswer(set, record, shadowAgain(set, record));
    return replayAnswer(set, record, searchAgain(set, record));
  }
  if (kind === 'filter') return replayAnswer(set, record, filterAgain(set, record));
  const { said, lacks } = readRecorded(set, record);
  if (said === null) return notRecorded(lacks);
  const again = writeAgain(set, said);
  if (again === null) return notRecorded(['approval']);

  const members = [
    ...MEMBERS,
    ...(said.withFields ? [['fields']] : []),
    ...(said.approval === null ? [] : [['approval', 'roles']]),
  ];
  const differences = members.flatMap((path): readonly Difference[] => {
    const [recorded, replayed] = [record, again].map((one) => comparable(set, path, one));
    if (canonicalize(recorded ?? null) === canonicalize(replayed ?? null)) return [];
    return [{ member: path.join('.'), recorded: recorded ?? null, replayed: replayed ?? null }];
  });
  if (said.revision !== set.revision) {
    differences.unshift({ member: 'policy.revision', recorded: said.revision, replayed: set.revision });
  }
  return {
    result: differences.length === 0 ? 'same' : 'different',
    differences,
    lacks: [],
    engine: said.engine === ENGINE_VERSION ? null : said.engine,
  };
}

/** Of questions whose answer is no decision. */
function replayAnswer(set: PolicySet, record: JsonObject, again: ReturnType<typeof searchAgain>): Replay {
  if ('lacks' in again) return notRecorded(again.lacks);
  const policy = isObject(record['policy']) ? record['policy'] : {};
  const { revision, engine } = policy;
  const members = [['policy.revision', revision, set.revision] as const, ...again.members];
  const differences = members.flatMap(([member, recorded, replayed]): readonly Difference[] =>
    recorded === replayed ? [] : [{ member, recorded: recorded ?? null, replayed }],
  );
  const result = differences.length === 0 ? 'same' : 'different';
  return { result, differences, lacks: [], engine: engine === ENGINE_VERSION ? null : String(engine) };
}

/** The body of the record that the same request would leave now. */
function writeAgain(set: PolicySet, { request, approval, review, withFields, terms }: Recorded): JsonObject | null {
  const { subject, actor, sourceSystem } = request;
  const event = {
    id: '',
    request,
    subject: { ...subject, actor, evidence: NOBODY },
    caller: { id: '', sourceSystem: sourceSystem ?? '', rights: new Set<never>(), own: true, aiAssistant: null },
    requestId: '',
    traceId: null,
    approvalIds: [],
    durationUs: 0,
  };
  if (approval !== null) {
    const verdict = judgeApproval(set, request, approval.requester, approval.expiresAt);
    return approvalEntry(set, { ...event, verdict, ...approval }).body;
  }
  if (review !== null) {
    return decisionEntry(set, { ...event, decision: judgeReview(set, request, review.accessedBy) }).body;
  }
  if (terms !== null) {
    return decisionEntry(set, { ...event, decision: underTerms(decide(set, request), terms), terms }).body;
  }
  if (!withFields) return decisionEntry(set, { ...event, decision: decide(set, request) }).body;
  return decisionEntry(set, { ...event, ...decideWithFields(set, request) }).body;
}

/** What callers should have sent shows only of attributes that rules read: the record keeps no others. */
function comparable(set: PolicySet, path: readonly string[], body: JsonObject): unknown {
  const value = path.reduce<unknown>((from, name) => (isObject(from) ? from[name] : undefined), body);
  if (path[0] !== 'missing' || !Array.isArray(value)) return value;
  const unread = unreadPaths(set);
  return value.filter((one) => !unread.some((name) => one === name || String(one).startsWith(`${name}.`)));
}

const unreadBySet = new WeakMap<PolicySet, readonly string[]>();

function unreadPaths(set: PolicySet): readonly string[] {
  let unread = unreadBySet.get(set);
  if (unread === undefined) {
    const read = new Set(set.recorded);
    unread = set.firm.dictionary.declared.filter((one) => !read.has(one)).map(({ path }) => path);
    unreadBySet.set(set, unread);
  }
  return unread;
}
