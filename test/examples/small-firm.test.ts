// The small firm's pack, as its README line says: it is tested, and `privity start` serves it.
import t from 'tap';
import { privity } from '../cli/privity.ts';
import { startPrivity } from '../cli/started.ts';

const FOLDER = 'examples/small-firm';

t.test('its policies load and its cases hold', async (t) => {
  const { code, out } = await privity(['policy', 'test', '--policies', FOLDER, '--format', 'json']);
  t.equal(code, 0);
  const report = JSON.parse(out) as { passed: number; failed: number };
  t.ok(report.passed >= 7);
  t.equal(report.failed, 0);
});

t.test('POLICIES_DIR=examples/small-firm starts it', { timeout: 300_000 }, async (t) => {
  const { url, state } = await startPrivity(t, { POLICIES_DIR: FOLDER });
  const ask = async (person: string, matter: string, client: string): Promise<unknown> => {
    const { out } = await privity(['token', '--person', person, '--policies', FOLDER, '--state', state]);
    const response = await fetch(`${url}/v1/authorize`, {
      method: 'POST',
      headers: { authorization: `Bearer ${out.trim().split('\n').at(-1)}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        action: { name: 'read' },
        resource: { type: 'document', id: 'D-1', properties: { matter_id: matter, client_id: client } },
      }),
    });
    return ((await response.json()) as { decision: unknown }).decision;
  };
  t.equal(await ask('l-reed', 'M-1', 'C-1'), true, 'on the team');
  t.equal(await ask('l-moss', 'M-2', 'C-2'), false, 'behind the wall, although on the team');
  t.equal(await ask('l-wren', 'M-1', 'C-1'), false, 'not on the team');
});
