// The worked example of docs/audit.md is carried out, and the example log is what both verifiers call intact.
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { WHAT_TO_DO } from '../../src/core/verification/finding.ts';
import { REPOSITORY } from '../cli/privity.ts';

const markdown = await readFile(path.join(REPOSITORY, 'docs', 'audit.md'), 'utf8');
const node = (args: readonly string[], input?: string) =>
  spawnSync(process.execPath, [...args], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    ...(input === undefined ? {} : { input }),
  });

t.test('the worked example prints what the page says', async (t) => {
  const [, script = '', printed = ''] = /```js\n([\s\S]*?)```\n\nprints\n\n```text\n([\s\S]*?)```/.exec(markdown) ?? [];
  const { stdout, stderr, status } = node(['--input-type=module', '-'], script);
  t.equal(status, 0, stderr);
  t.equal(stdout, printed);
});

t.test('the example log verifies elsewhere too', async (t) => {
  const at = (name: string) => `examples/audit/${name}`;
  const args = [
    '--export',
    at('log.ndjson'),
    '--checkpoints',
    at('checkpoints.log'),
    '--key',
    at('log.vkey'),
    '--certifier',
    at('writers.pem'),
  ];
  const { stdout, status } = node(['tools/verify-log.mjs', ...args]);
  t.equal(status, 0);
  t.match(stdout, /^intact \{"records":24,"leaves":18,"commitments":24,"heads":12\}/);
  t.match(markdown, new RegExp(/\{"end":\{"records":24,"leaves":18,"commitments":24,"heads":12\}\}/));
});

t.test('every kind of tampering is explained', async (t) => {
  for (const kind of Object.keys(WHAT_TO_DO)) t.match(markdown, new RegExp(`^\\| \`${kind}\``, 'm'), kind);
});
