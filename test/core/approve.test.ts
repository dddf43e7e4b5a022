// Who may be the second person: everything that stands against an approval, one by one.
import t from 'tap';
import { judgeApproval, placeOfUse, stillCounts } from '../../src/core/approve.ts';
import {
  asks,
  compiled,
  errorsIn,
  instant,
  smallFiles,
  SMALL_FIRM,
  type Asked,
  type Files,
} from '../helpers/policies.ts';

const FIRM = `${SMALL_FIRM}approvals: { approver: [internal, mfa], valid_for: PT24H }\n`;
const approver = { id: 'u-app', amr: ['mfa'], roles: ['partner', 'analyst'] };
const set = (more: Files = {}) => compiled(smallFiles([], { 'firm.yaml': FIRM, ...more }));
const until = instant('2026-03-11T14:00:00Z');

/** What stands against the approval; nothing, when it is given. */
function against(asked: Asked, more: Files = {}, requester = 'u-req', expiresAt = until): string {
  const { decision } = judgeApproval(set(more), asks({ subject: approver, ...asked }), requester, expiresAt);
  return decision.outcome === 'allow' ? '' : decision.decidedBy.join(' ');
}

t.test('a second person in good standing approves', async (t) => {
  const { decision, roles } = judgeApproval(set(), asks({ subject: approver }), 'u-req', until);
  t.match(decision, {
    outcome: 'allow',
    decidedBy: ['approver-terms'],
    walls: [],
    obligations: [],
    matter: 'M-1',
    client: 'C-1',
  });
  t.strictSame(roles, ['partner', 'analyst']);
});

t.test('everything that stands against it is named', async (t) => {
  t.equal(against({ subject: { ...approver, amr: [] } }), 'approver-terms');
  t.equal(against({ subject: { ...approver, amr: 'mfa' } }), 'approver-terms', 'a doubt is no yes');
  t.equal(against({}, {}, 'u-app'), 'own-request');
  t.equal(against({ actor: 'ai' }), 'actor');
  t.equal(against({ subject: { ...approver, user_type: 'service' } }), 'approver-terms not-a-person');
  t.equal(against({}, {}, 'u-req', until + 1), 'validity');
  t.equal(against({}, {}, 'u-req', instant('2026-03-10T14:00:00Z')), 'validity', 'over before it began');
  t.equal(against({ properties: { matter_id: null } }), 'attribute-missing');
  t.equal(against({ properties: { client_id: 5 } }), 'attribute-missing');
  t.equal(against({ subject: { ...approver, roles: null } }), 'attribute-missing');
  t.equal(against({ id: '' }), 'attribute-missing');
});

t.test('walls and lockdown hold for the second person too', async (t) => {
  const walls = (wall: string) => ({ 'walls/walls.yaml': `walls: [{ id: W-1, ${wall} }]` });
  t.equal(against({}, walls('kind: exclusion, matter_id: M-1, excluded_people: [u-app]')), 'exclusion-wall');
  t.equal(against({}, walls('kind: inclusion, matter_id: M-1, included_people: [u-app]')), 'wall-memo-acknowledgement');
  t.equal(
    against({}, walls('kind: exclusion, matter_id: M-1, excluded_people: [u-req]')),
    '',
    'the requester has a wall of their own',
  );
  t.equal(against({}, { 'lockdown.yaml': 'version: 1\nclients: [C-1]\n' }), 'lockdown');
  t.equal(
    against({ properties: { matter_id: null } }, walls('kind: exclusion, matter_id: M-9, excluded_people: [u-app]')),
    'attribute-missing exclusion-wall',
  );
});

t.test('the file outranks the token of the second person', async (t) => {
  const people = (attributes: string) => ({ 'data/people.yaml': `people: [{ id: u-app, ${attributes} }]` });
  t.equal(against({}, people('amr: []')), 'approver-terms');
  const { roles } = judgeApproval(set(people('roles: [clerk]')), asks({ subject: approver }), 'u-req', until);
  t.strictSame(roles, ['clerk']);
});

t.test('an approval counts at its use only while its giver may still reach the matter', async (t) => {
  const by = { by: 'u-app', roles: ['partner'] };
  const request = asks({ subject: { id: 'u-req' }, actor: 'ai' });
  const wall = 'walls: [{ id: W-1, kind: exclusion, matter_id: M-1, excluded_people: [u-app] }]';
  t.equal(stillCounts(set(), request, by), true, 'an assistant may act for the requester');
  t.equal(stillCounts(set({ 'walls/walls.yaml': wall }), request, by), false);
  t.equal(stillCounts(set({ 'lockdown.yaml': 'version: 1\npeople: [u-app]\n' }), request, by), false);
  t.equal(
    stillCounts(set({ 'lockdown.yaml': 'version: 1\npeople: [ai, u-req]\n' }), request, by),
    true,
    'others are judged elsewhere',
  );
  t.strictSame(placeOfUse(set(), request), { matter: 'M-1', client: 'C-1' });
  t.strictSame(placeOfUse(set(), asks({ type: 'report', properties: { matter_id: null, client_id: null } })), {
    matter: null,
    client: null,
  });
  t.equal(placeOfUse(set(), asks({ properties: { matter_id: 5 } })), null);
  t.equal(placeOfUse(set(), asks({ properties: { client_id: null } })), null);
});

t.test('a firm that says nothing of approvals has none, and one that says it wrongly does not load', async (t) => {
  const { decision } = judgeApproval(compiled(smallFiles([])), asks({ subject: approver }), 'u-req', until);
  t.strictSame([decision.outcome, decision.decidedBy], ['deny', ['approvals-not-configured']]);
  t.strictSame(
    errorsIn(smallFiles([], { 'firm.yaml': `${SMALL_FIRM}approvals: { approver: [intern], valid_for: 1 day }\n` })),
    [
      'firm.yaml:56:25: `intern` is no term that firm.yaml knows — did you mean `internal`?',
      'firm.yaml:56:34: `1 day` is no ISO 8601 duration — write PT24H or P7D',
    ],
  );
});
