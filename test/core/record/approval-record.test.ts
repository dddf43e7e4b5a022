// Records of approvals: a decision's members, so that they are read and searched alike, and duties in records of decisions.
import t from 'tap';
import { judgeApproval } from '../../../src/core/approve.ts';
import { decide } from '../../../src/core/decide.ts';
import { approvalEntry } from '../../../src/core/record/approval-record.ts';
import { canonicalize } from '../../../src/core/record/canonical.ts';
import { decisionEntry } from '../../../src/core/record/decision-record.ts';
import { uuidv7 } from '../../../src/core/record/uuid.ts';
import { asks, SMALL_FIRM, smallFirm, type Asked } from '../../helpers/policies.ts';

const FIRM = `${SMALL_FIRM}approvals: { approver: [internal], valid_for: PT2H }\n`;
const RULES = `
  - { id: reads, effect: allow, actions: [read], resources: any, obligations: ['log:copy', 'notify:officer'] }
  - { id: logs, effect: allow, actions: [edit], resources: any, obligations: ['log:copy'] }
  - { id: no-export, effect: deny, actions: [export], resources: any, advice: ['alert:officer', 'step_up:mfa'] }
`;
const set = smallFirm(RULES, { 'firm.yaml': FIRM });

function event(asked: Asked = {}) {
  const request = asks(asked);
  const evidence = {
    kind: 'test',
    issuer: null,
    tokenId: null,
    keyId: null,
    claimsHash: null,
    droppedRoles: [],
  } as const;
  const caller = { id: 'dms', sourceSystem: 'dms', rights: new Set<never>(), own: true, aiAssistant: null };
  return {
    id: uuidv7(request.now),
    request,
    subject: { ...request.subject, actor: null, evidence },
    caller,
    requestId: 'r-1',
    traceId: null,
    durationUs: 5,
  };
}

t.test('an approval’s record has what a decision’s has, and for whom and how long', async (t) => {
  const made = event({ action: 'edit' });
  const expiresAt = made.request.now + 60_000;
  const verdict = judgeApproval(set, made.request, 'u-ben', expiresAt);
  const entry = approvalEntry(set, { ...made, verdict, requester: 'u-ben', expiresAt });
  const alike = decisionEntry(set, { ...made, decision: decide(set, made.request), approvalIds: [] });
  t.equal(entry.kind, 'approval');
  t.equal(entry.id, made.id);
  t.strictSame(Object.keys(entry.body).sort(), [...Object.keys(alike.body), 'approval'].sort());
  t.strictSame(Object.keys(entry.columns).sort(), Object.keys(alike.columns).sort());
  t.match(entry.columns, {
    outcome: 'allow',
    subject_id: 'u-ann',
    action: 'edit',
    matter_id: 'M-1',
    decided_by: ['approver-terms'],
  });
  t.strictSame(entry.body['approval'], {
    expires_at: '2026-03-10T14:01:00.000Z',
    requester: 'u-ben',
    roles: ['partner'],
  });
  t.doesNotThrow(() => canonicalize(entry.body));
});

t.test('duties are what Privity has to do: its obligations, and its alerts', async (t) => {
  const bodyOf = (action: string) => {
    const made = event({ action });
    return decisionEntry(set, { ...made, decision: decide(set, made.request), approvalIds: [] });
  };
  const read = bodyOf('read');
  t.match(read.body, { obligations: ['log:copy', 'notify:officer'], duties: ['notify:officer'] });
  t.strictSame(read.columns.obligations, ['log:copy', 'notify:officer']);
  const exported = bodyOf('export');
  t.match(exported.body, {
    obligations: ['alert:officer'],
    duties: ['alert:officer'],
    advice: ['alert:officer', 'step_up:mfa'],
  });
  t.strictSame(exported.columns.obligations, ['alert:officer']);
  t.match(bodyOf('edit').body, { obligations: ['log:copy'], duties: [] });
  t.match(bodyOf('list').body, { obligations: [], duties: [] });
  t.equal(canonicalize(read.body), canonicalize(JSON.parse(canonicalize(read.body))), 'in canonical form');
});

t.test('fields stand in the record of the request without a field', async (t) => {
  const made = event();
  const fields = [{ field: 'rate', outcome: 'deny' as const, decidedBy: ['no-rate'] }];
  const { body } = decisionEntry(set, { ...made, decision: decide(set, made.request), approvalIds: [], fields });
  t.strictSame(body['fields'], [{ decided_by: ['no-rate'], field: 'rate', outcome: 'deny' }]);
});
