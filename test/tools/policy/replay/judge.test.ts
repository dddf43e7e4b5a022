// What a replay judges of a record is what the engine decides of the request itself; what it cannot know from the record it does not judge.
import fc from 'fast-check';
import t from 'tap';
import { decide } from '../../../../src/core/decide.ts';
import type { PolicySet } from '../../../../src/core/policy-set.ts';
import { decisionEntry } from '../../../../src/core/record/decision-record.ts';
import type { JsonObject } from '../../../../src/core/recorded-request.ts';
import { formatTimestamp } from '../../../../src/core/time.ts';
import type { DecisionRequest } from '../../../../src/model/decision.ts';
import { createHotReader } from '../../../../tools/policy/replay/hot-record.ts';
import { createJudge, type Judged } from '../../../../tools/policy/replay/judge.ts';
import { canonicalize } from '../../../../src/core/record/canonical.ts';
import { compiled, starterFiles, starterPolicies } from '../../../helpers/policies.ts';
import { runs } from '../../../helpers/runs.ts';
import { starterRequests } from '../../../helpers/starter-requests.ts';
import { isRecordable } from '../../../helpers/used-log.ts';

const set = starterPolicies();
const EVIDENCE = {
  kind: 'test',
  issuer: null,
  tokenId: null,
  keyId: null,
  claimsHash: null,
  droppedRoles: [],
} as const;
const NAMESPACES = ['subject', 'resource', 'context'] as const;

function recordOf(request: DecisionRequest, by: PolicySet): JsonObject {
  const { body } = decisionEntry(by, {
    ...{ id: '', requestId: '', traceId: null, approvalIds: [], durationUs: 1 },
    request,
    decision: decide(by, request),
    subject: { ...request.subject, actor: request.actor, evidence: EVIDENCE },
    caller: { id: '', sourceSystem: request.sourceSystem ?? '', rights: new Set(), own: true, aiAssistant: null },
  });
  const record = { ...body, v: 1, id: 'x', kind: 'decision', at: formatTimestamp(request.now) };
  return JSON.parse(JSON.stringify(record)) as JsonObject;
}

/** As the service asks them: at a whole millisecond, with approvals, in JSON that can be recorded. */
const requests = (mutations = 4, decidedBy?: string) =>
  starterRequests(mutations, decidedBy)
    .map((one): DecisionRequest => ({ ...one, now: Math.round(one.now), approvals: one.approvals ?? [] }))
    .filter(isRecordable);

/** Without what it says of some attributes, as if the set of the time had not read them. */
function without(record: JsonObject, names: ReadonlySet<string>): JsonObject {
  const copy = structuredClone(record) as Record<string, Record<string, unknown>>;
  const places = [copy['subject']?.['attributes'], copy['resource']?.['properties'], copy['context']];
  for (const [index, place] of places.entries()) {
    if (typeof place !== 'object' || place === null) throw new Error('no such member');
    for (const name of Object.keys(place)) {
      if (names.has(`${NAMESPACES[index] ?? ''}.${name}`)) Reflect.deleteProperty(place, name);
    }
  }
  return copy;
}

const paths = set.recorded
  .filter(({ namespace }) => NAMESPACES.some((one) => one === namespace))
  .map(({ path }) => path);
/** Another set: some rules are gone, nobody is behind a wall, and a rule is new. */
const other = compiled(starterFiles().filter(({ path }) => !path.startsWith('walls/') && path !== 'rules/copies.yaml'));

function outcomeOf(judged: Judged, record: JsonObject): unknown {
  if (judged.result === 'same') return record['outcome'];
  if (judged.result === 'flipped') return judged.changes[0]?.direction === 'newly_allowed' ? 'allow' : 'deny';
  return null;
}

t.test('a whole record is judged as the request is decided', async (t) => {
  const [own, judge] = [createJudge(set), createJudge(other)];
  let flipped = 0;
  fc.assert(
    fc.property(requests(), (request) => {
      const record = recordOf(request, set);
      const same = own.of(record);
      const judged = judge.of(record);
      flipped += Number(judged.result === 'flipped');
      return (
        same.result === 'same' && !same.otherReasons && outcomeOf(judged, record) === decide(other, request).outcome
      );
    }),
    runs(500),
  );
  t.ok(flipped > 0, 'some flip');
});

t.test('what is judged without some attributes is right whatever they were', async (t) => {
  const judge = createJudge(other);
  const counts = { judged: 0, not: 0 };
  fc.assert(
    fc.property(requests(), fc.subarray(paths, { maxLength: 4, minLength: 1 }), (request, gone) => {
      const record = without(recordOf(request, set), new Set(gone));
      const judged = judge.of(record);
      if (judged.result === 'not_judged') {
        counts.not += 1;
        return judged.reason === 'attribute_not_recorded';
      }
      counts.judged += 1;
      return outcomeOf(judged, record) === decide(other, request).outcome;
    }),
    runs(1_000),
  );
  t.ok(counts.judged > 100 && counts.not > 50, JSON.stringify(counts));
});

t.test('free text that is masked is not taken for what it says', async (t) => {
  const judge = createJudge(set);
  const [request] = fc.sample(requests(0, 'break-glass'), 1);
  if (request === undefined) throw new Error('no such case');
  const record = recordOf(request, set);
  const listed = record['free_text'] as readonly string[];
  t.strictSame(listed, ['context.break_glass_reason']);
  const masked = { ...record, context: { ...(record['context'] as object), break_glass_reason: '[masked]' } };
  t.match(judge.of(record), { result: 'same' });
  t.match(judge.of(masked), { result: 'not_judged', what: /break_glass_reason \(masked in exports\)/ });
});

t.test('roles that only the candidate knows are unknown', async (t) => {
  const [request] = fc.sample(requests(0, 'team-lawyers'), 1);
  if (request === undefined) throw new Error('no such case');
  const record = recordOf(request, set);
  const dropped = { ...record, subject: { ...(record['subject'] as object), dropped_roles: ['partner'] } };
  t.match(createJudge(set).of(dropped), { result: 'not_judged', what: /roles that only the candidate knows/ });
  const strange = { ...record, subject: { ...(record['subject'] as object), dropped_roles: ['nobody-knows'] } };
  t.match(createJudge(set).of(strange), { result: 'same' });
});

t.test('the hot reader reads what a parse reads', async (t) => {
  const reader = createHotReader();
  fc.assert(
    fc.property(requests(), (request) => {
      const record = recordOf(request, set);
      const bytes = Buffer.from(`..${canonicalize(record)}..`);
      const read = reader.at(bytes, 2, bytes.length - 2);
      if (read === null) return false;
      const judge = createJudge(other);
      return JSON.stringify(judge.of(read)) === JSON.stringify(judge.of(record));
    }),
    runs(300),
  );
  const broken = Buffer.from('{"v":1,"v":2}');
  t.equal(reader.at(broken, 0, broken.length), null);
});
