// The pack of the AuthZEN certification scenario: it is tested, and `privity start` serves it to a caller that vouches.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { BINARY, environment, privity, REPOSITORY } from '../cli/privity.ts';

const FOLDER = 'examples/authzen';

t.test('its policies load without findings and its cases hold', async (t) => {
  const { code, out } = await privity(['policy', 'test', '--policies', FOLDER, '--format', 'json']);
  t.equal(code, 0);
  t.match(JSON.parse(out), { passed: 8, failed: 0 }, 'the eight decisions of the scenario');
});

t.test('POLICIES_DIR=examples/authzen starts it', { timeout: 300_000 }, async (t) => {
  const state = await mkdtemp(path.join(tmpdir(), 'privity-authzen-'));
  const child = spawn(process.execPath, [BINARY, 'start', '--state', state], {
    cwd: REPOSITORY,
    env: environment({ PORT: '0', POLICIES_DIR: FOLDER, PUBLIC_URL: 'https://pdp.authzen.example' }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(async () => {
    child.kill('SIGINT');
    if (child.exitCode === null) await once(child, 'exit');
    await rm(state, { recursive: true, force: true });
  });
  let printed = '';
  child.stdout.setEncoding('utf8');
  for await (const chunk of child.stdout) {
    printed += String(chunk);
    if (printed.includes('# What was recorded')) break;
  }
  const url = /http:\/\/[\w.:[\]]+\d/.exec(printed)?.[0] ?? '';
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
