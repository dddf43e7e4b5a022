// What docs/policy-tools.md shows of unused rights and access reviews is carried out over a log of the starter pack's own requests.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import type { Verb } from '../../src/cli/shell/verb.ts';
import { POLICY_TOOLS } from '../../tools/policy/tools.ts';
import { copyPolicies, REPOSITORY } from '../cli/privity.ts';
import { firmPolicies } from '../helpers/policies.ts';
import { runVerb } from '../helpers/run-verb.ts';
import { STARTER_CASES } from '../helpers/starter-requests.ts';
import { createUsedLog, DAY } from '../helpers/used-log.ts';

const ABSENT = new Set(['x-dupont', 'u-gruber']);

/** Places move whenever somebody adds a line above. */
const withoutLines = (text: string): string => text.replaceAll(/(\.yaml):\d+/g, '$1').replaceAll(/ +/g, ' ');

t.test('commands over a log end as they should, and print what is shown', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-docs-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await copyPolicies(folder);
  const log = await createUsedLog(t);
  const set = firmPolicies();
  await log.load(set, Date.now() - 100 * DAY);
  const asked = STARTER_CASES.filter(({ subject, action }) => !ABSENT.has(subject.id) && action !== 'export');
  await log.decide(set, asked, Date.now() - 50 * DAY);

  const doc = await readFile(path.join(REPOSITORY, 'docs', 'policy-tools.md'), 'utf8');
  const blocks = [...doc.matchAll(/^```(sh|text) log\n([\s\S]*?)^```$/gm)];
  t.ok(blocks.length >= 6, `${blocks.length} blocks`);
  let said = '';
  for (const [, kind, text = ''] of blocks) {
    const lines = text.trimEnd().split('\n');
    if (kind === 'text') {
      for (const line of lines) t.ok(withoutLines(said).includes(withoutLines(line)), line);
      continue;
    }
    for (const line of lines) {
      if (line.startsWith('git ')) {
        const { status, stderr } = spawnSync('bash', ['-ec', line], { cwd: folder, encoding: 'utf8' });
        t.equal(status, 0, `${line}: ${stderr}`);
        continue;
      }
      const [, ...words] = [...line.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
      const { code, out, err } = await runVerb(await verbOf(words), words.slice(2), { folder, env: log.env });
      const expected = line.includes('review report') ? 1 : 0;
      t.equal(code, expected, `${line}: ${err}`);
      said = out;
    }
  }
});

async function verbOf([group = '', name = '']: readonly string[]): Promise<Verb> {
  const entry = POLICY_TOOLS.get(`${group} ${name}`);
  if (entry === undefined) throw new Error(`there is no ${group} ${name}`);
  return (await entry.load()).verb;
}
