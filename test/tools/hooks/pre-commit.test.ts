// The hook of a policies repository, by real commits.
import { spawnSync } from 'node:child_process';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import { environment, REPOSITORY } from '../../cli/privity.ts';
import { policiesRepository } from '../../helpers/policies-repository.ts';

const RULES = 'policies/rules/oversight.yaml';
const BROKEN = 'version: 1\nrules:\n  - { id: broken, effect: alow, actions: [read], resources: any }\n';

async function hooked(t: Test) {
  const { folder, git } = await policiesRepository(t);
  await symlink(path.join(REPOSITORY, 'tools/hooks/pre-commit'), path.join(folder, '.git/hooks/pre-commit'));
  const commit = (message: string) =>
    spawnSync('git', ['commit', '-m', message], { cwd: folder, encoding: 'utf8', env: environment({ HOME: folder }) });
  return { folder, git, commit };
}

t.test('what is staged is judged, not what lies in the folder', { timeout: 300_000 }, async (t) => {
  const { folder, git, commit } = await hooked(t);
  const file = path.join(folder, RULES);
  const good = await readFile(file, 'utf8');

  await writeFile(file, BROKEN);
  git('add', RULES);
  await writeFile(file, good);
  const refused = commit('policies: broken');
  t.not(refused.status, 0, refused.stdout);
  t.match(refused.stdout + refused.stderr, /policies\/rules\/oversight\.yaml:3:.*`alow`/);
  t.match(refused.stderr, /nothing was committed/);

  git('reset', '-q');
  await writeFile(file, `${good}# Looked at in autumn.\n`);
  git('add', RULES);
  await writeFile(file, BROKEN);
  const taken = commit('policies: a remark');
  t.equal(taken.status, 0, taken.stdout + taken.stderr);
  t.equal(await readFile(file, 'utf8'), BROKEN, 'the folder stays as it is');
  t.match(git('show', `HEAD:${RULES}`), /Looked at in autumn/);
});

t.test('a commit that leaves the policies alone does not wait for them', async (t) => {
  const { folder, git, commit } = await hooked(t);
  await writeFile(path.join(folder, RULES), BROKEN);
  await writeFile(path.join(folder, 'README.md'), 'The policies of the firm.\n');
  git('add', 'README.md');
  const taken = commit('docs: a readme');
  t.equal(taken.status, 0, taken.stderr);
  t.notMatch(taken.stdout + taken.stderr, /rules/);
});

t.test('a commit that takes the whole folder away is refused', async (t) => {
  const { git, commit } = await hooked(t);
  git('rm', '-rq', 'policies');
  const refused = commit('policies: none');
  t.equal(refused.status, 1);
  t.match(refused.stderr, /nothing is left/);
});
