// What a record says was decided, decided again from its bytes alone: the same, or the difference, or what the record lacks.
import fc from 'fast-check';
import t from 'tap';
import { judgeApproval } from '../../src/core/approve.ts';
import { decide } from '../../src/core/decide.ts';
import { decideWithFields } from '../../src/core/fields.ts';
import { approvalEntry } from '../../src/core/record/approval-record.ts';
import { decisionEntry } from '../../src/core/record/decision-record.ts';
import { bodyMembers, recordText } from '../../src/core/record/envelope.ts';
import { randomNonce, uuidv7 } from '../../src/core/record/uuid.ts';
import { isObject, type JsonObject } from '../../src/core/recorded-request.ts';
import { DECIDING_KINDS, replay, type Replay } from '../../src/core/replay.ts';
import type { DecisionRequest } from '../../src/model/decision.ts';
import type { RecordEntry } from '../../src/model/record.ts';
import { compiled, starterFiles, starterPolicies } from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';
import { STARTER_CASES, starterRequests } from '../helpers/starter-requests.ts';

const set = starterPolicies();
type Way = 'decision' | 'fields' | 'approval';

function event(request: DecisionRequest) {
  const evidence = { kind: 'token', issuer: 'i', tokenId: 'j', keyId: 'k', claimsHash: 'h', droppedRoles: [] } as const;
  return {
    id: uuidv7(request.now),
    request,
    subject: { ...request.subject, actor: request.actor, evidence },
    caller: { id: 'dms', sourceSystem: 'dms', rights: new Set<never>(), own: true, aiAssistant: null },
    requestId: 'r-1',
    traceId: null,
    approvalIds: [],
    durationUs: 5,
  };
}

function entryOf(request: DecisionRequest, way: Way): RecordEntry {
  const made = event(request);
  if (way === 'fields') return decisionEntry(set, { ...made, ...decideWithFields(set, request) });
  if (way === 'decision') return decisionEntry(set, { ...made, decision: decide(set, request) });
  const expiresAt = request.now + 60_000;
  const verdict = judgeApproval(set, request, 'u-lind', expiresAt);
  return approvalEntry(set, { ...made, verdict, requester: 'u-lind', expiresAt });
}

/** The record as it comes back from its bytes. The service's clock gives whole milliseconds, its doors a list of approvals. */
function recordOf(base: DecisionRequest, way: Way = 'decision'): JsonObject {
  const entry = entryOf({ ...base, now: Math.floor(base.now), approvals: base.approvals ?? [] }, way);
  const { kind, id, at, body } = entry;
  const envelope = { kind, id, at, writer: uuidv7(at), seq: 1, prev: null, nonce: randomNonce() };
  return JSON.parse(recordText(envelope, bodyMembers(body))) as JsonObject;
}

/** What cannot be recorded is refused at the door. */
function isRecordable(request: DecisionRequest): boolean {
  try {
    return bodyMembers({ request: { ...request, approvals: request.approvals ?? [] } }).length > 0;
  } catch {
    return false;
  }
}

function without(record: JsonObject, path: readonly string[]): JsonObject {
  const [name = '', ...rest] = path;
  const { [name]: value, ...others } = record;
  return rest.length === 0 || !isObject(value) ? others : { ...others, [name]: without(value, rest) };
}

function outcomeOf({ result, differences, lacks }: Replay) {
  return { result, differences: differences.map(({ member }) => member), lacks };
}

const SAME = { result: 'same', differences: [], lacks: [] };
const requests = starterRequests().filter(isRecordable);
const ways = fc.constantFrom<Way>('decision', 'fields', 'approval');

t.test('whatever was decided is decided the same again', async (t) => {
  for (const request of STARTER_CASES) t.strictSame(outcomeOf(replay(set, recordOf(request))), SAME);
  fc.assert(
    fc.property(requests, ways, (request, way) => {
      t.strictSame(outcomeOf(replay(set, recordOf(request, way))), SAME);
    }),
    runs(400),
  );
});

t.test('a record that says anything else than what follows from what it says is noticed', async (t) => {
  const concluded = ['matter', 'outcome', 'decided_by', 'rules', 'walls', 'grants', 'obligations', 'duties', 'advice'];
  fc.assert(
    fc.property(requests, requests, (one, other) => {
      const [first, second] = [recordOf(one), recordOf(other)];
      // The conclusions of one decision under the inputs of another: noticed exactly where they differ.
      const forged = { ...second, ...Object.fromEntries(concluded.map((name) => [name, first[name]])) };
      const differ = concluded.filter((name) => JSON.stringify(first[name]) !== JSON.stringify(second[name]));
      t.strictSame(outcomeOf(replay(set, forged)).differences.sort(), differ.sort());
    }),
    runs(200),
  );
  const allowed = STARTER_CASES.find((one) => decide(set, one).outcome === 'allow');
  if (allowed === undefined) throw new Error('no case is allowed');
  const record = recordOf(allowed);
  const left = { ...(record['subject'] as JsonObject) };
  const subject = { ...left, attributes: { ...(left['attributes'] as JsonObject), roles: [] } };
  t.match(outcomeOf(replay(set, { ...record, subject })), { result: 'different', lacks: [] });
  t.strictSame(outcomeOf(replay(set, { ...record, context: { ...(record['context'] as JsonObject), made_up: 1 } })), {
    result: 'different',
    differences: ['context'],
    lacks: [],
  });
});

t.test('another policy set is noticed by its revision, and by what it decides', async (t) => {
  const request = STARTER_CASES.find((one) => decide(set, one).decidedBy[0]?.startsWith('wall-'));
  if (request === undefined) throw new Error('no case meets a wall');
  const open = compiled(starterFiles().filter(({ path }) => !/^(walls|tests)\//.test(path)));
  const { result, differences } = replay(open, recordOf(request));
  t.equal(result, 'different');
  t.strictSame(differences[0], { member: 'policy.revision', recorded: set.revision, replayed: open.revision });
  t.ok(differences.some(({ member }) => member === 'walls'));
});

t.test('what the record lacks is said, and nothing is put in its place', async (t) => {
  const [request] = STARTER_CASES;
  if (request === undefined) throw new Error('no cases');
  const record = recordOf(request, 'approval');
  const needed = [
    ['at'],
    ['action'],
    ['context'],
    ['approvals', 'proven'],
    ['subject', 'actor'],
    ['subject', 'attributes', 'roles'],
    ['resource', 'properties', 'matter_id'],
    ['caller', 'source_system'],
    ['policy', 'engine'],
    ['approval', 'requester'],
  ];
  for (const path of needed) {
    const lacking = outcomeOf(replay(set, without(record, path)));
    t.strictSame(lacking, { result: 'not_recorded', differences: [], lacks: [path.join('.')] });
  }
  t.match(outcomeOf(replay(set, { ...record, v: 2 })), { result: 'not_recorded', lacks: [/version 2/] });
  t.match(outcomeOf(replay(set, { ...record, kind: 'writer_opened' })), { result: 'not_recorded' });
  t.notOk(DECIDING_KINDS.includes('writer_opened'));
});

t.test('another engine is named, and compared all the same', async (t) => {
  const [request] = STARTER_CASES;
  if (request === undefined) throw new Error('no cases');
  const record = recordOf(request);
  const policy = { ...(record['policy'] as JsonObject), engine: '0' };
  t.match(replay(set, { ...record, policy }), { result: 'same', engine: '0' });
  t.match(replay(set, record), { result: 'same', engine: null });
});
