import { appendFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { formatDiagnostic } from '../../../src/core/schema-check.ts';
import { commitSource, readPolicyCommit, readPolicyFolder } from '../../../src/io/policies/read.ts';
import { createSourceCache } from '../../../src/io/policies/snapshot.ts';
import { fill, git, makeFolder, type Contents } from './folder.ts';

const FILES: Contents = {
  'policies/firm.yaml': 'version: 1\nname: Example – firm\n',
  'policies/rules/a b.yaml': 'version: 1\n',
  'policies/data/matters.csv': 'id,client_id\nM-1,C-1\n',
  'policies/firms.yaml': 'x\n',
  'README.md': '# words\n',
};

async function makeRepository(t: { teardown(clean: () => unknown): void }, contents: Contents = FILES) {
  const dir = await makeFolder(t, contents);
  git(dir, 'init', '-q', '-b', 'main');
  const commit = () => {
    git(dir, 'add', '-A');
    git(dir, 'commit', '-q', '-m', 'policies');
    return git(dir, 'rev-parse', 'HEAD');
  };
  return { dir, policies: join(dir, 'policies'), commit };
}

const whole = ({ files }: { files: readonly { path: string; hash: string }[] }) =>
  files.map(({ path, hash }) => [path, hash]);

t.test('a commit reads like the folder it was made from, in a work tree and in a bare repository', async (t) => {
  const { dir, policies, commit } = await makeRepository(t);
  const id = commit();
  const folder = await readPolicyFolder(policies);
  t.equal(folder.commit, id);
  t.equal(folder.files.length, 3);
  const fromTree = await readPolicyCommit(policies, 'main');
  t.strictSame(whole(fromTree), whole(folder));
  t.match(fromTree, { commit: id, problems: [{ severity: 'finding', file: 'firms.yaml' }] });
  const bare = await makeFolder(t);
  git(dir, 'clone', '-q', '--bare', dir, bare);
  const fromBare = await readPolicyCommit(bare, 'HEAD', { folder: 'policies' });
  t.strictSame(whole(fromBare), whole(folder));
  t.match(await readPolicyCommit(bare, id, { folder: 'policies', commit: 'named' }), { commit: 'named' });
});

t.test('the folder is of a commit only if it holds exactly what the commit holds', async (t) => {
  const { policies, commit } = await makeRepository(t);
  const id = commit();
  await writeFile(join(policies, 'README.md'), 'no policy\n');
  t.equal((await readPolicyFolder(policies)).commit, id);
  await writeFile(join(policies, 'rules/extra.yaml'), 'version: 1\n');
  t.equal((await readPolicyFolder(policies)).commit, null);
  const next = commit();
  t.equal((await readPolicyFolder(policies)).commit, next);
  await appendFile(join(policies, 'firm.yaml'), '# more\n');
  t.equal((await readPolicyFolder(policies)).commit, null);
});

t.test('a branch that moves is news, and only changed files are parsed again', async (t) => {
  const { policies, commit } = await makeRepository(t);
  commit();
  const source = commitSource(policies, 'main', { cache: createSourceCache() });
  const [mark, first] = [await source.fingerprint(false), await source.read()];
  t.equal(await source.fingerprint(true), mark);
  t.equal(first.seenAs?.published, mark);
  await fill(policies, { 'firm.yaml': 'version: 2\n' });
  t.equal(await source.fingerprint(false), mark);
  const id = commit();
  t.equal(await source.fingerprint(false), id);
  const second = await source.read();
  t.equal(second.files[0], first.files[0]);
  t.match(second.files[1], { path: 'firm.yaml', value: { version: 2 } });
});

t.test('links in a commit are refused', async (t) => {
  const { policies, commit } = await makeRepository(t);
  await symlink('firm.yaml', join(policies, 'callers.yaml'));
  commit();
  t.strictSame((await readPolicyCommit(policies, 'main')).problems.map(formatDiagnostic), [
    'callers.yaml:1:1: links and submodules are not read from a commit',
    'firms.yaml:1:1: this file is not read — did you mean `firm.yaml`?',
  ]);
});

t.test('what git cannot give is said, and never throws', async (t) => {
  const { policies, commit } = await makeRepository(t);
  commit();
  const none = await makeFolder(t);
  for (const [dir, ref] of [
    [policies, 'no-such-branch'],
    [policies, '--help'],
    [policies, 'HEAD:policies/firm.yaml'],
    [none, 'HEAD'],
    [join(none, 'gone'), 'HEAD'],
  ] as const) {
    t.match(
      await readPolicyCommit(dir, ref),
      { files: [], commit: null, seenAs: null, problems: [{ code: 'unreadable-commit' }] },
      ref,
    );
  }
  t.equal((await readPolicyFolder(none)).commit, null);
});
