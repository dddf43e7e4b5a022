// The example of `privity policy diff` in the docs is carried out: the change, the command, what it says, and the test it proposes.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { policiesRepository } from '../helpers/policies-repository.ts';
import { privity, REPOSITORY } from '../cli/privity.ts';

t.test('docs/policy-tools.md: see what a change does', async (t) => {
  const markdown = await readFile(path.join(REPOSITORY, 'docs/policy-tools.md'), 'utf8');
  const block = (opening: string): string => {
    const found = new RegExp(`^\`\`\`${opening}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(markdown)?.[1];
    if (found === undefined) throw new Error(`the docs have no \`${opening}\``);
    return found;
  };
  const { folder } = await policiesRepository(t);
  const policies = path.join(folder, 'policies');
  const [file = '', from = '', to = ''] = block('diff policy')
    .split('\n')
    .map((line) => line.replace(/^(--- |[-+])/, ''));
  const rules = await readFile(path.join(policies, file), 'utf8');
  t.equal(rules.split(`${from}\n`).length, 2, 'there is one such line');
  await writeFile(
    path.join(policies, file),
    rules.replace(from, () => to),
  );

  const words = block('sh diff').trim().split(' ').slice(1);
  const { code, out, err } = await privity(words, { cwd: folder });
  t.equal(code, 0, err);
  const said = new Set(out.split('\n'));
  for (const line of block('text diff').split('\n')) t.ok(said.has(line), line);

  await writeFile(path.join(policies, 'tests', 'example.yaml'), block('yaml tests/example-diff.yaml'));
  const test = ['policy', 'test', 'policies/tests/example.yaml'];
  const after = await privity(test, { cwd: folder });
  t.equal(after.code, 0, after.out + after.err);
  await writeFile(path.join(policies, file), rules);
  t.equal((await privity(test, { cwd: folder })).code, 1, 'before the change it fails');
});
