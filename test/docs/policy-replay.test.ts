// The example of `policy replay` in docs/policy-tools.md is what the command prints, over a log of the starter pack's own test requests.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import { decisionEntry } from '../../src/core/record/decision-record.ts';
import { bodyMembers, recordText } from '../../src/core/record/envelope.ts';
import { uuidv7Floor } from '../../src/core/record/uuid.ts';
import { verb } from '../../tools/policy/policy-replay.ts';
import { REPOSITORY } from '../cli/privity.ts';
import { STARTER } from '../helpers/app.ts';
import { starterPolicies } from '../helpers/policies.ts';
import { runVerb } from '../helpers/run-verb.ts';
import { STARTER_CASES } from '../helpers/starter-requests.ts';

const EVIDENCE = {
  kind: 'test',
  issuer: null,
  tokenId: null,
  keyId: null,
  claimsHash: null,
  droppedRoles: [],
} as const;

function starterLog(): string {
  const set = starterPolicies();
  const lines = STARTER_CASES.map((request, seq) => {
    const sourceSystem = request.sourceSystem ?? '';
    const { body } = decisionEntry(set, {
      ...{ id: '', requestId: '', traceId: null, approvalIds: [], durationUs: 1 },
      request,
      decision: decide(set, request),
      subject: { ...request.subject, actor: request.actor, evidence: EVIDENCE },
      caller: { id: sourceSystem, sourceSystem, rights: new Set(), own: true, aiAssistant: null },
    });
    const id = uuidv7Floor(request.now).slice(0, -12) + seq.toString(16).padStart(12, '0');
    const writer = uuidv7Floor(0);
    const envelope = { kind: 'decision', id, writer, seq, prev: null, nonce: '0'.repeat(32), at: request.now };
    return `${recordText(envelope, bodyMembers(body))}\n`;
  });
  return lines.join('');
}

/** Who adds a test to the starter pack need not count anew: figures and ids are no matter. */
function uncounted(line: string): string {
  return line.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|\b\d+\b(?!-)/g, '#');
}

t.test('its example prints what the page says, and its other command runs', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-replay-docs-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const page = await readFile(path.join(REPOSITORY, 'docs', 'policy-tools.md'), 'utf8');
  const [, section = ''] = page.split('## Replay the log under a change\n');
  const [, rule = ''] = /```yaml\n([\s\S]*?)```/.exec(section) ?? [];
  const [, said = ''] = /```text replay\n([\s\S]*?)```/.exec(section) ?? [];
  t.ok(said.length > 100 && rule.includes('example-closed-matters'));
  await cp(STARTER, path.join(folder, 'my-branch'), { recursive: true });
  await writeFile(path.join(folder, 'my-branch', 'rules', 'example.yaml'), rule);
  await writeFile(path.join(folder, 'log.ndjson'), starterLog());
  const commands = [...page.matchAll(/```sh replay\nprivity policy replay (.*)\n```/g)].map(([, words = '']) => words);
  t.equal(commands.length, 2);
  const [first = '', second = ''] = commands;
  const run = (words: string) =>
    runVerb(verb, words.split(' '), { folder, env: { POLICIES_DIR: path.join(folder, 'my-branch') } });
  const ended = await run(`${first} --export log.ndjson`);
  t.equal(ended.code, 0, ended.err);
  const printed = ended.out.split('\n').map(uncounted);
  for (const line of said.trimEnd().split('\n')) t.ok(printed.includes(uncounted(line)), line);
  t.equal((await run(second)).code, 1, 'somebody would be let in');
});
