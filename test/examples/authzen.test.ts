// The pack of the AuthZEN certification scenario: it is tested, and `privity start` serves it to a caller that vouches.
import t from 'tap';
import { privity } from '../cli/privity.ts';
import { startPrivity } from '../cli/started.ts';

const FOLDER = 'examples/authzen';

t.test('its policies load without findings and its cases hold', async (t) => {
  const { code, out } = await privity(['policy', 'test', '--policies', FOLDER, '--format', 'json']);
  t.equal(code, 0);
  t.match(JSON.parse(out), { passed: 8, failed: 0 }, 'the eight decisions of the scenario');
});

t.test('POLICIES_DIR=examples/authzen starts it', { timeout: 300_000 }, async (t) => {
  const { url, state } = await startPrivity(t, { POLICIES_DIR: FOLDER, PUBLIC_URL: 'https://pdp.authzen.example' });
  const { out } = await privity(['token', '--caller', 'pep', '--policies', FOLDER, '--state', state]);
  const headers = { authorization: `Bearer ${out.trim().split('\n').at(-1)}`, 'content-type': 'application/json' };
  const post = async (door: string, body: unknown): Promise<unknown> =>
    (await fetch(url + door, { method: 'POST', headers, body: JSON.stringify(body) })).json();

  const record = { type: 'record', id: 'record-1' };
  const question = { subject: { type: 'user', id: 'bob' }, resource: record, action: { name: 'read' } };
  t.strictSame(await post('/access/v1/evaluation', question), { decision: true });
  const evaluations = [{}, { action: { name: 'write' } }];
  t.strictSame(await post('/access/v1/evaluations', { ...question, evaluations }), {
    evaluations: [{ decision: true }, { decision: false }],
  });
  const found: unknown = await (await fetch(`${url}/.well-known/authzen-configuration`)).json();
  t.match(found, { policy_decision_point: 'https://pdp.authzen.example' });
});
