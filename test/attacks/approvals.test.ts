// Approvals that were spent, given to somebody else, given for something else, expired or made up: each proves nothing, and each looks
// like no approval at all (DESIGN 5.2, P7), over HTTP against a running service.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { document, OFFICE } from '../helpers/app.ts';
import { startAttackRig, type Answer, type Json } from '../helpers/attack-rig.ts';
import { visibleOf } from './visible.ts';

t.setTimeout(300_000);

const rig = await startAttackRig(t);
const HOUR = 3_600_000;

const old = (id: string): Json =>
  document(id, {
    matter_id: 'M-1003',
    matter_status: 'closed',
    retention_until: '2026-01-01T00:00:00Z',
    client_notified: true,
    legal_hold: false,
  });

async function send(path: string, person: string, body: Json): Promise<Answer> {
  const roles = person === 'u-rowe' ? ['records_manager'] : ['partner'];
  const headers = { authorization: `Bearer ${rig.callerToken()}`, 'x-request-id': randomUUID() };
  return rig.post(path, { subject_token: rig.subjectToken({ sub: person, roles }), ...body }, headers);
}

async function approve(changes: Json = {}): Promise<string> {
  const wish = { requester: 'u-rowe', action: { name: 'dispose' }, resource: old('D-1'), context: OFFICE };
  const expires_at = new Date(Date.now() + HOUR).toISOString();
  const { status, body } = await send('/v1/approvals', 'u-okafor', { ...wish, expires_at, ...changes });
  if (status !== 201) throw new Error(`not approved: ${JSON.stringify(body)}`);
  return String(body['approval_id']);
}

const question = (id: string, ids: readonly string[], action = 'dispose'): Json => ({
  action: { name: action },
  resource: old(id),
  context: { ...OFFICE, approval_ids: ids },
});

const dispose = (id: string, ids: readonly string[], person = 'u-rowe'): Promise<Answer> =>
  send('/v1/authorize', person, question(id, ids));

const spent = await approve();
const good = await dispose('D-1', [spent]);
const none = visibleOf(await dispose('D-1', []));

const soon = await approve({ expires_at: new Date(Date.now() + 300).toISOString() });
await sleep(400);

const cases: readonly (readonly [string, readonly string[]])[] = [
  ['spent', [spent]],
  ['spent, twice', [spent, spent]],
  ['expired', [soon]],
  ['given to another person', [await approve({ requester: 'u-other' })]],
  ['given for another thing', [await approve({ resource: old('D-2') })]],
  ['given for another action', [await approve({ action: { name: 'edit' } })]],
  ['given for another type', [await approve({ resource: { ...old('D-1'), type: 'email' } })]],
  ['given for another matter', [await approve({ resource: document('D-1') })]],
  ['made up', [randomUUID(), '0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e']],
  ['the id of a decision', [String((good.body['context'] as Json)['evaluation_id'])]],
];
// Nothing is awaited below: the service ends with the last test that is known of.
t.test('a good approval does what the others must not', async (t) => {
  t.match(good, { status: 200, body: { decision: true } });
  t.match(JSON.stringify(none.body), /\["decision",false\]/);
});

for (const [name, ids] of cases) {
  t.test(name, async (t) => {
    const answer = await dispose('D-1', ids);
    t.strictSame(visibleOf(answer), none, 'looks like no approval');
    t.match(await rig.recordOf(answer.headers.get('x-request-id') ?? ''), { outcome: 'deny' });
  });
}

t.test('a person cannot use what was given to another, and has not used it up', async (t) => {
  const id = await approve();
  t.match(await dispose('D-1', [id], 'u-rowe2'), { body: { decision: false } });
  t.match(await dispose('D-1', [id]), { body: { decision: true } });
});

t.test('one approval in every question of a batch is good for one of them', async (t) => {
  const id = await approve();
  const one = question('D-1', [id]);
  const { body } = await send('/v1/authorize/batch', 'u-rowe', { evaluations: [one, one, one] });
  const decisions = (body['evaluations'] as Json[]).map(({ decision }) => decision);
  t.equal(decisions.filter((decision) => decision === true).length, 1);
});

t.test('what is no list of ids is a 400, however it is wrapped', async (t) => {
  for (const ids of [
    'x',
    [1],
    [null],
    [[spent]],
    { 0: spent },
    Array.from({ length: 11 }, () => randomUUID()),
    ['../x'],
  ]) {
    const context = { ...OFFICE, approval_ids: ids };
    const answer = await send('/v1/authorize', 'u-rowe', { ...question('D-1', []), context });
    t.match(answer, { status: 400, body: { code: 'malformed_request' } }, JSON.stringify(ids).slice(0, 30));
  }
});
